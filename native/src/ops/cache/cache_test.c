/* fovea_cache_append: what the pages hold, and that attention over them gives the bits of one call over tensors. */
#include "ops/attention/attention_problem.h"
#include "ops/cache/cache.h"

/* A cache of two sequences, beside the tensors that are appended to it. */
typedef struct cache {
  fovea_cache_append_params params;
  int *lengths, *page_table;
  void *k_pages, *v_pages;
} cache;

static cache make_cache(const problem *p, int dtype, int columns) {
  const fovea_attention_params *a = &p->params;
  cache c = {.lengths = test_ints(a->sequences), .page_table = test_ints(a->sequences * columns)};
  c.params = (fovea_cache_append_params){.struct_size = sizeof c.params,
                                         .sequences = a->sequences,
                                         .kv_heads = a->kv_heads,
                                         .head_dim = a->head_dim,
                                         .value_dim = a->value_dim,
                                         .dtype = a->kv_dtype,
                                         .cache_dtype = dtype,
                                         .rope = a->rope,
                                         .rope_dim = a->rope_dim,
                                         .rope_positions = a->rope_positions,
                                         .pages = a->sequences * columns,
                                         .page_table_stride = columns,
                                         .k_token_stride = a->k_token_stride,
                                         .k_head_stride = a->k_head_stride,
                                         .v_token_stride = a->v_token_stride,
                                         .v_head_stride = a->v_head_stride};
  for (int i = 0; i < a->sequences; i++) c.lengths[i] = 0;
  for (int i = 0; i < c.params.pages; i++) c.page_table[i] = c.params.pages - 1 - i;
  const long long rows = (long long)c.params.pages * a->kv_heads * FOVEA_PAGE_KEYS;
  c.k_pages = test_aligned(rows * fv_cached_bytes(dtype, a->head_dim));
  c.v_pages = test_aligned(rows * fv_cached_bytes(dtype, a->value_dim));
  return c;
}

/* Appends tokens of each sequence, from where it is. */
static int append_tokens(fovea_engine *engine, cache *c, const problem *p, int tokens) {
  int status = FOVEA_STATUS_OK;
  for (int s = 0; s < c->params.sequences && status == FOVEA_STATUS_OK; s++) {
    const int offsets[] = {0, tokens};
    const long long from = p->kv_offsets[s] + c->lengths[s];
    fovea_cache_append_params one = c->params;
    one.sequences = 1;
    status = fovea_cache_append(engine, &one, (float *)p->k + from * one.k_token_stride,
                                (float *)p->v + from * one.v_token_stride, offsets, c->lengths + s,
                                c->page_table + s * one.page_table_stride, p->rope, c->k_pages, c->v_pages);
    if (status == FOVEA_STATUS_OK) c->lengths[s] += tokens;
  }
  return status;
}

/* The last queries of each sequence, attending to what the cache holds. */
static problem over_cache(const problem *p, cache *c, int queries) {
  problem few = *p;
  few.k = c->k_pages;
  few.v = c->v_pages;
  few.page_table = c->page_table;
  few.params.pages = c->params.pages;
  few.params.page_table_stride = c->params.page_table_stride;
  few.params.kv_dtype = c->params.cache_dtype;
  few.params.rope_keys = 0;
  few.params.sequences = 1;
  few.q_offsets = test_ints(2);
  few.kv_offsets = test_ints(2);
  few.q_offsets[0] = few.kv_offsets[0] = 0;
  few.q_offsets[1] = queries;
  return few;
}

/* Token by token, and 37 at a time, against one causal call over all. */
static void should_give_the_bits_of_one_call(fovea_engine *engine, geometry g, int n, int rope, int step) {
  const batch b = {2, {n, n}, {n, n}};
  const problem all = make_problem(engine, &b, g, (options){.left = -1, .rope = rope});
  CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &all));
  cache c = make_cache(&all, FOVEA_DTYPE_F32, n / FOVEA_PAGE_KEYS + 1);
  problem few = over_cache(&all, &c, step);
  few.out = test_outputs(step * all.params.out_token_stride);
  for (int length = step; length <= n; length += step) {
    CHECK_STATUS(FOVEA_STATUS_OK, append_tokens(engine, &c, &all, step));
    for (int s = 0; s < 2; s++) {
      const long long first = all.q_offsets[s] + length - step;
      few.q = (float *)all.q + first * all.params.q_token_stride;
      few.page_table = c.page_table + s * c.params.page_table_stride;
      few.kv_offsets[1] = length;
      CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &few));
      CHECK_SAME_BITS(few.out, all.out + first * all.params.out_token_stride, step * all.params.out_token_stride,
                      "%d tokens to %d, rope %d, %s", step, length, rope, test_describe(engine));
    }
  }
  test_release();
}

