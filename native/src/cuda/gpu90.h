/*
 * Hopper's asynchronous machinery, for nvcc (sm_90a) and for the emulation. Only inside #if FV_HOPPER.
 *
 *   barrier_*        mbarrier: 8 bytes of shared memory. Phases alternate in parity, the first is 0. A phase ends when as
 *                    many threads have arrived as barrier_init said and the bytes expected have landed.
 *   tma_load         a box of a tensor to shared memory; coordinates in elements, innermost first; outside the tensor
 *                    zeros. Counts its bytes, zeros too, on an mbarrier.
 *   wgmma_ss, _rs    d [64, N] (+)= a [64, 16] b [16, N] by a warp group of 128 threads; T = f16 or bf16, sums in float.
 *                    d: thread t, element i: row t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8, column i / 4 * 8 + t % 4 * 2 + i % 2.
 *                    a: a descriptor (rows along K), or four registers like those of mma. b: a descriptor.
 *   registers_less   setmaxnreg, all four warps of a group
 *
 * A descriptor is of a matrix in shared memory of 16-bit elements, in rows of span (32, 64, 128) bytes that are swizzled
 * as TMA does it: 16-byte pieces change places within 8 rows, by address.
 *
 *   kMajorK   a row is span bytes along K. rows: bytes from 8 rows to the next 8. columns: not read.
 *   kMajorMN  a row is span bytes along M or N. rows: bytes from 8 rows (of K) to the next 8. columns: bytes from one
 *             span of M or N to the next.
 *   span 0      not swizzled: blocks of 8 rows of 16 bytes, dense. rows: bytes to the next block along M or N. columns:
 *             along K.
 *
 * Order: wgmma_fence, wgmma_*, wgmma_commit, wgmma_wait<groups left>. Until then d is not touched, nor a in registers.
 *
 * PTX ISA 8.0: 9.7.12.15 (mbarrier), 9.7.8.24.9 (cp.async.bulk.tensor), 9.7.14 (wgmma), 9.7.18.5 (setmaxnreg).
 */
#ifndef FOVEA_CUDA_GPU90_H
#define FOVEA_CUDA_GPU90_H

#include "cuda/gpu.h"
#include "cuda/tensor_map.h"

#if FV_HOPPER

enum Major { kMajorK = 0, kMajorMN = 1 };

#ifdef __CUDACC__

/* ---- mbarrier ---------------------------------------------------------------- */

FV_DEVICE void barrier_init(uint64_t *barrier, int threads) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(threads) : "memory");
}
/* Makes the initialised barriers known to TMA; then __syncthreads. */
FV_DEVICE void barrier_init_fence() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
FV_DEVICE void barrier_arrive(uint64_t *barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
/* Arrives, and expects bytes more. */
FV_DEVICE void barrier_expect(uint64_t *barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
}
/* Until the phase of this parity has ended. */
FV_DEVICE void barrier_wait(uint64_t *barrier, int parity) {
  asm volatile(
      "{\n.reg .pred p;\nAGAIN_%=:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@!p bra AGAIN_%=;\n}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}

/* ---- TMA ----------------------------------------------------------------------- */

FV_DEVICE void tma_prefetch(const fv_tensor_map *map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}
FV_DEVICE void tma_load(void *shared, const fv_tensor_map *map, uint64_t *barrier, int c0, int c1) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3,%4}], [%2];" ::"r"(
          shared_address(shared)),
      "l"(map), "r"(shared_address(barrier)), "r"(c0), "r"(c1)
      : "memory");
}
FV_DEVICE void tma_load(void *shared, const fv_tensor_map *map, uint64_t *barrier, int c0, int c1, int c2) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3,%4,%5}], "
      "[%2];" ::"r"(shared_address(shared)),
      "l"(map), "r"(shared_address(barrier)), "r"(c0), "r"(c1), "r"(c2)
      : "memory");
}
/* What threads wrote to shared memory before is there for TMA and wgmma after it. */
FV_DEVICE void fence_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

/* ---- warp groups --------------------------------------------------------------- */

template <int R>
FV_DEVICE void registers_less() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(R));
}
template <int R>
FV_DEVICE void registers_more() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(R));
}

/* rows, columns: in bytes, multiples of 16 below 2^18. */
FV_DEVICE uint64_t descriptor(const void *shared, int span, int rows, int columns) {
  const uint64_t layout = span == 128 ? 1 : span == 64 ? 2 : span == 32 ? 3 : 0;
  return (uint64_t)((shared_address(shared) & 0x3ffff) >> 4) | (uint64_t)(columns >> 4) << 16 |
         (uint64_t)(rows >> 4) << 32 | layout << 62;
}

FV_DEVICE void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
FV_DEVICE void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int N>
FV_DEVICE void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

template <class T>
struct IsBf16 {
  static constexpr bool value = false;
};
template <>
struct IsBf16<bf16> {
  static constexpr bool value = true;
};

#include "cuda/wgmma.h"

#else
#include "cuda/emulation90.h"
#endif

#endif /* FV_HOPPER */

#endif
