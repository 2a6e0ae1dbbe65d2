package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.model.TransformerConfig.Architecture;
import dev.fovea.model.TransformerConfig.FeedForward;
import dev.fovea.model.TransformerConfig.Norm;
import dev.fovea.model.TransformerConfig.Positions;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The Transformer of every config against a forward pass in double. */
class TransformerTest {
    private static final int VOCABULARY = 41;
    private static final int MAX_TOKENS = 40;

    private static final List<Engine> ENGINES = Stream.of(Backend.values())
            .filter(backend -> Engine.unavailable(backend).isEmpty())
            .map(backend -> Engine.create(EngineOptions.defaults().withBackend(backend).withSpinMicros(0)))
            .toList();

    static List<TransformerConfig> configs() {
        List<TransformerConfig> configs = new ArrayList<>();
        for (Architecture architecture : Architecture.values()) {
            var base = TransformerConfig.base(architecture, VOCABULARY).withPositions(Positions.SINUSOIDAL, MAX_TOKENS)
                    .withSizes(2, 24, 4, 50);
            configs.add(base);
            for (Positions positions : Positions.values()) {
                configs.add(base.withPositions(positions, MAX_TOKENS).withNorm(Norm.LAYER_NORM, true)
                        .withFeedForward(FeedForward.GELU).withEmbeddings(false, 1));
                configs.add(base.withPositions(positions, MAX_TOKENS)
                        .withNorm(Norm.RMS_NORM, positions == Positions.ROPE)
                        .withFeedForward(FeedForward.SWIGLU).withKvHeads(2).withBiases(false).withFinalNorm(true));
            }
            configs.add(base.withSizes(1, 30, 3, 7).withKvHeads(1).withNorm(Norm.RMS_NORM, false));
        }
        return configs;
    }

    @ParameterizedTest
    @MethodSource("configs")
    void shouldComputeWhatTheFormulasSay(TransformerConfig config) {
        int[] source = ids(1, 17);
        int[] target = ids(2, 11);
        int[] read = config.architecture().hasEncoder() ? source : new int[0];
        for (Engine engine : ENGINES) {
            try (Arena arena = Arena.ofConfined()) {
                Map<String, Tensor> weights = TransformerFamily.random(config, 3, arena);
                var reference = new ReferenceTransformer(config, weights);
                try (Transformer model = Transformer.of(config, weights, engine)) {
                    double[][] memory = config.architecture().hasEncoder() ? reference.encode(source) : null;
                    if (memory != null) {
                        assertClose(memory, model.encode(source));
                    }
                    if (config.architecture().hasDecoder()) {
                        double[][] expected = reference.decode(memory, target);
                        assertClose(expected, model.decode(read, target));
                        assertClose(new double[][] {reference.logits(expected[10])},
                                new float[][] {model.logits(read, target)});
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void shouldExplainAsTheFormulasSay(TransformerConfig config) {
        int[] source = config.architecture().hasEncoder() ? ids(1, 9) : new int[0];
        int[] target = config.architecture().hasDecoder() ? ids(2, 6) : new int[0];
        for (Engine engine : ENGINES) {
            try (Arena arena = Arena.ofConfined()) {
                Map<String, Tensor> weights = TransformerFamily.random(config, 3, arena);
                var reference = new ReferenceTransformer(config, weights);
                double[][] memory = config.architecture().hasEncoder() ? reference.encode(source) : null;
                List<double[][][]> encoder = List.copyOf(reference.patterns());
                reference.patterns().clear();
                if (config.architecture().hasDecoder()) {
                    reference.decode(memory, target);
                }
                try (Transformer model = Transformer.of(config, weights, engine)) {
                    TransformerPatterns patterns = model.explain(source, target);
                    assertClose(encoder, 0, 1, patterns.encoder());
                    int step = config.architecture() == Architecture.ENCODER_DECODER ? 2 : 1;
                    assertClose(reference.patterns(), 0, step, patterns.decoder());
                    assertClose(step == 2 ? reference.patterns() : List.of(), 1, step, patterns.cross());
                }
            }
        }
    }

    private static void assertClose(List<double[][][]> expected, int first, int step, AttentionPattern actual) {
        if (expected.isEmpty()) {
            assertNull(actual);
            return;
        }
        for (int layer = 0; layer < actual.layers(); layer++) {
            double[][][] pattern = expected.get(first + layer * step);
            assertEquals(pattern.length, actual.heads());
            for (int head = 0; head < actual.heads(); head++) {
                for (int query = 0; query < actual.queries(); query++) {
                    double sum = 0;
                    for (int key = 0; key < actual.keys(); key++) {
                        float weight = actual.at(layer, head, query, key);
                        assertEquals(pattern[head][query][key], weight, 1e-5);
                        if (pattern[head][query][key] == 0) {
                            assertEquals(0, weight);
                        }
                        sum += weight;
                    }
                    assertEquals(1, sum, 1e-6);
                }
            }
        }
    }

    @Test
    void shouldGiveTheSameBitsAloneAndInABatch() {
        var config = TransformerConfig.base(Architecture.ENCODER, VOCABULARY).withSizes(2, 24, 4, 50);
        List<int[]> sources = List.of(ids(1, 3), ids(2, 17), ids(3, 1), ids(4, 40));
        for (Engine engine : ENGINES) {
            try (Transformer model = Transformer.random(config, 5, engine)) {
                List<float[][]> together = model.encodeAll(sources);
                for (int i = 0; i < sources.size(); i++) {
                    assertArrayEquals(model.encode(sources.get(i)), together.get(i));
                }
                assertEquals(List.of(), model.encodeAll(List.of()));
            }
        }
    }

    @Test
    void shouldBeTheSameForTheSameSeed() {
        var config = TransformerConfig.base(Architecture.DECODER, VOCABULARY).withSizes(1, 16, 2, 20);
        try (Transformer one = Transformer.random(config, 5); Transformer same = Transformer.random(config, 5);
                Transformer other = Transformer.random(config, 6)) {
            float[] logits = one.logits(new int[0], ids(1, 5));
            assertArrayEquals(logits, same.logits(new int[0], ids(1, 5)));
            assertFalse(Arrays.equals(logits, other.logits(new int[0], ids(1, 5))));
        }
    }

    static int[] ids(long seed, int count) {
        return new Random(seed).ints(count, 0, VOCABULARY).toArray();
    }

    /** Differences count relative to the largest element of the row, or to 1. */
    private static void assertClose(double[][] expected, float[][] actual) {
        assertEquals(expected.length, actual.length);
        for (int t = 0; t < expected.length; t++) {
            double largest = 1;
            for (double element : expected[t]) {
                largest = Math.max(largest, Math.abs(element));
            }
            for (int c = 0; c < expected[t].length; c++) {
                assertEquals(expected[t][c], actual[t][c], 1e-5 * largest, "at " + t + ", " + c);
            }
        }
    }
}
