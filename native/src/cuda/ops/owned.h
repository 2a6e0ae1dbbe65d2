/* Registers of wgmma. */
#ifndef FOVEA_CUDA_OWNED_H
#define FOVEA_CUDA_OWNED_H

#include "cuda/gpu90.h"

/*
 * After wgmma_wait: the thread has d again. The compiler knows wgmma as an instruction that is done with d when it is
 * issued; this keeps it from moving what reads or writes d in front of the wait.
 */
template <int N>
FV_DEVICE void wgmma_own([[maybe_unused]] float (&d)[N]) {
#ifdef __CUDACC__
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+f"(d[i])::"memory");
#endif
}

#endif
