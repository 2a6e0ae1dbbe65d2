/* Registers of wgmma. */
#ifndef FOVEA_CUDA_OWNED_H
#define FOVEA_CUDA_OWNED_H

#include "cuda/gpu90.h"

/*
 * The thread owns d: called before wgmma_fence, of all registers that the products behind it read or write, and after
 * wgmma_wait. The compiler takes wgmma for an instruction that is done when it is issued; this keeps what reads or writes
 * d from moving past the fence or before the wait, and d's registers from serving others in between.
 */
template <int N>
FV_DEVICE void wgmma_own([[maybe_unused]] float (&d)[N]) {
#ifdef __CUDACC__
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+f"(d[i])::"memory");
#endif
}
template <int N>
FV_DEVICE void wgmma_own([[maybe_unused]] uint32_t (&a)[N]) {
#ifdef __CUDACC__
#pragma unroll
  for (int i = 0; i < N; i++) asm volatile("" : "+r"(a[i])::"memory");
#endif
}

#endif
