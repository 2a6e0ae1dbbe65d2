/* What becomes of the sums of a linear layer: out = activation(sum + bias) + residual. */
#ifndef FV_OPS_LINEAR_EPILOGUE_H
#define FV_OPS_LINEAR_EPILOGUE_H

#include "ops/linear/linear.h"
#include "simd/activation.h"

/* Bias, activation and residual over one row of a tile, then the store: sum [width], out [width]. */
static inline void fv_finish_row(int activation, int width, const float *sum, const float *bias, const float *residual,
                                 float *out) {
  for (int j = 0; j < width; j += FV_LANES) {
    const int lanes = width - j < FV_LANES ? width - j : FV_LANES;
    fv_f32 value = fv_load(sum + j);
    if (lanes == FV_LANES) {
      if (bias) value += fv_load(bias + j);
      value = fv_activate(activation, value);
      if (residual) value += fv_load(residual + j);
      fv_store(out + j, value);
    } else {
      if (bias) value += fv_load_part(bias + j, lanes);
      value = fv_activate(activation, value);
      if (residual) value += fv_load_part(residual + j, lanes);
      fv_store_part(out + j, value, lanes);
    }
  }
}

/* Rows [row, row + rows) of the columns from column on: sum [rows, width], of which the last ones may be past the outputs. */
static inline void fv_finish(const fv_linear_job *job, long long row, int rows, long long column, int width,
                             const float *sum) {
  const int wanted = job->outputs - column < width ? (int)(job->outputs - column) : width;
  const float *bias = job->bias ? job->bias + column : 0;
  for (int r = 0; r < rows; r++) {
    const float *residual = job->residual ? job->residual + (row + r) * job->residual_stride + column : 0;
    fv_finish_row(job->activation, wanted, sum + r * width, bias, residual,
                  job->out + (row + r) * job->out_stride + column);
  }
}

#endif /* FV_OPS_LINEAR_EPILOGUE_H */
