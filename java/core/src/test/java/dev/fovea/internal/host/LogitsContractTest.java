package dev.fovea.internal.host;

import static dev.fovea.internal.host.ElementwiseContractTest.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.TestEngine;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is done to the logits of a vocabulary, on every backend and table. */
class LogitsContractTest {
    private static final String ENGINES = "dev.fovea.internal.host.KernelsContractTest#engines";

    private static void set(Tensor x, int row, int column, float value) {
        x.segment().setAtIndex(ValueLayout.JAVA_FLOAT, row * x.stride(0) + column, value);
    }

    private static int index(Tensor indices, int row, int rank) {
        return indices.segment().getAtIndex(ValueLayout.JAVA_INT, row * indices.stride(0) + rank);
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldTakeTheLogarithmOfTheSoftmax(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            for (int width : new int[] {1, 5, 64, 1001}) {
                Tensor x = b.random(3, width);
                set(x, 1, width / 2, 90);
                set(x, 2, 0, width == 1 ? 0 : Float.NEGATIVE_INFINITY);
                Tensor out = b.zeros(3, width);
                b.kernels.logSoftmax(3, x, out);
                for (int r = 0; r < 3; r++) {
                    double sum = 0;
                    for (int i = 0; i < width; i++) {
                        sum += Math.exp((double) x.getFloat(r, i) - (r == 1 ? 90 : 0));
                    }
                    double log = Math.log(sum) + (r == 1 ? 90 : 0);
                    for (int i = 0; i < width; i++) {
                        double expected = x.getFloat(r, i) - log;
                        if (Double.isInfinite(expected)) {
                            assertEquals(expected, out.getFloat(r, i));
                        } else {
                            KernelBench.assertClose(expected, out.getFloat(r, i), 1e-5, "row " + r);
                        }
                    }
                }
                b.kernels.logSoftmax(3, x, x);
                assertEquals(out.getFloat(0, width - 1), x.getFloat(0, width - 1), "in place");
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldRankTheLargest(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            for (int width : new int[] {1, 6, 65, 700}) {
                for (int count : new int[] {1, Math.min(width, 9), width}) {
                    Tensor x = b.random(4, width);
                    for (int i = 0; i < width; i++) {
                        set(x, 1, i, i % 3); // ties
                        set(x, 2, i, i % 2 == 0 ? Float.NaN : Float.NEGATIVE_INFINITY);
                        set(x, 3, i, Float.NaN);
                    }
                    Tensor indices = Tensor.allocate(b.arena, DType.I32, Shape.of(4, count));
                    b.kernels.topK(4, x, indices);
                    for (int r = 0; r < 4; r++) {
                        List<Integer> order = order(x, r);
                        for (int rank = 0; rank < count; rank++) {
                            assertEquals(order.get(rank), index(indices, r, rank), "row " + r + " of " + width);
                        }
                    }
                }
            }
        }
    }

    private static List<Integer> order(Tensor x, int row) {
        Comparator<Integer> byValue = Comparator.comparingDouble(i -> {
            float value = x.getFloat(row, i);
            return Float.isNaN(value) ? 2e38 : value == Float.NEGATIVE_INFINITY ? 1e38 : -value;
        });
        return IntStream.range(0, (int) x.size(1)).boxed().sorted(byValue.thenComparing(i -> i)).toList();
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldTakeWhatIndicesName(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            Tensor x = b.random(3, 17);
            Tensor indices = Tensor.of(Tensor.copyOf(b.arena, new int[] {16, 0, 3, 3, 9, 1}).segment(), DType.I32,
                    Shape.of(3, 2));
            Tensor out = b.zeros(3, 2);
            b.kernels.gather(3, x, indices, out);
            for (int r = 0; r < 3; r++) {
                for (int i = 0; i < 2; i++) {
                    assertEquals(x.getFloat(r, index(indices, r, i)), out.getFloat(r, i));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldRefuseMisuse(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            Kernels k = b.kernels;
            Tensor x = b.random(2, 5);
            Tensor six = Tensor.allocate(b.arena, DType.I32, Shape.of(2, 6));
            refused(() -> k.topK(2, x, six), "5", "6");
            refused(() -> k.topK(3, x, Tensor.allocate(b.arena, DType.I32, Shape.of(3, 1))), "3", "2");
            refused(() -> k.topK(2, x, b.zeros(2, 3)), "I32", "F32");
            Tensor outside = Tensor.of(Tensor.copyOf(b.arena, new int[] {0, 5}).segment(), DType.I32, Shape.of(2, 1));
            Tensor out = b.zeros(2, 1);
            refused(() -> k.gather(2, x, outside, out), "index 5 in row 1", "width 5");
            assertTrue(out.getFloat(0, 0) == 0, "written by a refused call");
            refused(() -> k.logSoftmax(2, x, b.zeros(2, 4)), "5", "4");
        }
    }
}
