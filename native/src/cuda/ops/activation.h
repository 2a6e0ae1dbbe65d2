/*
 * Activations, FOVEA_ACTIVATION_* of fovea.h. NaN stays NaN; plus infinity gives infinity, of tanh 1; of minus infinity
 * GELU and SiLU may be NaN.
 *
 * EXACT: to a few ulp of x, for ops whose weights are F32 and for those without weights. Else in fewer instructions and
 * within 1e-6 (1 + |x|), for ops whose weights are of half types.
 */
#ifndef FOVEA_CUDA_ACTIVATION_H
#define FOVEA_CUDA_ACTIVATION_H

#include "cuda/gpu.h"
#include "fovea/fovea.h"

/*
 * x/2 (1 + erf(x/sqrt 2)). In fewer instructions: max(x, 0) - |x|/2 erfc(|x|/sqrt 2) with
 * erfc(z) = (a1 t + ... + a5 t^5) e^(-z z), t = 1/(1 + 0.3275911 z), within 1.5e-7; Abramowitz and Stegun, 7.1.26.
 */
template <bool EXACT>
FV_DEVICE float gelu_erf(float x) {
  if (EXACT) return 0.5f * x * (1.0f + erff(x * 0.707106781f));
  const float most = fminf(fabsf(x), 16.0f); /* erfc is 0 long before */
  const float z = most * 0.707106781f;
  const float t = __fdividef(1.0f, fmaf(0.3275911f, z, 1.0f));
  float p = fmaf(1.061405429f, t, -1.453152027f);
  p = fmaf(p, t, 1.421413741f);
  p = fmaf(p, t, -0.284496736f);
  p = fmaf(p, t, 0.254829592f);
  const float tail = p * t * exp2_fast(z * z * -1.44269504f);
  return fmaf(-0.5f * most, tail, x < 0 ? 0 : x);
}

/* x/2 (1 + tanh y) = x/(1 + e^(-2 y)) */
template <bool EXACT>
FV_DEVICE float gelu_tanh(float x) {
  const float y = 0.797884561f * fmaf(0.044715f, x * x * x, x);
  return EXACT ? 0.5f * x * (1.0f + tanhf(y)) : __fdividef(x, 1.0f + exp2_fast(-2.88539008f * y));
}

template <bool EXACT>
FV_DEVICE float silu(float x) {
  return EXACT ? x / (1.0f + expf(-x)) : __fdividef(x, 1.0f + exp2_fast(-1.44269504f * x));
}

template <bool EXACT>
FV_DEVICE float tanh_of(float x) {
  return EXACT ? tanhf(x) : 1.0f - __fdividef(2.0f, 1.0f + exp2_fast(2.88539008f * x));
}

template <bool EXACT>
FV_DEVICE float quick_gelu(float x) {
  return EXACT ? x / (1.0f + expf(-1.702f * x)) : __fdividef(x, 1.0f + exp2_fast(-2.45546696f * x));
}

/* In place, so that the choice is made once for all. */
template <bool EXACT, int COUNT>
FV_DEVICE void activate(int activation, float (&v)[COUNT]) {
  switch (activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
#pragma unroll
      for (int i = 0; i < COUNT; i++) v[i] = gelu_erf<EXACT>(v[i]);
      break;
    case FOVEA_ACTIVATION_GELU_TANH:
#pragma unroll
      for (int i = 0; i < COUNT; i++) v[i] = gelu_tanh<EXACT>(v[i]);
      break;
    case FOVEA_ACTIVATION_RELU:
#pragma unroll
      for (int i = 0; i < COUNT; i++) v[i] = v[i] < 0 ? 0 : v[i]; /* in this order NaN stays */
      break;
    case FOVEA_ACTIVATION_SILU:
#pragma unroll
      for (int i = 0; i < COUNT; i++) v[i] = silu<EXACT>(v[i]);
      break;
    case FOVEA_ACTIVATION_TANH:
#pragma unroll
      for (int i = 0; i < COUNT; i++) v[i] = tanh_of<EXACT>(v[i]);
      break;
    case FOVEA_ACTIVATION_QUICK_GELU:
#pragma unroll
      for (int i = 0; i < COUNT; i++) v[i] = quick_gelu<EXACT>(v[i]);
      break;
    default:
      break;
  }
}

#endif
