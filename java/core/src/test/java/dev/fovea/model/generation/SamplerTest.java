package dev.fovea.model.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.generation.Sampling.Bias;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tokens are drawn by the probabilities that the formulas, written plainly, leave. */
class SamplerTest {
    private static final int VOCABULARY = 41;
    private static final int DRAWS = 20_000;

    private static float[] logits(long seed) {
        var random = new Random(seed);
        var logits = new float[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            logits[i] = (float) (2 * random.nextGaussian());
        }
        logits[7] = logits[30]; // equals
        return logits;
    }

    /** As Hugging Face's processors do it: temperature, top-k, top-p, min-p, typical. */
    private static double[] probabilities(float[] logits, Sampling options) {
        double[] x = IntStream.range(0, VOCABULARY).mapToDouble(i -> logits[i] / options.temperature()).toArray();
        Integer[] order = sorted(x, Comparator.comparingDouble(i -> -x[i]));
        for (int rank = options.topK(); options.topK() > 0 && rank < VOCABULARY; rank++) {
            x[order[rank]] = Double.NEGATIVE_INFINITY;
        }
        double[] p = softmax(x);
        double sum = 0;
        for (int token : order) {
            x[token] = sum >= options.topP() ? Double.NEGATIVE_INFINITY : x[token];
            sum += p[token];
        }
        p = softmax(x);
        double most = Arrays.stream(p).max().orElseThrow();
        for (int i = 0; i < VOCABULARY; i++) {
            x[i] = p[i] < options.minP() * most ? Double.NEGATIVE_INFINITY : x[i];
        }
        p = softmax(x);
        if (options.typicalP() < 1) {
            double entropy = Arrays.stream(p).map(q -> q == 0 ? 0 : -q * Math.log(q)).sum();
            double[] q = p;
            double left = 0;
            for (int token : sorted(x, Comparator.comparingDouble(i -> Math.abs(-Math.log(q[i]) - entropy)))) {
                x[token] = left >= options.typicalP() ? Double.NEGATIVE_INFINITY : x[token];
                left += q[token];
            }
            p = softmax(x);
        }
        return p;
    }

    private static Integer[] sorted(double[] x, Comparator<Integer> by) {
        Integer[] order = IntStream.range(0, x.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, by);
        return order;
    }

    private static double[] softmax(double[] x) {
        double most = Arrays.stream(x).max().orElseThrow();
        double sum = Arrays.stream(x).map(e -> Math.exp(e - most)).sum();
        return Arrays.stream(x).map(e -> Math.exp(e - most) / sum).toArray();
    }

    private static Sampling sampling(float temperature, int topK, float topP, float minP, float typicalP, Bias... biases) {
        return new Sampling(temperature, topK, topP, minP, typicalP, 1, 0, 0, biases, 3, true);
    }

    @Test
    void shouldDrawByTheProbabilitiesThatAreLeft() {
        for (Sampling options : new Sampling[] {sampling(1, 0, 1, 0, 1), sampling(0.7f, 0, 1, 0, 1), sampling(2, 5, 1, 0, 1),
            sampling(1, 0, 0.8f, 0, 1), sampling(1.3f, 12, 0.6f, 0, 1), sampling(1, 0, 1, 0.2f, 1), sampling(1, 0, 1, 0, 0.7f),
            sampling(0.9f, 20, 0.9f, 0.05f, 0.8f), sampling(1, 100, 0.001f, 0, 1), sampling(1, 1, 1, 0, 1)}) {
            float[] logits = logits(5);
            double[] expected = probabilities(logits, options);
            var sampler = new Sampler(VOCABULARY, 0);
            sampler.start(options);
            double[] drawn = new double[VOCABULARY];
            for (int i = 0; i < DRAWS; i++) {
                drawn[sampler.next(MemorySegment.ofArray(logits))] += 1.0 / DRAWS;
            }
            for (int i = 0; i < VOCABULARY; i++) {
                assertTrue(expected[i] > 0 || drawn[i] == 0, options + " drew " + i);
                double deviation = Math.sqrt(expected[i] * (1 - expected[i]) / DRAWS);
                assertEquals(expected[i], drawn[i], 5 * deviation + 1e-9, options + " token " + i);
            }
        }
    }

    @Test
    void shouldTakeTheLikeliestOfTheLowestIdWithoutATemperature() {
        var sampler = new Sampler(4, 0);
        sampler.start(sampling(0, 0, 1, 0, 1));
        assertEquals(1, sampler.next(MemorySegment.ofArray(new float[] {1, 3, 3, Float.NEGATIVE_INFINITY})));
        assertEquals(3 - Math.log(Math.exp(1) + 2 * Math.exp(3)), sampler.logProbability(), 1e-12);
    }

    @Test
    void shouldChangeLogitsByBiasesAndPenalties() {
        float[] logits = {1, 2, -1, 0.5f};
        var sampler = new Sampler(4, 0);
        var options = new Sampling(0, 0, 1, 0, 1, 2, 0.25f, 0.5f, new Bias[] {new Bias(3, 0.1f)}, 0, true);
        sampler.start(options);
        sampler.read(1); // 2 becomes 1: as likely as token 0
        assertEquals(0, sampler.next(MemorySegment.ofArray(logits))); // 1 becomes 1 / 2 − 0.25 − 0.5 from now on
        assertEquals(1, sampler.next(MemorySegment.ofArray(logits))); // 2 / 2 − 0.25 − 0.5
        assertEquals(3, sampler.next(MemorySegment.ofArray(logits))); // 0.6 / 2 − 0.75
        assertEquals(0.5 - Math.log(Math.exp(1) + Math.exp(2) + Math.exp(-1) + Math.exp(0.5)), sampler.logProbability(), 1e-9);
        sampler.start(options);
        assertEquals(1, sampler.next(MemorySegment.ofArray(logits)));
    }

    @Test
    void shouldMultiplyBySoftcaps() {
        var sampler = new Sampler(2, 30);
        sampler.start(sampling(0, 0, 1, 0, 1));
        assertEquals(1, sampler.next(MemorySegment.ofArray(new float[] {0.1f, 0.2f})));
        assertEquals(-Math.log1p(Math.exp(-3)), sampler.logProbability(), 1e-6);
    }

    @Test
    void shouldRefuseLogitsThatAreNotFinite() {
        var sampler = new Sampler(3, 0);
        sampler.start(sampling(1, 0, 1, 0, 1));
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            var e = assertThrows(ArithmeticException.class, () -> sampler.next(MemorySegment.ofArray(new float[] {1, bad, 2})));
            assertTrue(e.getMessage().contains("not finite"), e.getMessage());
        }
        sampler.start(sampling(1, 0, 1, 0, 1, new Bias(0, Float.NEGATIVE_INFINITY), new Bias(1, Float.NEGATIVE_INFINITY),
                new Bias(2, Float.NEGATIVE_INFINITY)));
        assertThrows(IllegalArgumentException.class, () -> sampler.next(MemorySegment.ofArray(new float[3])));
    }
}
