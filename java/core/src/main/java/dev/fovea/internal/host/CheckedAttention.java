package dev.fovea.internal.host;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import java.util.Objects;

/** Attention on tensors of the host that checks all its arguments in every call, and keeps the engine open meanwhile. */
public final class CheckedAttention implements DirectAttention {
    private final Owner engine;
    private final DirectAttention attention;

    /** Checks what {@code attention} trusts; {@code engine} is what a call keeps open. */
    public CheckedAttention(Owner engine, DirectAttention attention) {
        this.engine = engine;
        this.attention = attention;
    }

    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        engine.enter();
        try {
            return attention.attentionScratchBytes(Objects.requireNonNull(spec, "spec"));
        } finally {
            engine.exit();
        }
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionOperands operands, Tensor qOffsets,
            Tensor kvOffsets, Tensor pages, Tensor scratch) {
        engine.enter();
        try {
            long bytes = attention.attentionScratchBytes(Objects.requireNonNull(spec, "spec"));
            AttentionContract.attention(sequences, spec, operands, qOffsets, kvOffsets, pages, scratch, bytes);
            attention.attention(sequences, spec, operands, qOffsets, kvOffsets, pages, scratch);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        engine.enter();
        try {
            CacheContract.append(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
            attention.cacheAppend(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
        } finally {
            engine.exit();
        }
    }
}
