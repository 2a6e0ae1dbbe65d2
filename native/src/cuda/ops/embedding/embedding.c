#include "cuda/ops/embedding/embedding.h"

#include "cuda/ops/planning.h"

int fv_plan_embedding(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                      fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  const fv_view *out = &operands->out;
  if (!fv_is_matrix(out) || out->rows != FOVEA_CUDA_ROWS_TOKENS) return FOVEA_STATUS_INVALID_ARGUMENT;
  if (!fv_is_dtype(step->weight_dtype) || step->vocabulary < 1 || step->first_position < 0 ||
      step->first_position > step->positions) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if (!step->constants[0]) return FOVEA_STATUS_NULL_POINTER;
  const unsigned long long positions = (unsigned long long)step->constants[1];
  const unsigned long long skipped = 4ULL * (unsigned)step->first_position * (unsigned)out->columns;
  const fv_embedding_params params = {
      .batch = target->batch,
      .starts = step->group >= 0 ? operands->group.lengths : 0,
      .words = (unsigned long long)step->constants[0],
      .positions = positions ? positions + skipped : 0,
      .type = (unsigned long long)step->constants[2],
      .out = *out,
      .words_dtype = step->weight_dtype,
      .vocabulary = step->vocabulary,
      .position_rows = step->positions - step->first_position,
      .scale = step->scale,
  };
  return fv_launches_add(launches, "fv_embedding", (int[]){fv_blocks(fv_most_rows(target, out), FV_WARP_ROWS), 1, 1},
                         (int[]){32 * FV_WARP_ROWS, 1, 1}, 0, &params, sizeof params);
}

int fv_plan_token_types(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                        fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  const fv_view *out = &operands->out;
  if (!fv_is_matrix(out) || out->rows != FOVEA_CUDA_ROWS_TOKENS || step->vocabulary < 1) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if (!step->constants[0]) return FOVEA_STATUS_NULL_POINTER;
  const fv_token_types_params params = {.batch = target->batch,
                                        .table = (unsigned long long)step->constants[0],
                                        .out = *out,
                                        .types = step->vocabulary};
  return fv_launches_add(launches, "fv_token_types",
                         (int[]){fv_blocks(fv_most_rows(target, out), FV_WARP_ROWS), 1, 1},
                         (int[]){32 * FV_WARP_ROWS, 1, 1}, 0, &params, sizeof params);
}
