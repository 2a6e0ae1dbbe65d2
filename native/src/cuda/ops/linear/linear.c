/* Plans LINEAR: which kernel, which tile. */
#include "cuda/ops/linear/linear.h"

#include "cuda/ops/planning.h"

typedef struct tile {
  int rows, outputs, threads, shared_bytes;
} tile;

static int larger(int a, int b) { return a > b ? a : b; }

static tile half_tile(int rows, int outputs, int depth, int stages, int down, int across) {
  const int staged = stages * (rows + outputs) * depth * 2, sums = rows * outputs * 4;
  return (tile){rows, outputs, 32 * down * across, larger(staged, sums)};
}

static tile float_tile(int rows, int outputs, int depth, int stages, int m, int n) {
  const int staged = stages * (rows + outputs) * (depth + FV_LINEAR_FLOAT_GAP) * 4, sums = rows * outputs * 4;
  return (tile){rows, outputs, rows / m * (outputs / n), larger(staged, sums)};
}

/* Kernels of a weight type, and their tiles; the loose one takes x of any type and alignment. */
enum { LARGE, MEDIUM, SMALL, LOOSE, KERNELS };

static const char *const names[][KERNELS] = {
    [FOVEA_DTYPE_F32] = {"fv_linear_f32_large", "fv_linear_f32_medium", "fv_linear_f32_small", "fv_linear_f32_loose"},
    [FOVEA_DTYPE_F16] = {"fv_linear_f16_large", "fv_linear_f16_medium", "fv_linear_f16_small", "fv_linear_f16_loose"},
    [FOVEA_DTYPE_BF16] = {"fv_linear_bf16_large", "fv_linear_bf16_medium", "fv_linear_bf16_small",
                          "fv_linear_bf16_loose"},
};

static tile tile_of(int weight_dtype, int kernel) {
  const bool floats = weight_dtype == FOVEA_DTYPE_F32;
  switch (kernel) {
    case LARGE:
      return floats ? float_tile(FV_LINEAR_FLOAT_LARGE) : half_tile(FV_LINEAR_LARGE);
    case SMALL:
      return floats ? float_tile(FV_LINEAR_FLOAT_SMALL) : half_tile(FV_LINEAR_SMALL);
    default:
      return floats ? float_tile(FV_LINEAR_FLOAT_MEDIUM) : half_tile(FV_LINEAR_MEDIUM);
  }
}

static long long blocks_of(tile t, int rows, int outputs) {
  return (long long)fv_blocks(rows, t.rows) * fv_blocks(outputs, t.outputs);
}

/* The largest tile of which there are enough to keep the device busy. All give the same bits. */
static int choose(const fv_target *target, int weight_dtype, int rows, int outputs) {
  const tile large = tile_of(weight_dtype, LARGE), medium = tile_of(weight_dtype, MEDIUM);
  const int busy = target->multiprocessors;
  if (rows > medium.rows && blocks_of(large, rows, outputs) >= busy) return LARGE;
  return rows > medium.rows / 2 && 2 * blocks_of(medium, rows, outputs) >= busy ? MEDIUM : SMALL;
}

static bool is_loose(const fv_view *x, int weight_dtype) {
  const int size = weight_dtype == FOVEA_DTYPE_F32 ? 4 : 2;
  return x->dtype != weight_dtype || x->data % 16 != 0 || x->stride * size % 16 != 0;
}

static int check(const fovea_cuda_step *step, const fv_operands *operands) {
  const fv_view *x = &operands->x, *residual = &operands->z, *out = &operands->out;
  if (!fv_is_matrix(x) || !fv_is_matrix(out) || x->rows != out->rows) return FOVEA_STATUS_INVALID_ARGUMENT;
  if (residual->rows != FOVEA_CUDA_ROWS_NONE) {
    const bool fits = fv_is_matrix(residual) && residual->rows == out->rows && residual->columns == out->columns;
    if (!fits || step->gated) return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if (!fv_is_dtype(step->weight_dtype) || step->activation < FOVEA_ACTIVATION_NONE ||
      step->activation > FOVEA_ACTIVATION_QUICK_GELU) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  if (step->weight_dtype == FOVEA_DTYPE_F32 && x->dtype != FOVEA_DTYPE_F32) return FOVEA_STATUS_UNSUPPORTED;
  if (!step->constants[0]) return FOVEA_STATUS_NULL_POINTER;
  return step->constants[0] % 16 == 0 ? FOVEA_STATUS_OK : FOVEA_STATUS_INVALID_ARGUMENT;
}

fv_linear_params fv_linear_params_of(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands) {
  const fv_view *x = &operands->x;
  const int padded = step->weight_dtype == FOVEA_DTYPE_F32 ? 4 : 8;
  return (fv_linear_params){
      .rows = fv_rows_address(target, x),
      .weight = (unsigned long long)step->constants[0],
      .bias = (unsigned long long)step->constants[1],
      .x = *x,
      .residual = operands->z,
      .out = operands->out,
      .weight_stride = (long long)fv_blocks(x->columns, padded) * padded,
      .inputs = x->columns,
      .outputs = operands->out.columns * (step->gated ? 2 : 1),
      .activation = step->activation,
      .gated = step->gated,
  };
}

int fv_plan_linear(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                   fv_scratch *scratch, fv_launches *launches) {
  const int status = check(step, operands);
  if (status != FOVEA_STATUS_OK) return status;
  if (target->compute_capability == 90) {
    const int planned = fv_plan_linear90(target, step, operands, scratch, launches);
    if (planned != FOVEA_STATUS_UNSUPPORTED) return planned;
  }
  const fv_view *x = &operands->x;
  const fv_linear_params params = fv_linear_params_of(target, step, operands);
  const int outputs = params.outputs, rows = fv_most_rows(target, x);
  const int kernel = is_loose(x, step->weight_dtype) ? LOOSE : choose(target, step->weight_dtype, rows, outputs);
  const tile t = tile_of(step->weight_dtype, kernel);
  const int grid[] = {fv_blocks(outputs, t.outputs), fv_blocks(rows, t.rows), 1};
  if (grid[1] > 65535) return FOVEA_STATUS_UNSUPPORTED;
  return fv_launches_add(launches, names[step->weight_dtype][kernel], grid, (int[]){t.threads, 1, 1}, t.shared_bytes,
                         &params, sizeof params);
}
