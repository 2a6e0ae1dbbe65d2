/* The checks of fovea_cache_append that hold wherever it runs. */
#include "ops/attention/check.h"
#include "ops/cache/cache.h"

/* Each sequence has pages, and positions of RoPE, for its new tokens. */
static int check_room(const fv_cache_append_job *job) {
  const fovea_cache_append_params *p = job->params;
  for (int s = 0; s < p->sequences; s++) {
    const long long tokens = job->offsets[s + 1] - job->offsets[s], length = job->lengths[s];
    if (tokens == 0) continue;
    if (length < 0) return FOVEA_STATUS_OUT_OF_RANGE;
    FV_REQUIRE(fv_check_page_row(job->page_table, s, p->page_table_stride, p->pages, length, length + tokens));
    if (p->rope != FOVEA_ROPE_NONE && length + tokens > p->rope_positions) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

int fv_check_cache_append(const fv_cache_append_job *job) {
  const fovea_cache_append_params *p = job->params;
  FV_REQUIRE(fv_check(p->struct_size == (int)sizeof *p));
  FV_REQUIRE(fv_check(p->sequences >= 0 && p->kv_heads >= 1 && p->head_dim >= 1 && p->value_dim >= 1));
  FV_REQUIRE(fv_check(fv_is_dtype(p->dtype) && fv_is_cached(p->cache_dtype)));
  FV_REQUIRE(fv_check_pointer(job->offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, job->offsets));
  FV_REQUIRE(fv_check_pointer(job->lengths));
  FV_REQUIRE(fv_check_pointer(job->page_table));
  const fv_tokens tokens = fv_count_tokens(p->sequences, job->offsets);
  FV_REQUIRE(fv_check_heads(job->k, p->dtype, tokens, p->kv_heads, p->head_dim, p->k_sequence_stride,
                            p->k_token_stride, p->k_head_stride));
  FV_REQUIRE(fv_check_heads(job->v, p->dtype, tokens, p->kv_heads, p->value_dim, p->v_sequence_stride,
                            p->v_token_stride, p->v_head_stride));
  FV_REQUIRE(fv_check_rope(p->rope, p->rope_dim, p->rope_positions, p->head_dim, job->rope_table));
  FV_REQUIRE(fv_check_pages(job->k_pages, p->cache_dtype, p->pages, p->kv_heads, p->head_dim));
  FV_REQUIRE(fv_check_pages(job->v_pages, p->cache_dtype, p->pages, p->kv_heads, p->value_dim));
  return check_room(job);
}
