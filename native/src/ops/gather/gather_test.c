#include "harness.h"

static void should_take_what_indices_name(fovea_engine *engine, int rows, int width, int k) {
  const fovea_gather_params p = {.struct_size = sizeof p,
                                 .rows = rows,
                                 .width = width,
                                 .k = k,
                                 .x_stride = width + 1,
                                 .indices_stride = k + 2,
                                 .out_stride = k + 3};
  const float *x = test_floats(rows * p.x_stride);
  int *indices = test_ints(rows * p.indices_stride);
  float *out = test_outputs(rows * p.out_stride);
  for (long long i = 0; i < rows * p.indices_stride; i++) indices[i] = test_random(0, width - 1);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_gather(engine, &p, x, indices, out));
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < k; i++) {
      const float want = x[r * p.x_stride + indices[r * p.indices_stride + i]];
      CHECK(out[r * p.out_stride + i] == want, "got %g for %g, %s", out[r * p.out_stride + i], want,
            test_describe(engine));
    }
    CHECK_UNTOUCHED(out + r * p.out_stride + k, 3);
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  should_take_what_indices_name(engine, 0, 4, 2);
  should_take_what_indices_name(engine, 1, 1, 1);
  should_take_what_indices_name(engine, 7, 33, 5);
  should_take_what_indices_name(engine, 300, 1000, 64);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  float *x = test_floats(64), *out = test_outputs(64);
  int *indices = test_ints(24);
  for (int i = 0; i < 24; i++) indices[i] = i % 8;
  const fovea_gather_params good = {.struct_size = sizeof good,
                                    .rows = 8,
                                    .width = 8,
                                    .k = 3,
                                    .x_stride = 8,
                                    .indices_stride = 3,
                                    .out_stride = 3};
  fovea_gather_params p = good;
#define CALL_WITH(status, field, value)                                  \
  do {                                                                   \
    p = good;                                                            \
    p.field = (value);                                                   \
    CHECK_STATUS(status, fovea_gather(engine, &p, x, indices, out));     \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_gather(NULL, &good, x, indices, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_gather(engine, NULL, x, indices, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_gather(engine, &good, NULL, indices, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_gather(engine, &good, x, NULL, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_gather(engine, &good, x, indices, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_gather(engine, &good, (const float *)((const char *)x + 2), indices, out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_gather(engine, &good, x, (const int *)((const char *)indices + 1), out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_gather(engine, &good, x, indices, (float *)((char *)out + 3)));
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, rows, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, width, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, k, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, x_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, indices_stride, 2);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, out_stride, 2);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, x_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, indices_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, out_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OUT_OF_RANGE, width, 7);
  indices[23] = -1; /* the last one: nothing of the rows before it may be there */
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_gather(engine, &good, x, indices, out));
  CHECK_UNTOUCHED(out, 64);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("gather");
}
