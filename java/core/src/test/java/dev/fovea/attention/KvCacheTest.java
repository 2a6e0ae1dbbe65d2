package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A cache gives what the tensors that were appended to it would give, bit for bit, on whatever path. On a GPU few queries
 * take another kernel than many, which sums up in another order; there both agree up to rounding.
 */
class KvCacheTest {
    private static final int DIM = 24;
    private static final int VALUE_DIM = 20;

    private final Arena arena = Arena.ofShared();
    private final Random random = new Random(9);

    static List<Engine> engines() {
        return AttentionEngines.all();
    }

    @AfterEach
    void close() {
        arena.close();
    }

    private static AttentionSpec spec(int heads, int kvHeads) {
        return AttentionSpec.of(heads, DIM).withKvHeads(kvHeads).withValueDim(VALUE_DIM).withMask(Mask.causal());
    }

    private Tensor random(DType dtype, long... sizes) {
        Tensor tensor = Tensor.allocate(arena, dtype, Shape.of(sizes));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            Elements.store(tensor.segment(), dtype, i, random.nextFloat() * 2 - 1);
        }
        return tensor;
    }

    /** A sequence's queries, keys and values, F32 [tokens, heads, dim] and the type of the cache. */
    private final class Sequence {
        final AttentionSpec spec;
        final int tokens;
        final Tensor q;
        final Tensor k;
        final Tensor v;

        Sequence(AttentionSpec spec, int tokens, DType dtype) {
            this.spec = spec;
            this.tokens = tokens;
            q = random(DType.F32, tokens, spec.heads(), spec.headDim());
            k = random(dtype, tokens, spec.kvHeads(), spec.headDim());
            v = random(dtype, tokens, spec.kvHeads(), spec.valueDim());
        }

        void append(KvCache cache, int sequence, int first, int end) {
            cache.append(sequence, rows(k, first, end), rows(v, first, end));
        }

        /** Attention of the tokens from {@code first} to {@code end} to all before and themselves. */
        float[] attend(Attention attention, KvCache cache, int first, int end) {
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(end - first, spec.heads(), spec.valueDim()));
            attention.run(AttentionTensors.of(rows(q, first, end), cache, out));
            return floats(out);
        }

        float[] whole(Attention attention) {
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(tokens, spec.heads(), spec.valueDim()));
            attention.run(AttentionTensors.of(q, k, v, out));
            return floats(out);
        }

        float[] part(float[] whole, int first, int end) {
            int width = spec.heads() * spec.valueDim();
            return Arrays.copyOfRange(whole, first * width, end * width);
        }
    }

    private static Tensor rows(Tensor tensor, int first, int end) {
        long width = tensor.stride(0) * tensor.dtype().bytes();
        return Tensor.of(tensor.segment().asSlice(first * width, (end - first) * width), tensor.dtype(),
                Shape.of(end - first, tensor.size(1), tensor.size(2)));
    }

    private static void requireSame(Engine engine, float[] expected, float[] actual, String message) {
        if (engine.backend() == Backend.CUDA) {
            assertArrayEquals(expected, actual, 2e-6f, message);
        } else {
            assertArrayEquals(expected, actual, message);
        }
    }

    private static float[] floats(Tensor tensor) {
        return tensor.segment().toArray(ValueLayout.JAVA_FLOAT);
    }

    @TestFactory
    Stream<DynamicTest> shouldGiveBitsOfOneCausalCallWhenTokensComeOneByOne() {
        Rope rope = Rope.of(Rope.Layout.HALF, 16, 10_000, 1400);
        List<AttentionSpec> specs = List.of(spec(1, 1), spec(4, 4), spec(4, 2), spec(4, 1),
                spec(1, 1).withRope(rope), spec(4, 2).withRope(Rope.of(Rope.Layout.INTERLEAVED, DIM, 10_000, 1400)),
                spec(4, 1).withMask(Mask.window(150, 0)), spec(4, 4).withAlibi(Alibi.forHeads(4)).withSoftcap(20));
        List<DynamicTest> tests = new ArrayList<>();
        for (Engine engine : engines()) {
            for (AttentionSpec spec : specs) {
                // The emulated GPU is slow.
                for (int tokens : engine.backend() == Backend.CUDA ? new int[] {140} : new int[] {300, 1300}) {
                    tests.add(dynamicTest(AttentionEngines.name(engine) + ", " + tokens + " tokens, " + spec,
                            () -> checkStepwise(engine, new Sequence(spec, tokens, DType.F32), DType.F32)));
                }
            }
            for (DType dtype : List.of(DType.F16, DType.BF16)) {
                int tokens = engine.backend() == Backend.CUDA ? 140 : 300;
                tests.add(dynamicTest(AttentionEngines.name(engine) + ", " + dtype,
                        () -> checkStepwise(engine, new Sequence(spec(4, 2), tokens, dtype), dtype)));
            }
        }
        return tests.stream();
    }

    private static void checkStepwise(Engine engine, Sequence sequence, DType dtype) {
        try (var attention = Attention.create(engine, sequence.spec);
                var cache = KvCache.create(engine, sequence.spec, 1, sequence.tokens, dtype)) {
            float[] whole = sequence.whole(attention);
            for (int t = 0; t < sequence.tokens; t++) {
                sequence.append(cache, 0, t, t + 1);
                // Each length near a border of pages or chunks, and samples of the rest.
                if (t % 128 < 2 || t % 128 == 127 || t % 7 == 0 || t + 1 == sequence.tokens) {
                    requireSame(engine, sequence.part(whole, t, t + 1), sequence.attend(attention, cache, t, t + 1),
                            "token " + t);
                }
            }
            cache.reset();
            int first = 0;
            for (int chunk : new int[] {37, 91, 1, 128, 200, 500, 343}) {
                int end = Math.min(sequence.tokens, first + chunk);
                sequence.append(cache, 0, first, end);
                requireSame(engine, sequence.part(whole, first, end), sequence.attend(attention, cache, first, end),
                        "tokens from " + first);
                first = end;
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldHoldF32RoundedToItsType(Engine engine) {
        for (DType dtype : List.of(DType.F16, DType.BF16)) {
            AttentionSpec spec = spec(2, 1);
            Sequence exact = new Sequence(spec, 200, DType.F32);
            Tensor k = rounded(exact.k, dtype);
            Tensor v = rounded(exact.v, dtype);
            Tensor expected = Tensor.allocate(arena, DType.F32, Shape.of(200, 2, VALUE_DIM));
            try (var attention = Attention.create(engine, spec);
                    var cache = KvCache.create(engine, spec, 1, 256, dtype)) {
                attention.run(AttentionTensors.of(exact.q, k, v, expected));
                exact.append(cache, 0, 0, 200);
                assertArrayEquals(floats(expected), exact.attend(attention, cache, 0, 200), dtype.toString());
                assertEquals(2L * 256 * (DIM + VALUE_DIM), cache.bytes());
            }
        }
    }

    private Tensor rounded(Tensor exact, DType dtype) {
        Tensor tensor = Tensor.allocate(arena, dtype, exact.shape());
        for (long i = 0; i < exact.shape().elements(); i++) {
            Elements.store(tensor.segment(), dtype, i, exact.segment().getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
        return tensor;
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldLeaveTheOriginalAloneWhenAForkDiverges(Engine engine) {
        AttentionSpec spec = spec(4, 2).withRope(Rope.of(Rope.Layout.HALF, DIM, 10_000, 400));
        Sequence original = new Sequence(spec, 300, DType.F32);
        Sequence other = new Sequence(spec, 300, DType.F32);
        try (var attention = Attention.create(engine, spec); var cache = KvCache.create(engine, spec, 3, 400)) {
            float[] whole = original.whole(attention);
            original.append(cache, 0, 0, 200);
            cache.fork(0, 1);
            cache.fork(1, 2);
            other.append(cache, 1, 200, 300);
            assertEquals(200, cache.length(0));
            assertEquals(300, cache.length(1));
            assertEquals(200, cache.length(2));
            assertArrayEquals(original.part(whole, 150, 200), original.attend(attention, cache, 150, 200));
            original.append(cache, 0, 200, 300);
            assertArrayEquals(original.part(whole, 200, 300), original.attend(attention, cache, 200, 300));
            // What lies behind a fork's cut is shared memory too.
            cache.truncate(2, 130);
            other.append(cache, 2, 130, 140);
            assertArrayEquals(original.part(whole, 100, 300), original.attend(attention, cache, 100, 300));
            cache.reset(0);
            cache.fork(1, 0);
            float[] forked = other.attend(attention, cache, 299, 300);
            cache.reset(1);
            other.append(cache, 2, 140, 300);
            assertArrayEquals(forked, other.attend(attention, cache, 299, 300));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldForgetWhatIsTruncated(Engine engine) {
        AttentionSpec spec = spec(2, 2);
        Sequence right = new Sequence(spec, 300, DType.F32);
        Sequence wrong = new Sequence(spec, 300, DType.F32);
        try (var attention = Attention.create(engine, spec); var cache = KvCache.create(engine, spec, 1, 300)) {
            float[] whole = right.whole(attention);
            for (int keep : new int[] {0, 1, 127, 128, 129, 256, 299}) {
                cache.truncate(0, Math.min(keep, cache.length(0)));
                right.append(cache, 0, cache.length(0), keep);
                wrong.append(cache, 0, keep, 300);
                cache.truncate(0, keep);
                assertEquals(keep, cache.length(0));
                right.append(cache, 0, keep, 300);
                requireSame(engine, right.part(whole, keep, 300), right.attend(attention, cache, keep, 300),
                        "after truncation to " + keep);
            }
            cache.reset(0);
            assertEquals(0, cache.length(0));
            Tensor out = random(DType.F32, 1, 2, VALUE_DIM);
            attention.run(AttentionTensors.of(rows(right.q, 0, 1), cache, out));
            assertArrayEquals(new float[2 * VALUE_DIM], floats(out));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveEachSequenceItsBitsWhenSeveralGrowTogether(Engine engine) {
        AttentionSpec spec = spec(2, 1);
        int[][] steps = {{0, 0, 0}, {5, 0, 130}, {5, 1, 131}, {140, 2, 131}};
        Sequence[] all = {new Sequence(spec, 140, DType.F32), new Sequence(spec, 2, DType.F32),
            new Sequence(spec, 131, DType.F32)};
        try (var attention = Attention.create(engine, spec); var cache = KvCache.create(engine, spec, 3, 140)) {
            for (int step = 1; step < steps.length; step++) {
                int[] offsets = new int[4];
                List<Tensor> k = new ArrayList<>();
                List<Tensor> v = new ArrayList<>();
                List<Tensor> q = new ArrayList<>();
                for (int s = 0; s < 3; s++) {
                    int first = steps[step - 1][s];
                    int end = steps[step][s];
                    offsets[s + 1] = offsets[s] + end - first;
                    k.add(rows(all[s].k, first, end));
                    v.add(rows(all[s].v, first, end));
                    q.add(rows(all[s].q, first, end));
                }
                Tensor starts = Tensor.copyOf(arena, offsets);
                cache.append(joined(k), joined(v), starts);
                Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(offsets[3], 2, VALUE_DIM));
                attention.run(AttentionTensors.of(joined(q), cache, out).withOffsets(starts));
                for (int s = 0; s < 3; s++) {
                    assertEquals(steps[step][s], cache.length(s));
                    requireSame(engine, all[s].part(all[s].whole(attention), steps[step - 1][s], steps[step][s]),
                            floats(rows(out, offsets[s], offsets[s + 1])), "sequence " + s + " in step " + step);
                }
            }
        }
    }

    private Tensor joined(List<Tensor> parts) {
        long tokens = parts.stream().mapToLong(each -> each.size(0)).sum();
        Tensor joined = Tensor.allocate(arena, DType.F32, Shape.of(tokens, parts.getFirst().size(1),
                parts.getFirst().size(2)));
        long at = 0;
        for (Tensor part : parts) {
            joined.segment().asSlice(at).copyFrom(part.segment());
            at += part.segment().byteSize();
        }
        return joined;
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldBeAsBeforeWhenCapacityIsExceeded(Engine engine) {
        AttentionSpec spec = spec(2, 2);
        Sequence sequence = new Sequence(spec, 140, DType.F32);
        try (var attention = Attention.create(engine, spec); var cache = KvCache.create(engine, spec, 2, 130)) {
            float[] whole = sequence.whole(attention);
            sequence.append(cache, 0, 0, 125);
            var thrown = assertThrows(IllegalArgumentException.class, () -> sequence.append(cache, 0, 125, 131));
            for (String value : List.of("125", "130", "6")) {
                assertTrue(thrown.getMessage().contains(value), thrown.getMessage());
            }
            Tensor offsets = Tensor.copyOf(arena, new int[] {0, 6, 7});
            assertThrows(IllegalArgumentException.class,
                    () -> cache.append(rows(sequence.k, 0, 7), rows(sequence.v, 0, 7), offsets));
            assertEquals(125, cache.length(0));
            assertEquals(0, cache.length(1));
            sequence.append(cache, 0, 125, 130);
            assertArrayEquals(sequence.part(whole, 0, 130), sequence.attend(attention, cache, 0, 130));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldFillEveryPageOfEverySequence(Engine engine) {
        AttentionSpec spec = spec(1, 1);
        Sequence sequence = new Sequence(spec, 260, DType.F32);
        try (var attention = Attention.create(engine, spec); var cache = KvCache.create(engine, spec, 4, 260)) {
            float[] whole = sequence.whole(attention);
            sequence.append(cache, 0, 0, 200);
            for (int s = 1; s < 4; s++) {
                cache.fork(s - 1, s);
            }
            // Shared pages are copied one by one, as each sequence grows to its capacity: the last has none to spare.
            for (int s = 3; s >= 0; s--) {
                sequence.append(cache, s, 200, 260);
            }
            Tensor q = Tensor.allocate(arena, DType.F32, Shape.of(4, 260, 1, DIM));
            for (int s = 0; s < 4; s++) {
                q.segment().asSlice(s * sequence.q.segment().byteSize()).copyFrom(sequence.q.segment());
            }
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(4, 260, 1, VALUE_DIM));
            attention.run(AttentionTensors.of(q, cache, out));
            for (int s = 0; s < 4; s++) {
                assertArrayEquals(whole, Arrays.copyOfRange(floats(out), s * whole.length, (s + 1) * whole.length),
                        "sequence " + s);
            }
        }
    }
}
