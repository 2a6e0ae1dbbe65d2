#include "cuda/ops/relative/relative.h"

#include "cuda/ops/planning.h"

/* Whether a matrix has a row per token and a bucket for each head; or is not there. */
static bool is_of_buckets(const fv_view *view, const fovea_cuda_step *step) {
  if (view->rows == FOVEA_CUDA_ROWS_NONE) return true;
  return fv_is_matrix(view) && view->rows == FOVEA_CUDA_ROWS_TOKENS &&
         view->columns == (long long)step->heads * step->buckets;
}

int fv_plan_relative(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                     fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  const fv_view *out = &operands->out;
  if (!fv_is_matrix(out) || out->rows != FOVEA_CUDA_ROWS_TOKENS || out->dtype != FOVEA_DTYPE_F32) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if (step->heads < 1 || step->buckets < 1 || out->columns % step->heads) return FOVEA_STATUS_INVALID_ARGUMENT;
  if (!is_of_buckets(&operands->x, step) || !is_of_buckets(&operands->y, step)) return FOVEA_STATUS_INVALID_ARGUMENT;
  const bool by_query = operands->x.rows != FOVEA_CUDA_ROWS_NONE;
  if ((!by_query && !step->constants[0]) || !step->constants[1]) return FOVEA_STATUS_NULL_POINTER;
  if (step->heads > 65535) return FOVEA_STATUS_UNSUPPORTED;
  const fv_relative_params params = {
      .batch = target->batch,
      .table = by_query ? 0 : (unsigned long long)step->constants[0],
      .bucket_of = (unsigned long long)step->constants[1],
      .by_query = operands->x,
      .by_key = operands->y,
      .out = *out,
      .buckets = step->buckets,
      .keys = out->columns / step->heads,
  };
  return fv_launches_add(launches, "fv_relative_bias",
                         (int[]){fv_blocks(fv_most_rows(target, out), FV_WARP_ROWS), step->heads, 1},
                         (int[]){32 * FV_WARP_ROWS, 1, 1}, 0, &params, sizeof params);
}
