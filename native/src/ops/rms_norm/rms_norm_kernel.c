#include "ops/rms_norm/rms_norm.h"

#include <math.h>

#include "simd/vector.h"

/* Vectors summed side by side, so that one addition need not wait for the one before. */
enum { CHAINS = 4 };

static float sum_of_squares(const float *x, int width) {
  fv_f32 sums[CHAINS] = {0};
  float tail = 0;
  int i = 0;
  for (; i + CHAINS * FV_LANES <= width; i += CHAINS * FV_LANES) {
    for (int c = 0; c < CHAINS; c++) {
      const fv_f32 v = fv_load(x + i + c * FV_LANES);
      sums[c] += v * v;
    }
  }
  for (; i + FV_LANES <= width; i += FV_LANES) {
    const fv_f32 v = fv_load(x + i);
    sums[0] += v * v;
  }
  for (; i < width; i++) tail += x[i] * x[i];
  return fv_sum((sums[0] + sums[1]) + (sums[2] + sums[3])) + tail;
}

void FV_NAME(rms_norm)(long long rows, int width, float epsilon, const float *x, long long x_stride,
                       const float *gamma, float *out, long long out_stride) {
  for (long long r = 0; r < rows; r++, x += x_stride, out += out_stride) {
    const float scale = 1 / sqrtf(sum_of_squares(x, width) / (float)width + epsilon);
    int i = 0;
    for (; i + FV_LANES <= width; i += FV_LANES) fv_store(out + i, fv_load(x + i) * scale * fv_load(gamma + i));
    for (; i < width; i++) out[i] = x[i] * scale * gamma[i];
  }
}
