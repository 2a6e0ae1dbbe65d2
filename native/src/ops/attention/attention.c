/* fovea_attention: checks, then the kernel over sequences, heads and query blocks. */
#include <math.h>

#include "engine.h"
#include "ops/attention/attention.h"
#include "validate.h"

/* The sizes that scratch depends on. *floats: of one worker's scratch; *bytes: of all workers'. */
static int check_scratch(const fovea_engine *engine, const fovea_attention_params *p, long long *floats,
                         long long *bytes) {
  FV_REQUIRE(fv_check(p->heads >= 1 && p->kv_heads >= 1 && p->heads % p->kv_heads == 0));
  FV_REQUIRE(fv_check(p->head_dim >= 1 && p->value_dim >= 1));
  *floats = engine->kernels->attention_scratch(p->head_dim, p->value_dim);
  return __builtin_mul_overflow(*floats * (long long)sizeof(float), engine->threads, bytes) ? FOVEA_STATUS_OVERFLOW
                                                                                            : FOVEA_STATUS_OK;
}

int fovea_attention_scratch_bytes(const fovea_engine *engine, const fovea_attention_params *params,
                                  long long *bytes) {
  FV_REQUIRE_PARAMS(engine, params);
  if (!bytes) return FOVEA_STATUS_NULL_POINTER;
  long long floats, needed;
  FV_REQUIRE(check_scratch(engine, params, &floats, &needed));
  *bytes = needed;
  return FOVEA_STATUS_OK;
}

/* A tensor [tokens, heads, dim] under any strides that keep its vectors apart, inside the address space. */
static int check_heads(const float *p, long long tokens, int heads, int dim, long long token_stride,
                       long long head_stride) {
  FV_REQUIRE(fv_check_pointer(p));
  FV_REQUIRE(fv_check(tokens == 0 || heads == 1 || head_stride >= dim));
  FV_REQUIRE(fv_check(tokens <= 1 || token_stride >= dim));
  FV_REQUIRE(fv_check(head_stride >= 0 && token_stride >= 0));
  return fv_overflows(tokens, token_stride, heads, head_stride) ? FOVEA_STATUS_OVERFLOW : FOVEA_STATUS_OK;
}

static int check_attention(const fovea_engine *engine, const fovea_attention_params *p, const float *q,
                           const float *k, const float *v, const int *q_offsets, const int *kv_offsets,
                           const void *scratch, const float *out, long long *scratch_floats) {
  FV_REQUIRE_PARAMS(engine, p);
  long long scratch_bytes;
  FV_REQUIRE(check_scratch(engine, p, scratch_floats, &scratch_bytes));
  FV_REQUIRE(fv_check(isfinite(p->scale) && p->reserved == 0));
  FV_REQUIRE(fv_check(p->sequences >= 0));
  FV_REQUIRE(fv_check_pointer(q_offsets));
  FV_REQUIRE(fv_check_pointer(kv_offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, q_offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, kv_offsets));
  const long long queries = q_offsets[p->sequences], keys = kv_offsets[p->sequences];
  FV_REQUIRE(check_heads(q, queries, p->heads, p->head_dim, p->q_token_stride, p->q_head_stride));
  FV_REQUIRE(check_heads(k, keys, p->kv_heads, p->head_dim, p->k_token_stride, p->k_head_stride));
  FV_REQUIRE(check_heads(v, keys, p->kv_heads, p->value_dim, p->v_token_stride, p->v_head_stride));
  FV_REQUIRE(check_heads(out, queries, p->heads, p->value_dim, p->out_token_stride, p->out_head_stride));
  if (!scratch) return FOVEA_STATUS_NULL_POINTER;
  return fv_check(fv_is_aligned(scratch, 64) && p->scratch_bytes >= scratch_bytes);
}

typedef struct attention_context {
  fv_attention_kernel *kernel;
  fv_attention_job job;
} attention_context;

static void attention_slice(void *context, long long begin, long long end, int worker) {
  const attention_context *attention = context;
  attention->kernel(&attention->job, begin, end, worker);
}

int fovea_attention(fovea_engine *engine, const fovea_attention_params *params, const float *q, const float *k,
                    const float *v, const int *q_offsets, const int *kv_offsets, void *scratch, float *out) {
  long long scratch_floats;
  FV_REQUIRE(check_attention(engine, params, q, k, v, q_offsets, kv_offsets, scratch, out, &scratch_floats));
  long long items = 0, pairs = 0;
  for (int s = 0; s < params->sequences; s++) {
    const long long queries = (long long)q_offsets[s + 1] - q_offsets[s];
    items += (queries + FV_QUERY_BLOCK - 1) / FV_QUERY_BLOCK * params->heads;
    pairs += queries * ((long long)kv_offsets[s + 1] - kv_offsets[s]);
  }
  if (items == 0) return FOVEA_STATUS_OK;
  attention_context attention = {engine->kernels->attention,
                                 {.sequences = params->sequences,
                                  .heads = params->heads,
                                  .kv_heads = params->kv_heads,
                                  .head_dim = params->head_dim,
                                  .value_dim = params->value_dim,
                                  .scale = params->scale,
                                  .q_token_stride = params->q_token_stride,
                                  .q_head_stride = params->q_head_stride,
                                  .k_token_stride = params->k_token_stride,
                                  .k_head_stride = params->k_head_stride,
                                  .v_token_stride = params->v_token_stride,
                                  .v_head_stride = params->v_head_stride,
                                  .out_token_stride = params->out_token_stride,
                                  .out_head_stride = params->out_head_stride,
                                  .q = q,
                                  .k = k,
                                  .v = v,
                                  .q_offsets = q_offsets,
                                  .kv_offsets = kv_offsets,
                                  .scratch = scratch,
                                  .scratch_floats = scratch_floats,
                                  .out = out}};
  /* In doubles: pairs x heads x dims can pass 2^63. */
  const double item_work = (double)pairs * params->heads * (params->head_dim + params->value_dim) / (double)items;
  const long long grain = fv_grain_of_products(item_work < 1e15 ? (long long)item_work : 1000000000000000);
  fv_parallel(engine, items, grain, attention_slice, &attention);
  return FOVEA_STATUS_OK;
}
