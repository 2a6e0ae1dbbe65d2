/* Elements of any type, and rotary positions: what both attentions and the cache share, so that bits of turned keys agree. */
#ifndef FOVEA_CUDA_ATTENTION_ELEMENTS_H
#define FOVEA_CUDA_ATTENTION_ELEMENTS_H

#include "cuda/gpu.h"
#include "cuda/plan.h"

FV_DEVICE float read_element(const void *data, int dtype, long long i) {
  if (dtype == FOVEA_DTYPE_F32) {
    return static_cast<const float *>(data)[i];
  }
  return dtype == FOVEA_DTYPE_F16 ? to_float(static_cast<const f16 *>(data)[i])
                                  : to_float(static_cast<const bf16 *>(data)[i]);
}

FV_DEVICE void write_element(void *data, int dtype, long long i, float x) {
  if (dtype == FOVEA_DTYPE_F32) {
    static_cast<float *>(data)[i] = x;
  } else if (dtype == FOVEA_DTYPE_F16) {
    static_cast<f16 *>(data)[i] = from_float<f16>(x);
  } else {
    static_cast<bf16 *>(data)[i] = from_float<bf16>(x);
  }
}

/* x cos - y sin, and y cos + x sin as turned(y, -x, ...): one rounding order wherever a row is turned. */
FV_DEVICE float turned(float x, float y, float cosine, float sine) { return fmaf(x, cosine, -(y * sine)); }

/* In a table [positions, dim] the cosines of a position, as many sines behind them. */
FV_DEVICE const float *angles_at(const float *table, int dim, int positions, int position) {
  return table + (long long)(position < 0 ? 0 : position < positions ? position : positions - 1) * dim;
}

/* Element e of the row that begins at element at, turned by the angles unless they are null. */
FV_DEVICE float turned_element(const void *data, int dtype, long long at, int e, int layout, int rope_dim,
                               const float *angles) {
  const float x = read_element(data, dtype, at + e);
  if (!angles || e >= rope_dim) {
    return x;
  }
  const int pairs = rope_dim / 2;
  const bool half = layout == FOVEA_ROPE_HALF, first = half ? e < pairs : e % 2 == 0;
  const int pair = half ? (first ? e : e - pairs) : e / 2;
  const float y = read_element(data, dtype, at + (half ? (first ? e + pairs : pair) : e ^ 1));
  return turned(x, first ? y : -y, angles[pair], angles[pairs + pair]);
}

#endif
