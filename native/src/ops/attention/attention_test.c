#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One query of one head in the type that the name says: scores, maximum, weights, sum. */
#define DEFINE_REFERENCE(name, real, exponential)                                                                 \
  static void name(const float *q, const float *k, const float *v, int keys, int head_dim, int value_dim,        \
                   long long k_stride, long long v_stride, real scale, real *weights, real *out) {                \
    real peak = -(real)INFINITY, sum = 0;                                                                         \
    for (int j = 0; j < keys; j++) {                                                                              \
      real score = 0;                                                                                             \
      for (int i = 0; i < head_dim; i++) score += (real)q[i] * (real)k[j * k_stride + i];                        \
      weights[j] = score * scale;                                                                                 \
      peak = weights[j] > peak ? weights[j] : peak;                                                               \
    }                                                                                                             \
    for (int j = 0; j < keys; j++) sum += weights[j] = exponential(weights[j] - peak);                           \
    for (int i = 0; i < value_dim; i++) {                                                                         \
      real value = 0;                                                                                             \
      for (int j = 0; j < keys; j++) value += weights[j] / sum * (real)v[j * v_stride + i];                      \
      out[i] = value;                                                                                             \
    }                                                                                                             \
  }
DEFINE_REFERENCE(reference_double, double, exp)
DEFINE_REFERENCE(reference_float, float, expf)

typedef struct geometry {
  int heads, kv_heads, head_dim, value_dim, gap;
  float scale; /* 0: 1 / sqrt(head_dim) */
} geometry;

static const geometry geometries[] = {
    {1, 1, 1, 1, 0, 0},    {2, 2, 32, 32, 0, 0},  {3, 1, 40, 24, 3, 0},     {4, 2, 59, 61, 1, 0},
    {1, 1, 64, 96, 0, 0},  {2, 1, 80, 7, 5, -0.3f}, {1, 1, 128, 128, 0, 0}, {1, 1, 17, 256, 0, 1.0f},
};

/* Query and key lengths of ragged batches: below, at and above a vector, a panel, a key block, a query block. */
typedef struct batch {
  int sequences;
  int queries[6], keys[6];
} batch;

static const batch batches[] = {
    {0, {0}, {0}},
    {1, {1}, {1}},
    {6, {0, 1, 5, 0, 17, 0}, {3, 1, 5, 0, 17, 9}},
    {4, {15, 16, 17, 31}, {15, 16, 17, 31}},
    {3, {2, 64, 33}, {97, 1, 0}},
    {3, {127, 128, 129}, {127, 128, 129}},
    {2, {256, 257}, {130, 300}},
};

/* One batch under one geometry, laid out as the fused product [tokens, q heads | k heads | v heads]. */
typedef struct problem {
  fovea_attention_params params;
  int *q_offsets, *kv_offsets;
  float *q, *k, *v, *out;
  void *scratch;
  long long out_floats;
} problem;

static problem make(fovea_engine *engine, const batch *b, geometry g) {
  problem p = {.q_offsets = test_ints(b->sequences + 1), .kv_offsets = test_ints(b->sequences + 1)};
  p.q_offsets[0] = p.kv_offsets[0] = 0;
  for (int s = 0; s < b->sequences; s++) {
    p.q_offsets[s + 1] = p.q_offsets[s] + b->queries[s];
    p.kv_offsets[s + 1] = p.kv_offsets[s] + b->keys[s];
  }
  const long long queries = p.q_offsets[b->sequences], keys = p.kv_offsets[b->sequences];
  p.params = (fovea_attention_params){.struct_size = sizeof p.params,
                                      .sequences = b->sequences,
                                      .heads = g.heads,
                                      .kv_heads = g.kv_heads,
                                      .head_dim = g.head_dim,
                                      .value_dim = g.value_dim,
                                      .scale = g.scale == 0 ? 1 / sqrtf((float)g.head_dim) : g.scale,
                                      .q_head_stride = g.head_dim,
                                      .q_token_stride = g.heads * g.head_dim + g.gap,
                                      .k_head_stride = g.head_dim + g.gap,
                                      .k_token_stride = g.kv_heads * (g.head_dim + g.gap),
                                      .v_head_stride = g.value_dim * keys + 1, /* [heads, tokens, dim] */
                                      .v_token_stride = g.value_dim,
                                      .out_head_stride = g.value_dim,
                                      .out_token_stride = g.heads * g.value_dim + g.gap};
  p.q = test_floats(queries * p.params.q_token_stride);
  p.k = test_floats(keys * p.params.k_token_stride);
  p.v = test_floats(g.kv_heads * p.params.v_head_stride);
  p.out_floats = queries * p.params.out_token_stride;
  p.out = test_outputs(p.out_floats);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_attention_scratch_bytes(engine, &p.params, &p.params.scratch_bytes));
  p.scratch = test_aligned(p.params.scratch_bytes);
  return p;
}

