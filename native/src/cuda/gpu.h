/*
 * What kernels are written on. nvcc gives these names CUDA's meaning, any other compiler that of the emulation in
 * native/test/cuda/, which runs one fiber per thread on the host.
 *
 *   FV_KERNEL(name, Params, threads, blocks_per_sm) { ... }   an entry with one parameter, const Params &p
 *   FV_SHARED(name)                      unsigned char *name: the dynamic shared memory, aligned to 1024; there is no other
 *   f16, bf16                            16 bits; to_float(x), from_float<T>(x), pack<T>(low, high): to nearest even
 *   mma<T>(c, a, b)                      c [16, 8] += a [16, 16] b [16, 8] by a warp, T = f16 or bf16, sums in float
 *   ldmatrix_x4(r, row), ..._trans, x2   8x8 matrices of 16 bits; lane i gives the address of row i
 *   cp_async16, _commit, _wait<N>        copies into shared memory that end when their thread waits
 *   shfl, shfl_xor, warp_sum, warp_max   lanes of a warp, all 32
 *   named_sync, named_arrive             barriers 1 ... 15 of some warps of a block
 *
 * PTX ISA 8.0: 9.7.13.4 (mma.m16n8k16, ldmatrix), 9.7.8.24 (cp.async), 9.7.12.1 (bar).
 */
#ifndef FOVEA_CUDA_GPU_H
#define FOVEA_CUDA_GPU_H

#include <math.h>
#include <stdint.h>

struct f16 {
  uint16_t bits;
};

struct bf16 {
  uint16_t bits;
};

#ifdef __CUDACC__

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define FV_HOPPER 1
#else
#define FV_HOPPER 0
#endif

#define FV_DEVICE __device__ __forceinline__
#define FV_KERNEL(name, Params, threads, blocks_per_sm)                 \
  extern "C" __global__ void __launch_bounds__(threads, blocks_per_sm) \
      name(const __grid_constant__ Params p)
extern __shared__ __align__(1024) unsigned char fv_shared[];
#define FV_SHARED(name) unsigned char *const name = fv_shared

FV_DEVICE uint32_t shared_address(const void *p) { return (uint32_t)__cvta_generic_to_shared(p); }

/* ---- half types ------------------------------------------------------------ */

FV_DEVICE float to_float(float x) { return x; }
FV_DEVICE float to_float(bf16 x) { return __uint_as_float((uint32_t)x.bits << 16); }
FV_DEVICE float to_float(f16 x) {
  float r;
  asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x.bits));
  return r;
}

template <class T>
FV_DEVICE T from_float(float x);
template <>
FV_DEVICE float from_float<float>(float x) {
  return x;
}
template <>
FV_DEVICE f16 from_float<f16>(float x) {
  f16 r;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
  return r;
}
template <>
FV_DEVICE bf16 from_float<bf16>(float x) {
  bf16 r;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
  return r;
}

template <class T>
FV_DEVICE uint32_t pack(float low, float high);
template <>
FV_DEVICE uint32_t pack<f16>(float low, float high) {
  uint32_t r;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}
template <>
FV_DEVICE uint32_t pack<bf16>(float low, float high) {
  uint32_t r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
  return r;
}

/* ---- tensor cores ------------------------------------------------------------ */

template <class T>
FV_DEVICE void mma(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
#define FV_MMA(T, type)                                                                                               \
  template <>                                                                                                         \
  FV_DEVICE void mma<T>(float(&c)[4], const uint32_t(&a)[4], const uint32_t(&b)[2]) {                                 \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." type "." type                                               \
                 ".f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"                                            \
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                                     \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                                 \
  }
FV_MMA(f16, "f16")
FV_MMA(bf16, "bf16")
#undef FV_MMA

#define FV_LDMATRIX_X4(name, how)                                                                     \
  FV_DEVICE void name(uint32_t(&r)[4], const void *row) {                                             \
    asm volatile("ldmatrix.sync.aligned.m8n8.x4" how ".shared.b16 {%0,%1,%2,%3}, [%4];"               \
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])                                     \
                 : "r"(shared_address(row))                                                           \
                 : "memory");                                                                         \
  }
FV_LDMATRIX_X4(ldmatrix_x4, "")
FV_LDMATRIX_X4(ldmatrix_x4_trans, ".trans")
#undef FV_LDMATRIX_X4
FV_DEVICE void ldmatrix_x2(uint32_t (&r)[2], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}

/* ---- asynchronous copies ----------------------------------------------------- */

/* 16 bytes, of which the last 16 - bytes become zero and are not read. Both addresses are multiples of 16. */
FV_DEVICE void cp_async16(void *shared, const void *global, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
               : "memory");
}
FV_DEVICE void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/* Until all groups of this thread but the last N have landed; other threads see them after a barrier. */
template <int N>
FV_DEVICE void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

/* ---- warps and barriers ------------------------------------------------------ */

template <class T>
FV_DEVICE T shfl_xor(T v, int lanes) {
  return __shfl_xor_sync(0xffffffffu, v, lanes);
}
template <class T>
FV_DEVICE T shfl(T v, int lane) {
  return __shfl_sync(0xffffffffu, v, lane);
}

/* Barrier 1 ... 15 for threads threads, a multiple of 32. */
FV_DEVICE void named_sync(int barrier, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}
/* Counts as arrived without waiting. */
FV_DEVICE void named_arrive(int barrier, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

/* 2^x, within 2 ulp; subnormal results may be 0. */
FV_DEVICE float exp2_fast(float x) {
  float r;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}

#else
#include "cuda/emulation.h"
#endif

/* Sum and maximum over a warp, the same bits in all lanes. The maximum passes over NaN. */
FV_DEVICE float warp_sum(float v) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    v += shfl_xor(v, lanes);
  }
  return v;
}
FV_DEVICE float warp_max(float v) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    v = fmaxf(v, shfl_xor(v, lanes));
  }
  return v;
}

#endif
