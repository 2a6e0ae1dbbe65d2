/*
 * Appending to a key/value cache on the device: new keys, turned to their positions, and values go behind those that the
 * pages hold. The formulas are those of fovea_cache_append; this is what the kernel takes.
 */
#ifndef FOVEA_CUDA_CACHE_H
#define FOVEA_CUDA_CACHE_H

#include "cuda/plan.h"

#define FV_CACHE_THREADS 128

typedef struct fv_cache_append_args {
  fv_batch batch;                   /* offsets and counts: of the new tokens */
  FV_POINTER(const int) lengths;    /* [sequences], tokens before */
  FV_POINTER(const int) page_table; /* [sequences, pages_each] */
  FV_POINTER(const void) k;         /* [new tokens, kv_heads, head_dim], strides in elements */
  FV_POINTER(const void) v;         /* [new tokens, kv_heads, value_dim] */
  FV_POINTER(void) k_pages;         /* [pages, kv_heads, FOVEA_PAGE_KEYS, head_dim], dense */
  FV_POINTER(void) v_pages;         /* [pages, kv_heads, FOVEA_PAGE_KEYS, value_dim], dense */
  FV_POINTER(const float) rope;     /* [rope_positions, rope_dim], or null */
  long long k_sequence, k_token, k_head; /* a sequence stride of 0: sequences follow each other */
  long long v_sequence, v_token, v_head;
  int dtype, cache_dtype;
  int kv_heads, head_dim, value_dim;
  int pages_each;
  int rope_layout, rope_dim, rope_positions;
} fv_cache_append_args;

#endif
