// gpu.h for compilers other than nvcc: CUDA's words, carried out by the fibers of block.h.
#ifndef FOVEA_TEST_CUDA_EMULATION_H
#define FOVEA_TEST_CUDA_EMULATION_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "cuda/launch.h"

#define FV_HOPPER 1
#define FV_DEVICE inline
#define FV_CAPABILITY 80
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(n) alignas(n)
#define threadIdx (::emulated::thread->index)
#define blockIdx (::emulated::block->index)
#define blockDim (::emulated::block->dimensions)
#define gridDim (::emulated::block->grid)
constexpr int warpSize = 32;

// Kernels behind an inclusion of gpu90.h are Hopper's.
#define FV_KERNEL(name, Params, threads, blocks_per_sm)                                             \
  static void name(const Params &p);                                                                \
  static const ::emulated::Registration registration_of_##name(                                     \
      #name, sizeof(Params), threads, blocks_per_sm, FV_CAPABILITY,                                 \
      [](const void *params) { name(*static_cast<const Params *>(params)); });                      \
  static void name([[maybe_unused]] const Params &p)
#define FV_SHARED(name) unsigned char *const name = ::emulated::block->shared

// ---- vectors and scalars of CUDA ------------------------------------------------

#define FV_VECTOR2(T, name)                                  \
  struct alignas(2 * sizeof(T)) name##2 {                    \
    T x, y;                                                  \
  };                                                         \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }
#define FV_VECTOR4(T, name)                                                      \
  struct alignas(16) name##4 {                                                   \
    T x, y, z, w;                                                                \
  };                                                                             \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
FV_VECTOR2(int, int)
FV_VECTOR4(int, int)
FV_VECTOR2(unsigned, uint)
FV_VECTOR4(unsigned, uint)
FV_VECTOR2(float, float)
FV_VECTOR4(float, float)
#undef FV_VECTOR2
#undef FV_VECTOR4

using std::max;
using std::min;

