#include "engine.h"
#include "validate.h"

typedef struct job {
  const fovea_gather_params *params;
  const float *x;
  const int *indices;
  float *out;
} job;

static void run(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const job *j = context;
  const fovea_gather_params *p = j->params;
  for (long long r = begin; r < end; r++) {
    const float *x = j->x + r * p->x_stride;
    const int *indices = j->indices + r * p->indices_stride;
    float *out = j->out + r * p->out_stride;
    for (int i = 0; i < p->k; i++) {
      const int index = *(const volatile int *)(indices + i); /* checked, but another thread may write there */
      out[i] = x[index >= 0 && index < p->width ? index : 0];
    }
  }
}

static int check(const fovea_engine *engine, const fovea_gather_params *p, const float *x, const int *indices,
                 const float *out) {
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->rows >= 0 && p->width >= 1 && p->k >= 1));
  FV_REQUIRE(fv_check_matrix(x, p->rows, p->width, p->x_stride));
  FV_REQUIRE(fv_check_matrix(indices, p->rows, p->k, p->indices_stride));
  FV_REQUIRE(fv_check_matrix(out, p->rows, p->k, p->out_stride));
  for (int r = 0; r < p->rows; r++) {
    for (int i = 0; i < p->k; i++) {
      const int index = indices[r * p->indices_stride + i];
      if (index < 0 || index >= p->width) return FOVEA_STATUS_OUT_OF_RANGE;
    }
  }
  return FOVEA_STATUS_OK;
}

int fovea_gather(fovea_engine *engine, const fovea_gather_params *params, const float *x, const int *indices,
                 float *out) {
  FV_REQUIRE(check(engine, params, x, indices, out));
  job j = {params, x, indices, out};
  fv_parallel(engine, params->rows, fv_grain(params->k), run, &j);
  return FOVEA_STATUS_OK;
}
