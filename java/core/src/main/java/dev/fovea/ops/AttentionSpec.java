package dev.fovea.ops;

import java.util.Objects;

/**
 * What an attention computes, apart from the tensors that it computes it on. Immutable; each
 * {@code with…} gives a copy. Every combination that a spec accepts is computed; one that makes no sense
 * is refused here.
 *
 * <p>The score of query i and key j, with d the key on the query's diagonal (see {@link Mask}):
 *
 * <pre>
 *   s = scale · qᵢ · kⱼ         after RoPE turned both to their positions, d and j
 *   s = softcap · tanh(s / softcap)
 *   s = s + bias[i, j] − slope · |d − j|
 * </pre>
 *
 * and {@code −∞} where a mask says so; the result is {@code softmax(s) V}.
 *
 * @param heads query heads, a multiple of {@code kvHeads}
 * @param kvHeads key and value heads: as many as query heads (MHA), fewer (GQA) or one (MQA)
 * @param headDim elements of a query or key of one head
 * @param valueDim elements of a value of one head
 * @param scale factor of the dot products, {@code 1/√headDim} unless given
 * @param mask which keys a query sees by position
 * @param softcap bound of the scores; 0 for none
 * @param alibi linear biases, or null
 * @param rope rotary position embedding, or null
 */
public record AttentionSpec(int heads, int kvHeads, int headDim, int valueDim, float scale, Mask mask, float softcap,
        Alibi alibi, Rope rope) {
    /**
     * Validates the values and their combination.
     *
     * @throws IllegalArgumentException if a size is less than 1, {@code heads} is no multiple of
     *     {@code kvHeads}, {@code scale} or {@code softcap} is out of its range, the slopes are not one
     *     per head, the rotary dim exceeds {@code headDim}, or both ALiBi and RoPE are given
     */
    public AttentionSpec {
        atLeastOne("heads", heads);
        atLeastOne("kv_heads", kvHeads);
        atLeastOne("head_dim", headDim);
        atLeastOne("value_dim", valueDim);
        if (heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "expected heads in a multiple of kv_heads " + kvHeads + ", got " + heads);
        }
        if (!Float.isFinite(scale)) {
            throw new IllegalArgumentException("scale must be finite, got " + scale);
        }
        Objects.requireNonNull(mask, "mask");
        if (!(softcap >= 0 && softcap < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("softcap must be positive and finite, or 0 for none, got " + softcap);
        }
        if (alibi != null && alibi.heads() != heads) {
            throw new IllegalArgumentException(
                    "expected a slope for each of " + heads + " heads, got " + alibi.heads());
        }
        if (rope != null && rope.dim() > headDim) {
            throw new IllegalArgumentException(
                    "expected RoPE on at most head_dim " + headDim + " elements, got " + rope.dim());
        }
        if (alibi != null && rope != null) {
            throw new IllegalArgumentException("ALiBi and RoPE both encode positions: expected one of them, got both");
        }
    }

    /** Multi-head attention, every query to every key: {@code softmax(Q Kᵀ / √headDim) V}. */
    public static AttentionSpec of(int heads, int headDim) {
        atLeastOne("head_dim", headDim);
        return new AttentionSpec(heads, heads, headDim, headDim, (float) (1 / Math.sqrt(headDim)), Mask.none(), 0,
                null, null);
    }

    /** A copy with another number of key and value heads. */
    public AttentionSpec withKvHeads(int kvHeads) {
        return new AttentionSpec(heads, kvHeads, headDim, valueDim, scale, mask, softcap, alibi, rope);
    }

    /** A copy with values of another size. */
    public AttentionSpec withValueDim(int valueDim) {
        return new AttentionSpec(heads, kvHeads, headDim, valueDim, scale, mask, softcap, alibi, rope);
    }

    /** A copy with another scale. */
    public AttentionSpec withScale(float scale) {
        return new AttentionSpec(heads, kvHeads, headDim, valueDim, scale, mask, softcap, alibi, rope);
    }

    /** A copy with another mask by position. */
    public AttentionSpec withMask(Mask mask) {
        return new AttentionSpec(heads, kvHeads, headDim, valueDim, scale, mask, softcap, alibi, rope);
    }

    /** A copy with bounded scores; 0 for none. */
    public AttentionSpec withSoftcap(float softcap) {
        return new AttentionSpec(heads, kvHeads, headDim, valueDim, scale, mask, softcap, alibi, rope);
    }

    /** A copy with linear biases. */
    public AttentionSpec withAlibi(Alibi alibi) {
        return new AttentionSpec(heads, kvHeads, headDim, valueDim, scale, mask, softcap,
                Objects.requireNonNull(alibi, "alibi"), rope);
    }

    /** A copy with rotary position embedding. */
    public AttentionSpec withRope(Rope rope) {
        return new AttentionSpec(heads, kvHeads, headDim, valueDim, scale, mask, softcap, alibi,
                Objects.requireNonNull(rope, "rope"));
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }
}