static int run(fovea_engine *engine, const problem *p) {
  return fovea_attention(engine, &p->params, p->q, p->k, p->v, p->q_offsets, p->kv_offsets, p->scratch, p->out);
}

static void should_match_reference(fovea_engine *engine, const batch *b, geometry g) {
  const problem p = make(engine, b, g);
  CHECK_STATUS(FOVEA_STATUS_OK, run(engine, &p));
  const long long count = (long long)p.q_offsets[b->sequences] * g.heads * g.value_dim;
  double *want = calloc((size_t)count + 1, sizeof *want), weights[512];
  float *naive = calloc((size_t)count + 1, sizeof *naive), *dense = calloc((size_t)count + 1, sizeof *dense);
  float float_weights[512];
  for (int s = 0; s < b->sequences; s++) {
    for (int i = 0; i < b->queries[s]; i++) {
      for (int h = 0; h < g.heads; h++) {
        const int kv_head = h / (g.heads / g.kv_heads), keys = b->keys[s];
        const long long token = p.q_offsets[s] + i, key = p.kv_offsets[s];
        const float *q = p.q + token * p.params.q_token_stride + h * p.params.q_head_stride;
        const float *k = p.k + key * p.params.k_token_stride + kv_head * p.params.k_head_stride;
        const float *v = p.v + key * p.params.v_token_stride + kv_head * p.params.v_head_stride;
        const long long at = (token * g.heads + h) * g.value_dim;
        reference_double(q, k, v, keys, g.head_dim, g.value_dim, p.params.k_token_stride, p.params.v_token_stride,
                         p.params.scale, weights, want + at);
        reference_float(q, k, v, keys, g.head_dim, g.value_dim, p.params.k_token_stride, p.params.v_token_stride,
                        p.params.scale, float_weights, naive + at);
        memcpy(dense + at, p.out + token * p.params.out_token_stride + h * p.params.out_head_stride,
               (size_t)g.value_dim * sizeof(float));
      }
      CHECK_UNTOUCHED(p.out + (p.q_offsets[s] + i) * p.params.out_token_stride + g.heads * g.value_dim, g.gap);
    }
  }
  CHECK_CLOSE(dense, want, naive, count, "%d sequences from %dx%d, %d/%d heads of %d and %d, %s", b->sequences,
              b->queries[0], b->keys[0], g.heads, g.kv_heads, g.head_dim, g.value_dim, test_describe(engine));
  free(want);
  free(naive);
  free(dense);
  test_release();
}

static void should_give_a_sequence_the_same_bits_when_alone(fovea_engine *engine) {
  const batch b = {5, {7, 140, 1, 300, 64}, {7, 140, 1, 300, 64}};
  const problem all = make(engine, &b, (geometry){3, 3, 32, 32, 0, 0});
  CHECK_STATUS(FOVEA_STATUS_OK, run(engine, &all));
  for (int s = 0; s < b.sequences; s++) {
    problem one = all;
    int alone[2] = {0, b.queries[s]};
    one.params.sequences = 1;
    one.q_offsets = one.kv_offsets = alone;
    one.q += all.q_offsets[s] * all.params.q_token_stride;
    one.k += all.q_offsets[s] * all.params.k_token_stride;
    one.v += all.q_offsets[s] * all.params.v_token_stride;
    const long long floats = b.queries[s] * all.params.out_token_stride;
    one.out = test_outputs(floats);
    CHECK_STATUS(FOVEA_STATUS_OK, run(engine, &one));
    CHECK_SAME_BITS(one.out, all.out + all.q_offsets[s] * all.params.out_token_stride, floats,
                    "sequence %d alone, %s", s, test_describe(engine));
  }
  test_release();
}

