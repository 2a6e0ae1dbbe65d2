/*
 * The cases that every norm's test runs. The including test defines first
 *
 *   norm_params                        the ABI's parameters of the norm
 *   norm                               its ABI call; a norm without beta ignores beta
 *   reference_double, reference_float  one row in that precision; the float form is the naive one
 */
#ifndef FV_NORM_CASES_H
#define FV_NORM_CASES_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

typedef struct shape {
  int rows, width, x_gap, out_gap; /* stride = width + gap */
} shape;

static const shape shapes[] = {
    {0, 5, 0, 0},   {1, 1, 0, 0},   {1, 3, 0, 1},   {2, 4, 1, 0},    {3, 7, 2, 3},     {5, 8, 0, 0},   {2, 15, 1, 1},
    {2, 16, 0, 0},  {2, 17, 3, 1},  {3, 31, 0, 0},  {3, 63, 0, 0},   {3, 64, 0, 0},    {3, 65, 5, 0},  {4, 384, 0, 0},
    {7, 511, 1, 2}, {1, 4096, 0, 0}, {97, 384, 0, 8}, {260, 130, 1, 1}, {65, 1024, 0, 0},
};

static norm_params params_of(shape s) {
  return (norm_params){.struct_size = sizeof(norm_params),
                       .rows = s.rows,
                       .width = s.width,
                       .epsilon = 1e-12f,
                       .x_stride = s.width + s.x_gap,
                       .out_stride = s.width + s.out_gap};
}

/* offset: what is added to every x. */
static void should_match_reference(fovea_engine *engine, shape s, float offset) {
  const norm_params p = params_of(s);
  float *x = test_floats(s.rows * p.x_stride), *out = test_outputs(s.rows * p.out_stride);
  const float *gamma = test_floats(s.width), *beta = test_floats(s.width);
  for (long long i = 0; i < s.rows * p.x_stride; i++) x[i] += offset;
  CHECK_STATUS(FOVEA_STATUS_OK, norm(engine, &p, x, gamma, beta, out));

  const long long count = (long long)s.rows * s.width;
  double *want = calloc((size_t)count + 1, sizeof *want);
  float *naive = calloc((size_t)count + 1, sizeof *naive), *dense = calloc((size_t)count + 1, sizeof *dense);
  for (int r = 0; r < s.rows; r++) {
    const float *row = x + r * p.x_stride;
    reference_double(row, gamma, beta, p.epsilon, s.width, want + r * s.width);
    reference_float(row, gamma, beta, p.epsilon, s.width, naive + r * s.width);
    memcpy(dense + r * s.width, out + r * p.out_stride, (size_t)s.width * sizeof(float));
    CHECK_UNTOUCHED(out + r * p.out_stride + s.width, s.out_gap);
  }
  CHECK_CLOSE(dense, want, naive, count, "%dx%d, offset %g, %s", s.rows, s.width, offset, test_describe(engine));
  free(want);
  free(naive);
  free(dense);
  test_release();
}

static void should_give_a_row_the_same_bits_when_alone_and_in_place(fovea_engine *engine) {
  norm_params p = params_of((shape){301, 387, 0, 0});
  const long long count = p.rows * p.x_stride;
  float *x = test_floats(count), *out = test_outputs(count), *alone = test_outputs(p.width);
  const float *gamma = test_floats(p.width), *beta = test_floats(p.width);
  CHECK_STATUS(FOVEA_STATUS_OK, norm(engine, &p, x, gamma, beta, out));
  const int rows = p.rows;
  p.rows = 1;
  for (int r = 0; r < rows; r += 37) {
    CHECK_STATUS(FOVEA_STATUS_OK, norm(engine, &p, x + r * p.x_stride, gamma, beta, alone));
    CHECK_SAME_BITS(alone, out + r * p.out_stride, p.width, "row %d alone, %s", r, test_describe(engine));
  }
  p.rows = rows;
  CHECK_STATUS(FOVEA_STATUS_OK, norm(engine, &p, x, gamma, beta, x));
  CHECK_SAME_BITS(x, out, count, "in place, %s", test_describe(engine));
  test_release();
}

static void should_keep_a_nan_to_its_row(fovea_engine *engine) {
  const norm_params p = params_of((shape){3, 21, 0, 0});
  float *x = test_floats(3 * 21), *out = test_outputs(3 * 21);
  const float *gamma = test_floats(21), *beta = test_floats(21);
  x[21 + 20] = NAN;
  CHECK_STATUS(FOVEA_STATUS_OK, norm(engine, &p, x, gamma, beta, out));
  for (int i = 0; i < 3 * 21; i++) {
    CHECK(isnan(out[i]) == (i / 21 == 1), "got %g at %d, NaN only in row 1, %s", out[i], i, test_describe(engine));
  }
  test_release();
}

static void should_hold_on_engine(fovea_engine *engine) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) should_match_reference(engine, shapes[i], 0);
  should_give_a_row_the_same_bits_when_alone_and_in_place(engine);
  should_keep_a_nan_to_its_row(engine);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  float *x = test_floats(64), *out = test_outputs(64);
  const float *gamma = test_floats(8), *beta = test_floats(8);
  const norm_params good = params_of((shape){8, 8, 0, 0});
  norm_params p = good;
#define CALL_WITH(status, field, value)                               \
  do {                                                                \
    p = good;                                                         \
    p.field = (value);                                                \
    CHECK_STATUS(status, norm(engine, &p, x, gamma, beta, out));      \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, norm(NULL, &good, x, gamma, beta, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, norm(engine, NULL, x, gamma, beta, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, norm(engine, &good, NULL, gamma, beta, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, norm(engine, &good, x, NULL, beta, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, norm(engine, &good, x, gamma, beta, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               norm(engine, &good, (const float *)((const char *)x + 2), gamma, beta, out));
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, (int)sizeof p - 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, rows, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, width, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, epsilon, NAN);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, epsilon, -1e-5f);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, x_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, x_stride, -8);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, out_stride, 7);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, x_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, out_stride, 1LL << 60);
#undef CALL_WITH
  CHECK_UNTOUCHED(out, 64);
  fovea_engine_destroy(engine);
}

#endif /* FV_NORM_CASES_H */
