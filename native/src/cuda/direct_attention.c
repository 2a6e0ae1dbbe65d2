/* fovea_cuda_attention: tensors of the host under any strides, dense on the device. */
#include <string.h>

#include "cuda/direct.h"
#include "../ops/attention/attention.h" /* not that of the device */

/* Where things lie on the device. */
typedef struct places {
  fv_call_batch batch;
  long long kv_offsets, page_table, slopes, rope, q, k, v, mask, bias, out, lse, weights;
} places;

typedef struct attention_call {
  fv_call call;
  const fv_attention_job *job;
  fv_tokens queries, keys;
  fovea_attention_params params; /* with the strides of the device */
  fv_mask mask, bias;
  long long mask_elements, bias_elements; /* 0 without */
  places at;
} attention_call;

static long long max(long long a, long long b) { return a > b ? a : b; }

/* ---- sizes ---------------------------------------------------------------- */

/* Pages that a sequence's keys take. */
static int pages_of(const fv_attention_job *job, int sequence) {
  const long long keys = (long long)job->kv_offsets[sequence + 1] - job->kv_offsets[sequence];
  return (int)((keys + FOVEA_PAGE_KEYS - 1) / FOVEA_PAGE_KEYS);
}

/* Each sequence gets pages of its own, in the order of its keys. False if there are too many. */
static int count_pages(attention_call *c) {
  long long pages = 0, each = 1;
  for (int s = 0; s < c->params.sequences; s++) {
    pages += pages_of(c->job, s);
    each = max(each, pages_of(c->job, s));
  }
  c->params.pages = (int)max(pages, 1);
  c->params.page_table_stride = (int)each;
  return pages <= INT_MAX;
}

/* Rows of the RoPE table that are read. */
static int count_positions(const attention_call *c) {
  const fovea_attention_params *p = c->job->params;
  long long rows = 1;
  for (int s = 0; s < p->sequences; s++) {
    const long long queries = c->job->q_offsets[s + 1] - c->job->q_offsets[s];
    const long long keys = c->job->kv_offsets[s + 1] - c->job->kv_offsets[s];
    if (queries > 0) rows = max(rows, p->alignment == FOVEA_ALIGN_TOP_LEFT ? queries : keys);
    if (p->rope_keys) rows = max(rows, keys);
  }
  return (int)rows;
}

/* A mask as the device has it: a dimension that is broadcast stays one. False on overflow. */
static int plan_mask(const attention_call *c, int bytes, int rows, long long sequence, long long head, long long query,
                     fv_mask *mask, long long *elements) {
  const long long keys = c->keys.longest, queries = !query ? 1 : rows ? c->queries.all : c->queries.longest;
  const long long heads = head ? c->params.heads : 1;
  *mask = (fv_mask){.strides = {sequence, head, query}, .heads = c->params.heads, .bytes = bytes, .rows = rows};
  long long each; /* elements of a sequence */
  if (__builtin_mul_overflow(heads * queries, keys, &each) ||
      __builtin_mul_overflow(sequence ? (long long)c->params.sequences : 1, each, elements)) {
    return 0;
  }
  mask->dense[0] = sequence ? each : 0;
  mask->dense[1] = head ? queries * keys : 0;
  mask->dense[2] = query ? keys : 0;
  return 1;
}

static int plan_masks(attention_call *c) {
  fovea_attention_params *p = &c->params;
  const fv_attention_job *job = c->job;
  if (job->mask) {
    if (!plan_mask(c, 1, 0, p->mask_sequence_stride, p->mask_head_stride, p->mask_query_stride, &c->mask,
                   &c->mask_elements)) {
      return 0;
    }
    p->mask_sequence_stride = c->mask.dense[0];
    p->mask_head_stride = c->mask.dense[1];
    p->mask_query_stride = c->mask.dense[2];
  }
  if (job->bias) {
    if (!plan_mask(c, sizeof(float), p->bias_rows, p->bias_sequence_stride, p->bias_head_stride,
                   p->bias_query_stride, &c->bias, &c->bias_elements)) {
      return 0;
    }
    p->bias_sequence_stride = c->bias.dense[0];
    p->bias_head_stride = c->bias.dense[1];
    p->bias_query_stride = c->bias.dense[2];
  }
  return 1;
}

/* The strides of the device: tokens without gaps, heads in them. */
static void set_strides(attention_call *c) {
  fovea_attention_params *p = &c->params;
  p->q_sequence_stride = p->k_sequence_stride = p->v_sequence_stride = 0;
  p->out_sequence_stride = p->lse_sequence_stride = p->weights_sequence_stride = 0;
  p->q_head_stride = p->k_head_stride = p->head_dim;
  p->v_head_stride = p->out_head_stride = p->value_dim;
  p->lse_head_stride = 1;
  p->weights_head_stride = c->keys.longest;
  p->q_token_stride = (long long)p->heads * p->head_dim;
  p->k_token_stride = (long long)p->kv_heads * p->head_dim;
  p->v_token_stride = (long long)p->kv_heads * p->value_dim;
  p->out_token_stride = (long long)p->heads * p->value_dim;
  p->lse_token_stride = p->heads;
  p->weights_token_stride = (long long)p->heads * c->keys.longest;
}

