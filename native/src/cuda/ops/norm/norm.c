#include "cuda/ops/norm/norm.h"

#include "cuda/ops/planning.h"

int fv_plan_norm(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands, fv_scratch *scratch,
                 fv_launches *launches) {
  (void)scratch;
  const fv_view *x = &operands->x, *out = &operands->out;
  if (!fv_is_matrix(x) || !fv_is_matrix(out) || x->rows != out->rows || x->columns != out->columns) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  const bool scaled = step->op != FOVEA_CUDA_OP_NORMALIZE;
  if (scaled && !step->constants[0]) return FOVEA_STATUS_NULL_POINTER;
  const fv_norm_params params = {
      .rows = fv_rows_address(target, x),
      .x = *x,
      .out = *out,
      .gamma = scaled ? (unsigned long long)step->constants[0] : 0,
      .beta = step->op == FOVEA_CUDA_OP_LAYER_NORM ? (unsigned long long)step->constants[1] : 0,
      .op = step->op,
      .epsilon = step->epsilon,
  };
  const int rows = fv_most_rows(target, x);
  if (x->columns <= FV_NORM_WARP_COLUMNS) {
    return fv_launches_add(launches, "fv_norm_rows", (int[]){fv_blocks(rows, FV_WARP_ROWS), 1, 1},
                           (int[]){32 * FV_WARP_ROWS, 1, 1}, 0, &params, sizeof params);
  }
  return fv_launches_add(launches, "fv_norm_wide", (int[]){rows, 1, 1}, (int[]){FV_NORM_WIDE_THREADS, 1, 1},
                         FV_NORM_WIDE_THREADS / 32 * (int)sizeof(float), &params, sizeof params);
}
