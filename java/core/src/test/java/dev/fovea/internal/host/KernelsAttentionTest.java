package dev.fovea.internal.host;

import static dev.fovea.internal.host.AttentionBench.SPEC;
import static dev.fovea.internal.host.AttentionBench.LENGTHS;
import static dev.fovea.internal.host.AttentionBench.start;
import static dev.fovea.internal.host.AttentionBench.check;
import static dev.fovea.internal.host.AttentionBench.compare;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.TestEngine;
import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each option of attention by itself, against its formula in double precision, on sizes small enough to debug with. */
class KernelsAttentionTest {
    static Stream<TestEngine> engines() {
        return KernelsContractTest.engines();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCutByPosition(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
            for (Mask mask : List.of(Mask.none(), Mask.causal(), Mask.window(3, 2), Mask.window(0, 0),
                    Mask.window(-1, 7), Mask.window(9, -1), Mask.window(Integer.MAX_VALUE, Integer.MAX_VALUE))) {
                check(b, SPEC.withMask(mask));
                check(b, SPEC.withMask(mask.topLeft()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldMaskByContentUnderEveryBroadcast(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
            for (long[] shape : new long[][] {{131, 129}, {1, 129}, {5, 4, 131, 129}, {1, 4, 1, 130},
                    {5, 1, 132, 129}}) {
                b.mask = b.bytes(shape);
                check(b, SPEC);
                check(b, SPEC.withMask(Mask.causal()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldAddBiasesOfWhichInfiniteOnesMask(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
            for (long[] shape : new long[][] {{131, 129}, {1, 129}, {5, 4, 131, 129}, {1, 4, 1, 130}}) {
                b.bias = b.random(shape);
                for (long i = 0; i < b.bias.shape().elements(); i += 1 + b.random.nextInt(3)) {
                    b.bias.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NEGATIVE_INFINITY);
                }
                check(b, SPEC);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldSubtractDistances(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
            check(b, SPEC.withAlibi(Alibi.forHeads(4)));
            check(b, SPEC.withAlibi(Alibi.forHeads(4)).withMask(Mask.causal().topLeft()));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldBoundScores(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
            for (float cap : new float[] {0.1f, 1, 50, 1e6f}) {
                check(b, SPEC.withSoftcap(cap));
                check(b, SPEC.withSoftcap(cap).withScale(3).withMask(Mask.causal()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldTurnQueriesAndKeysToTheirPositions(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, new int[][] {{3, 5}, {0, 4}, {1, 129}, {70, 131}})) {
            for (Rope.Layout layout : Rope.Layout.values()) {
                check(b, SPEC.withRope(Rope.of(layout, 8, 10_000, 131)));
                check(b, SPEC.withRope(Rope.of(layout, 6, 100, 140)).withMask(Mask.causal()));
                check(b, SPEC.withRope(Rope.of(layout, 2, 100, 131)).withMask(Mask.causal().topLeft()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldReadHalfTypes(TestEngine options) {
        for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
            try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
                Tensor q = rounded(b, b.q, dtype);
                Tensor k = rounded(b, b.k, dtype);
                Tensor v = rounded(b, b.v, dtype);
                b.run(SPEC, q, k, v);
                compare(b, SPEC, 4e-6);
                b.run(SPEC, b.q, k, v);
                compare(b, SPEC, 4e-6);
            }
        }
    }

    /** The tensor in another type, and itself rounded to what that holds. */
    private static Tensor rounded(AttentionBench b, Tensor tensor, DType dtype) {
        long[] sizes = {tensor.size(0), tensor.size(1), tensor.size(2)};
        Tensor half = Tensor.allocate(b.arena, dtype, Shape.of(sizes));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            float value = tensor.segment().getAtIndex(ValueLayout.JAVA_FLOAT, i);
            int bf16 = Float.floatToIntBits(value) >>> 16;
            short bits = dtype == DType.F16 ? Float.floatToFloat16(value) : (short) bf16;
            half.segment().setAtIndex(ValueLayout.JAVA_SHORT, i, bits);
            float back = dtype == DType.F16 ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << 16);
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, back);
        }
        return half;
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGivePaddedBatchesTheBitsOfRaggedOnes(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
            AttentionSpec spec = SPEC.withMask(Mask.causal());
            b.run(spec);
            Tensor q = padded(b, b.q, b.qOffsets, 131);
            Tensor k = padded(b, b.k, b.kvOffsets, 130);
            Tensor v = padded(b, b.v, b.kvOffsets, 130);
            Tensor out = b.random(5, 4, 140, 5).transpose(1, 2);
            Tensor lse = b.random(5, 4, 131);
            Tensor weights = b.random(5, 4, 131, 129);
            var tensors = new AttentionOperands(q, k, v, null, null, out, lse, weights);
            b.kernels.attention(5, spec, tensors, b.qOffsets, b.kvOffsets, null, b.scratch(spec));
            for (int s = 0; s < 5; s++) {
                int first = start(b.qOffsets, s);
                for (int i = 0; i < start(b.qOffsets, s + 1) - first; i++) {
                    for (int head = 0; head < 4; head++) {
                        assertEquals(b.out.getFloat(first + i, head, 4), out.getFloat(s, i, head, 4));
                        assertEquals(b.lse.getFloat(head, first + i), lse.getFloat(s, head, i));
                        if (start(b.kvOffsets, s + 1) > start(b.kvOffsets, s)) {
                            assertEquals(b.weights.getFloat(head, first + i, 0), weights.getFloat(s, head, i, 0));
                        }
                    }
                }
            }
        }
    }

    private static Tensor padded(AttentionBench b, Tensor ragged, Tensor offsets, int tokens) {
        int sequences = (int) offsets.size(0) - 1;
        Tensor padded = b.random(sequences, tokens, ragged.size(1), ragged.size(2));
        padded.segment().fill((byte) 0xff);
        long token = ragged.stride(0) * Float.BYTES;
        for (int s = 0; s < sequences; s++) {
            padded.segment().asSlice(s * padded.stride(0) * Float.BYTES).copyFrom(ragged.segment()
                    .asSlice(start(offsets, s) * token, (start(offsets, s + 1) - start(offsets, s)) * token));
        }
        return padded;
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldKeepNanAndInfinityOfMaskedKeysAway(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, new int[][] {{9, 140}, {131, 70}})) {
            AttentionSpec spec = SPEC.withMask(Mask.window(20, 0));
            b.mask = b.bytes(1, 140);
            for (int j = 0; j < 140; j++) {
                b.mask.segment().set(ValueLayout.JAVA_BYTE, j, (byte) (j % 5));
            }
            check(b, spec);
            float[] before = b.out.segment().toArray(ValueLayout.JAVA_FLOAT);
            for (int s = 0; s < 2; s++) {
                for (int j = start(b.kvOffsets, s); j < start(b.kvOffsets, s + 1); j++) {
                    if ((j - start(b.kvOffsets, s)) % 5 == 0) {
                        b.k.segment().setAtIndex(ValueLayout.JAVA_FLOAT, j * 16L + j % 16, Float.NaN);
                        b.v.segment().setAtIndex(ValueLayout.JAVA_FLOAT, j * 10L + j % 10,
                                j % 2 == 0 ? Float.NaN : Float.POSITIVE_INFINITY);
                    }
                }
            }
            b.run(spec);
            assertEquals(-1, Arrays.mismatch(before, b.out.segment().toArray(ValueLayout.JAVA_FLOAT)));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldGiveAnInfiniteValueOnlyToThoseWhoAttendToIt(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, new int[][] {{30, 30}})) {
            b.v.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 12 * b.v.stride(0), Float.POSITIVE_INFINITY);
            b.run(SPEC.withMask(Mask.causal()));
            for (int i = 0; i < 30; i++) {
                assertEquals(i >= 12, b.out.getFloat(i, 0, 0) == Float.POSITIVE_INFINITY, "query " + i);
                assertTrue(Float.isFinite(b.out.getFloat(i, 0, 1)), "query " + i);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldNotOverflowOnLargeScores(TestEngine options) {
        try (AttentionBench b = new AttentionBench(options, LENGTHS)) {
            b.run(SPEC.withScale(1e30f));
            for (float value : b.out.segment().toArray(ValueLayout.JAVA_FLOAT)) {
                assertTrue(Float.isFinite(value));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldDecodeToTheBitsOfOneCausalCall(TestEngine options) {
        int tokens = 300;
        try (AttentionBench b = new AttentionBench(options, new int[][] {{tokens, tokens}})) {
            for (AttentionSpec spec : List.of(SPEC.withMask(Mask.causal()), SPEC.withMask(Mask.window(70, 0)),
                    SPEC.withMask(Mask.causal()).withRope(Rope.of(Rope.Layout.HALF, 6, 1e4, tokens)))) {
                b.run(spec);
                Tensor decoded = decode(b, spec, tokens, DType.F32);
                assertEquals(-1, b.out.segment().mismatch(decoded.segment()), spec.toString());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldDecodeFromHalfTypesAsFromTensorsOfThem(TestEngine options) {
        for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
            try (AttentionBench b = new AttentionBench(options, new int[][] {{140, 140}})) {
                rounded(b, b.k, dtype);
                rounded(b, b.v, dtype);
                AttentionSpec spec = SPEC.withMask(Mask.causal());
                b.run(spec);
                assertEquals(-1, b.out.segment().mismatch(decode(b, spec, 140, dtype).segment()), dtype.toString());
            }
        }
    }

    /** Appends and attends token by token; pages lie in another order than their keys. */
    private static Tensor decode(AttentionBench b, AttentionSpec spec, int tokens, DType dtype) {
        Tensor pages = Tensor.copyOf(b.arena, new int[] {2, 0, 1});
        Tensor table = Tensor.of(pages.segment(), DType.I32, Shape.of(1, 3));
        Tensor keyPages = Tensor.allocate(b.arena, dtype, Shape.of(3, 2, PageTable.PAGE_KEYS, 8));
        Tensor valuePages = Tensor.allocate(b.arena, dtype, Shape.of(3, 2, PageTable.PAGE_KEYS, 5));
        Tensor one = Tensor.copyOf(b.arena, new int[] {0, 1});
        Tensor decoded = b.random(tokens, 4, 5);
        for (int t = 0; t < tokens; t++) {
            Tensor length = Tensor.copyOf(b.arena, new int[] {t});
            Tensor k = token(b.k, t);
            Tensor v = token(b.v, t);
            b.kernels.cacheAppend(1, spec.rope(), k, v, one, length, table, keyPages, valuePages);
            Tensor held = Tensor.copyOf(b.arena, new int[] {0, t + 1});
            var tensors = new AttentionOperands(token(b.q, t), keyPages, valuePages, null, null,
                    token(decoded, t), null, null);
            b.kernels.attention(1, spec, tensors, one, held, table, b.scratch(spec));
        }
        return decoded;
    }

    private static Tensor token(Tensor tensor, int token) {
        return Tensor.of(tensor.segment().asSlice(token * tensor.stride(0) * Float.BYTES), DType.F32,
                Shape.of(1, tensor.size(1), tensor.size(2)));
    }
}
