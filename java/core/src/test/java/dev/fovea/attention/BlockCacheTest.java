package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A cache of Q8_0: the bits of tensors that hold the same values, and what rounding to blocks costs. */
class BlockCacheTest {
    private static final int TOKENS = 270;

    private final Arena arena = Arena.ofShared();
    private final Random random = new Random(11);

    static List<Engine> engines() {
        return AttentionEngines.all().stream().filter(engine -> engine.backend() != Backend.CUDA).toList();
    }

    @AfterEach
    void close() {
        arena.close();
    }

    private Tensor random(int heads, int dim) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, heads, dim));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() * 2 - 1);
        }
        return tensor;
    }

    /** Values that blocks hold as they are: each block has the largest integer, and a scale that is a power of 2. */
    private Tensor randomBlocks(int heads, int dim) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, heads, dim));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            int q = i % 32 == 5 ? 127 : random.nextInt(255) - 127;
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, q * (i / 32 % 3 == 0 ? 0x1p-7f : 0x1p-8f));
        }
        return tensor;
    }

    private static Tensor rows(Tensor tensor, int first, int end) {
        long bytes = tensor.stride(0) * Float.BYTES;
        return Tensor.of(tensor.segment().asSlice(first * bytes, (end - first) * bytes), DType.F32,
                Shape.of(end - first, tensor.size(1), tensor.size(2)));
    }

    private float[] attend(Attention attention, AttentionSpec spec, Tensor q, KvCache cache) {
        Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(q.size(0), spec.heads(), spec.valueDim()));
        attention.run(AttentionTensors.of(q, cache, out));
        return out.segment().toArray(ValueLayout.JAVA_FLOAT);
    }

    private float[] whole(Attention attention, AttentionSpec spec, Tensor q, Tensor k, Tensor v) {
        Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, spec.heads(), spec.valueDim()));
        attention.run(AttentionTensors.of(q, k, v, out));
        return out.segment().toArray(ValueLayout.JAVA_FLOAT);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveBitsOfOneCausalCallWhenBlocksHoldTheValues(Engine engine) {
        for (AttentionSpec any : List.of(AttentionSpec.of(4, 64).withKvHeads(2), AttentionSpec.of(2, 32).withValueDim(96),
                AttentionSpec.of(5, 128).withKvHeads(1))) {
            AttentionSpec spec = any.withMask(Mask.causal());
            Tensor q = random(spec.heads(), spec.headDim());
            Tensor k = randomBlocks(spec.kvHeads(), spec.headDim());
            Tensor v = randomBlocks(spec.kvHeads(), spec.valueDim());
            int width = spec.heads() * spec.valueDim();
            try (var attention = Attention.create(engine, spec);
                    var cache = KvCache.create(engine, spec, 1, TOKENS, Layout.Q8_0)) {
                float[] whole = whole(attention, spec, q, k, v);
                for (int first = 0, step = 1; first < TOKENS; first += step, step = step == 1 && first < 131 ? 1 : 37) {
                    int end = Math.min(TOKENS, first + step);
                    cache.append(0, rows(k, first, end), rows(v, first, end));
                    assertArrayEquals(Arrays.copyOfRange(whole, first * width, end * width),
                            attend(attention, spec, rows(q, first, end), cache), spec + ", tokens from " + first);
                }
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldBeNearF32(Engine engine) {
        AttentionSpec spec = AttentionSpec.of(4, 64).withKvHeads(2).withMask(Mask.causal())
                .withRope(Rope.of(Rope.Layout.HALF, 64, 10_000, TOKENS));
        Tensor q = random(4, 64);
        Tensor k = random(2, 64);
        Tensor v = random(2, 64);
        try (var attention = Attention.create(engine, spec);
                var cache = KvCache.create(engine, spec, 2, TOKENS, Layout.Q8_0)) {
            cache.append(0, rows(k, 0, 77), rows(v, 0, 77));
            cache.fork(0, 1);
            cache.append(0, rows(k, 77, TOKENS), rows(v, 77, TOKENS));
            Tensor offsets = Tensor.copyOf(arena, new int[] {0, TOKENS, TOKENS});
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, 4, 64));
            attention.run(AttentionTensors.of(q, cache, out).withOffsets(offsets));
            float[] got = out.segment().toArray(ValueLayout.JAVA_FLOAT);
            // Half a step of 1/127 at most in each value, and rather less in means of many.
            assertArrayEquals(whole(attention, spec, q, k, v), got, 0.006f);
            cache.append(1, rows(k, 77, TOKENS), rows(v, 77, TOKENS));
            attention.run(AttentionTensors.of(q, cache, out).withOffsets(Tensor.copyOf(arena, new int[] {0, 0, TOKENS})));
            assertArrayEquals(got, out.segment().toArray(ValueLayout.JAVA_FLOAT));
            assertEquals(6L * 128 * 2 * (64 + 64) / 32 * 34, cache.bytes());
            assertTrue(cache.toString().contains("Q8_0"), cache.toString());
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("dev.fovea.attention.AttentionEngines#all")
    void shouldRefuseWhatHasNoWholeBlocks(Engine engine) {
        AttentionSpec odd = AttentionSpec.of(2, 48);
        String expected = engine.backend() == Backend.CUDA ? "expected a cache of F32, F16 or BF16 on a GPU, got Q8_0"
                : "expected a head_dim that is a multiple of 32, at most 4096, for a cache of Q8_0, got 48";
        assertEquals(expected, assertThrows(IllegalArgumentException.class,
                () -> KvCache.create(engine, odd, 1, 10, Layout.Q8_0)).getMessage());
    }
}
