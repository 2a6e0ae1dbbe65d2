/* The linear layer's kernels, compiled once per ISA. Contract in linear.h. */
#include "ops/linear/linear.h"

#include "fovea/fovea.h"
#include "simd/math.h"
#include "simd/tile.h"

void FV_NAME(linear_pack)(const fv_linear_pack_job *job, long long first, long long last) {
  for (long long panel = first; panel < last; panel++) {
    const long long column = panel * FV_PANEL;
    const int width = job->outputs - column < FV_PANEL ? (int)(job->outputs - column) : FV_PANEL;
    const float *from = job->weight + column * job->output_stride;
    float *to = job->panels + panel * FV_PANEL * job->inputs;
    for (long long i = 0; i < job->inputs; i++, from += job->input_stride, to += FV_PANEL) {
      if (job->output_stride == 1 && width == FV_PANEL) {
        memcpy(to, from, FV_PANEL * sizeof(float));
      } else {
        for (int j = 0; j < width; j++) to[j] = from[j * job->output_stride];
        for (int j = width; j < FV_PANEL; j++) to[j] = 0;
      }
    }
  }
}

FV_INLINE fv_f32 activate(int activation, fv_f32 x) {
  switch (activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
      return fv_gelu_erf(x);
    case FOVEA_ACTIVATION_GELU_TANH:
      return fv_gelu_tanh(x);
    default:
      return x;
  }
}

/* Bias, activation and residual over one row of a tile, then the store: sum [width], out [width]. */
static void finish_row(int activation, int width, const float *sum, const float *bias, const float *residual,
                       float *out) {
  for (int j = 0; j < width; j += FV_LANES) {
    const int lanes = width - j < FV_LANES ? width - j : FV_LANES;
    fv_f32 value = fv_load(sum + j);
    if (lanes == FV_LANES) {
      if (bias) value += fv_load(bias + j);
      value = activate(activation, value);
      if (residual) value += fv_load(residual + j);
      fv_store(out + j, value);
    } else {
      if (bias) value += fv_load_part(bias + j, lanes);
      value = activate(activation, value);
      if (residual) value += fv_load_part(residual + j, lanes);
      fv_store_part(out + j, value, lanes);
    }
  }
}

/* Rows [row, row + rows) against panels [panel, panel + panels). */
static void run_tile(const fv_linear_job *job, long long row, int rows, long long panel, int panels) {
  float sum[FV_TILE_ROWS * FV_PANEL > FV_TILE_PANELS * FV_PANEL * 3 ? FV_TILE_ROWS * FV_PANEL
                                                                    : FV_TILE_PANELS * FV_PANEL * 3]
      __attribute__((aligned(64)));
  const long long panel_stride = (long long)job->inputs * FV_PANEL;
  const int ldc = panels * FV_PANEL;
  fv_tile(rows, panels, job->inputs, job->x + row * job->x_stride, job->x_stride, job->weights + panel * panel_stride,
          panel_stride, sum, ldc);
  const long long column = panel * FV_PANEL;
  const int width = job->outputs - column < ldc ? (int)(job->outputs - column) : ldc;
  const float *bias = job->bias ? job->bias + column : 0;
  for (int r = 0; r < rows; r++) {
    const float *residual = job->residual ? job->residual + (row + r) * job->residual_stride + column : 0;
    finish_row(job->activation, width, sum + r * ldc, bias, residual, job->out + (row + r) * job->out_stride + column);
  }
}

void FV_NAME(linear)(const fv_linear_job *job, long long first, long long last) {
  while (first < last) {
    const long long block = first / job->panels, panel = first % job->panels;
    const long long row = block * job->block_rows;
    const int rows = job->rows - row < job->block_rows ? (int)(job->rows - row) : job->block_rows;
    /* Tiles of nearly equal height: 8 rows are 4 + 4, not 6 + 2, whose second tile would starve. */
    const int tiles = (rows + FV_TILE_ROWS - 1) / FV_TILE_ROWS;
    const long long left = last - first < job->panels - panel ? last - first : job->panels - panel;
    const int step = tiles == 1 && left >= fv_tile_panels(rows) ? fv_tile_panels(rows) : 1;
    for (int t = 0; t < tiles; t++) {
      const int begin = (int)((long long)rows * t / tiles), end = (int)((long long)rows * (t + 1) / tiles);
      run_tile(job, row + begin, end - begin, panel, step);
    }
    first += step;
  }
}
