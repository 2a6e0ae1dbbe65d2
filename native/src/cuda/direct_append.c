/* fovea_cuda_cache_append: the pages that a call writes to, and of them the rows that it writes. */
#include <string.h>

#include "cuda/direct.h"
#include "../ops/cache/cache.h" /* not that of the device */

typedef struct append_call {
  fv_call call;
  const fv_cache_append_job *job;
  fv_tokens tokens;
  fovea_cache_append_params params; /* with the strides and pages of the device */
  fv_call_batch batch;
  long long lengths, page_table, rope, k, v, k_pages, v_pages; /* where they lie on the device */
  size_t key_bytes, value_bytes;                               /* of a row of one head in a page */
} append_call;

/* The pages of a sequence that the new tokens come to: [first, last). */
typedef struct page_range {
  int first, last;
} page_range;

static page_range pages_of(const fv_cache_append_job *job, int sequence) {
  const long long tokens = (long long)job->offsets[sequence + 1] - job->offsets[sequence];
  if (tokens == 0) return (page_range){0, 0};
  const long long length = job->lengths[sequence];
  return (page_range){(int)(length / FOVEA_PAGE_KEYS),
                      (int)((length + tokens + FOVEA_PAGE_KEYS - 1) / FOVEA_PAGE_KEYS)};
}

/* Each page that is written to gets one on the device. Rows of the RoPE table that are read. False if too many. */
static int count(append_call *c) {
  long long pages = 0, positions = 1;
  int each = 1;
  for (int s = 0; s < c->params.sequences; s++) {
    const page_range range = pages_of(c->job, s);
    const long long tokens = (long long)c->job->offsets[s + 1] - c->job->offsets[s];
    pages += range.last - range.first;
    if (range.last > each) each = range.last;
    if (tokens && c->job->lengths[s] + tokens > positions) positions = c->job->lengths[s] + tokens;
  }
  c->params.pages = pages > 0 ? (int)pages : 1;
  c->params.page_table_stride = each;
  if (c->params.rope) c->params.rope_positions = (int)positions;
  return pages <= INT_MAX;
}

static void set_strides(fovea_cache_append_params *p) {
  p->k_sequence_stride = p->v_sequence_stride = 0;
  p->k_head_stride = p->head_dim;
  p->v_head_stride = p->value_dim;
  p->k_token_stride = (long long)p->kv_heads * p->head_dim;
  p->v_token_stride = (long long)p->kv_heads * p->value_dim;
}

static int reserve(append_call *c) {
  const fovea_cache_append_params *p = &c->params;
  const long long sequences = p->sequences, tokens = c->tokens.all;
  const long long rows = (long long)p->pages * FOVEA_PAGE_KEYS;
  const int bytes = fv_dtype_bytes(p->dtype), cache_bytes = fv_dtype_bytes(p->cache_dtype);
  long long *end = &c->call.inputs;
  if (!fv_call_reserve_batch(&c->call, c->tokens, &c->batch) ||
      !fv_reserve(end, sequences, sizeof(int), 1, &c->lengths) ||
      !fv_reserve(end, sequences, p->page_table_stride, sizeof(int), &c->page_table) ||
      !fv_reserve(end, p->rope ? p->rope_positions : 0, p->rope_dim, sizeof(float), &c->rope) ||
      !fv_reserve(end, tokens, p->k_token_stride, bytes, &c->k) ||
      !fv_reserve(end, tokens, p->v_token_stride, bytes, &c->v)) {
    return 0;
  }
  end = &c->call.results;
  *end = c->call.inputs;
  const int fits = fv_reserve(end, rows, p->k_token_stride, cache_bytes, &c->k_pages) &&
                   fv_reserve(end, rows, p->v_token_stride, cache_bytes, &c->v_pages);
  c->call.bytes = *end;
  c->key_bytes = (size_t)p->head_dim * (size_t)cache_bytes;
  c->value_bytes = (size_t)p->value_dim * (size_t)cache_bytes;
  return fits;
}

static void gather(const append_call *c, char *pinned) {
  const fv_cache_append_job *job = c->job;
  const fovea_cache_append_params *caller = job->params;
  const int sequences = caller->sequences, bytes = fv_dtype_bytes(caller->dtype);
  memcpy(pinned + c->lengths, job->lengths, (size_t)sequences * sizeof(int));
  if (caller->rope) {
    memcpy(pinned + c->rope, job->rope_table,
           (size_t)c->params.rope_positions * (size_t)caller->rope_dim * sizeof(float));
  }
  int *table = (int *)(pinned + c->page_table), page = 0;
  memset(table, 0, (size_t)sequences * (size_t)c->params.page_table_stride * sizeof *table);
  for (int s = 0; s < sequences; s++) {
    const page_range range = pages_of(job, s);
    for (int i = range.first; i < range.last; i++) table[(long long)s * c->params.page_table_stride + i] = page++;
  }
  const fv_tensor k = {caller->k_sequence_stride, caller->k_token_stride, caller->k_head_stride, caller->kv_heads,
                       caller->head_dim,          bytes};
  const fv_tensor v = {caller->v_sequence_stride, caller->v_token_stride, caller->v_head_stride, caller->kv_heads,
                       caller->value_dim,         bytes};
  fv_gather(pinned + c->k, job->k, &k, sequences, job->offsets);
  fv_gather(pinned + c->v, job->v, &v, sequences, job->offsets);
}

