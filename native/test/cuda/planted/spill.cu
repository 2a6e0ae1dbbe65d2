// A kernel that needs more registers than its launch bounds leave: it spills.
#include "cuda/gpu.h"

struct planted_params {
  float *values;
};

FV_KERNEL(planted_spill, planted_params, 1024, 2) {
  float v[96];
#pragma unroll
  for (int i = 0; i < 96; i++) v[i] = p.values[threadIdx.x * 96 + i];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 96; i++) p.values[i * 1024 + threadIdx.x] = v[i] * v[95 - i];
}
