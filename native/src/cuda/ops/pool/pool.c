#include "cuda/ops/pool/pool.h"

#include "cuda/ops/planning.h"

int fv_plan_pool(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands, fv_scratch *scratch,
                 fv_launches *launches) {
  (void)scratch;
  const fv_view *x = &operands->x, *out = &operands->out;
  if (!fv_is_matrix(x) || !fv_is_matrix(out) || x->rows != FOVEA_CUDA_ROWS_TOKENS ||
      out->rows != FOVEA_CUDA_ROWS_SEQUENCES || x->columns != out->columns) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if (step->mode < FOVEA_POOLING_MEAN || step->mode > FOVEA_POOLING_LAST) return FOVEA_STATUS_INVALID_ARGUMENT;
  const fv_pool_params params = {
      .batch = target->batch, .x = *x, .out = *out, .mode = step->mode, .normalize = step->normalize};
  return fv_launches_add(launches, "fv_pool", (int[]){fv_most_rows(target, out), 1, 1},
                         (int[]){FV_POOL_THREADS, 1, 1}, FV_POOL_THREADS / 32 * FV_POOL_COLUMNS * (int)sizeof(float),
                         &params, sizeof params);
}
