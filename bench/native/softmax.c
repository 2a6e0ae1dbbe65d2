/*
 * Softmax of rows on the compiler's vector types: what a good unfused attention has between its two products.
 */
#include <math.h>
#include <string.h>

#include "isa.h"

typedef float vec __attribute__((vector_size(4 * FB_LANES)));
typedef int ivec __attribute__((vector_size(4 * FB_LANES)));

/* e^x for x <= 0; about 1e-38 for what is less than -87. The polynomial of Cephes' expf. */
static inline vec exponential(vec x) {
  const vec lowest = (vec){0} - 87.0f;
  x = (vec)(((ivec)x & (x > lowest)) | ((ivec)lowest & ~(x > lowest)));
  const vec shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: the integer lands in the low bits */
  const vec power = shifted - 12582912.0f;
  const vec r = x - power * 0.693359375f + power * 2.12194440e-4f;
  vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return (vec)((ivec)p + ((ivec)shifted << 23));
}

static inline vec greater(vec a, vec b) { return (vec)(((ivec)a & (a > b)) | ((ivec)b & ~(a > b))); }

static inline vec load(const float *x) {
  vec v;
  memcpy(&v, x, sizeof v);
  return v;
}

/* The last few elements, with -infinity behind them. */
static inline vec load_tail(const float *x, int count) {
  float buffer[FB_LANES];
  for (int i = 0; i < FB_LANES; i++) buffer[i] = i < count ? x[i] : -INFINITY;
  return load(buffer);
}

static float peak_of(const float *row, int keys) {
  vec peaks = (vec){0} - INFINITY;
  int j = 0;
  for (; j + FB_LANES <= keys; j += FB_LANES) peaks = greater(load(row + j), peaks);
  if (j < keys) peaks = greater(load_tail(row + j, keys - j), peaks);
  float peak = peaks[0];
  for (int lane = 1; lane < FB_LANES; lane++) peak = peaks[lane] > peak ? peaks[lane] : peak;
  return peak;
}

static void softmax_row(float *row, int keys) {
  const float peak = peak_of(row, keys);
  vec sums = {0};
  int j = 0;
  for (; j + FB_LANES <= keys; j += FB_LANES) {
    const vec weights = exponential(load(row + j) - peak);
    memcpy(row + j, &weights, sizeof weights);
    sums += weights;
  }
  if (j < keys) {
    const vec weights = exponential(load_tail(row + j, keys - j) - peak);
    memcpy(row + j, &weights, (unsigned)(keys - j) * sizeof(float));
    sums += weights; /* 1e-38 for each of those behind */
  }
  float sum = 0;
  for (int lane = 0; lane < FB_LANES; lane++) sum += sums[lane];
  for (j = 0; j < keys; j++) row[j] *= 1 / sum;
}

void FB_JOIN(fb_softmax, FB_ISA)(long long first_row, long long rows, int n, int causal, float *scores) {
  for (long long r = first_row; r < first_row + rows; r++) {
    float *row = scores + r * n;
    const int keys = causal ? (int)(r % n) + 1 : n;
    softmax_row(row, keys);
    memset(row + keys, 0, (unsigned)(n - keys) * sizeof(float));
  }
}
