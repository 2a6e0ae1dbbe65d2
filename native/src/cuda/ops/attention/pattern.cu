/*
 * The pattern of attention, the softmax itself: weights [heads, query tokens, keys], 0 where masked. Beside the kernels that
 * attend, with FMAs in single precision; to be looked at, so it is written for its simplicity. A warp takes a query of a
 * head, a lane every 32nd key.
 */
#include "cuda/ops/attention/rows.h"

/* The score of a query and a key, -infinity if the query does not attend. */
FV_DEVICE float score(const fv_attention_args &p, const fv_sequence &x, int head, int query, int key, float slope) {
  const long long q = query_at(p.q, x, query, head), k = key_at(p, p.k, x, key, head / p.group, p.head_dim);
  const float *q_angles = p.rope ? angles_of(p, x.diagonal + query) : nullptr;
  const float *k_angles = p.rope_keys ? angles_of(p, key) : nullptr;
  float product = 0;
  for (int e = 0; e < p.head_dim; e++) {
    product = fmaf(turned_element(p, p.q.data, p.q_dtype, q, e, q_angles),
                   turned_element(p, p.k.data, p.kv_dtype, k, e, k_angles), product);
  }
  return adjusted<true>(p, x, head, query, key, product, slope);
}

FV_DEVICE void write_row(const fv_attention_args &p, const fv_sequence &x, int head, int query) {
  const int lane = threadIdx.x % 32, low = low_key(p, x, query), high = high_key(p, x, query);
  const float slope = slope_of(p, head), unit = unit_of(p);
  float *row = static_cast<float *>(p.weights.data) + query_at(p.weights, x, query, head);
  float peak = -INFINITY, sum = 0;
  for (int key = lane; key < x.keys; key += 32) {
    const float s = key >= low && key < high ? score(p, x, head, query, key, slope) : -INFINITY;
    row[key] = s;
    peak = fmaxf(peak, s);
  }
  peak = warp_max(peak);
  for (int key = lane; key < x.keys; key += 32) {
    sum += weight_of(row[key], peak, unit);
  }
  sum = warp_sum(sum);
  for (int key = lane; key < x.keys; key += 32) {
    row[key] = row[key] == -INFINITY ? 0 : weight_of(row[key], peak, unit) / sum;
  }
}

FV_KERNEL(fv_attention_pattern, fv_attention_args, FV_ATTENTION_THREADS, 1) {
  const int items = p.batch.counts[FV_COUNT_SMALL_TILES] * p.heads;
  for (int i = (int)blockIdx.x; i < items; i += (int)gridDim.x) {
    const int *tile = p.batch.small_tiles + i / p.heads * 2;
    const fv_sequence x = sequence_of(p, tile[0]);
    const int last = tile[1] + FV_TILE_SMALL < x.queries ? tile[1] + FV_TILE_SMALL : x.queries;
    for (int query = tile[1] + (int)threadIdx.x / 32; query < last; query += FV_ATTENTION_THREADS / 32) {
      write_row(p, x, i % p.heads, query);
    }
  }
}
