/* fovea_pool: checks, then the kernel over sequences. */
#include "ops/pooling/pooling.h"

#include "engine.h"
#include "validate.h"

static int check(const fovea_engine *engine, const fovea_pool_params *p, const float *x, const int *offsets,
                 const float *out) {
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->sequences >= 0 && p->width >= 1));
  FV_REQUIRE(fv_check(p->mode >= FOVEA_POOLING_MEAN && p->mode <= FOVEA_POOLING_LAST));
  FV_REQUIRE(fv_check((p->normalize == 0 || p->normalize == 1) && p->reserved == 0));
  FV_REQUIRE(fv_check_pointer(x));
  FV_REQUIRE(fv_check_pointer(offsets));
  FV_REQUIRE(fv_check_matrix(out, p->sequences, p->width, p->out_stride));
  FV_REQUIRE(fv_check_offsets(p->sequences, offsets));
  return fv_check_matrix(x, offsets[p->sequences], p->width, p->x_stride);
}

typedef struct pooling_context {
  fv_pooling_kernel *kernel;
  fv_pooling_job job;
} pooling_context;

static void pooling_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const pooling_context *pooling = context;
  pooling->kernel(&pooling->job, begin, end);
}

int fovea_pool(fovea_engine *engine, const fovea_pool_params *params, const float *x, const int *offsets,
               float *out) {
  FV_REQUIRE(check(engine, params, x, offsets, out));
  if (params->sequences == 0) return FOVEA_STATUS_OK;
  pooling_context pooling = {engine->kernels->pooling,
                             {.width = params->width,
                              .mode = params->mode,
                              .normalize = params->normalize,
                              .x_stride = params->x_stride,
                              .out_stride = params->out_stride,
                              .offsets = offsets,
                              .x = x,
                              .out = out}};
  const long long rows = params->mode == FOVEA_POOLING_MEAN ? offsets[params->sequences] / params->sequences : 1;
  fv_parallel(engine, params->sequences, fv_grain(rows * params->width), pooling_slice, &pooling);
  return FOVEA_STATUS_OK;
}
