/*
 * What the kernels of attention share: where rows lie, which keys a query sees, rotary positions, and what is done to a
 * score after the product.
 */
#ifndef FOVEA_CUDA_ATTENTION_ROWS_H
#define FOVEA_CUDA_ATTENTION_ROWS_H

#include "cuda/ops/attention/attention.h"
#include "cuda/ops/attention/elements.h"

#define FV_LOG2_E 1.44269504088896341f

/* ---- sequences --------------------------------------------------------------- */

struct fv_sequence {
  int number;
  int q_offset, kv_offset; /* of the batch */
  int queries, keys;
  int diagonal; /* the key on the first query's diagonal */
};

FV_DEVICE fv_sequence sequence_of(const fv_attention_args &p, int s) {
  fv_sequence x;
  x.number = s;
  x.q_offset = p.batch.offsets[s];
  x.kv_offset = p.kv_offsets[s];
  x.queries = p.batch.offsets[s + 1] - x.q_offset;
  x.keys = p.kv_offsets[s + 1] - x.kv_offset;
  x.diagonal = p.top_left ? 0 : x.keys - x.queries;
  return x;
}

/* Whether a sequence is split.cu's. */
FV_DEVICE bool is_split(const fv_attention_args &p, const fv_sequence &x) { return p.splits && x.queries == 1; }

/* Of batch.small_tiles those that half.cu or exact.cu computes: the longer are attention90's, the shorter short.cu's. */
struct tile_range {
  int first, last;
};

FV_DEVICE tile_range tiles_of(const fv_attention_args &p) {
  return {p.long_elsewhere ? p.batch.counts[FV_COUNT_LONG_TILES] : 0,
          p.batch.counts[p.short_elsewhere ? FV_COUNT_MIDDLE_TILES : FV_COUNT_SMALL_TILES]};
}

/* The keys [low_key, high_key) that the window lets a query see; none if high <= low. */
FV_DEVICE int low_key(const fv_attention_args &p, const fv_sequence &x, int query) {
  const int low = p.left < 0 ? 0 : x.diagonal + query - p.left;
  return low > 0 ? low : 0;
}

FV_DEVICE int high_key(const fv_attention_args &p, const fv_sequence &x, int query) {
  const int high = p.right < 0 ? x.keys : x.diagonal + query + p.right + 1;
  return high < x.keys ? high : x.keys;
}

/* ---- rows -------------------------------------------------------------------- */

/* The first element of a token of a head. */
FV_DEVICE long long element_of(const fv_heads &h, int sequence, int offset, int token, int head) {
  const long long start = h.sequence ? sequence * h.sequence : offset * h.token;
  return start + token * h.token + head * h.head;
}

FV_DEVICE long long query_at(const fv_heads &h, const fv_sequence &x, int query, int head) {
  return element_of(h, x.number, x.q_offset, query, head);
}

/* Of keys or values: the first element of a key of a head. The keys behind it in its page, or all of a tensor, follow at
   key_stride elements. */
FV_DEVICE long long key_at(const fv_attention_args &p, const fv_heads &h, const fv_sequence &x, int key, int head,
                           int dim) {
  if (!p.page_table) {
    return element_of(h, x.number, x.kv_offset, key, head);
  }
  const long long page = p.page_table[x.number * (long long)p.pages_each + key / FOVEA_PAGE_KEYS];
  return ((page * p.kv_heads + head) * FOVEA_PAGE_KEYS + key % FOVEA_PAGE_KEYS) * dim;
}

FV_DEVICE long long key_stride(const fv_attention_args &p, const fv_heads &h, int dim) {
  return p.page_table ? dim : h.token;
}

