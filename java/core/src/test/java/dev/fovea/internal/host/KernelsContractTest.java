package dev.fovea.internal.host;

import static dev.fovea.internal.host.KernelBench.OFFSETS;
import static dev.fovea.internal.host.KernelBench.SEQUENCES;
import static dev.fovea.internal.host.KernelBench.TOKENS;
import static dev.fovea.internal.host.KernelBench.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.TestEngine;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every backend, on every kernel table that this CPU runs, computes what {@link Kernels} says. */
class KernelsContractTest {
    static Stream<TestEngine> engines() {
        return TestEngine.all();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldEmbed(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            int width = 37;
            int[] tokens = new Random(1).ints(TOKENS, 0, 50).toArray();
            Tensor words = b.random(50, width);
            Tensor positions = b.random(170, width);
            Tensor type = b.random(width);
            Tensor out = b.zeros(TOKENS, width);
            int[] starts = new Random(2).ints(SEQUENCES, 0, 30).toArray();
            b.kernels.embedding(SEQUENCES, Tensor.copyOf(b.arena, tokens), b.offsets(), Tensor.copyOf(b.arena, starts),
                    Weight.of(words), 2.5f, positions, 2, type, out);
            for (int s = 0; s < SEQUENCES; s++) {
                for (int t = OFFSETS[s]; t < OFFSETS[s + 1]; t++) {
                    for (int i = 0; i < width; i++) {
                        double expected = 2.5 * words.getFloat(tokens[t], i)
                                + positions.getFloat(2 + starts[s] + t - OFFSETS[s], i) + type.getFloat(i);
                        assertClose(expected, out.getFloat(t, i), 1e-6, "token " + t);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNormaliseRowsAlsoInPlace(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            for (int width : new int[] {1, 7, 16, 33, 384}) {
                int rows = 19;
                Tensor x = b.random(rows, width);
                Tensor gamma = b.random(width);
                Tensor beta = b.random(width);
                Tensor out = b.zeros(rows, width);
                b.kernels.layerNorm(rows, x, gamma, beta, 1e-6f, out);
                for (int r = 0; r < rows; r++) {
                    double mean = 0;
                    double variance = 0;
                    for (int i = 0; i < width; i++) {
                        mean += x.getFloat(r, i) / (double) width;
                    }
                    for (int i = 0; i < width; i++) {
                        variance += Math.pow(x.getFloat(r, i) - mean, 2) / width;
                    }
                    for (int i = 0; i < width; i++) {
                        double expected = (x.getFloat(r, i) - mean) / Math.sqrt(variance + 1e-6f) * gamma.getFloat(i)
                                + beta.getFloat(i);
                        assertClose(expected, out.getFloat(r, i), 3e-6, width + " wide, row " + r);
                    }
                }
                b.kernels.layerNorm(rows, x, gamma, beta, 1e-6f, x);
                assertSame(out, x, rows);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldDivideRowsByTheirRootMeanSquareAlsoInPlace(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            for (int width : new int[] {1, 7, 16, 33, 384}) {
                int rows = 19;
                Tensor x = b.random(rows, width);
                Tensor gamma = b.random(width);
                Tensor out = b.zeros(rows, width);
                b.kernels.rmsNorm(rows, x, gamma, 1e-6f, out);
                for (int r = 0; r < rows; r++) {
                    double squares = 0;
                    for (int i = 0; i < width; i++) {
                        squares += Math.pow(x.getFloat(r, i), 2);
                    }
                    for (int i = 0; i < width; i++) {
                        double expected = x.getFloat(r, i) / Math.sqrt(squares / width + 1e-6f) * gamma.getFloat(i);
                        assertClose(expected, out.getFloat(r, i), 3e-6, width + " wide, row " + r);
                    }
                }
                b.kernels.rmsNorm(rows, x, gamma, 1e-6f, x);
                assertSame(out, x, rows);
            }
        }
    }

    /** That the first rows of two matrices hold the same bits. */
    private static void assertSame(Tensor expected, Tensor actual, int rows) {
        long bytes = (long) rows * expected.size(1) * Float.BYTES;
        assertEquals(-1, expected.segment().asSlice(0, bytes).mismatch(actual.segment().asSlice(0, bytes)));
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldMultiplyByPackedWeightsWithEveryEpilogue(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            int[][] shapes = {{0, 5, 3}, {1, 64, 130}, {2, 3, 65}, {5, 17, 33}, {13, 96, 31}, {30, 40, 48}};
            for (int[] shape : shapes) {
                for (Activation activation : Activation.values()) {
                    linear(b, shape[0], shape[1], shape[2], activation, activation == Activation.NONE);
                }
            }
        }
    }

    private static void linear(KernelBench b, int rows, int inputs, int outputs, Activation activation, boolean inPlace) {
        Tensor x = b.random(rows, inputs);
        Tensor weight = b.random(inputs, outputs).transpose(0, 1);
        Tensor bias = b.random(outputs);
        Tensor residual = b.random(rows, outputs);
        float[] added = residual.segment().toArray(ValueLayout.JAVA_FLOAT);
        Tensor out = inPlace ? residual : b.zeros(rows, outputs);
        b.kernels.linear(rows, x, TestKernels.pack(b.kernels, b.arena, weight, DType.F32), bias, activation, residual, out);
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < outputs; o++) {
                double sum = bias.getFloat(o);
                for (int i = 0; i < inputs; i++) {
                    sum += (double) x.getFloat(r, i) * weight.getFloat(o, i);
                }
                double expected = activate(activation, sum) + added[r * outputs + o];
                assertClose(expected, out.getFloat(r, o), 1e-5, activation + ", row " + r + ", output " + o);
            }
        }
    }

    private static double activate(Activation activation, double x) {
        return switch (activation) {
            case NONE -> x;
            case GELU_TANH -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU_ERF -> x / 2 * (1 + erf(x / Math.sqrt(2)));
            case RELU -> Math.max(0, x);
            case SILU -> x / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
        };
    }

    /** Maclaurin's series, exact to double precision for the few units that tests reach. */
    private static double erf(double x) {
        if (Math.abs(x) > 5) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return sum * 2 / Math.sqrt(Math.PI);
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldMultiplyMatrices(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            Tensor a = b.random(3, 17, 23);
            Tensor x = b.random(3, 23, 9);
            Tensor c = b.zeros(3, 17, 9);
            for (boolean transpose : new boolean[] {false, true}) {
                b.kernels.matmul(a, transpose ? transposed(b, x) : x, transpose, 0.5f, c);
                for (int n = 0; n < 3; n++) {
                    for (int i = 0; i < 17; i++) {
                        for (int j = 0; j < 9; j++) {
                            double expected = 0;
                            for (int l = 0; l < 23; l++) {
                                expected += 0.5 * a.getFloat(n, i, l) * x.getFloat(n, l, j);
                            }
                            assertClose(expected, c.getFloat(n, i, j), 3e-6, "product " + n);
                        }
                    }
                }
            }
        }
    }

    private static Tensor transposed(KernelBench b, Tensor x) {
        Tensor out = b.zeros(x.size(0), x.size(2), x.size(1));
        for (int n = 0; n < x.size(0); n++) {
            for (int i = 0; i < x.size(1); i++) {
                for (int j = 0; j < x.size(2); j++) {
                    long element = n * out.stride(0) + j * out.stride(1) + i;
                    out.segment().setAtIndex(ValueLayout.JAVA_FLOAT, element, x.getFloat(n, i, j));
                }
            }
        }
        return out;
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldPoolEachSequence(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            int width = 45;
            Tensor x = b.random(TOKENS, width);
            for (Pooling mode : Pooling.values()) {
                for (boolean normalize : new boolean[] {false, true}) {
                    Tensor out = b.random(SEQUENCES, width);
                    b.kernels.pool(SEQUENCES, x, b.offsets(), mode, normalize, out);
                    for (int s = 0; s < SEQUENCES; s++) {
                        double[] expected = pooled(x, mode, normalize, OFFSETS[s], OFFSETS[s + 1]);
                        for (int i = 0; i < width; i++) {
                            assertClose(expected[i], out.getFloat(s, i), 1e-6, mode + ", sequence " + s);
                        }
                    }
                }
            }
        }
    }

    private static double[] pooled(Tensor x, Pooling mode, boolean normalize, int from, int to) {
        double[] out = new double[(int) x.size(1)];
        if (from == to) {
            return out;
        }
        double norm = 0;
        for (int i = 0; i < out.length; i++) {
            for (int t = from; t < to; t++) {
                out[i] += switch (mode) {
                    case MEAN -> x.getFloat(t, i) / (double) (to - from);
                    case CLS -> t == from ? x.getFloat(t, i) : 0;
                    case LAST -> t == to - 1 ? x.getFloat(t, i) : 0;
                };
            }
            norm += out[i] * out[i];
        }
        for (int i = 0; normalize && i < out.length; i++) {
            out[i] /= Math.sqrt(norm);
        }
        return out;
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveARowTheSameBitsInAnyCompany(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            int rows = 29;
            Tensor x = b.random(rows, 70);
            PackedLinear weight = TestKernels.pack(b.kernels, b.arena, b.random(45, 70), DType.F32);
            Tensor all = b.zeros(rows, 45);
            b.kernels.linear(rows, x, weight, null, Activation.GELU_ERF, null, all);
            for (int count = 1; count < rows; count++) {
                Tensor part = b.zeros(count, 45);
                b.kernels.linear(count, x, weight, null, Activation.GELU_ERF, null, part);
                assertSame(all, part, count);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldKeepNanToItsRow(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            Tensor x = b.random(5, 20);
            x.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 2 * 20 + 7, Float.NaN);
            Tensor out = b.zeros(5, 33);
            PackedLinear weight = TestKernels.pack(b.kernels, b.arena, b.random(33, 20), DType.F32);
            b.kernels.linear(5, x, weight, null, Activation.GELU_TANH, null, out);
            boolean[] nan = new boolean[5];
            for (int r = 0; r < 5; r++) {
                nan[r] = Float.isNaN(out.getFloat(r, 32));
            }
            assertArrayEquals(new boolean[] {false, false, true, false, false}, nan);
        }
    }
}