/* Values that lie on and beside the borders of rounding, against its definition. */
static void should_round_to_nearest_even(fovea_engine *engine, int dtype) {
  const float values[] = {0, -0.0f, 1, -2.5f, 65504, 65519.99f, 65520, 1e9f, -1e9f, 6.1e-5f, 5.96e-8f, 2.98e-8f,
                          2.981e-8f, 1.00048828125f, 1.00146484375f, 3.3895e38f, 1.00390625f, 1.01171875f, INFINITY,
                          -INFINITY, NAN, 1e-40f};
  enum { COUNT = sizeof values / sizeof *values };
  const batch b = {1, {1}, {1}};
  problem p = make_problem(engine, &b, (geometry){1, 1, COUNT, COUNT, 0, 0}, (options){.left = -1, .right = -1});
  memcpy(p.k, values, sizeof values);
  cache c = make_cache(&p, dtype, 1);
  CHECK_STATUS(FOVEA_STATUS_OK, append_tokens(engine, &c, &p, 1));
  const uint16_t *got = c.k_pages;
  for (int i = 0; i < COUNT; i++) {
    const double x = values[i], biggest = dtype == FOVEA_DTYPE_F16 ? 65504 : 3.3895313892515355e38;
    const int digits = dtype == FOVEA_DTYPE_F16 ? 11 : 8, least = dtype == FOVEA_DTYPE_F16 ? -24 : -133;
    int exponent;
    frexp(x, &exponent);
    const int unit = exponent - digits > least ? exponent - digits : least;
    double want = isfinite(x) ? ldexp(nearbyint(ldexp(x, -unit)), unit) : x;
    if (fabs(want) > biggest) want = copysign(INFINITY, want);
    double have;
    if (dtype == FOVEA_DTYPE_BF16) {
      have = element(got, dtype, i);
    } else {
      const int e = got[i] >> 10 & 31, m = got[i] & 1023;
      have = e == 31 ? (m ? NAN : INFINITY) : e == 0 ? ldexp(m, -24) : ldexp(m + 1024, e - 25);
      if (got[i] >> 15) have = -have;
    }
    CHECK(isnan(want) ? isnan(have) : have == want && signbit(have) == signbit(want),
          "%g became %g, want %g as dtype %d", x, have, want, dtype);
  }
  test_release();
}

/* A row of blocks as floats, and how far each may be from what it was made of: half a step, and what the scale rounds. */
static void read_q8_0(const char *row, int dim, float *out, float *tolerance) {
  for (int i = 0; i < dim; i++) {
    const char *block = row + i / 32 * 34;
    uint16_t half;
    memcpy(&half, block, sizeof half);
    const float scale = half >> 10 & 31 ? element(&half, FOVEA_DTYPE_F16, 0) : ldexpf((float)(half & 1023), -24);
    out[i] = scale * ((const signed char *)block)[2 + i % 32];
    tolerance[i] = 0.5f * scale + 0.07f * scale;
  }
}

/* Compares pages of Q8_0 with those in F32 that hold the same tokens, and puts into the latter what the former hold. */
static void check_blocks(const void *blocks, float *floats, int rows, int dim, const char *what) {
  float got[256], tolerance[256];
  for (int r = 0; r < rows; r++) {
    read_q8_0((const char *)blocks + r * fv_cached_bytes(FOVEA_LAYOUT_Q8_0, dim), dim, got, tolerance);
    float *row = floats + (long long)r * dim;
    for (int i = 0; i < dim; i++) {
      CHECK(fabsf(got[i] - row[i]) <= tolerance[i], "%s: %g became %g in row %d, column %d", what, row[i], got[i], r, i);
      row[i] = got[i];
    }
  }
}

