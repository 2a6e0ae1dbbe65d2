/* fovea_attention against the naive formulas, and its promises about bits. */
#include "ops/attention/attention_reference.h"

enum { MOST_KEYS = 3000 };

static const geometry geometries[] = {
    {1, 1, 1, 1, 0, 0},    {2, 2, 32, 32, 0, 0},  {3, 1, 40, 24, 3, 0},     {4, 2, 59, 61, 1, 0},
    {1, 1, 64, 96, 0, 0},  {2, 1, 80, 7, 5, -0.3f}, {1, 1, 128, 128, 0, 0}, {1, 1, 17, 256, 0, 1.0f},
};

/* Below, at and above a vector, a panel, a key block, a block of rows, a chunk of keys. */
static const batch batches[] = {
    {0, {0}, {0}},
    {1, {1}, {1}},
    {6, {0, 1, 5, 0, 17, 0}, {3, 1, 5, 0, 17, 9}},
    {4, {15, 16, 17, 31}, {15, 16, 17, 31}},
    {3, {2, 64, 33}, {97, 1, 0}},
    {3, {127, 128, 129}, {127, 128, 129}},
    {2, {256, 257}, {130, 300}},
    {2, {3, 1}, {1025, 2049}},
};

static const options plain = {.left = -1, .right = -1};

/* Any options that the batch and geometry allow; often none. */
static options draw(const batch *b, geometry g) {
  options o = plain;
  if (test_random(0, 2) == 0) o.q_dtype = test_random(0, 2);
  if (test_random(0, 2) == 0) o.kv_dtype = test_random(0, 2);
  if (test_random(0, 1)) o.right = test_random(0, 1) ? 0 : test_random(-1, 200);
  if (test_random(0, 2) == 0) o.left = test_random(-1, 200);
  o.alignment = test_random(0, 1);
  if (test_random(0, 3) == 0) o.softcap = 0.3f * (float)test_random(1, 9);
  o.mask = test_random(0, 2) == 0;
  o.bias = test_random(0, 2) == 0;
  o.bias_rows = o.bias && test_random(0, 1);
  o.alibi = test_random(0, 3) == 0;
  o.padded = test_random(0, 2) == 0;
  o.paged = test_random(0, 2) == 0;
  o.lse = test_random(0, 1);
  o.weights = test_random(0, 2) == 0;
  o.rope = g.head_dim > 1 ? test_random(0, 2) : 0;
  for (int s = 0; s < b->sequences; s++) { /* no positions before the first key */
    if (b->queries[s] > b->keys[s] && o.alignment == FOVEA_ALIGN_BOTTOM_RIGHT) o.rope = 0;
  }
  return o;
}

/* Results, what they should be and what naive floats make of them. */
typedef struct results {
  float *got, *naive;
  double *want;
  long long count, capacity;
} results;

static void add(results *r, float got, double want, float naive) {
  if (want == -INFINITY && got == want) return;
  if (r->count == r->capacity) {
    r->capacity = 2 * r->capacity + 1024;
    r->got = realloc(r->got, (size_t)r->capacity * sizeof *r->got);
    r->naive = realloc(r->naive, (size_t)r->capacity * sizeof *r->naive);
    r->want = realloc(r->want, (size_t)r->capacity * sizeof *r->want);
  }
  r->got[r->count] = got;
  r->want[r->count] = want;
  r->naive[r->count++] = naive;
}

static void check_results(results *r, const problem *p, const char *what, fovea_engine *engine) {
  const fovea_attention_params *a = &p->params;
  CHECK_CLOSE(r->got, r->want, r->naive, r->count, "%s of %d sequences of up to %dx%d, %d/%d heads of %d and %d, %s",
              what, a->sequences, p->longest_query, p->longest_key, a->heads, a->kv_heads, a->head_dim, a->value_dim,
              test_describe(engine));
  free(r->got);
  free(r->naive);
  free(r->want);
}

