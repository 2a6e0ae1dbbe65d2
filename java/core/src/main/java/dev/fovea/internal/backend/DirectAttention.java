package dev.fovea.internal.backend;

import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;

/**
 * Attention and its cache on tensors of the host, one call at a time: what {@link dev.fovea.attention.Attention} and
 * {@link dev.fovea.attention.KvCache} run on.
 *
 * <p>Every call checks all its arguments before it writes anything and throws {@link NullPointerException} naming an
 * argument that is missing; {@link IllegalArgumentException} naming both values for a shape, dtype, stride, alignment,
 * overlap or index that does not fit; {@link IllegalStateException} when an arena or the engine is closed; and {@link
 * WrongThreadException} when an arena is confined to another thread. Nothing is allocated on the heap.
 *
 * <p>{@code offsets} are {@code I32 [≥ sequences + 1]}, begin with 0 and do not decrease.
 */
public interface DirectAttention {
    /** Bytes of scratch that {@link #attention} needs for a spec, whatever the lengths. */
    long attentionScratchBytes(AttentionSpec spec);

    /**
     * Attention of every query to the keys of its sequence.
     *
     * <p>Without pages keys are turned by the spec's RoPE as queries are. With pages they are turned already.
     *
     * <p>Queries, keys and values are F32, F16 or BF16, keys and values of one type; the rest is F32 unless said
     * otherwise:
     *
     * <pre>
     *   q        [≥ tokens, heads, head_dim] or [≥ sequences, tokens, heads, head_dim]
     *   k, v     likewise with kv_heads, and value_dim; with pages [pages, kv_heads, 128, dim], dense
     *   mask     U8 [queries, keys] or [sequences, heads, queries, keys], sizes of 1 stand for all; or null
     *   bias     the shapes of mask, or [≥ tokens, heads, keys], a row for each query of the batch; or null
     *   out      as q, with value_dim
     *   lse      [heads, query tokens] or [sequences, heads, query tokens]; or null
     *   weights  [heads, query tokens, keys] or [sequences, heads, query tokens, keys]; or null
     * </pre>
     *
     * @param qOffsets sequence starts of the queries
     * @param kvOffsets sequence starts of the keys; may be {@code qOffsets}
     * @param pages I32 [≥ sequences, blocks], in column b the page of a sequence's keys from 128 b on; or null
     * @param scratch I8 [≥ {@link #attentionScratchBytes}], aligned to 64 bytes
     * @throws IllegalArgumentException also if a position is outside the table of RoPE, or a page outside the pages
     */
    void attention(int sequences, AttentionSpec spec, AttentionOperands operands, Tensor qOffsets, Tensor kvOffsets,
            Tensor pages, Tensor scratch);

    /**
     * Writes new keys, turned to their positions, and values behind those that the pages of a cache hold.
     *
     * @param rope turns the keys, or null
     * @param k [≥ tokens, kv_heads, head_dim] or [≥ sequences, tokens, kv_heads, head_dim], F32, F16 or BF16
     * @param v likewise with value_dim, of the same type
     * @param offsets sequence starts of the new tokens
     * @param lengths I32 [≥ sequences], tokens that each sequence holds already
     * @param pages I32 [≥ sequences, blocks]; a page that is written stands in it once
     * @param keyPages [pages, kv_heads, 128, head_dim], dense, F32, F16 or BF16
     * @param valuePages [pages, kv_heads, 128, value_dim], dense, of the same type
     */
    void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages);
}
