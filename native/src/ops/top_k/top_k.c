#include "ops/top_k/top_k.h"

#include "engine.h"
#include "validate.h"

typedef struct job {
  const fovea_engine *engine;
  const fovea_top_k_params *params;
  const float *x;
  int *indices;
} job;

static void run(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const job *j = context;
  const fovea_top_k_params *p = j->params;
  j->engine->kernels->top_k(end - begin, p->width, p->k, j->x + begin * p->x_stride, p->x_stride,
                            j->indices + begin * p->indices_stride, p->indices_stride);
}

int fovea_top_k(fovea_engine *engine, const fovea_top_k_params *params, const float *x, int *indices) {
  FV_REQUIRE_PARAMS(engine, params);
  FV_REQUIRE(fv_check(params->rows >= 0 && params->width >= 1 && params->k >= 1 && params->k <= params->width));
  FV_REQUIRE(fv_check_matrix(x, params->rows, params->width, params->x_stride));
  FV_REQUIRE(fv_check_matrix(indices, params->rows, params->k, params->indices_stride));
  job j = {engine, params, x, indices};
  fv_parallel(engine, params->rows, fv_grain(params->width), run, &j);
  return FOVEA_STATUS_OK;
}