/* Rows [first, last) of all heads of a page, from one of the device to one of the caller's. */
static void copy_rows(const append_call *c, char *to, long long to_page, const char *from, long long from_page,
                      size_t row_bytes, int first, int last) {
  const size_t head_bytes = FOVEA_PAGE_KEYS * row_bytes;
  for (int h = 0; h < c->params.kv_heads; h++) {
    const size_t at = (size_t)h * head_bytes + (size_t)first * row_bytes;
    memcpy(to + (size_t)to_page * (size_t)c->params.kv_heads * head_bytes + at,
           from + (size_t)from_page * (size_t)c->params.kv_heads * head_bytes + at, (size_t)(last - first) * row_bytes);
  }
}

static void scatter(const append_call *c, const char *results) {
  const fv_cache_append_job *job = c->job;
  const char *k_pages = results + (c->k_pages - c->call.inputs), *v_pages = results + (c->v_pages - c->call.inputs);
  long long page = 0;
  for (int s = 0; s < c->params.sequences; s++) {
    const page_range range = pages_of(job, s);
    const long long length = job->lengths[s], end = length + job->offsets[s + 1] - job->offsets[s];
    for (int i = range.first; i < range.last; i++, page++) {
      const long long start = (long long)i * FOVEA_PAGE_KEYS;
      const int first = length > start ? (int)(length - start) : 0;
      const int last = end - start < FOVEA_PAGE_KEYS ? (int)(end - start) : FOVEA_PAGE_KEYS;
      const int to = job->page_table[(long long)s * job->params->page_table_stride + i];
      copy_rows(c, job->k_pages, to, k_pages, page, c->key_bytes, first, last);
      copy_rows(c, job->v_pages, to, v_pages, page, c->value_bytes, first, last);
    }
  }
}

static void set_operands(append_call *c, fv_cu_address memory) {
  const fovea_cache_append_params *p = &c->params;
#define AT(place) (memory + (fv_cu_address)(place))
  c->call.operands = (fv_operands){.x = {.data = AT(c->k)},
                                   .y = {.data = AT(c->v)},
                                   .z = {.rows = FOVEA_CUDA_ROWS_NONE},
                                   .out = {.rows = FOVEA_CUDA_ROWS_NONE},
                                   .group = {.page_table = AT(c->page_table), .lengths = AT(c->lengths)},
                                   .keys = AT(c->k_pages),
                                   .values = AT(c->v_pages),
                                   .direct_append = p};
  c->call.step = (fovea_cuda_step){.struct_size = sizeof c->call.step, .op = FOVEA_CUDA_OP_CACHE_APPEND};
  if (p->rope) c->call.step.constants[0] = (long long)AT(c->rope);
#undef AT
}

static int append(fovea_cuda_direct *direct, append_call *c, fovea_cuda_failure *failure) {
  FV_REQUIRE(fv_call_begin(direct, &c->call, c->batch, c->tokens, c->job->offsets, failure));
  gather(c, direct->pinned);
  set_operands(c, direct->memory);
  FV_REQUIRE(fv_call_run(direct, &c->call, failure));
  scatter(c, direct->pinned);
  return FOVEA_STATUS_OK;
}

int fovea_cuda_cache_append(fovea_cuda_direct *direct, const fovea_cache_append_params *params, const void *k,
                            const void *v, const int *offsets, const int *lengths, const int *page_table,
                            const float *rope_table, fovea_cuda_failure *failure, void *k_pages, void *v_pages) {
  if (!direct || !params) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE_FAILURE(failure);
  const fv_cache_append_job job = {.params = params,
                                   .k = k,
                                   .v = v,
                                   .offsets = offsets,
                                   .lengths = lengths,
                                   .page_table = page_table,
                                   .rope_table = rope_table,
                                   .k_pages = k_pages,
                                   .v_pages = v_pages};
  append_call c = {.job = &job};
  FV_REQUIRE(fv_check_cache_append(&job));
  FV_REQUIRE(fv_check(fv_is_dtype(params->cache_dtype)));
  c.tokens = fv_count_tokens(params->sequences, offsets);
  c.params = *params;
  set_strides(&c.params);
  if (!count(&c) || !reserve(&c)) return fv_fail(failure, FOVEA_STATUS_OVERFLOW, "sizes of the call overflow");
  FV_REQUIRE(fv_device_check(direct->device, failure));
  if (c.tokens.all == 0) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_direct_enter(direct, failure));
  const int status = append(direct, &c, failure);
  fv_direct_leave(direct);
  return status;
}
