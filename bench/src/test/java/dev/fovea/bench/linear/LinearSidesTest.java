package dev.fovea.bench.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Verdict;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every side of the suite computes x Wᵀ. */
class LinearSidesTest {
    private static final float TOLERANCE = 2e-5f;

    @ParameterizedTest
    @CsvSource({"1, 64, 33", "4, 128, 16", "7, 64, 384", "34, 96, 50"})
    void shouldComputeTheFormula(int rows, int outputs, int inputs) {
        LinearWork work = new LinearWork(rows, outputs, inputs, false);
        check(LinearSide.OPENBLAS, work);
        check(LinearSide.PACKED, work);
        check(LinearSide.VECTOR, work);
        checkRounded(LinearSide.PACKED_BF16, work);
        checkRounded(LinearSide.PACKED_INT8, work);
    }

    @Test
    void shouldComputeTheFormulaOnAllThreads() {
        int rows = 8 * Runtime.getRuntime().availableProcessors();
        check(LinearSide.OPENBLAS, new LinearWork(rows, 96, 50, true));
        check(LinearSide.PACKED, new LinearWork(rows, 96, 50, true));
    }

    private static void checkRounded(String name, LinearWork work) {
        float[] x = random(1, work.rows() * work.inputs());
        float[] weight = random(2, work.outputs() * work.inputs());
        float[] expected = new LinearReference(work).expected(x, weight);
        try (LinearSide side = LinearSide.open(name, work, x, weight)) {
            side.multiply();
            float[] result = side.result();
            LinearSide.check(name, work, expected, result);
            assertThrows(Verdict.NotTimed.class, () -> LinearSide.check(LinearSide.PACKED, work, expected, result));
        }
    }

    private static void check(String name, LinearWork work) {
        float[] x = random(1, work.rows() * work.inputs());
        float[] weight = random(2, work.outputs() * work.inputs());
        float[] expected = new float[work.rows() * work.outputs()];
        for (int m = 0; m < work.rows(); m++) {
            for (int n = 0; n < work.outputs(); n++) {
                double sum = 0;
                for (int k = 0; k < work.inputs(); k++) {
                    sum += (double) x[m * work.inputs() + k] * weight[n * work.inputs() + k];
                }
                expected[m * work.outputs() + n] = (float) sum;
            }
        }
        try (LinearSide side = LinearSide.open(name, work, x, weight)) {
            side.multiply();
            side.multiply();
            assertArrayEquals(expected, side.result(), TOLERANCE, name);
        }
        assertArrayEquals(expected, new LinearReference(work).expected(x, weight));
        assertArrayEquals(expected, new LinearReference(work).sampled(expected));
    }

    @Test
    void shouldSampleTheSameRowsOfMany() {
        LinearWork work = new LinearWork(517, 2, 1, false);
        float[] x = random(1, 517);
        float[] weight = {1, 1};
        float[] result = new float[2 * 517];
        for (int m = 0; m < 517; m++) {
            result[2 * m] = x[m];
            result[2 * m + 1] = x[m];
        }
        float[] sample = new LinearReference(work).sampled(result);
        assertArrayEquals(new LinearReference(work).expected(x, weight), sample);
        assertEquals(x[516], sample[sample.length - 1]);
    }

    @ParameterizedTest
    @CsvSource({"SMOKE, 10", "QUICK, 60", "FULL, 480"})
    void shouldTakeItsTime(Effort effort, int mostSeconds) {
        int seconds = new LinearSuite().jobs(effort).stream().mapToInt(Job::estimatedSeconds).sum();
        assertTrue(seconds <= mostSeconds, seconds + " s");
    }

    private static float[] random(int seed, int elements) {
        Random random = new Random(seed);
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }
}