/* What blocks hold is near what was appended, and attention to them gives the bits of the same values in F32. */
static void should_round_to_blocks(fovea_engine *engine, geometry g, int rope, int n) {
  const batch b = {1, {n}, {n}};
  const problem all = make_problem(engine, &b, g, (options){.left = -1, .rope = rope});
  const int columns = n / FOVEA_PAGE_KEYS + 1, rows = columns * g.kv_heads * FOVEA_PAGE_KEYS;
  cache floats = make_cache(&all, FOVEA_DTYPE_F32, columns), blocks = make_cache(&all, FOVEA_LAYOUT_Q8_0, columns);
  memset(floats.k_pages, 0, (size_t)rows * (size_t)g.head_dim * sizeof(float));
  memset(floats.v_pages, 0, (size_t)rows * (size_t)g.value_dim * sizeof(float));
  memset(blocks.k_pages, 0, (size_t)rows * (size_t)fv_cached_bytes(FOVEA_LAYOUT_Q8_0, g.head_dim));
  memset(blocks.v_pages, 0, (size_t)rows * (size_t)fv_cached_bytes(FOVEA_LAYOUT_Q8_0, g.value_dim));
  CHECK_STATUS(FOVEA_STATUS_OK, append_tokens(engine, &floats, &all, n));
  for (int length = 0; length < n;) { /* in steps of any size */
    const int step = n - length < 61 ? n - length : test_random(1, 61);
    CHECK_STATUS(FOVEA_STATUS_OK, append_tokens(engine, &blocks, &all, step));
    length += step;
  }
  check_blocks(blocks.k_pages, floats.k_pages, rows, g.head_dim, "keys");
  check_blocks(blocks.v_pages, floats.v_pages, rows, g.value_dim, "values");
  const int queries[] = {1, 3, 40};
  for (int i = 0; i < 3; i++) {
    problem narrow = over_cache(&all, &blocks, queries[i]), wide = over_cache(&all, &floats, queries[i]);
    narrow.q = wide.q = (float *)all.q + (n - queries[i]) * all.params.q_token_stride;
    narrow.kv_offsets[1] = wide.kv_offsets[1] = n;
    narrow.out = test_outputs(queries[i] * all.params.out_token_stride);
    wide.out = test_outputs(queries[i] * all.params.out_token_stride);
    CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &narrow));
    CHECK_STATUS(FOVEA_STATUS_OK, run_problem(engine, &wide));
    CHECK_SAME_BITS(narrow.out, wide.out, queries[i] * all.params.out_token_stride, "%d queries behind %d, heads %d/%d, %s",
                    queries[i], n, g.heads, g.kv_heads, test_describe(engine));
  }
  test_release();
}

/* NaN, infinity and what no scale of binary16 reaches: their block is NaN, those beside it are as ever. */
static void should_make_a_block_nan(fovea_engine *engine, float poison) {
  const batch b = {1, {1}, {1}};
  problem p = make_problem(engine, &b, (geometry){1, 1, 96, 32, 0, 0}, (options){.left = -1, .right = -1});
  ((float *)p.k)[40] = poison;
  cache c = make_cache(&p, FOVEA_LAYOUT_Q8_0, 1);
  CHECK_STATUS(FOVEA_STATUS_OK, append_tokens(engine, &c, &p, 1));
  for (int i = 0; i < 3; i++) {
    uint16_t half;
    memcpy(&half, (char *)c.k_pages + i * FV_CACHE_BLOCK_BYTES, sizeof half);
    CHECK(((half & 0x7c00) == 0x7c00) == (i == 1), "block %d has the scale %04x, %g was in block 1", i, half, poison);
  }
  test_release();
}

