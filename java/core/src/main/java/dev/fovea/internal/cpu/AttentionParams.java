package dev.fovea.internal.cpu;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.ffi.fovea_attention_params;
import dev.fovea.internal.ffi.fovea_cache_append_params;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Fills the params structs of attention and its cache from checked arguments. */
public final class AttentionParams {
    private AttentionParams() {}

    /** For {@code fovea_attention}. */
    public static void set(MemorySegment params, int sequences, AttentionSpec spec, AttentionOperands t, Tensor pages,
            Tensor scratch) {
        Tensor k = t.k();
        Tensor v = t.v();
        fovea_attention_params.sequences(params, sequences);
        fovea_attention_params.heads(params, spec.heads());
        fovea_attention_params.kv_heads(params, spec.kvHeads());
        fovea_attention_params.head_dim(params, spec.headDim());
        fovea_attention_params.value_dim(params, spec.valueDim());
        fovea_attention_params.q_dtype(params, Codes.of(t.q().dtype()));
        fovea_attention_params.kv_dtype(params, pages == null ? Codes.of(k.dtype()) : Codes.ofPages(k));
        fovea_attention_params.scale(params, spec.scale());
        fovea_attention_params.softcap(params, spec.softcap());
        fovea_attention_params.window_left(params, spec.mask().left());
        fovea_attention_params.window_right(params, spec.mask().right());
        fovea_attention_params.alignment(params, Codes.of(spec.mask().alignment()));
        fovea_attention_params.rope(params, Codes.of(spec.rope()));
        fovea_attention_params.rope_dim(params, spec.rope() == null ? 0 : spec.rope().dim());
        fovea_attention_params.rope_positions(params, spec.rope() == null ? 0 : spec.rope().positions());
        fovea_attention_params.rope_keys(params, pages == null ? 1 : 0);
        fovea_attention_params.pages(params, pages == null ? 0 : (int) k.size(0));
        fovea_attention_params.page_table_stride(params, pages == null ? 0 : (int) pages.stride(0));
        fovea_attention_params.scratch_bytes(params, scratch.segment().byteSize());
        setQueries(params, t);
        if (pages == null) {
            fovea_attention_params.k_sequence_stride(params, sequenceStride(k, 3));
            fovea_attention_params.k_token_stride(params, k.stride(k.rank() - 3));
            fovea_attention_params.k_head_stride(params, k.stride(k.rank() - 2));
            fovea_attention_params.v_sequence_stride(params, sequenceStride(v, 3));
            fovea_attention_params.v_token_stride(params, v.stride(v.rank() - 3));
            fovea_attention_params.v_head_stride(params, v.stride(v.rank() - 2));
        }
        setMasks(params, t.mask(), t.bias());
    }

    private static void setQueries(MemorySegment params, AttentionOperands t) {
        Tensor q = t.q();
        fovea_attention_params.q_sequence_stride(params, sequenceStride(q, 3));
        fovea_attention_params.q_token_stride(params, q.stride(q.rank() - 3));
        fovea_attention_params.q_head_stride(params, q.stride(q.rank() - 2));
        Tensor out = t.out();
        fovea_attention_params.out_sequence_stride(params, sequenceStride(out, 3));
        fovea_attention_params.out_token_stride(params, out.stride(out.rank() - 3));
        fovea_attention_params.out_head_stride(params, out.stride(out.rank() - 2));
        Tensor lse = t.lse();
        if (lse != null) {
            fovea_attention_params.lse_sequence_stride(params, sequenceStride(lse, 2));
            fovea_attention_params.lse_head_stride(params, lse.stride(lse.rank() - 2));
            fovea_attention_params.lse_token_stride(params, lse.stride(lse.rank() - 1));
        }
        Tensor weights = t.weights();
        if (weights != null) {
            fovea_attention_params.weights_sequence_stride(params, sequenceStride(weights, 3));
            fovea_attention_params.weights_head_stride(params, weights.stride(weights.rank() - 3));
            fovea_attention_params.weights_token_stride(params, weights.stride(weights.rank() - 2));
        }
    }

    private static void setMasks(MemorySegment params, Tensor mask, Tensor bias) {
        if (mask != null) {
            fovea_attention_params.mask_sequence_stride(params, broadcastStride(mask, 4));
            fovea_attention_params.mask_head_stride(params, broadcastStride(mask, 3));
            fovea_attention_params.mask_query_stride(params, broadcastStride(mask, 2));
        }
        boolean rows = bias != null && bias.rank() == 3;
        fovea_attention_params.bias_rows(params, rows ? 1 : 0);
        if (rows) {
            fovea_attention_params.bias_sequence_stride(params, 0);
            fovea_attention_params.bias_head_stride(params, bias.stride(1));
            fovea_attention_params.bias_query_stride(params, bias.stride(0));
        } else if (bias != null) {
            fovea_attention_params.bias_sequence_stride(params, broadcastStride(bias, 4));
            fovea_attention_params.bias_head_stride(params, broadcastStride(bias, 3));
            fovea_attention_params.bias_query_stride(params, broadcastStride(bias, 2));
        }
    }

    /** For {@code fovea_cache_append}. */
    public static void set(MemorySegment params, int sequences, Rope rope, Tensor k, Tensor v, Tensor pages, Tensor keyPages,
            Tensor valuePages) {
        fovea_cache_append_params.sequences(params, sequences);
        fovea_cache_append_params.kv_heads(params, (int) keyPages.size(1));
        fovea_cache_append_params.head_dim(params, (int) CachePages.dim(keyPages));
        fovea_cache_append_params.value_dim(params, (int) CachePages.dim(valuePages));
        fovea_cache_append_params.dtype(params, Codes.of(k.dtype()));
        fovea_cache_append_params.cache_dtype(params, Codes.ofPages(keyPages));
        fovea_cache_append_params.rope(params, Codes.of(rope));
        fovea_cache_append_params.rope_dim(params, rope == null ? 0 : rope.dim());
        fovea_cache_append_params.rope_positions(params, rope == null ? 0 : rope.positions());
        fovea_cache_append_params.pages(params, (int) keyPages.size(0));
        fovea_cache_append_params.page_table_stride(params, (int) pages.stride(0));
        fovea_cache_append_params.k_sequence_stride(params, sequenceStride(k, 3));
        fovea_cache_append_params.k_token_stride(params, k.stride(k.rank() - 3));
        fovea_cache_append_params.k_head_stride(params, k.stride(k.rank() - 2));
        fovea_cache_append_params.v_sequence_stride(params, sequenceStride(v, 3));
        fovea_cache_append_params.v_token_stride(params, v.stride(v.rank() - 3));
        fovea_cache_append_params.v_head_stride(params, v.stride(v.rank() - 2));
    }

    /** The stride between sequences of a tensor that has one more dimension than a sequence alone, else 0. */
    private static long sequenceStride(Tensor tensor, int rank) {
        return tensor.rank() > rank ? tensor.stride(0) : 0;
    }

    /** The stride of the dimension that stands so many places from the end; 0 where one element stands for all. */
    private static long broadcastStride(Tensor tensor, int fromEnd) {
        int dimension = tensor.rank() - fromEnd;
        return dimension < 0 || tensor.size(dimension) == 1 ? 0 : tensor.stride(dimension);
    }
}
