package dev.fovea.bench.natives;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is compiled for each instruction set. */
class NativesTest {
    private static final MethodHandle SOFTMAX = StudyLibrary.function("fb_softmax",
            FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS));

    static Stream<String> isas() {
        try (Engine engine = Engine.create()) {
            return List.copyOf(engine.availableIsas()).stream();
        }
    }

    @ParameterizedTest
    @MethodSource("isas")
    void shouldMeasureAPeak(String isa) {
        double gflops = FmaPeak.measure(isa, 1);
        assertTrue(gflops > 1 && gflops < 2000, isa + " does " + gflops + " GFLOP/s");
        assertTrue(FmaPeak.measure(isa, 2) > 1);
    }

    @Test
    void shouldKnowNoPeakOfWhatIsNotBuiltIn() {
        assertEquals(0, FmaPeak.measure("sve", 1));
    }

    @ParameterizedTest
    @MethodSource("isas")
    void shouldComputeTheSoftmaxOfRows(String isa) throws Throwable {
        for (int n : new int[] {1, 3, 15, 16, 17, 33, 100}) {
            for (int causal = 0; causal <= 1; causal++) {
                softmax(isa, n, causal);
            }
        }
    }

    /** Two matrices, of which the first and the last row are left as they are. */
    private static void softmax(String isa, int n, int causal) throws Throwable {
        Random random = new Random(n);
        float[] scores = new float[2 * n * n];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = random.nextFloat() * 200 - 100;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocateFrom(JAVA_FLOAT, scores);
            SOFTMAX.invokeExact(arena.allocateFrom(isa), 1L, 2L * n - 2, n, causal, result);
            for (int row = 0; row < 2 * n; row++) {
                boolean touched = row > 0 && row < 2 * n - 1;
                int seen = causal == 1 ? row % n + 1 : n;
                double max = Double.NEGATIVE_INFINITY;
                for (int j = 0; j < seen; j++) {
                    max = Math.max(max, scores[row * n + j]);
                }
                double sum = 0;
                for (int j = 0; j < seen; j++) {
                    sum += Math.exp(scores[row * n + j] - max);
                }
                for (int j = 0; j < n; j++) {
                    float score = scores[row * n + j];
                    double expected = !touched ? score : j < seen ? Math.exp(score - max) / sum : 0;
                    double tolerance = 1e-6 * Math.abs(expected) + 1e-30;
                    assertEquals(expected, result.getAtIndex(JAVA_FLOAT, row * n + j), tolerance,
                            isa + ", row " + row + " of " + n + ", column " + j);
                }
            }
        }
    }
}