/* One row of a problem into the results. */
static void add_row(const problem *p, int s, int h, int i, results *out, results *lse, results *weights) {
  static double want[MOST_KEYS], want_weights[MOST_KEYS];
  static float naive[MOST_KEYS], naive_weights[MOST_KEYS];
  const fovea_attention_params *a = &p->params;
  const int keys = p->kv_offsets[s + 1] - p->kv_offsets[s];
  double want_lse;
  float naive_lse;
  attend_double(p, s, h, i, want_weights, want, &want_lse);
  attend_float(p, s, h, i, naive_weights, naive, &naive_lse);
  for (int d = 0; d < a->value_dim; d++) add(out, p->out[out_at(p, s, i, h) + d], want[d], naive[d]);
  if (p->lse) {
    const long long at = token_start(a->lse_sequence_stride, p->q_offsets, s, i, 1) + h * a->lse_head_stride;
    add(lse, p->lse[at], want_lse, naive_lse);
  }
  if (p->weights) {
    const float *row = p->weights + h * a->weights_head_stride +
                       token_start(a->weights_sequence_stride, p->q_offsets, s, i, a->weights_token_stride);
    for (int j = 0; j < keys; j++) {
      add(weights, row[j], want_weights[j], naive_weights[j]);
      CHECK(row[j] == 0 || attends(p, s, h, i, j), "weight %g of masked key %d, query %d", row[j], j, i);
    }
    CHECK_UNTOUCHED(row + keys, a->weights_token_stride - keys);
  }
}

static void should_match_reference(fovea_engine *engine, const batch *b, geometry g, options o) {
  const problem p = make_problem(engine, b, g, o);
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &p));
  results out = {0}, lse = {0}, weights = {0};
  add(&lse, 1, 1, 1); /* a sum of exponentials is near 1 and its error relative to that */
  const int step = p.longest_query * p.longest_key > 4000 ? 11 : 1; /* the reference is slow */
  for (int s = 0; s < b->sequences; s++) {
    for (int i = 0; i < b->queries[s]; i += step) {
      for (int h = 0; h < g.heads; h++) add_row(&p, s, h, i, &out, &lse, &weights);
      CHECK_UNTOUCHED(p.out + out_at(&p, s, i, 0) + g.heads * g.value_dim, g.gap);
    }
  }
  check_results(&out, &p, "outputs", engine);
  check_results(&lse, &p, "lse", engine);
  check_results(&weights, &p, "weights", engine);
  test_release();
}

static void should_give_a_sequence_the_same_bits_when_alone(fovea_engine *engine, options o) {
  const batch b = {5, {7, 140, 1, 300, 64}, {7, 140, 1, 300, 64}};
  const problem all = make_problem(engine, &b, (geometry){4, 2, 32, 32, 0, 0}, o);
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &all));
  for (int s = 0; s < b.sequences; s++) {
    problem one = all;
    int alone[2] = {0, b.queries[s]};
    one.params.sequences = 1;
    one.q_offsets = one.kv_offsets = alone;
    one.q = (float *)one.q + all.q_offsets[s] * all.params.q_token_stride;
    one.k = (float *)one.k + all.q_offsets[s] * all.params.k_token_stride;
    one.v = (float *)one.v + all.q_offsets[s] * all.params.v_token_stride;
    const long long floats = b.queries[s] * all.params.out_token_stride;
    one.out = test_outputs(floats);
    CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &one));
    CHECK_SAME_BITS(one.out, all.out + all.q_offsets[s] * all.params.out_token_stride, floats,
                    "sequence %d alone, %s", s, test_describe(engine));
  }
  test_release();
}

/* The last queries alone, with few rows and their keys shared out between threads, against the whole. */
static void should_give_a_query_the_same_bits_in_any_company(fovea_engine *engine, options o) {
  const int n = 2500;
  const batch b = {1, {n}, {n}};
  const problem all = make_problem(engine, &b, (geometry){2, 1, 16, 24, 0, 0}, o);
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &all));
  const int counts[] = {1, 2, 40};
  for (int c = 0; c < 3; c++) {
    for (int end = counts[c]; end <= n; end += 511) {
      problem few = all;
      int queries[2] = {0, counts[c]}, keys[2] = {0, end};
      few.q_offsets = queries;
      few.kv_offsets = keys;
      few.q = (float *)all.q + (end - counts[c]) * all.params.q_token_stride;
      few.out = test_outputs(counts[c] * all.params.out_token_stride);
      CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &few));
      CHECK_SAME_BITS(few.out, all.out + (end - counts[c]) * all.params.out_token_stride,
                      counts[c] * all.params.out_token_stride, "%d queries before key %d, %s", counts[c], end,
                      test_describe(engine));
    }
  }
  test_release();
}

