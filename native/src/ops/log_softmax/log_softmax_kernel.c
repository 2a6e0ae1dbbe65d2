#include "ops/log_softmax/log_softmax.h"

#include <math.h>

#include "simd/math.h"

/*
 * Vectors that are summed in single precision before they join the sum in double: so few that the sum over a whole
 * vocabulary is about as exact as its terms.
 */
enum { SUMMED = 64 };

/* The largest element that is not NaN. A NaN needs no care here: it makes the sum NaN, and with it the row. */
static float peak_of(const float *x, int width) {
  fv_f32 peaks = fv_set(-__builtin_inff());
  int i = 0;
  /* In this order NaN is passed over. */
  for (; i + FV_LANES <= width; i += FV_LANES) peaks = fv_max(fv_load(x + i), peaks);
  float peak = fv_peak(peaks);
  for (; i < width; i++) peak = x[i] > peak ? x[i] : peak;
  return peak;
}

/* The sum of e^(x - peak) */
static double sum_of(const float *x, int width, float peak) {
  double sum = 0;
  int i = 0;
  while (i + FV_LANES <= width) {
    fv_f32 part = {0};
    for (int v = 0; v < SUMMED && i + FV_LANES <= width; v++, i += FV_LANES) part += fv_exp(fv_load(x + i) - peak);
    sum += (double)fv_sum(part);
  }
  for (; i < width; i++) sum += (double)fv_exp(fv_set(x[i] - peak))[0];
  return sum;
}

void FV_NAME(log_softmax)(long long rows, int width, const float *x, long long x_stride, float *out,
                          long long out_stride) {
  for (long long r = 0; r < rows; r++, x += x_stride, out += out_stride) {
    const float peak = peak_of(x, width);
    const float log_sum = (float)log(sum_of(x, width, peak));
    int i = 0;
    for (; i + FV_LANES <= width; i += FV_LANES) fv_store(out + i, (fv_load(x + i) - peak) - log_sum);
    for (; i < width; i++) out[i] = (x[i] - peak) - log_sum;
  }
}
