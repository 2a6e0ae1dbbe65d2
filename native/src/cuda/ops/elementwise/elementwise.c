#include "cuda/ops/elementwise/elementwise.h"

#include "cuda/ops/planning.h"

static bool is_alike(const fv_view *a, const fv_view *b) {
  return fv_is_matrix(a) && a->rows == b->rows && a->columns == b->columns;
}

int fv_plan_elementwise(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                        fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  const fv_view *out = &operands->out;
  const bool both = step->op != FOVEA_CUDA_OP_ACTIVATE;
  if (!fv_is_matrix(out) || !is_alike(&operands->x, out) || (both && !is_alike(&operands->y, out))) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if (step->activation < FOVEA_ACTIVATION_NONE || step->activation > FOVEA_ACTIVATION_QUICK_GELU) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  const fv_elementwise_params params = {
      .rows = fv_rows_address(target, out),
      .x = operands->x,
      .y = operands->y,
      .out = *out,
      .op = step->op,
      .activation = step->op == FOVEA_CUDA_OP_ADD ? FOVEA_ACTIVATION_NONE : step->activation,
  };
  const int grid[] = {fv_blocks(fv_most_rows(target, out), FV_WARP_ROWS),
                      fv_blocks(out->columns, FV_ELEMENTWISE_COLUMNS), 1};
  return fv_launches_add(launches, "fv_elementwise", grid, (int[]){32 * FV_WARP_ROWS, 1, 1}, 0, &params,
                         sizeof params);
}
