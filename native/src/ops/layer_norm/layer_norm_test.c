#include <math.h>

#include "fovea/fovea.h"

#define DEFINE_REFERENCE(name, real)                                                                          \
  static void name(const float *x, const float *gamma, const float *beta, real epsilon, int width, real *out) { \
    real mean = 0, variance = 0;                                                                              \
    for (int i = 0; i < width; i++) mean += x[i];                                                             \
    mean /= (real)width;                                                                                      \
    for (int i = 0; i < width; i++) variance += (x[i] - mean) * (x[i] - mean);                                \
    variance /= (real)width;                                                                                  \
    for (int i = 0; i < width; i++) out[i] = (x[i] - mean) / (real)sqrt(variance + epsilon) * gamma[i] + beta[i]; \
  }
DEFINE_REFERENCE(reference_double, double)
DEFINE_REFERENCE(reference_float, float)

typedef fovea_layer_norm_params norm_params;
#define norm fovea_layer_norm
#include "norm_cases.h"

static void on_engine(fovea_engine *engine) {
  should_hold_on_engine(engine);
  /* A mean far from 0, where one pass would cancel; few rows would make the naive error a matter of luck. */
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    if (shapes[i].rows > 50) should_match_reference(engine, shapes[i], 100);
  }
}

static void should_refuse_a_missing_beta(void) {
  fovea_engine *engine = test_engine(1);
  const norm_params p = params_of((shape){8, 8, 0, 0});
  float *out = test_outputs(64);
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, norm(engine, &p, test_floats(64), test_floats(8), NULL, out));
  CHECK_UNTOUCHED(out, 64);
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  should_refuse_a_missing_beta();
  return test_finish("layer_norm");
}