/* Scores far beyond what e^x holds: the weights must come out as 0 and 1, not as NaN. */
static void should_not_overflow_on_huge_scores(fovea_engine *engine) {
  const batch b = {1, {3}, {200}};
  const problem p = make_problem(engine, &b, (geometry){1, 1, 8, 4, 0, 1}, plain);
  float *q = p.q, *k = p.k, *v = p.v;
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j < 200; j++) k[j * p.params.k_token_stride + i] = j == 150 ? 1e15f : -1e15f;
    q[i] = 1e15f;                            /* attends to key 150 alone */
    q[p.params.q_token_stride + i] = -1e15f; /* to all others */
    q[2 * p.params.q_token_stride + i] = 0;  /* to all */
  }
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &p));
  for (int i = 0; i < 4; i++) {
    double all = 0;
    for (int j = 0; j < 200; j++) all += v[j * p.params.v_token_stride + i];
    const float only = v[150 * p.params.v_token_stride + i];
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
  const problem p = make_problem(engine, &b, (geometry){1, 1, 16, 16, 0, 0}, plain);
  ((float *)p.q)[9 * p.params.q_token_stride + 3] = NAN;
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &p));
  for (int i = 0; i < 21 * 16; i++) {
    CHECK(isnan(p.out[i]) == (i / 16 == 9), "got %g at %d, NaN only in query 9", p.out[i], i);
  }
  test_release();
}

/* NaN and infinity in masked keys and values: the others' bits are those of the same call without them. */
static void should_keep_what_is_masked_from_the_output(fovea_engine *engine, options o, float poison) {
  const batch b = {1, {200}, {200}};
  const problem clean = make_problem(engine, &b, (geometry){2, 2, 16, 20, 0, 0}, o);
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &clean));
  problem bad = clean;
  bad.out = test_outputs(clean.out_floats);
  for (int j = 5; j < 200; j += 60) {
    for (int h = 0; h < 2; h++) {
      ((float *)bad.k)[key_at(&bad, 0, 0, j, h) + 7] = poison;
      ((float *)bad.v)[key_at(&bad, 1, 0, j, h) + 9] = poison;
    }
    if (bad.mask) {
      for (int i = 0; i < 200; i++) bad.mask[i * bad.params.mask_query_stride + j] = 0;
    }
  }
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &bad));
  if (bad.mask) CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &clean)); /* again, with the changed mask */
  for (int i = 0; i < 200; i++) {
    for (int h = 0; h < 2; h++) {
      int reached = 0;
      for (int j = 5; j < 200; j += 60) reached |= attends(&bad, 0, h, i, j);
      if (reached) continue;
      for (int d = 0; d < 20; d++) {
        const float got = bad.out[out_at(&bad, 0, i, h) + d];
        CHECK(isfinite(got), "got %g in query %d, which attends to no %g, %s", got, i, poison, test_describe(engine));
      }
      if (!bad.mask) {
        CHECK_SAME_BITS(bad.out + out_at(&bad, 0, i, h), clean.out + out_at(&bad, 0, i, h), 20, "query %d, %s", i,
                        test_describe(engine));
      }
    }
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
    for (size_t g = 0; g < sizeof geometries / sizeof *geometries; g++) {
      should_match_reference(engine, &batches[b], geometries[g], plain);
      for (int i = 0; i < 3; i++) {
        should_match_reference(engine, &batches[b], geometries[g], draw(&batches[b], geometries[g]));
      }
    }
  }
  const options causal = {.left = -1}, window = {.left = 700, .right = 0};
  const options masked = {.left = -1, .right = -1, .mask = 1};
  should_give_a_sequence_the_same_bits_when_alone(engine, plain);
  should_give_a_sequence_the_same_bits_when_alone(engine, causal);
  should_give_a_query_the_same_bits_in_any_company(engine, causal);
  should_give_a_query_the_same_bits_in_any_company(engine, window);
  should_not_overflow_on_huge_scores(engine);
  should_keep_a_nan_to_its_query(engine);
  const float poisons[] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++) {
    should_keep_what_is_masked_from_the_output(engine, causal, poisons[i]);
    should_keep_what_is_masked_from_the_output(engine, (options){.left = 3, .right = 1}, poisons[i]);
    should_keep_what_is_masked_from_the_output(engine, masked, poisons[i]);
  }
}

int main(void) {
  test_each_engine(on_engine);
  return test_finish("attention");
}
