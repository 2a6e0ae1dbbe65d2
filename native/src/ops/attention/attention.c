/* fovea_attention: checks, then the kernels over items, or over the chunks of a few rows. */
#include <math.h>

#include "engine.h"
#include "ops/attention/attention.h"
#include "ops/attention/check.h"

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

static int check_modes(const fovea_attention_params *p) {
  FV_REQUIRE(fv_check(fv_is_dtype(p->q_dtype) && fv_is_dtype(p->kv_dtype)));
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

static int check_attention(const fovea_engine *engine, fv_attention_job *job, fv_tokens *keys) {
  const fovea_attention_params *p = job->params;
  FV_REQUIRE_PARAMS(engine, p);
  long long scratch_bytes;
  FV_REQUIRE(check_scratch(engine, p, &job->scratch_floats, &scratch_bytes));
  FV_REQUIRE(check_modes(p));
  FV_REQUIRE(fv_check_pointer(job->q_offsets));
  FV_REQUIRE(fv_check_pointer(job->kv_offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, job->q_offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, job->kv_offsets));
  const fv_tokens queries = fv_count_tokens(p->sequences, job->q_offsets);
  *keys = fv_count_tokens(p->sequences, job->kv_offsets);
  FV_REQUIRE(fv_check_heads(job->q, p->q_dtype, queries, p->heads, p->head_dim, p->q_sequence_stride,
                            p->q_token_stride, p->q_head_stride));
  FV_REQUIRE(check_keys(job, *keys));
  FV_REQUIRE(check_positions(job));
  FV_REQUIRE(check_mask(p, queries, job->mask, 1, p->mask_sequence_stride, p->mask_head_stride, p->mask_query_stride));
  const fv_tokens rows = {.sequences = 1, .all = queries.all, .longest = queries.all};
  FV_REQUIRE(check_mask(p, p->bias_rows ? rows : queries, job->bias, 4, p->bias_sequence_stride, p->bias_head_stride,
                        p->bias_query_stride));
  FV_REQUIRE(fv_check(!p->bias_rows || p->bias_sequence_stride == 0));
  FV_REQUIRE(fv_check(fv_is_aligned(job->alibi_slopes, 4)));
  FV_REQUIRE(check_outputs(job, queries, *keys));
  if (!job->scratch) return FOVEA_STATUS_NULL_POINTER;
  return fv_check(fv_is_aligned(job->scratch, 64) && p->scratch_bytes >= scratch_bytes);
}

/* ---- items ------------------------------------------------------------------ */

static long long rows_of(const fv_attention_job *job, int sequence) {
  const long long queries = job->q_offsets[sequence + 1] - job->q_offsets[sequence];
  return queries * (job->params->heads / job->params->kv_heads);
}

static long long blocks_of(const fv_attention_job *job, int sequence) {
  return (rows_of(job, sequence) + job->row_block - 1) / job->row_block;
}

static long long count_items(const fv_attention_job *job) {
  long long items = 0;
  for (int s = 0; s < job->params->sequences; s++) items += blocks_of(job, s) * job->params->kv_heads;
  return items;
}

/*
 * Block number i of a sequence's: first and last in turn, since with a causal mask the later ones take
 * longer and threads get neighbours.
 */
static long long fold(long long i, long long blocks) { return i % 2 == 0 ? i / 2 : blocks - 1 - i / 2; }

/* Items are numbered sequence by sequence, in a sequence head by head, in a head by block of rows. */
static fv_attention_item item_in(const fv_attention_job *job, int sequence, long long i) {
  const long long blocks = blocks_of(job, sequence), first = fold(i % blocks, blocks) * job->row_block;
  const long long left = rows_of(job, sequence) - first;
  return (fv_attention_item){.sequence = sequence,
                             .kv_head = (int)(i / blocks),
                             .first_row = first,
                             .rows = left < job->row_block ? (int)left : job->row_block};
}

typedef struct attention_loop {
  const fv_kernels *kernels;
  const fv_attention_job *job;
  const fv_attention_item *item; /* that chunks are computed of */
  long long chunk;
} attention_loop;

static void attend_items(void *context, long long begin, long long end, int worker) {
  const attention_loop *loop = context;
  long long before = 0;
  for (int s = 0; s < loop->job->params->sequences && before < end; s++) {
    const long long items = blocks_of(loop->job, s) * loop->job->params->kv_heads;
    for (long long i = before > begin ? before : begin; i < before + items && i < end; i++) {
      const fv_attention_item item = item_in(loop->job, s, i - before);
      loop->kernels->attention(loop->job, &item, worker);
    }
    before += items;
  }
}

static void attend_chunks(void *context, long long begin, long long end, int worker) {
  (void)worker; /* a chunk has its own scratch, whoever computes it */
  const attention_loop *loop = context;
  loop->kernels->attention_chunks(loop->job, loop->item, loop->chunk, (int)begin, (int)end);
}

/* The items one after the other, each by all threads, which take one chunk of its keys each. */
static void attend_by_chunks(fovea_engine *engine, attention_loop *loop) {
  for (int s = 0; s < loop->job->params->sequences; s++) {
    const long long items = blocks_of(loop->job, s) * loop->job->params->kv_heads;
    const long long keys = loop->job->kv_offsets[s + 1] - loop->job->kv_offsets[s];
    const long long chunks = keys > 0 ? (keys + FV_KEY_CHUNK - 1) / FV_KEY_CHUNK : 1;
    for (long long i = 0; i < items; i++) {
      const fv_attention_item item = item_in(loop->job, s, i);
      loop->item = &item;
      for (loop->chunk = 0; loop->chunk < chunks; loop->chunk += engine->threads) {
        const long long left = chunks - loop->chunk;
        const int taken = left < engine->threads ? (int)left : engine->threads;
        fv_parallel(engine, taken, 1, attend_chunks, loop);
        engine->kernels->attention_merge(loop->job, &item, taken, loop->chunk == 0, left <= engine->threads);
      }
    }
  }
}

/* Sets the rows of an item: fewer than the most where there would be no item for some threads. */
static void choose_row_block(fv_attention_job *job, int threads) {
  job->row_block = FV_ROW_BLOCK;
  if (count_items(job) >= threads) return;
  long long rows = 0;
  for (int s = 0; s < job->params->sequences; s++) rows += rows_of(job, s) * job->params->kv_heads;
  const long long share = (rows / threads + 31) / 32 * 32;
  job->row_block = share < 32 ? 32 : share < FV_ROW_BLOCK ? (int)share : FV_ROW_BLOCK;
}

/* Multiply-adds, in doubles, which do not overflow; what a mask leaves out by content counts. */
static double work_of(const fv_attention_job *job) {
  const fovea_attention_params *p = job->params;
  double pairs = 0;
  for (int s = 0; s < p->sequences; s++) {
    const double keys = (double)job->kv_offsets[s + 1] - job->kv_offsets[s];
    const double window = p->window_left < 0 || p->window_right < 0 ? keys : 1.0 + p->window_left + p->window_right;
    pairs += ((double)job->q_offsets[s + 1] - job->q_offsets[s]) * (keys < window ? keys : window);
  }
  return pairs * p->heads * ((double)p->head_dim + p->value_dim);
}

int fovea_attention(fovea_engine *engine, const fovea_attention_params *params, const void *q, const void *k,
                    const void *v, const int *q_offsets, const int *kv_offsets, const int *page_table,
                    const unsigned char *mask, const float *bias, const float *alibi_slopes, const float *rope_table,
                    void *scratch, float *out, float *lse, float *weights) {
  fv_attention_job job = {.params = params,
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
                          .scratch = scratch,
                          .out = out,
                          .lse = lse,
                          .weights = weights};
  fv_tokens keys;
  FV_REQUIRE(check_attention(engine, &job, &keys));
  choose_row_block(&job, engine->threads);
  const long long items = count_items(&job);
  if (items == 0) return FOVEA_STATUS_OK;
  attention_loop loop = {.kernels = engine->kernels, .job = &job};
  if (items * 2 <= engine->threads && keys.longest > FV_KEY_CHUNK) {
    attend_by_chunks(engine, &loop);
    return FOVEA_STATUS_OK;
  }
  const double item_work = work_of(&job) / (double)items;
  fv_parallel(engine, items, fv_grain_of_products(item_work < 1e15 ? (long long)item_work : 1000000000000000),
              attend_items, &loop);
  return FOVEA_STATUS_OK;
}
