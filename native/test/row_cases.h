/*
 * The cases that every op's test runs that maps each row of x on one of out and takes nothing else. The including test
 * defines first
 *
 *   row_params  the ABI's parameters of the op
 *   row_op      its ABI call
 *   reference   one row in double
 */
#ifndef FV_ROW_CASES_H
#define FV_ROW_CASES_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

typedef struct shape {
  int rows, width, x_gap, out_gap; /* stride = width + gap */
} shape;

static const shape shapes[] = {
    {0, 5, 0, 0},  {1, 1, 0, 0},  {1, 3, 0, 1},  {2, 4, 1, 0},   {3, 7, 2, 3},   {5, 8, 0, 0},     {2, 15, 1, 1},
    {2, 16, 0, 0}, {2, 17, 3, 1}, {3, 65, 5, 0}, {4, 384, 0, 0}, {7, 511, 1, 2}, {260, 130, 1, 1}, {2, 4097, 0, 3},
};

static row_params params_of(shape s) {
  return (row_params){.struct_size = sizeof(row_params),
                      .rows = s.rows,
                      .width = s.width,
                      .x_stride = s.width + s.x_gap,
                      .out_stride = s.width + s.out_gap};
}

static void should_match_reference(fovea_engine *engine, shape s) {
  const row_params p = params_of(s);
  const float *x = test_floats(s.rows * p.x_stride);
  float *out = test_outputs(s.rows * p.out_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  const long long count = (long long)s.rows * s.width;
  double *want = calloc((size_t)count + 1, sizeof *want);
  float *dense = calloc((size_t)count + 1, sizeof *dense);
  for (int r = 0; r < s.rows; r++) {
    reference(x + r * p.x_stride, s.width, want + (long long)r * s.width);
    memcpy(dense + (long long)r * s.width, out + r * p.out_stride, (size_t)s.width * sizeof(float));
    CHECK_UNTOUCHED(out + r * p.out_stride + s.width, s.out_gap);
  }
  CHECK_CLOSE(dense, want, NULL, count, "%dx%d, %s", s.rows, s.width, test_describe(engine));
  free(want);
  free(dense);
  test_release();
}

static void should_give_a_row_the_same_bits_when_alone_and_in_place(fovea_engine *engine) {
  row_params p = params_of((shape){301, 387, 0, 0});
  const long long count = p.rows * p.x_stride;
  float *x = test_floats(count), *out = test_outputs(count), *alone = test_outputs(p.width);
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  const int rows = p.rows;
  p.rows = 1;
  for (int r = 0; r < rows; r += 37) {
    CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x + r * p.x_stride, alone));
    CHECK_SAME_BITS(alone, out + r * p.out_stride, p.width, "row %d alone, %s", r, test_describe(engine));
  }
  p.rows = rows;
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, x));
  CHECK_SAME_BITS(x, out, count, "in place, %s", test_describe(engine));
  test_release();
}

static void should_keep_a_nan_to_its_row(fovea_engine *engine) {
  const row_params p = params_of((shape){3, 21, 0, 0});
  float *x = test_floats(3 * 21), *out = test_outputs(3 * 21);
  for (int at = 21; at < 42; at++) {
    const float kept = x[at];
    x[at] = NAN;
    CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
    for (int i = 0; i < 3 * 21; i++) {
      CHECK(isnan(out[i]) == (i / 21 == 1), "got %g at %d, NaN only in row 1, %s", out[i], i, test_describe(engine));
    }
    x[at] = kept;
  }
  test_release();
}

static void should_hold_on_engine(fovea_engine *engine) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) should_match_reference(engine, shapes[i]);
  should_give_a_row_the_same_bits_when_alone_and_in_place(engine);
  should_keep_a_nan_to_its_row(engine);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  float *x = test_floats(64), *out = test_outputs(64);
  const row_params good = params_of((shape){8, 8, 0, 0});
  row_params p = good;
#define CALL_WITH(status, field, value)               \
  do {                                                \
    p = good;                                         \
    p.field = (value);                                \
    CHECK_STATUS(status, row_op(engine, &p, x, out)); \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, row_op(NULL, &good, x, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, row_op(engine, NULL, x, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, row_op(engine, &good, NULL, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, row_op(engine, &good, x, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, row_op(engine, &good, (const float *)((const char *)x + 2), out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, row_op(engine, &good, x, (float *)((char *)out + 1)));
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, (int)sizeof p - 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, rows, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, width, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, reserved, 1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, x_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, out_stride, 7);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, x_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, out_stride, 1LL << 60);
#undef CALL_WITH
  p = params_of((shape){2, 8, 1, 0}); /* in place with another stride */
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, row_op(engine, &p, out, out));
  CHECK_UNTOUCHED(out, 64);
  test_release();
  fovea_engine_destroy(engine);
}

#endif /* FV_ROW_CASES_H */
