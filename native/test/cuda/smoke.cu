// Small kernels that use what gpu.h and gpu90.h offer; smoke_test.cpp runs them.
#include "cuda/smoke.h"

#include "cuda/gpu.h"

// One warp, 16 rows, a ring of two stages filled by cp.async. Sums over k as mma does it.
FV_KERNEL(smoke_product, smoke_product_params, 32, 1) {
  FV_SHARED(shared);
  const int lane = threadIdx.x, rows = 24, steps = p.k;
  const auto fetch = [&](int step) {
    unsigned char *stage = shared + step % 2 * rows * 32;
    for (int i = lane; i < rows * 2; i += 32) {
      const int row = i / 2, piece = i % 2;
      const unsigned char *from = row < 16 ? static_cast<const unsigned char *>(p.a) + row * p.k * 32
                                           : static_cast<const unsigned char *>(p.b) + (row - 16) * p.k * 32;
      cp_async16(stage + row * 32 + piece * 16, from + step * 32 + piece * 16, 16);
    }
  };
  float c[4] = {0, 0, 0, 0};
  fetch(0);
  cp_async_commit();
  for (int step = 0; step < steps; step++) {
    if (step + 1 < steps) {
      fetch(step + 1);
    }
    cp_async_commit();
    cp_async_wait<1>();
    __syncwarp();
    const unsigned char *stage = shared + step % 2 * rows * 32;
    uint32_t a[4], b[2];
    ldmatrix_x4(a, stage + lane % 16 * 32 + lane / 16 * 16);
    ldmatrix_x2(b, stage + (16 + lane % 8) * 32 + lane / 8 % 2 * 16);
    mma<bf16>(c, a, b);
    __syncwarp();
  }
  cp_async_wait<0>();
  for (int j = 0; j < 4; j++) {
    p.c[(lane / 4 + j / 2 * 8) * 8 + lane % 4 * 2 + j % 2] = c[j];
  }
}

// A sum over a block, by warps.
FV_KERNEL(smoke_sum, smoke_product_params, 256, 2) {
  FV_SHARED(shared);
  float *sums = reinterpret_cast<float *>(shared);
  const float x = warp_sum(static_cast<const float *>(p.a)[threadIdx.x]);
  if (threadIdx.x % 32 == 0) {
    sums[threadIdx.x / 32] = x;
  }
  __syncthreads();
  float all = 0;
  for (unsigned i = 0; i < blockDim.x / 32; i++) {
    all += sums[i];
  }
  p.c[threadIdx.x] = all;
}

#include "cuda/gpu90.h"

#if FV_HOPPER

constexpr int kTile = 64 * 128;  // bytes of 64 rows of 64 half values

// A warp group that copies (its first thread) and one that multiplies; two stages.
template <class T, Major order>
FV_DEVICE void product90(const smoke_product90_params &p) {
  FV_SHARED(shared);
  uint64_t *full = reinterpret_cast<uint64_t *>(shared + 4 * kTile), *empty = full + 2;
  if (threadIdx.x == 0) {
    for (int i = 0; i < 2; i++) {
      barrier_init(full + i, 1);
      barrier_init(empty + i, 1);
    }
    barrier_init_fence();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    registers_less<40>();
    for (int i = 0; i < p.k && threadIdx.x == 0; i++) {
      barrier_wait(empty + i % 2, (i / 2 + 1) % 2);
      barrier_expect(full + i % 2, 2 * kTile);
      tma_load(shared + i % 2 * kTile, &p.a, full + i % 2, i * 64, 0);
      tma_load(shared + (2 + i % 2) * kTile, &p.b, full + i % 2, order == kMajorK ? i * 64 : 0,
               order == kMajorK ? 0 : i * 64);
    }
  } else {
    registers_more<216>();
    float d[32];
    for (int i = 0; i < p.k; i++) {
      barrier_wait(full + i % 2, i / 2 % 2);
      const unsigned char *a = shared + i % 2 * kTile, *b = shared + (2 + i % 2) * kTile;
      wgmma_fence();
#pragma unroll
      for (int k = 0; k < 4; k++) {
        wgmma_ss<T, order>(d, descriptor(a + k * 32, 128, 1024, 0),
                           descriptor(b + (order == kMajorK ? k * 32 : k * 16 * 128), 128, 1024, kTile),
                           i > 0 || k > 0);
      }
      wgmma_commit();
      wgmma_wait<0>();
      named_sync(1, 128);
      if (threadIdx.x == 128) {
        barrier_arrive(empty + i % 2);
      }
    }
    const int t = threadIdx.x - 128;
#pragma unroll
    for (int i = 0; i < 32; i++) {
      p.c[(t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8) * 64 + i / 4 * 8 + t % 4 * 2 + i % 2] = d[i];
    }
  }
}

FV_KERNEL(smoke_product90, smoke_product90_params, 256, 1) { product90<bf16, kMajorK>(p); }
FV_KERNEL(smoke_product90_n, smoke_product90_params, 256, 1) { product90<f16, kMajorMN>(p); }

#endif
