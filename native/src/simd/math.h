/*
 * exp, erf, tanh, the two GELUs and SiLU on vectors. Absolute and relative errors are
 * tested against double precision in math_test.c.
 */
#ifndef FV_SIMD_MATH_H
#define FV_SIMD_MATH_H

#include "simd/vector.h"

/*
 * e^x, relative error below 2 ulp; 0 below -87.3, infinity above 88.7, NaN for NaN.
 * Cody and Waite's reduction x = n ln 2 + r, |r| <= ln 2 / 2, with the minimax
 * polynomial of Cephes expf.
 */
FV_INLINE fv_f32 fv_exp(fv_f32 x) {
  const fv_f32 rounder = fv_set(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
  /* The bound comes first, so that NaN passes. */
  const fv_f32 low = fv_set(-87.33654f), high = fv_set(88.72283f);
  const fv_f32 t = fv_max(low, fv_min(high, x));
  const fv_f32 shifted = t * 1.44269504f + rounder;
  const fv_f32 n = shifted - rounder;
  fv_f32 r = t - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  fv_f32 p = fv_set(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r;
  p = p + 1.0f;
  /* 2^n in two factors: n = 128 has no exponent of its own. */
  const fv_i32 bits = (fv_i32)shifted - (fv_i32)rounder;
  const fv_i32 half = bits >> 1;
  p = p * (fv_f32)((half + 127) << 23) * (fv_f32)((bits - half + 127) << 23);
  p = fv_select(x < low, (fv_f32){0}, p);
  return fv_select(x > high, fv_set(__builtin_inff()), p);
}

/*
 * 2^(unit x) for x <= 0 < unit, of what is summed with 2^0: relative error below 2 ulp plus |unit x| / 2 ulp, which is
 * below 2 ulp of 2^0; 0 for -infinity, NaN for NaN. unit x = n + r, |r| <= 1/2; the polynomial is the minimax of
 * 2^r's relative error (9.2e-8) with 1 at 0. AVX-512 has an instruction for n, for r, which of -infinity is 0, and for
 * the product with 2^n.
 */
FV_INLINE fv_f32 fv_exp2_nonpositive(fv_f32 x, float unit) {
#if FV_LANES == 16
  const __m512 t = (__m512)(x * unit);
  const fv_f32 r = (fv_f32)_mm512_reduce_ps(t, _MM_FROUND_TO_NEAREST_INT);
#else
  const fv_f32 rounder = fv_set(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
  const fv_f32 t = fv_max(fv_set(-127 / unit), x); /* the bound comes first, so that NaN passes */
  const fv_f32 shifted = t * unit + rounder;
  const fv_f32 r = t * unit - (shifted - rounder);
#endif
  fv_f32 p = fv_set(1.32647273e-3f);
  p = p * r + 9.67151273e-3f;
  p = p * r + 5.55073374e-2f;
  p = p * r + 2.40222421e-1f;
  p = p * r + 6.93146978e-1f;
  p = p * r + 1.0f;
#if FV_LANES == 16
  return (fv_f32)_mm512_scalef_ps((__m512)p, _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT));
#else
  /* 2^n: n stands in the low bits of shifted, and -127 makes a 0. */
  return p * (fv_f32)(((fv_u32)shifted << 23) + 0x3f800000);
#endif
}

/* erf(x), absolute error below 5e-7. The rational approximation of Eigen's and XLA's float erf on [-4, 4]. */
FV_INLINE fv_f32 fv_erf(fv_f32 x) {
  const fv_f32 t = fv_max(fv_set(-4.0f), fv_min(fv_set(4.0f), x));
  const fv_f32 t2 = t * t;
  fv_f32 p = fv_set(-2.72614225801306e-10f);
  p = p * t2 + 2.77068142495902e-08f;
  p = p * t2 + -2.10102402082508e-06f;
  p = p * t2 + -5.69250639462346e-05f;
  p = p * t2 + -7.34990630326855e-04f;
  p = p * t2 + -2.95459980854025e-03f;
  p = p * t2 + -1.60960333262415e-02f;
  p = p * t;
  fv_f32 q = fv_set(-1.45660718464996e-05f);
  q = q * t2 + -2.13374055278905e-04f;
  q = q * t2 + -1.68282697438203e-03f;
  q = q * t2 + -7.37332916720468e-03f;
  q = q * t2 + -1.42647390514189e-02f;
  return p / q;
}

/* tanh(x), relative error below 3 ulp: Cephes tanhf's polynomial below 0.625, 1 - 2 / (e^2x + 1) above. */
FV_INLINE fv_f32 fv_tanh(fv_f32 x) {
  const fv_f32 z = x * x;
  fv_f32 p = fv_set(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z + -5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z + -3.33332819422e-1f;
  const fv_f32 near = p * z * x + x, far = 1.0f - 2.0f / (fv_exp(x + x) + 1.0f);
  return fv_select(z < 0.390625f, near, far);
}

/* x/2 (1 + erf(x / sqrt 2)) */
FV_INLINE fv_f32 fv_gelu_erf(fv_f32 x) { return 0.5f * x * (1.0f + fv_erf(x * 0.707106781f)); }

/* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
FV_INLINE fv_f32 fv_gelu_tanh(fv_f32 x) {
  const fv_f32 inner = 0.797884561f * (x + 0.044715f * (x * x * x));
  return 0.5f * x * (1.0f + fv_tanh(inner));
}

/* x / (1 + e^-x) */
FV_INLINE fv_f32 fv_silu(fv_f32 x) { return x / (1.0f + fv_exp(-x)); }

/* x / (1 + e^-1.702x), Hendrycks and Gimpel, arXiv:1606.08415, section 2: the GELU of CLIP. */
FV_INLINE fv_f32 fv_quick_gelu(fv_f32 x) { return x / (1.0f + fv_exp(-1.702f * x)); }

#endif /* FV_SIMD_MATH_H */
