package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.TestEngine;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights of any layout, packed part by part, are those of the whole weight widened, to the bit, on every backend. */
class PackingContractTest {
    private static final String ENGINES = "dev.fovea.internal.host.KernelsContractTest#engines";
    private static final int INPUTS = 256;
    private static final int[] PARTS = {5, 1, 33, 14, 40};

    /** A random part of some layout, from an odd byte on. */
    private static Weight part(Arena arena, Random random, int rows, Layout layout, boolean byColumns) {
        int elements = rows * INPUTS;
        int bytes = elements / layout.blockValues() * layout.blockBytes();
        MemorySegment memory = arena.allocate(bytes + 1, 64).asSlice(1, bytes);
        byte[] content = new byte[bytes];
        random.nextBytes(content);
        MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes);
        finite(memory, layout, elements, random);
        if (!layout.isPlain()) {
            return Weight.ofBlocks(memory, layout, Shape.of(rows, INPUTS));
        }
        DType dtype = DType.valueOf(layout.name());
        Tensor tensor = byColumns ? Tensor.of(memory, dtype, Shape.of(INPUTS, rows)).transpose(0, 1)
                : Tensor.of(memory, dtype, Shape.of(rows, INPUTS));
        if (layout != Layout.I8 && layout != Layout.U8) {
            return Weight.of(tensor);
        }
        int scales = random.nextBoolean() ? rows : 1;
        float[] scale = new float[scales];
        int[] zeroPoint = new int[scales];
        for (int i = 0; i < scales; i++) {
            scale[i] = 0.01f + random.nextFloat() / 50;
            zeroPoint[i] = random.nextInt(100);
        }
        return Weight.quantized(tensor, scale, zeroPoint, 0);
    }

    /** Random bits may be NaN; values of everyday size take their place. */
    private static void finite(MemorySegment memory, Layout layout, int elements, Random random) {
        switch (layout) {
            case F32 -> {
                for (int i = 0; i < elements; i++) {
                    memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, random.nextFloat() - 0.5f);
                }
            }
            case F16, BF16 -> {
                for (int i = 0; i < elements; i++) {
                    float value = random.nextFloat() - 0.5f;
                    short bits = layout == Layout.F16 ? Float.floatToFloat16(value)
                            : (short) (Float.floatToRawIntBits(value) >>> 16);
                    memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, bits);
                }
            }
            case Q4_1, Q5_1, Q4_K, Q5_K -> fillScales(layout, elements, memory, random, 0, 2);
            case Q8_0, Q4_0, Q5_0, IQ4_NL -> fillScales(layout, elements, memory, random, 0, 1);
            case Q6_K -> fillScales(layout, elements, memory, random, 208, 1);
            case Q2_K -> fillScales(layout, elements, memory, random, 80, 2);
            case Q3_K -> fillScales(layout, elements, memory, random, 108, 1);
            case I8, U8 -> { }
        }
    }

    /** Gives every block finite scales, and perhaps a minimum, from a byte of it on. */
    private static void fillScales(Layout layout, long elements, MemorySegment memory, Random random, int from, int count) {
        for (long block = 0; block < elements / layout.blockValues(); block++) {
            for (int i = 0; i < count; i++) {
                memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, block * layout.blockBytes() + from + 2L * i,
                        Float.floatToFloat16(random.nextFloat()));
            }
        }
    }

    private static Tensor multiply(KernelBench b, Tensor x, PackedLinear packed) {
        Tensor out = b.zeros(x.size(0), packed.outputs());
        b.kernels.linear((int) x.size(0), x, packed, null, Activation.NONE, null, out);
        return out;
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldPackPartsOfAnyLayoutAsTheWidenedWhole(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            var random = new Random(3);
            Tensor x = b.random(5, INPUTS);
            for (DType dtype : List.of(DType.F32, DType.F16, DType.BF16, DType.I8)) {
                for (int round = 0; round < 6; round++) {
                    List<Weight> parts = new ArrayList<>();
                    for (int rows : PARTS) {
                        Layout layout = Layout.values()[random.nextInt(Layout.values().length)];
                        parts.add(part(b.arena, random, rows, layout, random.nextBoolean()));
                    }
                    check(b, x, dtype, parts);
                }
            }
        }
    }

    private static void check(KernelBench b, Tensor x, DType dtype, List<Weight> parts) {
        int outputs = parts.stream().mapToInt(part -> (int) part.size(0)).sum();
        Tensor whole = b.zeros(outputs, INPUTS);
        MemorySegment memory = b.arena.allocate(b.kernels.packedBytes(outputs, INPUTS, Layout.of(dtype)), Kernels.ALIGNMENT);
        int first = 0;
        for (Weight part : parts) {
            MemorySegment.copy(part.toF32(b.arena).segment(), 0, whole.segment(), 4L * first * INPUTS,
                    4L * part.size(0) * INPUTS);
            b.kernels.pack(part, first, outputs, Layout.of(dtype), memory);
            first += (int) part.size(0);
        }
        Tensor expected = multiply(b, x, b.kernels.pack(b.arena, Weight.of(whole), Layout.of(dtype)));
        Tensor got = multiply(b, x, new PackedLinear(memory, outputs, INPUTS, Layout.of(dtype), b.kernels.packing()));
        assertEquals(-1, expected.segment().mismatch(got.segment()), () -> dtype + " of " + parts);
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldLookUpWordsOfAnyLayout(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            var random = new Random(5);
            Tensor ids = Tensor.copyOf(b.arena, new int[] {3, 0, 19, 3, 7});
            Tensor offsets = Tensor.copyOf(b.arena, new int[] {0, 2, 5});
            Tensor positions = b.random(8, INPUTS);
            for (Layout layout : Layout.values()) {
                Weight words = part(b.arena, random, 20, layout, false);
                if (layout == Layout.F32) {
                    words = Weight.of(words.toF32(b.arena)); // which must be aligned
                }
                Tensor expected = b.zeros(5, INPUTS);
                Tensor got = b.zeros(5, INPUTS);
                b.kernels.embedding(2, ids, offsets, null, Weight.of(words.toF32(b.arena)), 1.5f, positions, 1, null,
                        expected);
                b.kernels.embedding(2, ids, offsets, null, words, 1.5f, positions, 1, null, got);
                assertEquals(-1, expected.segment().mismatch(got.segment()), layout::toString);
            }
        }
    }
}