/* Two neighbours of the output, or the first alone. */
FV_DEVICE void write_two(const fv_attention_args &p, long long i, float first, float second, bool both) {
  if (!both || !p.out_pairs) {
    write_element(p.out.data, p.out_dtype, i, first);
    if (both) {
      write_element(p.out.data, p.out_dtype, i + 1, second);
    }
  } else if (p.out_dtype == FOVEA_DTYPE_F32) {
    *reinterpret_cast<float2 *>(static_cast<float *>(p.out.data) + i) = {first, second};
  } else {
    *reinterpret_cast<uint32_t *>(static_cast<f16 *>(p.out.data) + i) =
        p.out_dtype == FOVEA_DTYPE_F16 ? pack<f16>(first, second) : pack<bf16>(first, second);
  }
}

/* ---- rotary positions ---------------------------------------------------------- */

/* Cosines of a position, as many sines behind them. */
FV_DEVICE const float *angles_of(const fv_attention_args &p, int position) {
  return angles_at(p.rope, p.rope_dim, p.rope_positions, position);
}

/* Element e of the row that begins at element at, turned by the angles unless they are null. */
FV_DEVICE float turned_element(const fv_attention_args &p, const void *data, int dtype, long long at, int e,
                               const float *angles) {
  return turned_element(data, dtype, at, e, p.rope_layout, p.rope_dim, angles);
}

/* ---- scores -------------------------------------------------------------------- */

/* tanh with an absolute error near 2^-23. */
FV_DEVICE float tanh_fast(float x) { return 1 - 2 / (exp2_fast(2 * FV_LOG2_E * x) + 1); }

/* The score of a query and a key from their product, as the softmax takes it: -infinity if the query does not attend. */
template <bool exact>
FV_DEVICE float adjusted(const fv_attention_args &p, const fv_sequence &x, int head, int query, int key, float product,
                         float slope) {
  float s = p.scaled ? product * p.scale : product;
  if (p.softcap > 0) {
    s = p.softcap * (exact ? tanhf(s / p.softcap) : tanh_fast(s / p.softcap));
  }
  bool seen = true;
  if (p.bias) {
    const long long row = p.bias_rows ? (long long)x.q_offset + query : query;
    const float bias = p.bias[x.number * p.bias_sequence + head * p.bias_head + row * p.bias_query + key];
    seen = bias != -INFINITY;
    s += bias;
  }
  if (slope != 0) {
    s -= slope * fabsf((float)(x.diagonal + query - key));
  }
  if (p.mask) {
    seen = seen && p.mask[x.number * p.mask_sequence + head * p.mask_head + query * p.mask_query + key] != 0;
  }
  return seen ? s : -INFINITY;
}

/* p.scaled || p.mask says the same; with it the widest kernels of half.cu spill. */
FV_DEVICE bool has_adjustments(const fv_attention_args &p) {
  return p.scaled || p.softcap > 0 || p.bias || p.slopes || p.mask;
}

FV_DEVICE float slope_of(const fv_attention_args &p, int head) { return p.slopes ? p.slopes[head] : 0; }

/* What a score is multiplied by in the exponent of 2. */
FV_DEVICE float unit_of(const fv_attention_args &p) { return p.scaled ? FV_LOG2_E : p.scale * FV_LOG2_E; }

/* 2^((s - m) unit), m the maximum of a row, -infinity if it has none: then all s are. */
FV_DEVICE float weight_of(float s, float peak, float unit) {
  return exp2_fast((s - (peak == -INFINITY ? 0 : peak)) * unit);
}

/* The factor of what was summed before a maximum grew: 1 where nothing changes, 0 where nothing was summed. */
FV_DEVICE float fade(float before, float peak, float unit) {
  return before == peak ? 1 : exp2_fast((before - peak) * unit);
}

/* log of the sum of e^score. */
FV_DEVICE float log_sum(const fv_attention_args &p, float peak, float sum) {
  return sum == 0 ? -INFINITY : peak * (p.scaled ? 1 : p.scale) + logf(sum);
}

FV_DEVICE bool is_finite(float x) { return fabsf(x) <= 3.402823466e38f; }

#endif