static int reserve(attention_call *c) {
  const fv_attention_job *job = c->job;
  const fovea_attention_params *p = &c->params;
  places *at = &c->at;
  const long long sequences = p->sequences, tokens = c->queries.all;
  const long long rows = p->pages ? (long long)p->pages * FOVEA_PAGE_KEYS : c->keys.all;
  const int q_bytes = fv_dtype_bytes(p->q_dtype), kv_bytes = fv_dtype_bytes(p->kv_dtype);
  long long *end = &c->call.inputs;
  if (!fv_call_reserve_batch(&c->call, c->queries, &at->batch) ||
      !fv_reserve(end, sequences + 1, sizeof(int), 1, &at->kv_offsets) ||
      !fv_reserve(end, p->pages ? sequences : 0, p->page_table_stride, sizeof(int), &at->page_table) ||
      !fv_reserve(end, job->alibi_slopes ? p->heads : 0, sizeof(float), 1, &at->slopes) ||
      !fv_reserve(end, p->rope ? p->rope_positions : 0, p->rope_dim, sizeof(float), &at->rope) ||
      !fv_reserve(end, tokens, p->q_token_stride, q_bytes, &at->q) ||
      !fv_reserve(end, rows, p->k_token_stride, kv_bytes, &at->k) ||
      !fv_reserve(end, rows, p->v_token_stride, kv_bytes, &at->v) ||
      !fv_reserve(end, c->mask_elements, 1, 1, &at->mask) ||
      !fv_reserve(end, c->bias_elements, sizeof(float), 1, &at->bias)) {
    return 0;
  }
  end = &c->call.results;
  *end = c->call.inputs;
  const int fits = fv_reserve(end, tokens, p->out_token_stride, sizeof(float), &at->out) &&
                   fv_reserve(end, job->lse ? tokens : 0, p->heads, sizeof(float), &at->lse) &&
                   fv_reserve(end, job->weights ? tokens : 0, p->weights_token_stride, sizeof(float), &at->weights);
  c->call.bytes = *end;
  return fits;
}

/* ---- to the device -------------------------------------------------------- */

static void gather_pages(const attention_call *c, char *pinned) {
  const fv_attention_job *job = c->job;
  const fovea_attention_params *p = &c->params;
  const size_t keys = (size_t)p->kv_heads * FOVEA_PAGE_KEYS * (size_t)p->head_dim * (size_t)fv_dtype_bytes(p->kv_dtype);
  const size_t values = keys / (size_t)p->head_dim * (size_t)p->value_dim;
  int *table = (int *)(pinned + c->at.page_table);
  int page = 0;
  for (int s = 0; s < p->sequences; s++) {
    const int *row = job->page_table + (long long)s * job->params->page_table_stride;
    for (int i = 0; i < p->page_table_stride; i++) {
      int *entry = &table[(long long)s * p->page_table_stride + i];
      *entry = 0;
      if (i >= pages_of(job, s)) continue;
      memcpy(pinned + c->at.k + (size_t)page * keys, (const char *)job->k + (size_t)row[i] * keys, keys);
      memcpy(pinned + c->at.v + (size_t)page * values, (const char *)job->v + (size_t)row[i] * values, values);
      *entry = page++;
    }
  }
}

static void gather_masks(const attention_call *c, char *pinned) {
  const fv_attention_job *job = c->job;
  const int sequences = c->params.sequences;
  if (job->mask) {
    fv_gather_mask(pinned + c->at.mask, (const char *)job->mask, &c->mask, sequences, job->q_offsets,
                   job->kv_offsets);
  }
  if (job->bias) {
    fv_gather_mask(pinned + c->at.bias, (const char *)job->bias, &c->bias, sequences, job->q_offsets,
                   job->kv_offsets);
  }
}

static void gather(const attention_call *c, char *pinned) {
  const fv_attention_job *job = c->job;
  const fovea_attention_params *caller = job->params;
  const int sequences = c->params.sequences;
  memcpy(pinned + c->at.kv_offsets, job->kv_offsets, ((size_t)sequences + 1) * sizeof(int));
  if (job->alibi_slopes) memcpy(pinned + c->at.slopes, job->alibi_slopes, (size_t)c->params.heads * sizeof(float));
  if (caller->rope) {
    memcpy(pinned + c->at.rope, job->rope_table,
           (size_t)c->params.rope_positions * (size_t)caller->rope_dim * sizeof(float));
  }
  const fv_tensor q = {caller->q_sequence_stride, caller->q_token_stride, caller->q_head_stride, caller->heads,
                       caller->head_dim,          fv_dtype_bytes(caller->q_dtype)};
  fv_gather(pinned + c->at.q, job->q, &q, sequences, job->q_offsets);
  gather_masks(c, pinned);
  if (caller->pages) {
    gather_pages(c, pinned);
    return;
  }
  const int bytes = fv_dtype_bytes(caller->kv_dtype);
  const fv_tensor k = {caller->k_sequence_stride, caller->k_token_stride, caller->k_head_stride, caller->kv_heads,
                       caller->head_dim,          bytes};
  const fv_tensor v = {caller->v_sequence_stride, caller->v_token_stride, caller->v_head_stride, caller->kv_heads,
                       caller->value_dim,         bytes};
  fv_gather(pinned + c->at.k, job->k, &k, sequences, job->kv_offsets);
  fv_gather(pinned + c->at.v, job->v, &v, sequences, job->kv_offsets);
}

