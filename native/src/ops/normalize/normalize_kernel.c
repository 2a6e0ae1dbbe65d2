#include "ops/normalize/normalize.h"

#include "simd/normalize.h"

void FV_NAME(normalize)(long long rows, int width, const float *x, long long x_stride, float *out,
                        long long out_stride) {
  for (long long r = 0; r < rows; r++) fv_normalize_row(x + r * x_stride, width, out + r * out_stride);
}
