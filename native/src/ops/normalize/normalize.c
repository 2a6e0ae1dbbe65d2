#include "ops/normalize/normalize.h"

#include "engine.h"
#include "validate.h"

typedef struct job {
  const fovea_engine *engine;
  const fovea_normalize_params *params;
  const float *x;
  float *out;
} job;

static void run(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const job *j = context;
  const fovea_normalize_params *p = j->params;
  j->engine->kernels->normalize(end - begin, p->width, j->x + begin * p->x_stride, p->x_stride,
                                j->out + begin * p->out_stride, p->out_stride);
}

int fovea_normalize(fovea_engine *engine, const fovea_normalize_params *params, const float *x, float *out) {
  FV_REQUIRE_PARAMS(engine, params);
  FV_REQUIRE(fv_check(params->rows >= 0 && params->width >= 1 && params->reserved == 0));
  FV_REQUIRE(fv_check_matrix(x, params->rows, params->width, params->x_stride));
  FV_REQUIRE(fv_check_matrix(out, params->rows, params->width, params->out_stride));
  FV_REQUIRE(fv_check(x != out || params->x_stride == params->out_stride));
  job j = {engine, params, x, out};
  fv_parallel(engine, params->rows, fv_grain(params->width), run, &j);
  return FOVEA_STATUS_OK;
}
