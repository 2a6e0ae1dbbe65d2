/* The checks of fovea_attention that hold wherever it runs. */
#include <math.h>

#include "ops/attention/attention.h"
#include "ops/attention/check.h"

int fv_check_head_sizes(const fovea_attention_params *p) {
  FV_REQUIRE(fv_check(p->heads >= 1 && p->kv_heads >= 1 && p->heads % p->kv_heads == 0));
  return fv_check(p->head_dim >= 1 && p->value_dim >= 1);
}

static int check_modes(const fovea_attention_params *p) {
  FV_REQUIRE(fv_check(fv_is_dtype(p->q_dtype) && (p->pages ? fv_is_cached(p->kv_dtype) : fv_is_dtype(p->kv_dtype))));
  FV_REQUIRE(fv_check(isfinite(p->scale) && p->softcap >= 0 && isfinite(p->softcap)));
  FV_REQUIRE(fv_check(p->window_left >= -1 && p->window_right >= -1));
  FV_REQUIRE(fv_check(p->alignment == FOVEA_ALIGN_BOTTOM_RIGHT || p->alignment == FOVEA_ALIGN_TOP_LEFT));
  FV_REQUIRE(fv_check(p->rope_keys == 0 || p->rope_keys == 1));
  FV_REQUIRE(fv_check((p->bias_rows == 0 || p->bias_rows == 1) && p->sequences >= 0 && p->pages >= 0));
  return FOVEA_STATUS_OK;
}

/* Every position that RoPE turns to lies in its table. */
static int check_positions(const fv_attention_job *job) {
  const fovea_attention_params *p = job->params;
  FV_REQUIRE(fv_check_rope(p->rope, p->rope_dim, p->rope_positions, p->head_dim, job->rope_table));
  if (p->rope == FOVEA_ROPE_NONE) return FOVEA_STATUS_OK;
  for (int s = 0; s < p->sequences; s++) {
    const long long queries = job->q_offsets[s + 1] - job->q_offsets[s];
    const long long keys = job->kv_offsets[s + 1] - job->kv_offsets[s];
    const long long first = p->alignment == FOVEA_ALIGN_TOP_LEFT ? 0 : keys - queries;
    if (queries > 0 && (first < 0 || first + queries > p->rope_positions)) return FOVEA_STATUS_OUT_OF_RANGE;
    if (p->rope_keys && keys > p->rope_positions) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

static int check_keys(const fv_attention_job *job, fv_tokens keys) {
  const fovea_attention_params *p = job->params;
  if (p->pages == 0) {
    FV_REQUIRE(fv_check_heads(job->k, p->kv_dtype, keys, p->kv_heads, p->head_dim, p->k_sequence_stride,
                              p->k_token_stride, p->k_head_stride));
    return fv_check_heads(job->v, p->kv_dtype, keys, p->kv_heads, p->value_dim, p->v_sequence_stride,
                          p->v_token_stride, p->v_head_stride);
  }
  FV_REQUIRE(fv_check_pages(job->k, p->kv_dtype, p->pages, p->kv_heads, p->head_dim));
  FV_REQUIRE(fv_check_pages(job->v, p->kv_dtype, p->pages, p->kv_heads, p->value_dim));
  FV_REQUIRE(fv_check_pointer(job->page_table));
  for (int s = 0; s < p->sequences; s++) {
    FV_REQUIRE(fv_check_page_row(job->page_table, s, p->page_table_stride, p->pages, 0,
                                 job->kv_offsets[s + 1] - job->kv_offsets[s]));
  }
  return FOVEA_STATUS_OK;
}

static int check_outputs(const fv_attention_job *job, fv_tokens queries, fv_tokens keys) {
  const fovea_attention_params *p = job->params;
  FV_REQUIRE(fv_check_heads(job->out, FOVEA_DTYPE_F32, queries, p->heads, p->value_dim, p->out_sequence_stride,
                            p->out_token_stride, p->out_head_stride));
  if (job->lse) {
    FV_REQUIRE(fv_check_heads(job->lse, FOVEA_DTYPE_F32, queries, p->heads, 1, p->lse_sequence_stride,
                              p->lse_token_stride, p->lse_head_stride));
  }
  if (!job->weights) return FOVEA_STATUS_OK;
  return fv_check_heads(job->weights, FOVEA_DTYPE_F32, queries, p->heads, keys.longest, p->weights_sequence_stride,
                        p->weights_token_stride, p->weights_head_stride);
}

/* Where a mask or bias lies; how large it is the caller alone knows. */
static int check_mask(const fovea_attention_params *p, fv_tokens queries, const void *mask, size_t alignment,
                      long long sequence_stride, long long head_stride, long long query_stride) {
  if (!mask) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_check(fv_is_aligned(mask, alignment)));
  FV_REQUIRE(fv_check(sequence_stride >= 0 && head_stride >= 0 && query_stride >= 0));
  return fv_extent_overflows(p->sequences, sequence_stride, p->heads, head_stride, queries.longest, query_stride)
             ? FOVEA_STATUS_OVERFLOW
             : FOVEA_STATUS_OK;
}

int fv_check_attention(const fv_attention_job *job, fv_tokens *queries, fv_tokens *keys) {
  const fovea_attention_params *p = job->params;
  FV_REQUIRE(fv_check(p->struct_size == (int)sizeof *p));
  FV_REQUIRE(fv_check_head_sizes(p));
  FV_REQUIRE(check_modes(p));
  FV_REQUIRE(fv_check_pointer(job->q_offsets));
  FV_REQUIRE(fv_check_pointer(job->kv_offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, job->q_offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, job->kv_offsets));
  *queries = fv_count_tokens(p->sequences, job->q_offsets);
  *keys = fv_count_tokens(p->sequences, job->kv_offsets);
  FV_REQUIRE(fv_check_heads(job->q, p->q_dtype, *queries, p->heads, p->head_dim, p->q_sequence_stride,
                            p->q_token_stride, p->q_head_stride));
  FV_REQUIRE(check_keys(job, *keys));
  FV_REQUIRE(check_positions(job));
  FV_REQUIRE(
      check_mask(p, *queries, job->mask, 1, p->mask_sequence_stride, p->mask_head_stride, p->mask_query_stride));
  const fv_tokens rows = {.sequences = 1, .all = queries->all, .longest = queries->all};
  FV_REQUIRE(check_mask(p, p->bias_rows ? rows : *queries, job->bias, 4, p->bias_sequence_stride, p->bias_head_stride,
                        p->bias_query_stride));
  FV_REQUIRE(fv_check(!p->bias_rows || p->bias_sequence_stride == 0));
  FV_REQUIRE(fv_check(fv_is_aligned(job->alibi_slopes, 4)));
  return check_outputs(job, *queries, *keys);
}
