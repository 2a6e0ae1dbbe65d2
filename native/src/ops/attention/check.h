/* Checks that attention and the key/value cache share. Each returns an FOVEA_STATUS_* code. */
#ifndef FV_OPS_ATTENTION_CHECK_H
#define FV_OPS_ATTENTION_CHECK_H

#include "ops/cache/cache.h"
#include "validate.h"

static inline bool fv_is_dtype(int dtype) { return dtype >= FOVEA_DTYPE_F32 && dtype <= FOVEA_DTYPE_BF16; }

/* The sequences of a batch and their tokens, by offsets that are checked. */
typedef struct fv_tokens {
  int sequences, all, longest;
} fv_tokens;

static inline fv_tokens fv_count_tokens(int sequences, const int *offsets) {
  fv_tokens tokens = {.sequences = sequences, .all = offsets[sequences]};
  for (int s = 0; s < sequences; s++) {
    const int length = offsets[s + 1] - offsets[s];
    if (length > tokens.longest) tokens.longest = length;
  }
  return tokens;
}

/* Whether the last element under these counts and strides, all >= 0, lies past what an address can hold. */
static inline bool fv_extent_overflows(long long a, long long a_stride, long long b, long long b_stride, long long c,
                                       long long c_stride) {
  if (a == 0 || b == 0 || c == 0) return false;
  long long first, second, third, sum;
  return __builtin_mul_overflow(a - 1, a_stride, &first) || __builtin_mul_overflow(b - 1, b_stride, &second) ||
         __builtin_mul_overflow(c - 1, c_stride, &third) || __builtin_add_overflow(first, second, &sum) ||
         __builtin_add_overflow(sum, third, &sum) || sum > PTRDIFF_MAX / 4 - INT_MAX;
}

/* Vectors of dim elements, [tokens, heads] under any strides that keep them apart. */
static inline int fv_check_heads(const void *p, int dtype, fv_tokens tokens, int heads, int dim,
                                 long long sequence_stride, long long token_stride, long long head_stride) {
  if (!p) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(fv_is_aligned(p, dtype == FOVEA_DTYPE_F32 ? 4 : 2)));
  FV_REQUIRE(fv_check(sequence_stride >= 0 && token_stride >= 0 && head_stride >= 0));
  FV_REQUIRE(fv_check(tokens.all == 0 || heads == 1 || head_stride >= dim));
  const int together = sequence_stride ? tokens.longest : tokens.all;
  FV_REQUIRE(fv_check(together <= 1 || token_stride >= dim));
  return fv_extent_overflows(sequence_stride ? tokens.sequences : 1, sequence_stride, together, token_stride, heads,
                             head_stride)
             ? FOVEA_STATUS_OVERFLOW
             : FOVEA_STATUS_OK;
}

/* A type of pages: that of tensors, or blocks of Q8_0. */
static inline bool fv_is_cached(int dtype) { return fv_is_dtype(dtype) || dtype == FOVEA_LAYOUT_Q8_0; }

/* Pages [pages, kv_heads, FOVEA_PAGE_KEYS, dim], dense. */
static inline int fv_check_pages(const void *p, int dtype, int pages, int kv_heads, int dim) {
  if (!p) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(dtype != FOVEA_LAYOUT_Q8_0 || (dim % FV_CACHE_BLOCK == 0 && dim <= FV_CACHE_BLOCK_DIM)));
  FV_REQUIRE(fv_check(pages >= 1 && fv_is_aligned(p, dtype == FOVEA_DTYPE_F32 ? 4 : 2)));
  long long size;
  return __builtin_mul_overflow((long long)pages * kv_heads, (long long)FOVEA_PAGE_KEYS * dim, &size) ||
                 size > PTRDIFF_MAX / 4
             ? FOVEA_STATUS_OVERFLOW
             : FOVEA_STATUS_OK;
}

/* The pages of tokens [first, last) of a sequence: named in its row, and there. */
static inline int fv_check_page_row(const int *table, long long sequence, int stride, int pages, long long first,
                                    long long last) {
  if (last <= first) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_check(last <= (long long)stride * FOVEA_PAGE_KEYS));
  for (long long b = first / FOVEA_PAGE_KEYS; b * FOVEA_PAGE_KEYS < last; b++) {
    const int page = table[sequence * stride + b];
    if (page < 0 || page >= pages) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

/* The parameters of RoPE, which are not read without it. */
static inline int fv_check_rope(int rope, int dim, int positions, int head_dim, const float *table) {
  FV_REQUIRE(fv_check(rope >= FOVEA_ROPE_NONE && rope <= FOVEA_ROPE_HALF));
  if (rope == FOVEA_ROPE_NONE) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_check_pointer(table));
  return fv_check(dim >= 2 && dim % 2 == 0 && dim <= head_dim && positions >= 1);
}

/* All that fovea_attention checks but its engine and scratch. */
struct fv_attention_job;
int fv_check_head_sizes(const fovea_attention_params *params);
int fv_check_attention(const struct fv_attention_job *job, fv_tokens *queries, fv_tokens *keys);

/* All that fovea_cache_append checks but its engine. */
struct fv_cache_append_job;
int fv_check_cache_append(const struct fv_cache_append_job *job);

#endif /* FV_OPS_ATTENTION_CHECK_H */
