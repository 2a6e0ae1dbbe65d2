#include <math.h>

#include "fovea/fovea.h"

static void reference(const float *x, int width, double *out) {
  float peak = -INFINITY;
  double sum = 0;
  for (int i = 0; i < width; i++) peak = fmaxf(peak, x[i]);
  for (int i = 0; i < width; i++) sum += exp((double)x[i] - peak);
  for (int i = 0; i < width; i++) out[i] = (double)x[i] - peak - log(sum);
}

typedef fovea_log_softmax_params row_params;

static int row_op(fovea_engine *engine, const row_params *params, const float *x, float *out) {
  return fovea_log_softmax(engine, params, x, out);
}

#include "row_cases.h"

static void should_take_infinities_as_documented(fovea_engine *engine) {
  const row_params p = params_of((shape){4, 41, 0, 0});
  float *x = test_floats(4 * 41), *out = test_outputs(4 * 41);
  x[5] = x[40] = -INFINITY;
  x[41 + 7] = INFINITY;
  x[41 + 8] = -INFINITY;
  x[2 * 41 + 40] = INFINITY;
  for (int i = 3 * 41; i < 4 * 41; i++) x[i] = -INFINITY;
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  double sum = 0;
  for (int i = 0; i < 41; i++) {
    CHECK(i == 5 || i == 40 ? out[i] == -INFINITY : isfinite(out[i]), "got %g at %d, %s", out[i], i,
          test_describe(engine));
  }
  for (int i = 0; i < 41; i++) sum += exp(out[i]);
  CHECK(fabs(sum - 1) < 1e-5, "probabilities sum to %g, %s", sum, test_describe(engine));
  for (int i = 41; i < 4 * 41; i++) {
    CHECK(isnan(out[i]), "got %g at %d of row %d, %s", out[i], i % 41, i / 41, test_describe(engine));
  }
  test_release();
}

/* In float alone a sum of so many equal terms would be off by more than a few ulp of the result. */
static void should_sum_a_vocabulary_exactly(fovea_engine *engine) {
  enum { WIDTH = 151937 };
  const row_params p = params_of((shape){1, WIDTH, 0, 0});
  float *x = test_floats(WIDTH), *out = test_outputs(WIDTH);
  for (int i = 0; i < WIDTH; i++) x[i] = 0.3f;
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  const float want = (float)-log((double)WIDTH);
  for (int i = 0; i < WIDTH; i += 997) {
    CHECK(out[i] == want, "expected %.9g, got %.9g at %d, %s", want, out[i], i, test_describe(engine));
  }
  x[WIDTH - 1] = 40;
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  const double rest = (WIDTH - 1) * exp((double)0.3f - 40); /* what the others add to the 1 of the largest */
  CHECK(fabs(out[WIDTH - 1] + rest) < 1e-5 * rest, "expected %.9g, got %.9g, %s", -rest, out[WIDTH - 1],
        test_describe(engine));
  test_release();
}

static void should_not_overflow(fovea_engine *engine) {
  const row_params p = params_of((shape){1, 33, 0, 0});
  float *x = test_floats(33), *out = test_outputs(33);
  double want[33];
  for (int i = 0; i < 33; i++) x[i] = i % 2 ? 1e4f : -1e4f + (float)i;
  reference(x, 33, want);
  CHECK_STATUS(FOVEA_STATUS_OK, row_op(engine, &p, x, out));
  CHECK_CLOSE(out, want, NULL, 33, "large logits, %s", test_describe(engine));
  test_release();
}

static void on_engine(fovea_engine *engine) {
  should_hold_on_engine(engine);
  should_match_reference(engine, (shape){2, 150001, 0, 3});
  should_take_infinities_as_documented(engine);
  should_sum_a_vocabulary_exactly(engine);
  should_not_overflow(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("log_softmax");
}