/* ---- and back ------------------------------------------------------------- */

static void scatter(const attention_call *c, const char *results) {
  const fv_attention_job *job = c->job;
  const fovea_attention_params *p = job->params;
  const long long inputs = c->call.inputs;
  const int sequences = p->sequences;
  const fv_tensor out = {p->out_sequence_stride, p->out_token_stride, p->out_head_stride, p->heads, p->value_dim, 4};
  fv_scatter(results + (c->at.out - inputs), (char *)job->out, &out, sequences, job->q_offsets);
  if (job->lse) {
    const fv_tensor lse = {p->lse_sequence_stride, p->lse_token_stride, p->lse_head_stride, p->heads, 1, 4};
    fv_scatter(results + (c->at.lse - inputs), (char *)job->lse, &lse, sequences, job->q_offsets);
  }
  if (!job->weights) return;
  const fv_tensor weights = {p->weights_sequence_stride, p->weights_token_stride, p->weights_head_stride, p->heads,
                             c->keys.longest,            4};
  fv_scatter_weights(results + (c->at.weights - inputs), (char *)job->weights, &weights, sequences, job->q_offsets,
                     job->kv_offsets);
}

/* ---- the call ------------------------------------------------------------- */

static void set_operands(attention_call *c, fv_cu_address memory) {
  const fv_attention_job *job = c->job;
  const fovea_attention_params *p = &c->params;
  const places *at = &c->at;
  fv_operands *o = &c->call.operands;
#define AT(place) (memory + (fv_cu_address)(place))
  *o = (fv_operands){.x = {.data = AT(at->q)},
                     .y = {.rows = FOVEA_CUDA_ROWS_NONE},
                     .z = {.rows = FOVEA_CUDA_ROWS_NONE},
                     .out = {.data = AT(at->out)},
                     .group = {.page_table = p->pages ? AT(at->page_table) : 0, .ends = AT(at->kv_offsets)},
                     .keys = AT(at->k),
                     .values = AT(at->v),
                     .mask = job->mask ? AT(at->mask) : 0,
                     .bias = job->bias ? AT(at->bias) : 0,
                     .lse = job->lse ? AT(at->lse) : 0,
                     .weights = job->weights ? AT(at->weights) : 0,
                     .direct = p};
  c->call.step = (fovea_cuda_step){.struct_size = sizeof c->call.step, .op = FOVEA_CUDA_OP_ATTENTION};
  if (p->rope) c->call.step.constants[0] = (long long)AT(at->rope);
  if (job->alibi_slopes) c->call.step.constants[1] = (long long)AT(at->slopes);
#undef AT
}

static int attend(fovea_cuda_direct *direct, attention_call *c, fovea_cuda_failure *failure) {
  FV_REQUIRE(fv_call_begin(direct, &c->call, c->at.batch, c->queries, c->job->q_offsets, failure));
  gather(c, direct->pinned);
  set_operands(c, direct->memory);
  FV_REQUIRE(fv_call_run(direct, &c->call, failure));
  scatter(c, direct->pinned);
  return FOVEA_STATUS_OK;
}

int fovea_cuda_attention(fovea_cuda_direct *direct, const fovea_attention_params *params, const void *q, const void *k,
                         const void *v, const int *q_offsets, const int *kv_offsets, const int *page_table,
                         const unsigned char *mask, const float *bias, const float *alibi_slopes,
                         const float *rope_table, fovea_cuda_failure *failure, float *out, float *lse,
                         float *weights) {
  if (!direct || !params) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE_FAILURE(failure);
  const fv_attention_job job = {.params = params,
                                .q = q,
                                .k = k,
                                .v = v,
                                .q_offsets = q_offsets,
                                .kv_offsets = kv_offsets,
                                .page_table = page_table,
                                .mask = mask,
                                .bias = bias,
                                .alibi_slopes = alibi_slopes,
                                .rope_table = rope_table,
                                .out = out,
                                .lse = lse,
                                .weights = weights};
  attention_call c = {.job = &job};
  FV_REQUIRE(fv_check_attention(&job, &c.queries, &c.keys));
  FV_REQUIRE(fv_check(fv_is_dtype(params->kv_dtype)));
  c.params = *params;
  const int counted = !params->pages || count_pages(&c);
  if (params->rope) c.params.rope_positions = count_positions(&c);
  set_strides(&c);
  if (!counted || !plan_masks(&c) || !reserve(&c)) {
    return fv_fail(failure, FOVEA_STATUS_OVERFLOW, "sizes of the call overflow");
  }
  FV_REQUIRE(fv_device_check(direct->device, failure));
  if (c.queries.all == 0) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_direct_enter(direct, failure));
  const int status = attend(direct, &c, failure);
  fv_direct_leave(direct);
  return status;
}