static void should_refuse_misuse(fovea_engine *engine) {
  const batch b = {2, {5, 5}, {5, 5}};
  const problem p =
      make_problem(engine, &b, (geometry){2, 2, 8, 8, 0, 0}, (options){.left = -1, .rope = FOVEA_ROPE_HALF});
  cache good = make_cache(&p, FOVEA_DTYPE_F32, 1);
#define REFUSE(status, place, value)                            \
  do {                                                          \
    cache c = good;                                             \
    c.place = (value);                                          \
    CHECK_STATUS(status, append_tokens(engine, &c, &p, 5));     \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, append_tokens(NULL, &good, &p, 5));
  REFUSE(FOVEA_STATUS_NULL_POINTER, k_pages, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, v_pages, NULL);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, v_pages, (char *)good.v_pages + 2);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.struct_size, 4);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.kv_heads, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.head_dim, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.value_dim, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.dtype, 3);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.cache_dtype, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.rope_dim, 5);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.pages, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.page_table_stride, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.k_token_stride, 3);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.v_head_stride, -1);
  REFUSE(FOVEA_STATUS_OVERFLOW, params.v_token_stride, 1LL << 62);
  REFUSE(FOVEA_STATUS_OUT_OF_RANGE, params.rope_positions, 4);
  REFUSE(FOVEA_STATUS_OUT_OF_RANGE, params.pages, 1); /* the table names page 1 */
  good.lengths[0] = 125;                             /* two tokens more than its page holds */
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, append_tokens(engine, &good, &p, 5));
  good.lengths[0] = -1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, append_tokens(engine, &good, &p, 5));
  cache blocks = good; /* head_dim 8 is no multiple of 32 */
  blocks.lengths[0] = 0;
  blocks.params.cache_dtype = FOVEA_LAYOUT_Q8_0;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, append_tokens(engine, &blocks, &p, 5));
  const unsigned char *page = good.k_pages;
  for (int i = 0; i < 64; i++) CHECK(page[i] == page[0], "a call that fails wrote to a page");
  test_release();
}

/* Blocks are a type of pages, and of whole blocks. */
static void should_refuse_blocks_elsewhere(fovea_engine *engine) {
  const batch b = {1, {1}, {130}};
  problem p = make_problem(engine, &b, (geometry){1, 1, 32, 32, 0, 0}, (options){.left = -1, .right = -1});
  p.params.kv_dtype = FOVEA_LAYOUT_Q8_0;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, run_problem(engine, &p));
  p = make_problem(engine, &b, (geometry){1, 1, 32, 48, 0, 0}, (options){.left = -1, .right = -1, .paged = 1});
  p.params.kv_dtype = FOVEA_LAYOUT_Q8_0;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, run_problem(engine, &p));
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (int rope = FOVEA_ROPE_NONE; rope <= FOVEA_ROPE_HALF; rope++) {
    should_give_the_bits_of_one_call(engine, (geometry){4, 2, 40, 24, 3, 0}, 300, rope, 1);
    should_give_the_bits_of_one_call(engine, (geometry){3, 1, 64, 64, 0, 0}, 37 * 9, rope, 37);
  }
  should_give_the_bits_of_one_call(engine, (geometry){1, 1, 16, 16, 0, 0}, 2100, FOVEA_ROPE_HALF, 70);
  /* One, two, three and four rows, which are not packed. */
  should_give_the_bits_of_one_call(engine, (geometry){2, 2, 32, 48, 1, 0}, 150, FOVEA_ROPE_HALF, 1);
  should_give_the_bits_of_one_call(engine, (geometry){4, 2, 128, 144, 0, 0}, 150, FOVEA_ROPE_HALF, 1);
  should_give_the_bits_of_one_call(engine, (geometry){3, 1, 64, 16, 0, 0}, 150, FOVEA_ROPE_NONE, 1);
  should_give_the_bits_of_one_call(engine, (geometry){4, 1, 80, 64, 0, 0}, 150, FOVEA_ROPE_HALF, 1);
  for (int rope = FOVEA_ROPE_NONE; rope <= FOVEA_ROPE_HALF; rope++) {
    should_round_to_blocks(engine, (geometry){4, 2, 64, 32, 0, 0}, rope, 200);
    should_round_to_blocks(engine, (geometry){6, 2, 96, 128, 0, 0}, rope, 140);
  }
  should_make_a_block_nan(engine, NAN);
  should_make_a_block_nan(engine, INFINITY);
  should_make_a_block_nan(engine, -1e9f);
  should_round_to_nearest_even(engine, FOVEA_DTYPE_F16);
  should_round_to_nearest_even(engine, FOVEA_DTYPE_BF16);
}

int main(void) {
  test_each_engine(on_engine);
  fovea_engine *engine = test_engine(2);
  should_refuse_misuse(engine);
  should_refuse_blocks_elsewhere(engine);
  fovea_engine_destroy(engine);
  return test_finish("cache");
}
