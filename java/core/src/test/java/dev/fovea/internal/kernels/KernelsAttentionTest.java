package dev.fovea.internal.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.attention.Alibi;
import dev.fovea.attention.AttentionSpec;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.attention.Mask;
import dev.fovea.attention.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each option of attention by itself, against its formula in double precision, on sizes small enough to debug with. */
class KernelsAttentionTest {
    private static final AttentionSpec SPEC = AttentionSpec.of(4, 8).withKvHeads(2).withValueDim(5);

    /** Queries and keys per sequence: none of one, or of the other, tiles and their borders. */
    private static final int[][] LENGTHS = {{3, 5}, {0, 4}, {2, 0}, {1, 129}, {131, 70}};

    static Stream<EngineOptions> engines() {
        return KernelsContractTest.engines();
    }

    /** Random tensors of a ragged batch, and what an attention made of them. */
    private static final class Bench implements AutoCloseable {
        final Engine engine;
        final Arena arena = Arena.ofShared();
        final Kernels kernels;
        final Random random = new Random(5);
        final Tensor qOffsets;
        final Tensor kvOffsets;
        final int queries;
        final int keys;
        final Tensor q;
        final Tensor k;
        final Tensor v;
        final Tensor out;
        final Tensor lse;
        final Tensor weights;
        Tensor mask;
        Tensor bias;

        Bench(EngineOptions options, int[]... lengths) {
            engine = Engine.create(options);
            kernels = KernelEngine.of(engine).kernels(arena);
            qOffsets = Tensor.copyOf(arena, starts(lengths, 0));
            kvOffsets = Tensor.copyOf(arena, starts(lengths, 1));
            queries = start(qOffsets, lengths.length);
            keys = start(kvOffsets, lengths.length);
            q = random(queries, SPEC.heads(), SPEC.headDim());
            k = random(keys, SPEC.kvHeads(), SPEC.headDim());
            v = random(keys, SPEC.kvHeads(), SPEC.valueDim());
            int longest = Arrays.stream(lengths).mapToInt(l -> l[1]).max().orElse(0);
            out = random(queries, SPEC.heads(), SPEC.valueDim());
            lse = random(SPEC.heads(), queries);
            weights = random(SPEC.heads(), queries, longest);
        }

        private static int[] starts(int[][] lengths, int side) {
            int[] starts = new int[lengths.length + 1];
            for (int s = 0; s < lengths.length; s++) {
                starts[s + 1] = starts[s] + lengths[s][side];
            }
            return starts;
        }