/* Scores far beyond what e^x holds: the weights must come out as 0 and 1, not as NaN. */
static void should_not_overflow_on_huge_scores(fovea_engine *engine) {
  const batch b = {1, {3}, {200}};
  const problem p = make(engine, &b, (geometry){1, 1, 8, 4, 0, 1});
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j < 200; j++) p.k[j * p.params.k_token_stride + i] = j == 150 ? 1e15f : -1e15f;
    p.q[i] = 1e15f;                             /* attends to key 150 alone */
    p.q[p.params.q_token_stride + i] = -1e15f;  /* to all others */
    p.q[2 * p.params.q_token_stride + i] = 0;   /* to all */
  }
  CHECK_STATUS(FOVEA_STATUS_OK, run(engine, &p));
  for (int i = 0; i < 4; i++) {
    double all = 0;
    for (int j = 0; j < 200; j++) all += p.v[j * p.params.v_token_stride + i];
    const float only = p.v[150 * p.params.v_token_stride + i];
    CHECK(p.out[i] == only, "got %g, want %g", p.out[i], only);
    CHECK(fabs(p.out[p.params.out_token_stride + i] - (all - only) / 199) < 1e-6, "got %g, want %g",
          p.out[p.params.out_token_stride + i], (all - only) / 199);
    CHECK(fabs(p.out[2 * p.params.out_token_stride + i] - all / 200) < 1e-6, "got %g, want %g",
          p.out[2 * p.params.out_token_stride + i], all / 200);
  }
  test_release();
}

static void should_keep_a_nan_to_its_query(fovea_engine *engine) {
  const batch b = {1, {21}, {150}};
  const problem p = make(engine, &b, (geometry){1, 1, 16, 16, 0, 0});
  p.q[9 * p.params.q_token_stride + 3] = NAN;
  CHECK_STATUS(FOVEA_STATUS_OK, run(engine, &p));
  for (int i = 0; i < 21 * 16; i++) {
    CHECK(isnan(p.out[i]) == (i / 16 == 9), "got %g at %d, NaN only in query 9", p.out[i], i);
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
    for (size_t g = 0; g < sizeof geometries / sizeof *geometries; g++) {
      should_match_reference(engine, &batches[b], geometries[g]);
    }
  }
  should_give_a_sequence_the_same_bits_when_alone(engine);
  should_not_overflow_on_huge_scores(engine);
  should_keep_a_nan_to_its_query(engine);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(2);
  const batch b = {2, {3, 4}, {3, 4}};
  const problem good = make(engine, &b, (geometry){4, 2, 8, 8, 0, 0});
  problem p = good;
  long long bytes = -7;
#define CALL_WITH(status, place, value)  \
  do {                                   \
    p = good;                            \
    p.place = (value);                   \
    CHECK_STATUS(status, run(engine, &p)); \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, run(NULL, &p));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_attention_scratch_bytes(engine, NULL, &bytes));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_attention_scratch_bytes(engine, &p.params, NULL));
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, q, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, k, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, v, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, q_offsets, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, kv_offsets, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, scratch, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, out, NULL);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, scratch, (char *)good.scratch + 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.struct_size, 8);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.sequences, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.heads, 3);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.kv_heads, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.head_dim, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.value_dim, -8);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.scale, NAN);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.scale, INFINITY);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.reserved, 1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.scratch_bytes, good.params.scratch_bytes - 1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.q_token_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.k_head_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.out_head_stride, -8);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.value_dim, 0x7fffffff); /* the scratch is too small for it */
  CALL_WITH(FOVEA_STATUS_OVERFLOW, params.v_token_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, params.out_token_stride, 1LL << 61);
  p = good;
  good.q_offsets[0] = 1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, run(engine, &p));
  good.q_offsets[0] = 0;
  good.kv_offsets[1] = 8;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, run(engine, &p));
  CHECK_UNTOUCHED(good.out, good.out_floats);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("attention");
}
