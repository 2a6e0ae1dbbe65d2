/* Tiles of floats, and what becomes of the sums of all tiles: out = activation(sum + bias) + residual. Compiled once per ISA. */
#include "fovea/fovea.h"
#include "ops/linear/linear.h"
#include "simd/activation.h"
#include "simd/tile.h"

fv_linear_tile_kernel FV_NAME(linear_tile);
fv_linear_finish_kernel FV_NAME(linear_finish);

void FV_NAME(linear_tile)(const fv_linear_job *job, const fv_linear_tile *t, float *sum) {
  const long long panel_bytes = job->layout.panel_bytes, inputs = job->inputs;
  const int ldc = t->panels * FV_PANEL;
  const char *weights = job->weights + t->panel * panel_bytes;
  const float *x = job->x + t->row * job->x_stride;
  if (t->step == 0 && job->dtype == FOVEA_DTYPE_BF16) {
    fv_tile_bf16_row(t->panels, inputs, x, weights, panel_bytes, sum);
  } else if (t->step == 0 && job->dtype == FOVEA_DTYPE_F16) {
    fv_tile_f16_row(t->panels, inputs, x, weights, panel_bytes, sum);
  } else if (t->step == 0) {
    fv_tile_f32_row(t->panels, inputs, x, weights, panel_bytes, sum);
  } else if (job->dtype == FOVEA_DTYPE_BF16) {
    fv_tile_bf16(t->rows, t->panels, inputs, x, job->x_stride, weights, panel_bytes, sum, ldc, t->ahead, t->step);
  } else if (job->dtype == FOVEA_DTYPE_F16) {
    fv_tile_f16(t->rows, t->panels, inputs, x, job->x_stride, weights, panel_bytes, sum, ldc, t->ahead, t->step);
  } else {
    fv_tile_f32(t->rows, t->panels, inputs, x, job->x_stride, weights, panel_bytes, sum, ldc, t->ahead, t->step);
  }
}

FV_INLINE fv_f32 load_lanes(const float *from, int lanes) {
  return lanes < FV_LANES ? fv_load_part(from, lanes) : fv_load(from);
}

/* Bias, activation and residual over one row of a tile, then the store: sum [width], out [width]. */
static inline void finish_row(int activation, int width, const float *sum, const float *bias, const float *residual,
                              float *out) {
  for (int j = 0; j < width; j += FV_LANES) {
    const int lanes = width - j; /* FV_LANES or more: all */
    fv_f32 value = fv_load(sum + j);
    if (bias) value += load_lanes(bias + j, lanes);
    value = fv_activate(activation, value);
    if (residual) value += load_lanes(residual + j, lanes);
    if (lanes < FV_LANES) {
      fv_store_part(out + j, value, lanes);
    } else {
      fv_store(out + j, value);
    }
  }
}

void FV_NAME(linear_finish)(const fv_linear_job *job, long long row, int rows, long long column, int width,
                            const float *sum) {
  const int wanted = job->outputs - column < width ? (int)(job->outputs - column) : width;
  const float *bias = job->bias ? job->bias + column : 0;
  for (int r = 0; r < rows; r++) {
    const float *residual = job->residual ? job->residual + (row + r) * job->residual_stride + column : 0;
    finish_row(job->activation, wanted, sum + r * width, bias, residual,
               job->out + (row + r) * job->out_stride + column);
  }
}
