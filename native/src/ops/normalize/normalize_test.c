#include <math.h>

#include "fovea/fovea.h"

static void reference(const float *x, int width, double *out) {
  double squares = 0;
  for (int i = 0; i < width; i++) squares += (double)x[i] * x[i];
  for (int i = 0; i < width; i++) out[i] = x[i] / fmax(sqrt(squares), 1e-12);
}

typedef fovea_normalize_params row_params;

static int row_op(fovea_engine *engine, const row_params *params, const float *x, float *out) {
  return fovea_normalize(engine, params, x, out);
}

#include "row_cases.h"

/* Pooling's vectors have the bits of this op. */
static void should_have_the_bits_of_pooling(fovea_engine *engine) {
  const row_params p = params_of((shape){5, 83, 0, 0});
  const float *x = test_floats(5 * 83);
  float *out = test_outputs(5 * 83), *pooled = test_outputs(5 * 83);
  int *offsets = test_ints(6);
  for (int i = 0; i < 6; i++) offsets[i] = i;
  const fovea_pool_params pool = {.struct_size = sizeof pool,
                                  .sequences = 5,
                                  .width = 83,
                                  .mode = FOVEA_POOLING_LAST,
                                  .normalize = 1,
                                  .x_stride = 83,
                                  .out_stride = 83};
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_pool(engine, &pool, x, offsets, pooled));
  CHECK_SAME_BITS(out, pooled, 5 * 83, "%s", test_describe(engine));
  test_release();
}

static void should_divide_a_zero_row_by_the_least_norm(fovea_engine *engine) {
  const row_params p = params_of((shape){1, 19, 0, 0});
  float *x = test_floats(19), *out = test_outputs(19);
  memset(x, 0, 19 * sizeof *x);
  x[3] = 1e-13f;
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  for (int i = 0; i < 19; i++) CHECK(fabsf(out[i] - (i == 3 ? 0.1f : 0)) < 1e-6f, "got %g at %d", out[i], i);
  test_release();
}

static void should_take_infinities_as_documented(fovea_engine *engine) {
  const row_params p = params_of((shape){2, 19, 0, 0});
  float *x = test_floats(2 * 19), *out = test_outputs(2 * 19);
  x[4] = INFINITY;
  x[19 + 4] = 1e30f; /* whose square overflows */
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  for (int i = 0; i < 2 * 19; i++) {
    CHECK(i == 4 ? isnan(out[i]) : out[i] == 0, "got %g at %d, %s", out[i], i, test_describe(engine));
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  should_hold_on_engine(engine);
  should_have_the_bits_of_pooling(engine);
  should_divide_a_zero_row_by_the_least_norm(engine);
  should_take_infinities_as_documented(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("normalize");
}
