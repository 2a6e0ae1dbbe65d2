/* One attention call of the tests: its tensors, under awkward strides and options. */
#ifndef FV_OPS_ATTENTION_PROBLEM_H
#define FV_OPS_ATTENTION_PROBLEM_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

typedef struct geometry {
  int heads, kv_heads, head_dim, value_dim, gap;
  float scale; /* 0: 1 / sqrt(head_dim) */
} geometry;

/* Query and key lengths of a ragged batch. */
typedef struct batch {
  int sequences;
  int queries[6], keys[6];
} batch;

/* What is drawn beyond geometry and batch. */
typedef struct options {
  int q_dtype, kv_dtype, left, right, alignment, rope;
  float softcap;
  int mask, bias, bias_rows, alibi, padded, paged, lse, weights; /* 0 or 1 */
} options;

typedef struct problem {
  fovea_attention_params params;
  int longest_query, longest_key;
  int *q_offsets, *kv_offsets, *page_table;
  void *q, *k, *v;
  unsigned char *mask;
  float *bias, *slopes, *rope;
  void *scratch;
  float *out, *lse, *weights;
  long long out_floats, lse_floats, weights_floats;
} problem;

/* A buffer of random values of a type. */
static void *make_values(int dtype, long long count) {
  if (dtype == FOVEA_DTYPE_F32) return test_floats(count);
  uint16_t *values = test_aligned(count * 2);
  for (long long i = 0; i < count; i++) { /* magnitudes 2^-5 ... 1 */
    const int sign = test_random(0, 1) << 15;
    values[i] = (uint16_t)(dtype == FOVEA_DTYPE_F16 ? sign | test_random(10, 14) << 10 | test_random(0, 1023)
                                                    : sign | test_random(122, 126) << 7 | test_random(0, 127));
  }
  return values;
}

