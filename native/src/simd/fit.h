/*
 * Scales for values that share one and are rounded to integers.
 *
 * Values that share a scale are rounded to the integers that a few scales around the largest value give, and to each
 * choice of integers q belongs the scale that leaves the least square error, or with minima the scale and the minimum:
 *
 *   d = (sum of w x q) / (sum of w q^2)          d q - m: the linear regression of x on q, with m >= 0
 *
 * Of these the choice with the least error is kept. Weights w grow with |x|, since large values matter more to sums.
 */
#ifndef FV_SIMD_FIT_H
#define FV_SIMD_FIT_H

#include "simd/dot.h"
#include "simd/half.h"

/* Scales that are tried. */
enum { FV_FIT_TRIES = 9 };

FV_INLINE float fv_half_of(float x) {
  uint16_t half = fv_to_f16(x), lanes[FV_LANES] = {half};
  return fv_load_f16(lanes)[0];
}

FV_INLINE void fv_put_half(unsigned char *to, float x) {
  const uint16_t half = fv_to_f16(x);
  memcpy(to, &half, sizeof half);
}

FV_INLINE fv_f32 fv_clamp(fv_f32 x, float low, float high) { return fv_max(fv_min(x, fv_set(high)), fv_set(low)); }

FV_INLINE fv_f32 fv_nearest(fv_f32 x, float low, float high) {
  return __builtin_convertvector(fv_round(fv_clamp(x, low, high)), fv_f32);
}

/* Whether n values are numbers; a block with others gets a scale NaN. */
static inline bool fv_all_finite(const float *x, int n) {
  float stray = 0;
  for (int i = 0; i < n; i++) stray += x[i] * 0.0f;
  return stray == 0;
}

/* What n values range over: the least, the largest, and the one of the largest magnitude. */
typedef struct fv_extremes {
  float low, high, peak;
} fv_extremes;

static inline fv_extremes fv_extremes_of(const float *x, int n) {
  fv_extremes e = {x[0], x[0], 0};
  for (int i = 0; i < n; i++) {
    e.low = x[i] < e.low ? x[i] : e.low;
    e.high = x[i] > e.high ? x[i] : e.high;
  }
  e.peak = e.high > -e.low ? e.high : e.low;
  return e;
}

/* q = x / d rounded, between low and high: q [n]. n is a constant. */
FV_INLINE void fv_round_to(const float *x, const int n, float d, float m, int low, int high, int *q) {
  const float inverse = d != 0 ? 1 / d : 0;
  for (int i = 0; i < n; i += FV_LANES) {
    const fv_i32 rounded = fv_round(fv_clamp((fv_load(x + i) + m) * inverse, (float)low, (float)high));
    memcpy(q + i, &rounded, sizeof rounded);
  }
}

/* The scale d for integers from low to high; the value of the largest magnitude goes to low, whose magnitude is no less. */
FV_INLINE float fv_fit(const float *x, const int n, int low, int high) {
  const float peak = fv_extremes_of(x, n).peak;
  if (peak == 0) return 0;
  float best = 0, kept = peak / (float)low;
  for (int t = 0; t < FV_FIT_TRIES; t++) {
    const float inverse = ((float)low + 0.15f * (float)(t - FV_FIT_TRIES / 2)) / peak;
    fv_f32 products = {0}, squares = {0};
    FV_UNROLL for (int i = 0; i < n; i += FV_LANES) {
      const fv_f32 v = fv_load(x + i), q = fv_nearest(v * inverse, (float)low, (float)high), w = v * v;
      products += w * v * q;
      squares += w * q * q;
    }
    const float product = fv_sum(products), square = fv_sum(squares);
    if (square > 0 && product * product > best * square) {
      best = product * product / square;
      kept = product / square;
    }
  }
  return kept;
}

/* The scale d and the minimum m >= 0 for integers from 0 to high: x is near d q - m. */
FV_INLINE void fv_fit_affine(const float *x, const int n, int high, float *d, float *m) {
  const fv_extremes e = fv_extremes_of(x, n);
  const float low = e.low < 0 ? e.low : 0, range = e.high - low;
  *d = range / (float)high;
  *m = -low;
  if (!(range > 0)) {
    *d = 0;
    return;
  }
  fv_f32 squares = {0};
  FV_UNROLL for (int i = 0; i < n; i += FV_LANES) squares += fv_load(x + i) * fv_load(x + i);
  const float mean = __builtin_sqrtf(fv_sum(squares) / (float)n);
  float least = __builtin_inff();
  for (int t = 0; t < FV_FIT_TRIES; t++) {
    const float inverse = ((float)high + 0.25f * (float)(t - FV_FIT_TRIES / 2)) / range;
    fv_f32 ws = {0}, xs = {0}, qs = {0}, xqs = {0}, qqs = {0}, xxs = {0};
    FV_UNROLL for (int i = 0; i < n; i += FV_LANES) {
      const fv_f32 v = fv_load(x + i), q = fv_nearest((v - low) * inverse, 0, (float)high);
      const fv_f32 w = (fv_f32)((fv_i32)v & 0x7fffffff) + mean;
      ws += w, xs += w * v, qs += w * q;
      xqs += w * v * q, qqs += w * q * q, xxs += w * v * v;
    }
    const float sw = fv_sum(ws), sx = fv_sum(xs), sq = fv_sum(qs), sxq = fv_sum(xqs), sqq = fv_sum(qqs), sxx = fv_sum(xxs);
    const float divisor = sw * sqq - sq * sq;
    if (!(divisor > 0)) continue;
    float slope = (sw * sxq - sx * sq) / divisor, at_zero = (sqq * sx - sq * sxq) / divisor;
    if (at_zero > 0) at_zero = 0, slope = sxq / sqq;
    const float error = sxx + slope * slope * sqq + at_zero * at_zero * sw + 2 * (slope * at_zero * sq - slope * sxq - at_zero * sx);
    if (error < least && slope > 0) {
      least = error;
      *d = slope;
      *m = -at_zero;
    }
  }
}

#endif /* FV_SIMD_FIT_H */
