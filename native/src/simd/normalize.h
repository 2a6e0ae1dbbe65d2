/* The L2 norm of a row divided out: one code for fovea_normalize and for pooling's vectors. */
#ifndef FV_SIMD_NORMALIZE_H
#define FV_SIMD_NORMALIZE_H

#include <math.h>

#include "simd/vector.h"

/* out [width] = x / max(|x|, 1e-12); out may be x */
FV_INLINE void fv_normalize_row(const float *x, int width, float *out) {
  fv_f32 squares = {0};
  float tail = 0;
  int i = 0;
  for (; i + FV_LANES <= width; i += FV_LANES) squares += fv_load(x + i) * fv_load(x + i);
  for (; i < width; i++) tail += x[i] * x[i];
  const float norm = sqrtf(fv_sum(squares) + tail);
  const float divisor = norm < 1e-12f ? 1e-12f : norm;
  for (i = 0; i + FV_LANES <= width; i += FV_LANES) fv_store(out + i, fv_load(x + i) / divisor);
  for (; i < width; i++) out[i] = x[i] / divisor;
}

#endif /* FV_SIMD_NORMALIZE_H */
