/*
 * The key/value cache: new tokens are written behind those that a sequence's pages hold.
 * fovea.h has the contract; attention reads the pages.
 *
 *   page [kv_heads, FOVEA_PAGE_KEYS, dim]: the rows of one head lie together, a key block of attention
 */
#ifndef FV_OPS_CACHE_H
#define FV_OPS_CACHE_H

#include "fovea/fovea.h"

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