inline uint32_t __float_as_uint(float x) {
  uint32_t r;
  memcpy(&r, &x, 4);
  return r;
}
inline float __uint_as_float(uint32_t x) {
  float r;
  memcpy(&r, &x, 4);
  return r;
}
inline int __float_as_int(float x) { return static_cast<int>(__float_as_uint(x)); }
inline float __int_as_float(int x) { return __uint_as_float(static_cast<uint32_t>(x)); }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline float exp2_fast(float x) { return exp2f(x); }
inline int __popc(uint32_t x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
template <class T>
T __ldg(const T *p) {
  return *p;
}
template <class T>
T atomicAdd(T *p, T v) {
  static_assert(std::is_integral_v<T>, "sums of floats in any order have no fixed bits");
  const T old = *p;
  *p = old + v;
  return old;
}
inline void __threadfence() {}
inline void __threadfence_block() {}
[[noreturn]] inline void __trap() { emulated::fail("__trap"); }

// ---- half types -----------------------------------------------------------------

inline float to_float(float x) { return x; }
inline float to_float(bf16 x) { return __uint_as_float(static_cast<uint32_t>(x.bits) << 16); }
inline float to_float(f16 x) {
  // Exponent and fraction in place, then the exponent's bias corrected by a product, which also makes subnormals.
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16, rest = x.bits & 0x7fffu;
  if (rest >= 0x7c00) {
    return __uint_as_float(sign | 0x7f800000 | (rest & 0x3ff) << 13);
  }
  return __uint_as_float(sign | __float_as_uint(__uint_as_float(rest << 13) * 0x1p112f));
}

template <class T>
T from_float(float x);
template <>
inline float from_float<float>(float x) {
  return x;
}
template <>
inline bf16 from_float<bf16>(float x) {
  const uint32_t u = __float_as_uint(x);
  if ((u & 0x7fffffff) > 0x7f800000) {
    return {0x7fff};
  }
  return {static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16)};
}
template <>
inline f16 from_float<f16>(float x) {
  const uint32_t u = __float_as_uint(x), sign = u >> 16 & 0x8000, rest = u & 0x7fffffff;
  if (rest > 0x7f800000) {
    return {0x7fff};
  }
  if (rest >= 0x477ff000) {  // 65520, which rounds to infinity
    return {static_cast<uint16_t>(sign | 0x7c00)};
  }
  if (rest < 0x38800000) {  // below the least normal number: the sum's last bit is worth 2^-24
    const float sum = __uint_as_float(rest) + 0.5f;
    return {static_cast<uint16_t>(sign | (__float_as_uint(sum) - 0x3f000000))};
  }
  return {static_cast<uint16_t>(sign | (rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13)};
}
template <class T>
uint32_t pack(float low, float high) {
  return from_float<T>(low).bits | static_cast<uint32_t>(from_float<T>(high).bits) << 16;
}

namespace emulated {

template <class T>
float half_of(uint32_t pair, int which) {
  return to_float(T{static_cast<uint16_t>(pair >> 16 * which)});
}

}  // namespace emulated

// ---- warps and barriers ---------------------------------------------------------

inline void __syncthreads() { emulated::meet(0, 0, true, "__syncthreads"); }
inline void named_sync(int barrier, int threads) {
  emulated::meet(barrier == 0 ? -1 : barrier, threads, true, "named_sync");
}
inline void named_arrive(int barrier, int threads) {
  emulated::meet(barrier == 0 ? -1 : barrier, threads, false, "named_arrive");
}
inline void __syncwarp(uint32_t mask = ~0u) {
  char nothing;
  emulated::collective("__syncwarp", mask, &nothing, [](char **) {});
}

namespace emulated {

// Each lane of mask takes v of the lane that source(lane, its own argument) names.
template <class T, class F>
T shuffle(const char *operation, uint32_t mask, T v, int argument, F source) {
  struct A {
    T v, result;
    int argument;
  } a{v, v, argument};
  collective(operation, mask, &a, [=](A **lanes) {
    for (int i = 0; i < 32; i++) {
      if (mask >> i & 1) {
        const int from = source(i, lanes[i]->argument);
        if (!(mask >> from & 1)) {
          fail("%s reads lane %d, which mask %08x lacks", operation, from, mask);
        }
        lanes[i]->result = lanes[from]->v;
      }
    }
  });
  return a.result;
}

}  // namespace emulated

template <class T>
T __shfl_xor_sync(uint32_t mask, T v, int lanes) {
  return emulated::shuffle("__shfl_xor_sync", mask, v, lanes, [](int i, int x) { return (i ^ x) & 31; });
}
template <class T>
T __shfl_sync(uint32_t mask, T v, int lane) {
  return emulated::shuffle("__shfl_sync", mask, v, lane, [](int, int x) { return x & 31; });
}
template <class T>
T __shfl_up_sync(uint32_t mask, T v, int by) {
  return emulated::shuffle("__shfl_up_sync", mask, v, by, [](int i, int x) { return i < x ? i : i - x; });
}
template <class T>
T __shfl_down_sync(uint32_t mask, T v, int by) {
  return emulated::shuffle("__shfl_down_sync", mask, v, by, [](int i, int x) { return i + x > 31 ? i : i + x; });
}
inline uint32_t __ballot_sync(uint32_t mask, int predicate) {
  struct A {
    bool set;
    uint32_t result;
  } a{predicate != 0, 0};
  emulated::collective("__ballot_sync", mask, &a, [mask](A **lanes) {
    uint32_t all = 0;
    for (int i = 0; i < 32; i++) {
      all |= (mask >> i & 1) && lanes[i]->set ? 1u << i : 0;
    }
    for (int i = 0; i < 32; i++) {
      if (mask >> i & 1) {
        lanes[i]->result = all;
      }
    }
  });
  return a.result;
}
inline int __any_sync(uint32_t mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(uint32_t mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }
template <class T>
T shfl_xor(T v, int lanes) {
  return __shfl_xor_sync(~0u, v, lanes);
}
template <class T>
T shfl(T v, int lane) {
  return __shfl_sync(~0u, v, lane);
}

// ---- asynchronous copies --------------------------------------------------------

namespace emulated {

inline void copy_now(const Copy &copy) {
  unsigned char line[16] = {};
  memcpy(line, copy.from, static_cast<size_t>(copy.bytes));
  memcpy(copy.to, line, sizeof line);
}

}  // namespace emulated

inline void cp_async16(void *shared, const void *global, int bytes) {
  emulated::shared_offset(shared, 16, 16, "cp_async16");
  if (bytes < 0 || bytes > 16 || reinterpret_cast<uintptr_t>(global) % 16 != 0) {
    emulated::fail("cp_async16 of %d bytes from %p", bytes, global);
  }
  if (emulated::block->early()) {
    emulated::copy_now({shared, global, bytes});
  } else {
    memset(shared, 0xff, 16);
  }
  emulated::thread->open.push_back({shared, global, bytes});
}
inline void cp_async_commit() {
  emulated::thread->groups.push_back(std::move(emulated::thread->open));
  emulated::thread->open.clear();
}
template <int N>
void cp_async_wait() {
  auto &groups = emulated::thread->groups;
  for (; groups.size() > N; groups.pop_front()) {
    if (!emulated::block->early()) {
      for (const emulated::Copy &copy : groups.front()) {
        emulated::copy_now(copy);
      }
    }
  }
}

// ---- tensor cores ---------------------------------------------------------------

template <class T>
void mma(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  struct A {
    float *c;
    const uint32_t *a, *b;
  } mine{c, a, b};
  emulated::collective("mma", ~0u, &mine, [](A **lanes) {
    // Lane 4 g + t has rows g and g + 8 of a and c, column g of b; in pairs 2 t, 2 t + 1 along k or the columns of c.
    float ma[16][16], mb[16][8], mc[16][8] = {};
    for (int i = 0; i < 32; i++) {
      const int g = i / 4, t = i % 4;
      for (int h = 0; h < 2; h++) {
        for (int j = 0; j < 4; j++) {
          ma[g + j % 2 * 8][t * 2 + h + j / 2 * 8] = emulated::half_of<T>(lanes[i]->a[j], h);
        }
        for (int j = 0; j < 2; j++) {
          mb[t * 2 + h + j * 8][g] = emulated::half_of<T>(lanes[i]->b[j], h);
        }
      }
    }
    for (int r = 0; r < 16; r++) {
      for (int k = 0; k < 16; k++) {
        for (int n = 0; n < 8; n++) {
          mc[r][n] += ma[r][k] * mb[k][n];
        }
      }
    }
    for (int i = 0; i < 32; i++) {
      for (int j = 0; j < 4; j++) {
        lanes[i]->c[j] += mc[i / 4 + j / 2 * 8][i % 4 * 2 + j % 2];
      }
    }
  });
}

namespace emulated {

// Matrix m comes from the rows that lanes 8 m ... 8 m + 7 name; lane i gets elements 2 (i % 4) and the next of row i / 4,
// transposed of column i / 4.
template <int N>
void load_matrices(const char *operation, uint32_t *r, const void *row, bool transposed) {
  struct A {
    uint32_t *r;
    const uint16_t *row;
  } mine{r, static_cast<const uint16_t *>(row)};
  if (thread->number % 32 < 8 * N) {
    shared_offset(row, 16, 16, operation);
  }
  collective(operation, ~0u, &mine, [transposed](A **lanes) {
    for (int i = 0; i < 32; i++) {
      for (int m = 0; m < N; m++) {
        const int g = i / 4, t = i % 4 * 2;
        const uint16_t low = transposed ? lanes[m * 8 + t]->row[g] : lanes[m * 8 + g]->row[t];
        const uint16_t high = transposed ? lanes[m * 8 + t + 1]->row[g] : lanes[m * 8 + g]->row[t + 1];
        lanes[i]->r[m] = low | static_cast<uint32_t>(high) << 16;
      }
    }
  });
}

}  // namespace emulated

inline void ldmatrix_x4(uint32_t (&r)[4], const void *row) {
  emulated::load_matrices<4>("ldmatrix_x4", r, row, false);
}
inline void ldmatrix_x4_trans(uint32_t (&r)[4], const void *row) {
  emulated::load_matrices<4>("ldmatrix_x4_trans", r, row, true);
}
inline void ldmatrix_x2(uint32_t (&r)[2], const void *row) {
  emulated::load_matrices<2>("ldmatrix_x2", r, row, false);
}
inline void ldmatrix_x2_trans(uint32_t (&r)[2], const void *row) {
  emulated::load_matrices<2>("ldmatrix_x2_trans", r, row, true);
}

#endif
