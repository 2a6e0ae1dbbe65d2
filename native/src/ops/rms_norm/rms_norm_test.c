#include <math.h>

#include "fovea/fovea.h"

#define DEFINE_REFERENCE(name, real)                                                                          \
  static void name(const float *x, const float *gamma, const float *beta, real epsilon, int width, real *out) { \
    (void)beta;                                                                                               \
    real squares = 0;                                                                                         \
    for (int i = 0; i < width; i++) squares += (real)x[i] * (real)x[i];                                       \
    for (int i = 0; i < width; i++) out[i] = x[i] / (real)sqrt(squares / width + epsilon) * gamma[i];         \
  }
DEFINE_REFERENCE(reference_double, double)
DEFINE_REFERENCE(reference_float, float)

typedef fovea_rms_norm_params norm_params;

static int norm(fovea_engine *engine, const norm_params *params, const float *x, const float *gamma, const float *beta,
                float *out) {
  (void)beta;
  return fovea_rms_norm(engine, params, x, gamma, out);
}

#include "norm_cases.h"

int main(void) {
  test_each_engine(should_hold_on_engine);
  should_refuse_misuse();
  return test_finish("rms_norm");
}
