package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.TestEngine;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The ops that work element by element or row by row and that no epilogue has taken in, on every backend and table. */
class ElementwiseContractTest {
    private static final String ENGINES = "dev.fovea.internal.host.KernelsContractTest#engines";
    private static final int[] WIDTHS = {1, 7, 16, 33, 513};

    private interface Op {
        void on(KernelBench b, int rows, Tensor a, Tensor other, Tensor out);
    }

    private interface Formula {
        double of(double a, double other);
    }

    /** [rows, width] with a gap behind each row. */
    private static Tensor strided(KernelBench b, int rows, int width) {
        Tensor wide = b.random(rows, width + 3);
        return Tensor.of(wide.segment(), DType.F32, Shape.of(rows, width), width + 3, 1);
    }

    private static void check(KernelBench b, String name, Op op, Formula formula) {
        for (int width : WIDTHS) {
            int rows = 9;
            Tensor a = strided(b, rows, width);
            Tensor other = b.random(rows, width);
            Tensor out = b.zeros(rows, width);
            op.on(b, rows, a, other, out);
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < width; i++) {
                    KernelBench.assertClose(formula.of(a.getFloat(r, i), other.getFloat(r, i)), out.getFloat(r, i),
                            2e-6, name + " of width " + width);
                }
            }
            Tensor alone = b.zeros(rows, width);
            op.on(b, 1, a, other, alone);
            op.on(b, 0, a, other, alone);
            for (int i = 0; i < width; i++) {
                assertEquals(out.getFloat(0, i), alone.getFloat(0, i), name + ", a row alone");
            }
            op.on(b, rows, a, other, a);
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < width; i++) {
                    assertEquals(out.getFloat(r, i), a.getFloat(r, i), name + " in place");
                }
            }
        }
    }

    private static double activate(Activation activation, double x) {
        return switch (activation) {
            case NONE -> x;
            case RELU -> Math.max(0, x);
            case SILU -> x / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
            case GELU_TANH -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU_ERF -> x / 2 * (1 + erf(x / Math.sqrt(2)));
        };
    }

    private static double erf(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; n < 60; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldAdd(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            check(b, "add", (k, rows, a, other, out) -> k.kernels.add(rows, a, other, out), Double::sum);
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldMultiplyAndActivate(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            for (Activation activation : Activation.values()) {
                check(b, "multiply by " + activation,
                        (k, rows, a, other, out) -> k.kernels.multiply(rows, a, activation, other, out),
                        (x, y) -> activate(activation, x) * y);
                check(b, activation.toString(),
                        (k, rows, a, _, out) -> k.kernels.activate(rows, a, activation, out),
                        (x, _) -> activate(activation, x));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldDivideRowsByTheirNorms(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            for (int width : WIDTHS) {
                Tensor x = strided(b, 5, width);
                Tensor out = b.zeros(5, width);
                b.kernels.normalize(5, x, out);
                for (int r = 0; r < 5; r++) {
                    double squares = 0;
                    for (int i = 0; i < width; i++) {
                        squares += Math.pow(x.getFloat(r, i), 2);
                    }
                    for (int i = 0; i < width; i++) {
                        KernelBench.assertClose(x.getFloat(r, i) / Math.sqrt(squares), out.getFloat(r, i), 1e-6,
                                "width " + width);
                    }
                }
                b.kernels.normalize(5, x, x);
                assertEquals(out.getFloat(4, width - 1), x.getFloat(4, width - 1));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldRefuseMisuse(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            Tensor x = b.random(4, 8);
            Tensor out = b.zeros(4, 8);
            Kernels k = b.kernels;
            refused(() -> k.add(4, x, b.random(4, 7), out), "8", "7");
            refused(() -> k.add(5, x, x, b.zeros(5, 8)), "5", "4");
            refused(() -> k.add(-1, x, x, out), "-1");
            refused(() -> k.multiply(4, x, Activation.NONE, x, Tensor.of(x.segment().asSlice(4), DType.F32,
                    Shape.of(3, 8))), "rows", "3");
            refused(() -> k.activate(3, x, Activation.RELU, Tensor.of(x.segment().asSlice(8), DType.F32,
                    Shape.of(3, 8))), "overlaps");
            refused(() -> k.normalize(4, x.transpose(0, 1), out), "");
            assertThrows(NullPointerException.class, () -> k.add(4, x, null, out));
            assertThrows(NullPointerException.class, () -> k.multiply(4, x, null, x, out));
            assertThrows(NullPointerException.class, () -> k.activate(4, null, Activation.NONE, out));
        }
    }

    static void refused(Runnable call, String... names) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        for (String name : names) {
            assertTrue(message.contains(name), message);
        }
    }
}
