/* Appends to the key/value cache: a block per new token, which finds its sequence in the offsets. */
#include "cuda/ops/cache/cache.h"

#include "cuda/ops/attention/elements.h"
#include "cuda/ops/rows.h"

FV_KERNEL(fv_cache_append, fv_cache_append_args, FV_CACHE_THREADS, 1) {
  const int token = (int)blockIdx.x;
  if (token >= p.batch.counts[FV_COUNT_TOKENS]) {
    return;
  }
  const int s = sequence_of(p.batch, token);
  const int offset = p.batch.offsets[s], position = p.lengths[s] + token - offset;
  const long long page = p.page_table[s * (long long)p.pages_each + position / FOVEA_PAGE_KEYS];
  const long long row = page * p.kv_heads * FOVEA_PAGE_KEYS + position % FOVEA_PAGE_KEYS;
  const long long k = (p.k_sequence ? s * p.k_sequence + (token - offset) * p.k_token : token * p.k_token);
  const long long v = (p.v_sequence ? s * p.v_sequence + (token - offset) * p.v_token : token * p.v_token);
  const float *angles = p.rope ? angles_at(p.rope, p.rope_dim, p.rope_positions, position) : nullptr;
  for (int i = threadIdx.x; i < p.kv_heads * p.head_dim; i += FV_CACHE_THREADS) {
    const int head = i / p.head_dim, e = i % p.head_dim;
    const float x = turned_element(p.k, p.dtype, k + head * p.k_head, e, p.rope_layout, p.rope_dim, angles);
    write_element(p.k_pages, p.cache_dtype, (row + (long long)head * FOVEA_PAGE_KEYS) * p.head_dim + e, x);
  }
  for (int i = threadIdx.x; i < p.kv_heads * p.value_dim; i += FV_CACHE_THREADS) {
    const int head = i / p.value_dim, e = i % p.value_dim;
    const float x = read_element(p.v, p.dtype, v + head * p.v_head + e);
    write_element(p.v_pages, p.cache_dtype, (row + (long long)head * FOVEA_PAGE_KEYS) * p.value_dim + e, x);
  }
}
