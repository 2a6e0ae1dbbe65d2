/* The activations of linear layers and of elementwise ops: one code, so that fused and unfused give the same bits. */
#ifndef FV_SIMD_ACTIVATION_H
#define FV_SIMD_ACTIVATION_H

#include "fovea/fovea.h"
#include "simd/math.h"

FV_INLINE fv_f32 fv_activate(int activation, fv_f32 x) {
  switch (activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
      return fv_gelu_erf(x);
    case FOVEA_ACTIVATION_GELU_TANH:
      return fv_gelu_tanh(x);
    case FOVEA_ACTIVATION_RELU:
      return fv_max((fv_f32){0}, x); /* in this order NaN stays */
    case FOVEA_ACTIVATION_SILU:
      return fv_silu(x);
    case FOVEA_ACTIVATION_TANH:
      return fv_tanh(x);
    case FOVEA_ACTIVATION_QUICK_GELU:
      return fv_quick_gelu(x);
    default:
      return x;
  }
}

#endif /* FV_SIMD_ACTIVATION_H */
