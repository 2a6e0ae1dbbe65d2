/*
 * The key/value cache: new tokens are written behind those that a sequence's pages hold.
 * fovea.h has the contract; attention reads the pages.
 *
 *   page [kv_heads, FOVEA_PAGE_KEYS, dim]: the rows of one head lie together, a key block of attention
 */
#ifndef FV_OPS_CACHE_H
#define FV_OPS_CACHE_H

#include "fovea/fovea.h"

/* A block of FOVEA_LAYOUT_Q8_0 in a page: values, and bytes. The most values of a key or value of such blocks. */
#define FV_CACHE_BLOCK 32
#define FV_CACHE_BLOCK_BYTES 34
#define FV_CACHE_BLOCK_DIM 4096

/* Bytes of a key or value of dim elements in a page of FOVEA_DTYPE_*, or of FOVEA_LAYOUT_Q8_0. */
static inline long long fv_cached_bytes(int dtype, long long dim) {
  if (dtype == FOVEA_LAYOUT_Q8_0) return dim / FV_CACHE_BLOCK * FV_CACHE_BLOCK_BYTES;
  return dim * (dtype == FOVEA_DTYPE_F32 ? 4 : 2);
}

typedef struct fv_cache_append_job {
  const fovea_cache_append_params *params;
  const char *k, *v;
  const int *offsets, *lengths, *page_table;
  const float *rope_table;
  char *k_pages, *v_pages;
} fv_cache_append_job;

/* Writes new tokens [begin, end), numbered through the batch. */
typedef void fv_cache_append_kernel(const fv_cache_append_job *job, long long begin, long long end);

#endif /* FV_OPS_CACHE_H */
