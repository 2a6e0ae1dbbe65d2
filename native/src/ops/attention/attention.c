/* fovea_attention: checks, then the kernel over sequences, heads and query blocks. */
#include <math.h>

#include "engine.h"
#include "ops/attention/attention.h"
#include "validate.h"

/* Multiply-adds that pay for waking a worker: see docs/performance.md. */
#define SLICE_WORK 65536

/* The sizes that scratch depends on; the bytes of all workers' scratch in *bytes, of one worker's in *floats. */
static int scratch_of(const fovea_engine *engine, const fovea_attention_params *p, long long *floats,
                      long long *bytes) {
  if (p->struct_size != (int)sizeof *p || p->heads < 1 || p->kv_heads < 1 || p->heads % p->kv_heads != 0 ||
      p->head_dim < 1 || p->value_dim < 1) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  *floats = engine->kernels->attention_scratch(p->head_dim, p->value_dim);
  return __builtin_mul_overflow(*floats * (long long)sizeof(float), (long long)engine->threads, bytes)
             ? FOVEA_STATUS_OVERFLOW
             : FOVEA_STATUS_OK;
}

int fovea_attention_scratch_bytes(const fovea_engine *engine, const fovea_attention_params *params,
                                  long long *bytes) {
  if (!engine || !params || !bytes) return FOVEA_STATUS_NULL_POINTER;
  long long floats, needed;
  const int status = scratch_of(engine, params, &floats, &needed);
  if (status == FOVEA_STATUS_OK) *bytes = needed;
  return status;
}

/* Whether tokens x heads x dim under these strides stays inside an address, the last dimension contiguous. */
static int strides_status(long long tokens, int heads, int dim, long long token_stride, long long head_stride) {
  if (token_stride < 0 || head_stride < 0 || (heads > 1 && head_stride < dim) || (tokens > 1 && token_stride < dim)) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  return fv_overflows(tokens, token_stride, heads, head_stride) ? FOVEA_STATUS_OVERFLOW : FOVEA_STATUS_OK;
}

static int check(const fovea_engine *engine, const fovea_attention_params *p, const float *q, const float *k,
                 const float *v, const int *q_offsets, const int *kv_offsets, const void *scratch, const float *out,
                 long long *scratch_floats) {
  if (!engine || !p || !q || !k || !v || !q_offsets || !kv_offsets || !scratch || !out) {
    return FOVEA_STATUS_NULL_POINTER;
  }
  long long needed;
  int status = scratch_of(engine, p, scratch_floats, &needed);
  if (status != FOVEA_STATUS_OK) return status;
  if (p->sequences < 0 || !isfinite(p->scale) || p->reserved != 0 || p->scratch_bytes < needed ||
      !fv_is_aligned(scratch, 64) || !fv_is_aligned(q, 4) || !fv_is_aligned(k, 4) || !fv_is_aligned(v, 4) ||
      !fv_is_aligned(q_offsets, 4) || !fv_is_aligned(kv_offsets, 4) || !fv_is_aligned(out, 4)) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if ((status = fv_check_offsets(p->sequences, q_offsets)) != FOVEA_STATUS_OK ||
      (status = fv_check_offsets(p->sequences, kv_offsets)) != FOVEA_STATUS_OK) {
    return status;
  }
  const long long queries = q_offsets[p->sequences], keys = kv_offsets[p->sequences];
  if ((status = strides_status(queries, p->heads, p->head_dim, p->q_token_stride, p->q_head_stride)) ||
      (status = strides_status(keys, p->kv_heads, p->head_dim, p->k_token_stride, p->k_head_stride)) ||
      (status = strides_status(keys, p->kv_heads, p->value_dim, p->v_token_stride, p->v_head_stride)) ||
      (status = strides_status(queries, p->heads, p->value_dim, p->out_token_stride, p->out_head_stride))) {
    return status;
  }
  return FOVEA_STATUS_OK;
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
  const int status = check(engine, params, q, k, v, q_offsets, kv_offsets, scratch, out, &scratch_floats);
  if (status != FOVEA_STATUS_OK) return status;
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
  /* Doubles: pairs x heads x dims can pass 2^63. */
  const double item_work = (double)pairs * params->heads * (params->head_dim + params->value_dim) / (double)items;
  const long long grain = item_work >= SLICE_WORK ? 1 : (long long)(SLICE_WORK / (item_work + 1)) + 1;
  fv_parallel(engine, items, grain, attention_slice, &attention);
  return FOVEA_STATUS_OK;
}
