#include "harness.h"

enum { SEQUENCES = 3 };

typedef struct problem {
  fovea_relative_bias_params params;
  float *by_query, *by_key, *out;
  int *bucket_of, *offsets;
} problem;

static problem problem_of(int heads, int buckets, int keys, bool one_row, bool takes_keys) {
  const int columns = heads * buckets;
  problem x = {.params = {.struct_size = sizeof x.params,
                          .sequences = SEQUENCES,
                          .heads = heads,
                          .buckets = buckets,
                          .keys = keys,
                          .by_query_stride = one_row ? 0 : columns + 1,
                          .by_key_stride = takes_keys ? columns + 2 : 0,
                          .out_stride = heads * keys + 3},
               .offsets = test_ints(SEQUENCES + 1),
               .bucket_of = test_ints(2 * keys - 1)};
  const int lengths[SEQUENCES] = {keys, 0, keys / 2 + 1};
  x.offsets[0] = 0;
  for (int s = 0; s < SEQUENCES; s++) x.offsets[s + 1] = x.offsets[s] + lengths[s];
  for (int i = 0; i < 2 * keys - 1; i++) x.bucket_of[i] = test_random(0, buckets - 1);
  const int tokens = x.offsets[SEQUENCES];
  x.by_query = test_floats(one_row ? columns : tokens * x.params.by_query_stride);
  x.by_key = takes_keys ? test_floats(tokens * x.params.by_key_stride) : NULL;
  x.out = test_outputs(tokens * x.params.out_stride);
  return x;
}

static int call(fovea_engine *engine, const problem *x) {
  return fovea_relative_bias(engine, &x->params, x->by_query, x->by_key, x->bucket_of, x->offsets, x->out);
}

static void should_add_what_buckets_name(fovea_engine *engine, int heads, int buckets, int keys, bool one_row,
                                         bool takes_keys) {
  const problem x = problem_of(heads, buckets, keys, one_row, takes_keys);
  const fovea_relative_bias_params *p = &x.params;
  CHECK_STATUS(FOVEA_STATUS_OK, call(engine, &x));
  for (int s = 0; s < SEQUENCES; s++) {
    const int first = x.offsets[s], count = x.offsets[s + 1] - first;
    for (int i = 0; i < count; i++) {
      const float *row = x.out + (first + i) * p->out_stride;
      for (int h = 0; h < heads; h++) {
        for (int j = 0; j < count; j++) {
          const int column = h * buckets + x.bucket_of[keys - 1 + j - i];
          const float want = x.by_query[(first + i) * p->by_query_stride + column] +
                             (takes_keys ? x.by_key[(first + j) * p->by_key_stride + column] : 0);
          CHECK(row[h * keys + j] == want, "got %g for %g, %s", row[h * keys + j], want, test_describe(engine));
        }
        CHECK_UNTOUCHED(row + h * keys + count, keys - count);
      }
      CHECK_UNTOUCHED(row + heads * keys, 3);
    }
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (int i = 0; i < 4; i++) {
    should_add_what_buckets_name(engine, 1, 1, 1, i & 1, i & 2);
    should_add_what_buckets_name(engine, 3, 8, 17, i & 1, i & 2);
    should_add_what_buckets_name(engine, 12, 32, 200, i & 1, i & 2);
  }
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  const problem good = problem_of(2, 4, 5, false, true);
  problem x = good;
#define CALL_WITH(status, field, value)     \
  do {                                      \
    x = good;                               \
    x.field = (value);                      \
    CHECK_STATUS(status, call(engine, &x)); \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, call(NULL, &good));
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, by_query, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, bucket_of, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, offsets, NULL);
  CALL_WITH(FOVEA_STATUS_NULL_POINTER, out, NULL);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, by_key, (float *)((char *)good.by_key + 2));
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.struct_size, 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.sequences, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.heads, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.buckets, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.keys, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.reserved, 1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.by_query_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.by_key_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.out_stride, 9);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, params.heads, 1 << 30);
  CALL_WITH(FOVEA_STATUS_OUT_OF_RANGE, params.keys, 4);
  CALL_WITH(FOVEA_STATUS_OUT_OF_RANGE, params.buckets, 1);
  good.bucket_of[8] = -1; /* the last one */
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, call(engine, &good));
  CHECK_UNTOUCHED(good.out, good.params.out_stride);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("relative_bias");
}
