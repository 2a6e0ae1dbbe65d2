#include <math.h>

#include "ops/layer_norm/layer_norm.h"
#include "simd/vector.h"

/* Vectors summed side by side, so that one addition need not wait for the one before. */
enum { CHAINS = 4 };

FV_INLINE float fold(const fv_f32 sums[CHAINS], float tail) {
  return fv_sum((sums[0] + sums[1]) + (sums[2] + sums[3])) + tail;
}

static float sum(const float *x, int width) {
  fv_f32 sums[CHAINS] = {0};
  float tail = 0;
  int i = 0;
  for (; i + CHAINS * FV_LANES <= width; i += CHAINS * FV_LANES) {
    for (int c = 0; c < CHAINS; c++) sums[c] += fv_load(x + i + c * FV_LANES);
  }
  for (; i + FV_LANES <= width; i += FV_LANES) sums[0] += fv_load(x + i);
  for (; i < width; i++) tail += x[i];
  return fold(sums, tail);
}

/* The sum of (x - mean)^2. */
static float sum_of_squares(const float *x, int width, float mean) {
  const fv_f32 means = fv_set(mean);
  fv_f32 sums[CHAINS] = {0};
  float tail = 0;
  int i = 0;
  for (; i + CHAINS * FV_LANES <= width; i += CHAINS * FV_LANES) {
    for (int c = 0; c < CHAINS; c++) {
      const fv_f32 d = fv_load(x + i + c * FV_LANES) - means;
      sums[c] += d * d;
    }
  }
  for (; i + FV_LANES <= width; i += FV_LANES) {
    const fv_f32 d = fv_load(x + i) - means;
    sums[0] += d * d;
  }
  for (; i < width; i++) tail += (x[i] - mean) * (x[i] - mean);
  return fold(sums, tail);
}

static void normalize(const float *x, int width, float mean, float scale, const float *gamma, const float *beta,
                      float *out) {
  const fv_f32 means = fv_set(mean), scales = fv_set(scale);
  int i = 0;
  for (; i + FV_LANES <= width; i += FV_LANES) {
    const fv_f32 normal = (fv_load(x + i) - means) * scales;
    fv_store(out + i, normal * fv_load(gamma + i) + fv_load(beta + i));
  }
  for (; i < width; i++) out[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
}

void FV_NAME(layer_norm)(long long rows, int width, float epsilon, const float *x, long long x_stride,
                         const float *gamma, const float *beta, float *out, long long out_stride) {
  for (long long r = 0; r < rows; r++) {
    const float *row = x + r * x_stride;
    const float mean = sum(row, width) / (float)width;
    const float variance = sum_of_squares(row, width, mean) / (float)width;
    normalize(row, width, mean, 1 / sqrtf(variance + epsilon), gamma, beta, out + r * out_stride);
  }
}