static inline float element(const void *values, int dtype, long long i) {
  if (dtype == FOVEA_DTYPE_F32) return ((const float *)values)[i];
  const uint16_t h = ((const uint16_t *)values)[i];
  if (dtype == FOVEA_DTYPE_F16) return ldexpf((float)((h & 1023) + 1024), (h >> 10 & 31) - 25) * (h >> 15 ? -1 : 1);
  const uint32_t bits = (uint32_t)h << 16;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static void make_masks(problem *p, const options *o) {
  const int sequences = p->params.sequences, heads = p->params.heads;
  /* The mask has a row for each query of each sequence, the bias one for each head and query of a sequence or batch. */
  p->params.mask_query_stride = p->longest_key + 3;
  p->params.mask_sequence_stride = p->longest_query * p->params.mask_query_stride;
  if (o->mask) {
    const long long bytes = sequences * p->params.mask_sequence_stride;
    p->mask = test_aligned(bytes);
    for (long long i = 0; i < bytes; i++) p->mask[i] = (unsigned char)test_random(0, 3);
  }
  p->params.bias_rows = o->bias_rows;
  p->params.bias_query_stride = o->bias_rows ? heads * (p->longest_key + 1LL) + 2 : p->longest_key + 1;
  p->params.bias_head_stride = o->bias_rows ? p->longest_key + 1 : p->longest_query * p->params.bias_query_stride;
  if (o->bias) {
    const long long floats =
        o->bias_rows ? p->q_offsets[sequences] * p->params.bias_query_stride : heads * p->params.bias_head_stride;
    p->bias = test_floats(floats);
    for (long long i = 0; i < floats; i += test_random(1, 9)) p->bias[i] = -INFINITY;
  }
  if (o->alibi) p->slopes = test_floats(heads);
}

static void make_rope(problem *p, const options *o) {
  p->params.rope = o->rope;
  if (o->rope == FOVEA_ROPE_NONE) return;
  p->params.rope_dim = p->params.head_dim > 2 ? p->params.head_dim / 3 * 2 / 2 * 2 : 2;
  if (p->params.rope_dim > p->params.head_dim) p->params.rope_dim = p->params.head_dim / 2 * 2;
  p->params.rope_positions = (p->longest_key > p->longest_query ? p->longest_key : p->longest_query) + 1;
  p->params.rope_keys = !o->paged;
  const int pairs = p->params.rope_dim / 2;
  p->rope = test_floats((long long)p->params.rope_positions * p->params.rope_dim);
  for (int position = 0; position < p->params.rope_positions; position++) {
    for (int i = 0; i < pairs; i++) {
      const double angle = position * pow(10000, -2.0 * i / p->params.rope_dim);
      p->rope[position * p->params.rope_dim + i] = (float)cos(angle);
      p->rope[position * p->params.rope_dim + pairs + i] = (float)sin(angle);
    }
  }
}

static void make_keys(problem *p, const options *o, const geometry *g) {
  fovea_attention_params *a = &p->params;
  const long long keys = p->kv_offsets[a->sequences];
  long long k_count, v_count;
  if (o->paged) {
    const int columns = (p->longest_key + FOVEA_PAGE_KEYS - 1) / FOVEA_PAGE_KEYS + 1;
    a->page_table_stride = columns;
    a->pages = a->sequences * columns + 1;
    p->page_table = test_ints(a->sequences * columns);
    for (int i = 0; i < a->sequences * columns; i++) p->page_table[i] = a->sequences * columns - i; /* backwards */
    k_count = (long long)a->pages * g->kv_heads * FOVEA_PAGE_KEYS * g->head_dim;
    v_count = (long long)a->pages * g->kv_heads * FOVEA_PAGE_KEYS * g->value_dim;
  } else {
    a->k_head_stride = g->head_dim + g->gap;
    a->k_token_stride = g->kv_heads * a->k_head_stride;
    a->k_sequence_stride = o->padded ? p->longest_key * a->k_token_stride + 2 : 0;
    k_count = o->padded ? a->sequences * a->k_sequence_stride : keys * a->k_token_stride;
    const long long together = o->padded ? p->longest_key : keys; /* [heads, tokens, dim] */
    a->v_token_stride = g->value_dim;
    a->v_head_stride = g->value_dim * together + 1;
    a->v_sequence_stride = o->padded ? g->kv_heads * a->v_head_stride : 0;
    v_count = (o->padded ? a->sequences : 1) * g->kv_heads * a->v_head_stride;
  }
  p->k = make_values(o->kv_dtype, k_count);
  p->v = make_values(o->kv_dtype, v_count);
}

static void make_queries(problem *p, const options *o, const geometry *g) {
  fovea_attention_params *a = &p->params;
  const long long queries = o->padded ? a->sequences * p->longest_query : p->q_offsets[a->sequences];
  a->q_head_stride = g->head_dim;
  a->q_token_stride = g->heads * g->head_dim + g->gap;
  a->out_head_stride = g->value_dim;
  a->out_token_stride = g->heads * g->value_dim + g->gap;
  a->lse_token_stride = 1;
  a->lse_head_stride = queries + 1;
  a->weights_token_stride = p->longest_key + 2;
  a->weights_head_stride = queries * a->weights_token_stride + 1;
  if (o->padded) {
    a->q_sequence_stride = p->longest_query * a->q_token_stride;
    a->out_sequence_stride = p->longest_query * a->out_token_stride;
    a->lse_sequence_stride = p->longest_query;
    a->weights_sequence_stride = p->longest_query * a->weights_token_stride;
  }
  p->q = make_values(o->q_dtype, queries * a->q_token_stride);
  p->out = test_outputs(p->out_floats = queries * a->out_token_stride);
  if (o->lse) p->lse = test_outputs(p->lse_floats = g->heads * a->lse_head_stride);
  if (o->weights) p->weights = test_outputs(p->weights_floats = g->heads * a->weights_head_stride);
}

static problem make_problem(fovea_engine *engine, const batch *b, geometry g, options o) {
  problem p = {.q_offsets = test_ints(b->sequences + 1), .kv_offsets = test_ints(b->sequences + 1)};
  p.params = (fovea_attention_params){.struct_size = sizeof p.params,
                                      .sequences = b->sequences,
                                      .heads = g.heads,
                                      .kv_heads = g.kv_heads,
                                      .head_dim = g.head_dim,
                                      .value_dim = g.value_dim,
                                      .q_dtype = o.q_dtype,
                                      .kv_dtype = o.kv_dtype,
                                      .scale = g.scale == 0 ? 1 / sqrtf((float)g.head_dim) : g.scale,
                                      .softcap = o.softcap,
                                      .window_left = o.left,
                                      .window_right = o.right,
                                      .alignment = o.alignment};
  p.q_offsets[0] = p.kv_offsets[0] = 0;
  for (int s = 0; s < b->sequences; s++) {
    p.q_offsets[s + 1] = p.q_offsets[s] + b->queries[s];
    p.kv_offsets[s + 1] = p.kv_offsets[s] + b->keys[s];
    if (b->queries[s] > p.longest_query) p.longest_query = b->queries[s];
    if (b->keys[s] > p.longest_key) p.longest_key = b->keys[s];
  }
  make_masks(&p, &o);
  make_rope(&p, &o);
  make_keys(&p, &o, &g);
  make_queries(&p, &o, &g);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_attention_scratch_bytes(engine, &p.params, &p.params.scratch_bytes));
  p.scratch = test_aligned(p.params.scratch_bytes);
  return p;
}

static int run_problem(fovea_engine *engine, const problem *p) {
  return fovea_attention(engine, &p->params, p->q, p->k, p->v, p->q_offsets, p->kv_offsets, p->page_table, p->mask,
                         p->bias, p->slopes, p->rope, p->scratch, p->out, p->lse, p->weights);
}

#endif /* FV_OPS_ATTENTION_PROBLEM_H */
