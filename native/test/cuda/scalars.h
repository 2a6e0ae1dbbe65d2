// CUDA's vectors and functions of scalars, and the half types of gpu.h.
#ifndef FOVEA_TEST_CUDA_SCALARS_H
#define FOVEA_TEST_CUDA_SCALARS_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuda/block.h"

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
inline float __fdividef(float x, float y) { return x / y; }
inline float exp2_fast(float x) { return exp2f(x); }

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

#endif
