package dev.fovea.attention;

import dev.fovea.Engine;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.internal.backend.IndexCopy;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Objects;

/**
 * Fused attention as an op of its own: a spec bound to an engine. Scores never leave the cache of the CPU;
 * memory beyond inputs and outputs does not grow with the sequences.
 *
 * <pre>{@code
 * var spec = AttentionSpec.of(12, 64).withKvHeads(4).withMask(Mask.causal());
 * try (var attention = Attention.create(engine, spec)) {
 *     attention.run(AttentionTensors.of(q, k, v, out));
 * }
 * }</pre>
 *
 * <p>Cheap to make; serves one thread at a time. A run allocates nothing on the heap. A sequence gets the
 * same bits alone, in any batch and with any number of threads, and a query the same bits whether its keys
 * come from F32 tensors or an F32 cache, all at once or token by token.
 */
public final class Attention implements AutoCloseable {
    private final AttentionSpec spec;
    private final DirectAttention attention;
    private final Tensor scratch;
    private final IndexCopy queryStarts;
    private final IndexCopy keyStarts;
    private final Owner owner;

    private Attention(Engine engine, AttentionSpec spec, Owner owner) {
        this.spec = Objects.requireNonNull(spec, "spec");
        this.owner = owner;
        Arena arena = owner.arena();
        this.attention = Device.of(engine).attention(arena);
        this.scratch = Tensor.allocate(arena, DType.I8, Shape.of(Math.max(1, attention.attentionScratchBytes(spec))));
        this.queryStarts = new IndexCopy(arena, 2);
        this.keyStarts = new IndexCopy(arena, 2);
    }

    /**
     * Attention on an engine, which must be closed later than this.
     *
     * @throws IllegalStateException if the engine is closed
     */
    public static Attention create(Engine engine, AttentionSpec spec) {
        return Owner.create("attention", owner -> new Attention(engine, spec, owner));
    }

    /** What it computes. */
    public AttentionSpec spec() {
        return spec;
    }

    /** Bytes of off-heap memory that it holds, whatever the lengths. */
    public long scratchBytes() {
        return scratch.segment().byteSize();
    }

    /**
     * Computes all sequences of the tensors.
     *
     * @throws IllegalArgumentException naming both values, if a shape, dtype, stride, offset or overlap does
     *     not fit spec and tensors; nothing is written then
     * @throws IllegalStateException if this, the engine, the cache or the arena of a tensor is closed, or
     *     another thread is running this or the cache
     * @throws WrongThreadException if the arena of a tensor is confined to another thread
     */
    public void run(AttentionTensors tensors) {
        run(tensors.sequences(), tensors);
    }

    /**
     * Computes the first sequences of the tensors, of which there may be more.
     *
     * @throws IllegalArgumentException also if {@code sequences} is negative or more than the offsets hold
     */
    public void run(int sequences, AttentionTensors tensors) {
        owner.enterAlone();
        try {
            Tensor qOffsets = queryStarts.of("q_offsets", sequences + 1L, tensors.qOffsets());
            KvCache cache = tensors.cache();
            if (cache == null) {
                Tensor kvOffsets = keyStarts.of("kv_offsets", sequences + 1L, tensors.kvOffsets());
                attention.attention(sequences, spec, tensors.operands(), qOffsets, kvOffsets, null, scratch);
            } else {
                cache.attend(attention, sequences, spec, tensors.operands(), qOffsets, scratch);
            }
        } finally {
            owner.exit();
        }
    }

    /** Frees the scratch, at once or when the run that uses it ends. Idempotent. */
    @Override
    public void close() {
        owner.close();
    }
}
