package dev.fovea.attention;


import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.HeapAllocation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Attention makes no garbage once it is warm; on the Vector API that is up to the JIT, and not promised. */
class AttentionAllocationTest {
    private static final int WARM_UP = 20_000;
    private static final int CALLS = 1_000;

    @ParameterizedTest
    @EnumSource(names = {"NATIVE", "JAVA"})
    void shouldNotAllocateWhenTensorsAreGiven(Backend backend) {
        AttentionSpec spec = AttentionSpec.of(2, 8).withKvHeads(1).withMask(Mask.causal());
        try (Engine engine = engine(backend); var attention = Attention.create(engine, spec);
                Arena arena = Arena.ofConfined()) {
            AttentionTensors tensors = AttentionTensors.of(f32(arena, 3, 2, 8), f32(arena, 5, 1, 8),
                    f32(arena, 5, 1, 8), f32(arena, 3, 2, 8));
            HeapAllocation.requireNone(WARM_UP, CALLS, () -> attention.run(tensors));
            AttentionTensors masked = tensors
                    .withMask(Tensor.allocate(arena, DType.U8, Shape.of(3, 5)))
                    .withBias(f32(arena, 1, 2, 1, 5))
                    .withLse(f32(arena, 2, 3))
                    .withWeights(f32(arena, 2, 3, 5));
            HeapAllocation.requireNone(WARM_UP, CALLS, () -> attention.run(masked));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NATIVE", "JAVA"})
    void shouldNotAllocateWhenHalfPrecisionIsTurned(Backend backend) {
        AttentionSpec spec = AttentionSpec.of(2, 8).withMask(Mask.window(2, 0)).withSoftcap(5)
                .withRope(Rope.of(Rope.Layout.HALF, 8, 10_000, 64));
        try (Engine engine = engine(backend); var attention = Attention.create(engine, spec);
                Arena arena = Arena.ofConfined()) {
            Tensor q = Tensor.allocate(arena, DType.BF16, Shape.of(2, 3, 2, 8));
            AttentionTensors tensors = AttentionTensors.of(q, q, q, f32(arena, 2, 3, 2, 8));
            HeapAllocation.requireNone(WARM_UP, CALLS, () -> attention.run(tensors));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NATIVE", "JAVA"})
    void shouldNotAllocateWhenACacheGrows(Backend backend) {
        AttentionSpec spec = AttentionSpec.of(2, 8).withKvHeads(1).withMask(Mask.causal())
                .withRope(Rope.of(Rope.Layout.INTERLEAVED, 4, 10_000, 64));
        try (Engine engine = engine(backend); var attention = Attention.create(engine, spec);
                var cache = KvCache.create(engine, spec, 3, 64, DType.F16); Arena arena = Arena.ofConfined()) {
            Tensor k = f32(arena, 1, 1, 8);
            Tensor both = f32(arena, 3, 1, 8);
            Tensor offsets = Tensor.copyOf(arena, new int[] {0, 1, 1, 3});
            AttentionTensors tensors = AttentionTensors.of(f32(arena, 1, 2, 8), cache, f32(arena, 1, 2, 8));
            HeapAllocation.requireNone(WARM_UP, CALLS, () -> {
                cache.append(0, k, k);
                cache.append(both, both, offsets);
                attention.run(tensors);
                cache.fork(0, 1);
                cache.append(1, k, k);
                if (cache.length(0) > 40) {
                    cache.truncate(0, 1);
                    cache.reset();
                }
                cache.reset(2);
            });
        }
    }

    private static Engine engine(Backend backend) {
        return Engine.create(EngineOptions.defaults().withBackend(backend).withThreads(1));
    }

    private static Tensor f32(Arena arena, long... sizes) {
        return Tensor.allocate(arena, DType.F32, Shape.of(sizes));
    }
}
