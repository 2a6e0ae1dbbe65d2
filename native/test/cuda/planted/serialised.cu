// A kernel that reads the accumulator of a wgmma in flight: ptxas serialises it, C75xx.
#include "cuda/gpu90.h"

struct planted_params {
  float *values;
};

#if FV_HOPPER
FV_KERNEL(planted_serialised, planted_params, 128, 1) {
  FV_SHARED(shared);
  float d[32];
  wgmma_fence();
#pragma unroll
  for (int i = 0; i < 32; i++) d[i] = 0;
  for (int k = 0; k < 4; k++) {
    wgmma_ss<bf16, kMajorK>(d, descriptor(shared, 128, 1024, 0), descriptor(shared + 8192, 128, 1024, 0), 1);
    wgmma_commit();
#pragma unroll
    for (int i = 0; i < 32; i++) d[i] *= p.values[k];
  }
  wgmma_wait<0>();
#pragma unroll
  for (int i = 0; i < 32; i++) p.values[threadIdx.x * 32 + i] = d[i];
}
#endif
