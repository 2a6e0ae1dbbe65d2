package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.java.FloatRows;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every backend multiplies by weights of BF16 and I8 as {@link Kernels#pack} says, I8 to the last bit. */
class PackedTypesContractTest {
    private static final String ENGINES = "dev.fovea.internal.host.KernelsContractTest#engines";
    private static final int[][] SHAPES = {{0, 5, 3}, {1, 64, 130}, {2, 3, 65}, {5, 17, 33}, {13, 96, 31},
            {30, 40, 48}, {3, 1500, 40}, {40, 513, 140}};

    /** An engine with what a test packs and multiplies. */
    private static final class Bench implements AutoCloseable {
        final Engine engine;
        final Arena arena = Arena.ofShared();
        final Kernels kernels;
        private final Random random = new Random(7);

        Bench(TestEngine options) {
            engine = options.create();
            kernels = TestKernels.of(engine, arena);
        }

        Tensor random(int rows, int columns) {
            float[] values = new float[rows * columns];
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextFloat() * 2 - 1;
            }
            return tensor(values, rows, columns);
        }

        Tensor tensor(float[] values, int rows, int columns) {
            Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(rows, columns));
            tensor.segment().copyFrom(MemorySegment.ofArray(values));
            return tensor;
        }

        /** The nearest values of BF16. */
        Tensor rounded(Tensor matrix) {
            float[] values = matrix.segment().toArray(ValueLayout.JAVA_FLOAT);
            for (int i = 0; i < values.length; i++) {
                values[i] = Float.intBitsToFloat(FloatRows.bf16(values[i]) << 16);
            }
            return tensor(values, (int) matrix.size(0), (int) matrix.size(1));
        }

        /** Random bits, with scales and minima that are finite. */
        Weight blocks(Layout layout, int outputs, int inputs) {
            byte[] bytes = new byte[outputs * inputs / layout.blockValues() * layout.blockBytes()];
            random.nextBytes(bytes);
            for (int block = 0; block < bytes.length; block += layout.blockBytes()) {
                for (int half : halves(layout)) {
                    bytes[block + half + 1] = (byte) (0x10 + random.nextInt(0x10));
                }
            }
            MemorySegment segment = arena.allocate(bytes.length);
            segment.copyFrom(MemorySegment.ofArray(bytes));
            return Weight.ofBlocks(segment, layout, Shape.of(outputs, inputs));
        }

        /** Where a block has a binary16. */
        private static int[] halves(Layout layout) {
            return switch (layout) {
                case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
                case Q6_K -> new int[] {208};
                case Q2_K -> new int[] {80, 82};
                case Q3_K -> new int[] {108};
                default -> new int[] {0};
            };
        }

        float[] linear(Tensor x, Tensor weight, DType dtype) {
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(x.size(0), weight.size(0)));
            PackedLinear packed = TestKernels.pack(kernels, arena, weight, dtype);
            kernels.linear((int) x.size(0), x, packed, null, Activation.NONE, null, out);
            return out.segment().toArray(ValueLayout.JAVA_FLOAT);
        }

        @Override
        public void close() {
            arena.close();
            engine.close();
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldGiveTheBitsOfRoundedWeightsOnBf16(TestEngine options) {
        try (Bench b = new Bench(options)) {
            for (int[] shape : SHAPES) {
                Tensor x = b.random(shape[0], shape[1]);
                Tensor weight = b.random(shape[2], shape[1]);
                Tensor rounded = b.rounded(weight);
                if (b.engine.isa().endsWith("bf16")) { // which rounds x too, and adds products in pairs
                    float[] expected = b.linear(b.rounded(x), rounded, DType.F32);
                    assertArrayEquals(expected, b.linear(x, weight, DType.BF16), shape[1] * 0x1p-22f);
                } else {
                    assertArrayEquals(b.linear(x, rounded, DType.F32), b.linear(x, weight, DType.BF16), 0f);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldGiveTheBitsOfRoundedWeightsOnF16(TestEngine options) {
        try (Bench b = new Bench(options)) {
            for (int[] shape : SHAPES) {
                Tensor x = b.random(shape[0], shape[1]);
                Tensor weight = b.random(shape[2], shape[1]);
                float[] rounded = weight.segment().toArray(ValueLayout.JAVA_FLOAT);
                for (int i = 0; i < rounded.length; i++) {
                    rounded[i] = Float.float16ToFloat(Float.floatToFloat16(rounded[i]));
                }
                float[] expected = b.linear(x, b.tensor(rounded, shape[2], shape[1]), DType.F32);
                assertArrayEquals(expected, b.linear(x, weight, DType.F16), 0f);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldMultiplyBlocksAsTheyAreStored(TestEngine options) {
        try (Bench b = new Bench(options)) {
            for (Layout layout : Layout.values()) {
                for (int rows = 0; rows < 40 && !layout.isPlain(); rows += 13) {
                    Tensor x = b.random(rows, 768);
                    Weight weight = b.blocks(layout, 139, 768);
                    Tensor out = Tensor.allocate(b.arena, DType.F32, Shape.of(rows, 139));
                    PackedLinear packed = b.kernels.pack(b.arena, weight, layout);
                    b.kernels.linear(rows, x, packed, null, Activation.NONE, null, out);
                    assertProduct(x, weight.toF32(b.arena), out, layout.toString());
                }
            }
        }
    }

    /** Of x in eight bits, each 32 values of a row with a scale of their own. */
    private static void assertProduct(Tensor x, Tensor weight, Tensor out, String what) {
        for (int r = 0; r < x.size(0); r++) {
            double[] rounded = new double[(int) x.size(1)];
            for (int i = 0; i < rounded.length; i++) {
                float peak = 0x1p-100f;
                for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) {
                    peak = Math.max(peak, Math.abs(x.getFloat(r, j)));
                }
                rounded[i] = Math.rint(x.getFloat(r, i) * (127 / peak)) * (peak / 127);
            }
            for (int o = 0; o < out.size(1); o++) {
                double sum = 0;
                double size = 0;
                for (int i = 0; i < rounded.length; i++) {
                    sum += rounded[i] * weight.getFloat(o, i);
                    size = Math.max(size, Math.abs(weight.getFloat(o, i)));
                }
                assertEquals(sum, out.getFloat(r, o), size * rounded.length * 0x1p-20, what);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldMultiplyIntegersExactlyOnI8(TestEngine options) {
        try (Bench b = new Bench(options)) {
            for (int[] shape : SHAPES) {
                Tensor x = b.random(shape[0], shape[1]);
                Tensor weight = b.random(shape[1], shape[2]).transpose(0, 1);
                assertArrayEquals(product(x, weight), b.linear(x, weight, DType.I8), 0f);
            }
        }
    }

    private static float[] product(Tensor x, Tensor weight) {
        int outputs = (int) weight.size(0);
        float[] out = new float[(int) x.size(0) * outputs];
        int[] q = new int[(int) x.size(1)];
        int[][] stored = new int[outputs][q.length];
        float[] scales = new float[outputs];
        for (int o = 0; o < outputs; o++) {
            scales[o] = quantize(weight, o, stored[o]);
        }
        for (int r = 0; r < x.size(0); r++) {
            float scale = quantize(x, r, q);
            for (int o = 0; o < outputs; o++) {
                long sum = 0;
                for (int i = 0; i < q.length; i++) {
                    sum += q[i] * stored[o][i];
                }
                out[r * outputs + o] = sum * (scale * scales[o]);
            }
        }
        return out;
    }

    /** One row in eight bits; returns its scale. */
    private static float quantize(Tensor matrix, int row, int[] q) {
        float peak = 0x1p-100f;
        for (int i = 0; i < q.length; i++) {
            peak = Math.max(peak, Math.abs(matrix.getFloat(row, i)));
        }
        float factor = 127 / peak;
        for (int i = 0; i < q.length; i++) {
            q[i] = (int) Math.rint(matrix.getFloat(row, i) * factor);
        }
        return peak / 127;
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldApplyTheEpilogueToI8(TestEngine options) {
        try (Bench b = new Bench(options)) {
            Tensor x = b.random(9, 70);
            Tensor weight = b.random(150, 70);
            Tensor residual = b.random(9, 150);
            Tensor bias = Tensor.copyOf(b.arena, b.random(1, 150).segment().toArray(ValueLayout.JAVA_FLOAT), 150);
            float[] plain = b.linear(x, weight, DType.I8);
            Tensor out = Tensor.allocate(b.arena, DType.F32, Shape.of(9, 150));
            b.kernels.linear(9, x, TestKernels.pack(b.kernels, b.arena, weight, DType.I8), bias, Activation.GELU_TANH, residual, out);
            for (int r = 0; r < 9; r++) {
                for (int o = 0; o < 150; o++) {
                    double sum = (double) plain[r * 150 + o] + bias.getFloat(o);
                    double cubic = Math.sqrt(2 / Math.PI) * (sum + 0.044715 * sum * sum * sum);
                    double expected = sum / 2 * (1 + Math.tanh(cubic)) + residual.getFloat(r, o);
                    assertEquals(expected, out.getFloat(r, o), 1e-5, "row " + r + ", output " + o);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldGiveARowTheSameBitsInAnyCompany(TestEngine options) {
        try (Bench b = new Bench(options)) {
            Tensor x = b.random(29, 70);
            Tensor weight = b.random(45, 70);
            for (DType dtype : new DType[] {DType.BF16, DType.I8}) {
                float[] all = b.linear(x, weight, dtype);
                for (int rows = 1; rows < 29; rows++) {
                    Tensor part = Tensor.of(x.segment(), DType.F32, Shape.of(rows, 70), 70, 1);
                    assertArrayEquals(Arrays.copyOf(all, rows * 45), b.linear(part, weight, dtype), 0f);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldKeepWhatIsNotFiniteToItsRow(TestEngine options) {
        try (Bench b = new Bench(options)) {
            for (float stray : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
                Tensor x = b.random(5, 20);
                x.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 2 * 20 + 7, stray);
                x.segment().asSlice(4 * 20 * Float.BYTES).fill((byte) 0);
                float[] out = b.linear(x, b.random(33, 20), DType.I8);
                for (int i = 0; i < out.length; i++) {
                    int at = i;
                    assertEquals(i / 33 == 2, Float.isNaN(out[i]), () -> "NaN at " + at);
                    assertTrue(i / 33 != 4 || out[i] == 0, () -> "not 0 in a row of zeros, at " + at);
                }
            }
        }
    }
}
