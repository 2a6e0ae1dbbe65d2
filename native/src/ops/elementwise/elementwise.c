#include "ops/elementwise/elementwise.h"

#include "engine.h"
#include "validate.h"

typedef struct elementwise_context {
  fv_elementwise_kernel *kernel;
  fv_elementwise_job job;
} elementwise_context;

static void run(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const elementwise_context *elementwise = context;
  elementwise->kernel(&elementwise->job, begin, end);
}

static int check(const fovea_engine *engine, const fovea_elementwise_params *p, const float *a, const float *b,
                 const float *out) {
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->rows >= 0 && p->width >= 1 && p->reserved == 0));
  FV_REQUIRE(fv_check(p->op >= FOVEA_ELEMENTWISE_ADD && p->op <= FOVEA_ELEMENTWISE_ACTIVATE));
  FV_REQUIRE(fv_check(p->activation >= FOVEA_ACTIVATION_NONE && p->activation <= FOVEA_ACTIVATION_QUICK_GELU));
  FV_REQUIRE(fv_check(p->op != FOVEA_ELEMENTWISE_ADD || p->activation == FOVEA_ACTIVATION_NONE));
  FV_REQUIRE(fv_check_matrix(a, p->rows, p->width, p->a_stride));
  if (p->op == FOVEA_ELEMENTWISE_ACTIVATE) {
    FV_REQUIRE(fv_check(!b));
  } else {
    FV_REQUIRE(fv_check_matrix(b, p->rows, p->width, p->b_stride));
    FV_REQUIRE(fv_check(b != out || p->b_stride == p->out_stride));
  }
  FV_REQUIRE(fv_check_matrix(out, p->rows, p->width, p->out_stride));
  return fv_check(a != out || p->a_stride == p->out_stride);
}

int fovea_elementwise(fovea_engine *engine, const fovea_elementwise_params *params, const float *a, const float *b,
                      float *out) {
  FV_REQUIRE(check(engine, params, a, b, out));
  elementwise_context elementwise = {engine->kernels->elementwise,
                                     {.width = params->width,
                                      .op = params->op,
                                      .activation = params->activation,
                                      .a_stride = params->a_stride,
                                      .b_stride = params->b_stride,
                                      .out_stride = params->out_stride,
                                      .a = a,
                                      .b = b,
                                      .out = out}};
  fv_parallel(engine, params->rows, fv_grain(2LL * params->width), run, &elementwise);
  return FOVEA_STATUS_OK;
}
