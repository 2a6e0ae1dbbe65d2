/* Parameters of the kernels of smoke.cu. */
#ifndef FOVEA_TEST_CUDA_SMOKE_H
#define FOVEA_TEST_CUDA_SMOKE_H

#include "cuda/plan.h"
#include "cuda/tensor_map.h"

/* c [m, 8] = a [m, 16 k] bᵀ, b [8, 16 k], bf16; out float */
typedef struct smoke_product_params {
  FV_POINTER(const void) a;
  FV_POINTER(const void) b;
  FV_POINTER(float) c;
  int k;
} smoke_product_params;

/* c [64, 64] = a b, f16 or bf16; a [64, 64 k] and b [64 (n), 64 k], or b [64 k, 64 (n)] when it lies along n */
typedef struct smoke_product90_params {
  fv_tensor_map a, b;
  FV_POINTER(float) c;
  int k;
} smoke_product90_params;

#endif