        Tensor random(long... sizes) {
            Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(sizes));
            for (long i = 0; i < tensor.shape().elements(); i++) {
                tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() * 2 - 1);
            }
            return tensor;
        }

        Tensor bytes(long... sizes) {
            Tensor tensor = Tensor.allocate(arena, DType.U8, Shape.of(sizes));
            for (long i = 0; i < tensor.shape().elements(); i++) {
                tensor.segment().set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt(3) * 7));
            }
            return tensor;
        }

        int sequences() {
            return (int) qOffsets.size(0) - 1;
        }

        Tensor scratch(AttentionSpec spec) {
            return Tensor.allocate(arena, DType.I8, Shape.of(Math.max(1, kernels.attentionScratchBytes(spec))));
        }

        void run(AttentionSpec spec) {
            run(spec, q, k, v);
        }

        void run(AttentionSpec spec, Tensor q, Tensor k, Tensor v) {
            var tensors = new AttentionTensors(q, k, v, null, qOffsets, kvOffsets, mask, bias, out, lse, weights);
            kernels.attention(sequences(), spec, tensors, k, v, qOffsets, kvOffsets, null, scratch(spec));
        }

        @Override
        public void close() {
            arena.close();
            engine.close();
        }
    }

    private static int start(Tensor offsets, int sequence) {
        return offsets.segment().getAtIndex(ValueLayout.JAVA_INT, sequence);
    }

    /** Runs the spec and holds output, log-sum-exp and pattern against the formula. */
    private static void check(Bench b, AttentionSpec spec) {
        b.run(spec);
        compare(b, spec, 4e-6);
    }

    private static void compare(Bench b, AttentionSpec spec, double tolerance) {
        for (int s = 0; s < b.sequences(); s++) {
            for (int i = 0; i < start(b.qOffsets, s + 1) - start(b.qOffsets, s); i++) {
                for (int head = 0; head < spec.heads(); head++) {
                    compare(b, spec, s, head, i, tolerance);
                }
            }
        }
    }

    private static void compare(Bench b, AttentionSpec spec, int s, int head, int i, double tolerance) {
        int query = start(b.qOffsets, s) + i;
        int firstKey = start(b.kvOffsets, s);
        double[] scores = scores(b, spec, s, head, i);
        double sum = Arrays.stream(scores).map(Math::exp).sum();
        String where = "sequence " + s + ", head " + head + ", query " + i + ": ";
        double[] expected = new double[spec.valueDim()];
        for (int j = 0; j < scores.length; j++) {
            double weight = sum == 0 ? 0 : Math.exp(scores[j]) / sum;
            assertClose(weight, b.weights.getFloat(head, query, j), tolerance, where + "weight " + j);
            for (int d = 0; weight != 0 && d < expected.length; d++) {
                expected[d] += weight * b.v.getFloat(firstKey + j, head / 2, d);
            }
        }
        for (int d = 0; d < expected.length; d++) {
            assertClose(expected[d], b.out.getFloat(query, head, d), tolerance, where + "element " + d);
        }
        assertClose(Math.log(sum), b.lse.getFloat(head, query), tolerance, where + "lse");
    }

    private static void assertClose(double expected, double actual, double tolerance, String what) {
        assertTrue(expected == actual || Math.abs(expected - actual) <= tolerance,
                () -> what + ": expected " + expected + ", got " + actual);
    }

    private static double[] scores(Bench b, AttentionSpec spec, int s, int head, int i) {
        int queries = start(b.qOffsets, s + 1) - start(b.qOffsets, s);
        int firstKey = start(b.kvOffsets, s);
        double[] scores = new double[start(b.kvOffsets, s + 1) - firstKey];
        int diagonal = spec.mask().diagonal(i, queries, scores.length);
        double[] query = turned(b.q, start(b.qOffsets, s) + i, head, spec.rope(), diagonal);
        for (int j = 0; j < scores.length; j++) {
            double[] key = turned(b.k, firstKey + j, head / 2, spec.rope(), j);
            double score = 0;
            for (int d = 0; d < key.length; d++) {
                score += query[d] * key[d] * spec.scale();
            }
            score = spec.softcap() == 0 ? score : spec.softcap() * Math.tanh(score / spec.softcap());
            score += at(b.bias, s, head, i, j, 0);
            score -= spec.alibi() == null ? 0 : spec.alibi().slopes().getFloat(head) * Math.abs(diagonal - j);
            boolean seen = (spec.mask().left() < 0 || j >= diagonal - (long) spec.mask().left())
                    && (spec.mask().right() < 0 || j <= diagonal + (long) spec.mask().right())
                    && at(b.mask, s, head, i, j, 1) != 0 && at(b.bias, s, head, i, j, 0) != Double.NEGATIVE_INFINITY;
            scores[j] = seen ? score : Double.NEGATIVE_INFINITY;
        }
        return scores;
    }

    private static double at(Tensor tensor, int s, int head, int i, int j, double absent) {
        if (tensor == null) {
            return absent;
        }
        int last = tensor.rank() - 1;
        long element = j + (tensor.size(last - 1) == 1 ? 0 : i * tensor.stride(last - 1));
        if (last == 3) {
            element += tensor.size(0) == 1 ? 0 : s * tensor.stride(0);
            element += tensor.size(1) == 1 ? 0 : head * tensor.stride(1);
        }
        return tensor.dtype() == DType.U8
                ? tensor.segment().get(ValueLayout.JAVA_BYTE, element)
                : tensor.segment().getAtIndex(ValueLayout.JAVA_FLOAT, element);
    }

    private static double[] turned(Tensor tensor, int token, int head, Rope rope, int position) {
        double[] row = new double[(int) tensor.size(2)];
        for (int d = 0; d < row.length; d++) {
            row[d] = tensor.getFloat(token, head, d);
        }
        for (int p = 0; rope != null && p < rope.dim() / 2; p++) {
            int one = rope.layout() == Rope.Layout.HALF ? p : 2 * p;
            int other = rope.layout() == Rope.Layout.HALF ? p + rope.dim() / 2 : 2 * p + 1;
            double cos = rope.table().getFloat(position, p);
            double sin = rope.table().getFloat(position, p + rope.dim() / 2);
            double x = row[one];
            double y = row[other];
            row[one] = x * cos - y * sin;
            row[other] = y * cos + x * sin;
        }
        return row;
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCutByPosition(EngineOptions options) {
        try (Bench b = new Bench(options, LENGTHS)) {
            for (Mask mask : List.of(Mask.none(), Mask.causal(), Mask.window(3, 2), Mask.window(0, 0),
                    Mask.window(-1, 7), Mask.window(9, -1), Mask.window(Integer.MAX_VALUE, Integer.MAX_VALUE))) {
                check(b, SPEC.withMask(mask));
                check(b, SPEC.withMask(mask.topLeft()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldMaskByContentUnderEveryBroadcast(EngineOptions options) {
        try (Bench b = new Bench(options, LENGTHS)) {
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
    void shouldAddBiasesOfWhichInfiniteOnesMask(EngineOptions options) {
        try (Bench b = new Bench(options, LENGTHS)) {
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
    void shouldSubtractDistances(EngineOptions options) {
        try (Bench b = new Bench(options, LENGTHS)) {
            check(b, SPEC.withAlibi(Alibi.forHeads(4)));
            check(b, SPEC.withAlibi(Alibi.forHeads(4)).withMask(Mask.causal().topLeft()));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldBoundScores(EngineOptions options) {
        try (Bench b = new Bench(options, LENGTHS)) {
            for (float cap : new float[] {0.1f, 1, 50, 1e6f}) {
                check(b, SPEC.withSoftcap(cap));
                check(b, SPEC.withSoftcap(cap).withScale(3).withMask(Mask.causal()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldTurnQueriesAndKeysToTheirPositions(EngineOptions options) {
        try (Bench b = new Bench(options, new int[][] {{3, 5}, {0, 4}, {1, 129}, {70, 131}})) {
            for (Rope.Layout layout : Rope.Layout.values()) {
                check(b, SPEC.withRope(Rope.of(layout, 8, 10_000, 131)));
                check(b, SPEC.withRope(Rope.of(layout, 6, 100, 140)).withMask(Mask.causal()));
                check(b, SPEC.withRope(Rope.of(layout, 2, 100, 131)).withMask(Mask.causal().topLeft()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldReadHalfTypes(EngineOptions options) {
        for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
            try (Bench b = new Bench(options, LENGTHS)) {
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
    private static Tensor rounded(Bench b, Tensor tensor, DType dtype) {
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
    void shouldGivePaddedBatchesTheBitsOfRaggedOnes(EngineOptions options) {
        try (Bench b = new Bench(options, LENGTHS)) {
            AttentionSpec spec = SPEC.withMask(Mask.causal());
            b.run(spec);
            Tensor q = padded(b, b.q, b.qOffsets, 131);
            Tensor k = padded(b, b.k, b.kvOffsets, 130);
            Tensor v = padded(b, b.v, b.kvOffsets, 130);
            Tensor out = b.random(5, 4, 140, 5).transpose(1, 2);
            Tensor lse = b.random(5, 4, 131);
            Tensor weights = b.random(5, 4, 131, 129);
            var tensors = new AttentionTensors(q, k, v, null, b.qOffsets, b.kvOffsets, null, null, out, lse, weights);
            b.kernels.attention(5, spec, tensors, k, v, b.qOffsets, b.kvOffsets, null, b.scratch(spec));
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

    private static Tensor padded(Bench b, Tensor ragged, Tensor offsets, int tokens) {
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
    void shouldKeepNanAndInfinityOfMaskedKeysAway(EngineOptions options) {
        try (Bench b = new Bench(options, new int[][] {{9, 140}, {131, 70}})) {
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
    void shouldGiveAnInfiniteValueOnlyToThoseWhoAttendToIt(EngineOptions options) {
        try (Bench b = new Bench(options, new int[][] {{30, 30}})) {
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
    void shouldNotOverflowOnLargeScores(EngineOptions options) {
        try (Bench b = new Bench(options, LENGTHS)) {
            b.run(SPEC.withScale(1e30f));
            for (float value : b.out.segment().toArray(ValueLayout.JAVA_FLOAT)) {
                assertTrue(Float.isFinite(value));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldDecodeToTheBitsOfOneCausalCall(EngineOptions options) {
        int tokens = 300;
        try (Bench b = new Bench(options, new int[][] {{tokens, tokens}})) {
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
    void shouldDecodeFromHalfTypesAsFromTensorsOfThem(EngineOptions options) {
        for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
            try (Bench b = new Bench(options, new int[][] {{140, 140}})) {
                rounded(b, b.k, dtype);
                rounded(b, b.v, dtype);
                AttentionSpec spec = SPEC.withMask(Mask.causal());
                b.run(spec);
                assertEquals(-1, b.out.segment().mismatch(decode(b, spec, 140, dtype).segment()), dtype.toString());
            }
        }
    }

    /** Appends and attends token by token; pages lie in another order than their keys. */
    private static Tensor decode(Bench b, AttentionSpec spec, int tokens, DType dtype) {
        Tensor pages = Tensor.copyOf(b.arena, new int[] {2, 0, 1});
        Tensor table = Tensor.of(pages.segment(), DType.I32, Shape.of(1, 3));
        Tensor keyPages = Tensor.allocate(b.arena, dtype, Shape.of(3, 2, Kernels.PAGE_KEYS, 8));
        Tensor valuePages = Tensor.allocate(b.arena, dtype, Shape.of(3, 2, Kernels.PAGE_KEYS, 5));
        Tensor one = Tensor.copyOf(b.arena, new int[] {0, 1});
        Tensor decoded = b.random(tokens, 4, 5);
        for (int t = 0; t < tokens; t++) {
            Tensor length = Tensor.copyOf(b.arena, new int[] {t});
            Tensor k = token(b.k, t);
            Tensor v = token(b.v, t);
            b.kernels.cacheAppend(1, spec.rope(), k, v, one, length, table, keyPages, valuePages);
            Tensor held = Tensor.copyOf(b.arena, new int[] {0, t + 1});
            var tensors = AttentionTensors.of(token(b.q, t), k, v, token(decoded, t)).withOffsets(one, held);
            b.kernels.attention(1, spec, tensors, keyPages, valuePages, one, held, table, b.scratch(spec));
        }
        return decoded;
    }

    private static Tensor token(Tensor tensor, int token) {
        return Tensor.of(tensor.segment().asSlice(token * tensor.stride(0) * Float.BYTES), DType.F32,
                Shape.of(1, tensor.size(1), tensor.size(2)));
    }
}
