#include "cuda/ops/logits/logits.h"

#include "cuda/ops/planning.h"

static int launch(fv_launches *launches, const char *kernel, int rows, const void *params, int params_bytes) {
  return fv_launches_add(launches, kernel, (int[]){fv_blocks(rows, FV_WARP_ROWS), 1, 1},
                         (int[]){32 * FV_WARP_ROWS, 1, 1}, 0, params, params_bytes);
}

static int launch_wide(fv_launches *launches, const char *kernel, int rows, int warp_bytes, const void *params,
                       int params_bytes) {
  return fv_launches_add(launches, kernel, (int[]){rows, 1, 1}, (int[]){FV_LOGITS_WIDE_THREADS, 1, 1},
                         FV_LOGITS_WIDE_THREADS / 32 * warp_bytes, params, params_bytes);
}

static bool is_indices(const fv_view *view, const fv_view *x) {
  return view->rows == x->rows && view->dtype == FOVEA_CUDA_DTYPE_I32 && view->columns >= 1;
}

static int plan_log_softmax(const fv_target *target, const fv_operands *operands, fv_launches *launches) {
  const fv_view *x = &operands->x, *out = &operands->out;
  if (!fv_is_matrix(out) || x->rows != out->rows || x->columns != out->columns) return FOVEA_STATUS_INVALID_ARGUMENT;
  const fv_log_softmax_params params = {.rows = fv_rows_address(target, x), .x = *x, .out = *out};
  const int rows = fv_most_rows(target, x);
  return x->columns <= FV_LOGITS_WARP_COLUMNS
             ? launch(launches, "fv_log_softmax_rows", rows, &params, sizeof params)
             : launch_wide(launches, "fv_log_softmax_wide", rows, 2 * (int)sizeof(float), &params, sizeof params);
}

static int plan_top_k(const fv_target *target, const fv_operands *operands, fv_launches *launches) {
  const fv_view *x = &operands->x, *out = &operands->out;
  if (!is_indices(out, x) || out->columns > x->columns) return FOVEA_STATUS_INVALID_ARGUMENT;
  const fv_top_k_params params = {.rows = fv_rows_address(target, x), .x = *x, .indices = *out};
  const int rows = fv_most_rows(target, x);
  return x->columns <= FV_LOGITS_WARP_COLUMNS
             ? launch(launches, "fv_top_k_rows", rows, &params, sizeof params)
             : launch_wide(launches, "fv_top_k_wide", rows, 2 * (int)sizeof(long long), &params, sizeof params);
}

static int plan_gather(const fv_target *target, const fv_operands *operands, fv_launches *launches) {
  const fv_view *x = &operands->x, *indices = &operands->y, *out = &operands->out;
  if (!fv_is_matrix(out) || !is_indices(indices, x) || out->rows != x->rows || out->columns != indices->columns) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  const fv_gather_params params = {
      .rows = fv_rows_address(target, x), .x = *x, .indices = *indices, .out = *out};
  return launch(launches, "fv_gather", fv_most_rows(target, x), &params, sizeof params);
}

int fv_plan_logits(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                   fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  if (!fv_is_matrix(&operands->x)) return FOVEA_STATUS_INVALID_ARGUMENT;
  switch (step->op) {
    case FOVEA_CUDA_OP_LOG_SOFTMAX:
      return plan_log_softmax(target, operands, launches);
    case FOVEA_CUDA_OP_TOP_K:
      return plan_top_k(target, operands, launches);
    case FOVEA_CUDA_OP_GATHER:
      return plan_gather(target, operands, launches);
    default:
      return FOVEA_STATUS_INVALID_ARGUMENT;
  }
}
