/*
 * Transposes a square of FV_LANES x FV_LANES floats in registers: in each of log2(FV_LANES)
 * steps rows i and i + s swap the blocks of s elements that lie off their diagonal.
 */
#ifndef FV_SIMD_TRANSPOSE_H
#define FV_SIMD_TRANSPOSE_H

#include "simd/vector.h"

/* low: a where the s-bit of the lane is clear, b's lane - s else. high: a's lane + s, then b. */
#if FV_LANES == 4
#define FV_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define FV_HIGH_2(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#define FV_LOW_1(a, b) __builtin_shufflevector(a, b, 0, 4, 2, 6)
#define FV_HIGH_1(a, b) __builtin_shufflevector(a, b, 1, 5, 3, 7)
#elif FV_LANES == 8
#define FV_LOW_4(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define FV_HIGH_4(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#define FV_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define FV_HIGH_2(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define FV_LOW_1(a, b) __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define FV_HIGH_1(a, b) __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#elif FV_LANES == 16
#define FV_LOW_8(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#define FV_HIGH_8(a, b) __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#define FV_LOW_4(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
#define FV_HIGH_4(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#define FV_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define FV_HIGH_2(a, b) __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define FV_LOW_1(a, b) __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
#define FV_HIGH_1(a, b) __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)
#endif

/* One step: s is a literal. */
#define FV_TRANSPOSE_STEP(s)                                 \
  _Pragma("GCC unroll 16") for (int i = 0; i < FV_LANES; i++) { \
    if (i & (s)) continue;                                   \
    const fv_f32 a = rows[i], b = rows[i + (s)];             \
    rows[i] = FV_LOW_##s(a, b);                              \
    rows[i + (s)] = FV_HIGH_##s(a, b);                       \
  }

FV_INLINE void fv_transpose(fv_f32 rows[FV_LANES]) {
#if FV_LANES == 16
  FV_TRANSPOSE_STEP(8)
#endif
#if FV_LANES >= 8
  FV_TRANSPOSE_STEP(4)
#endif
  FV_TRANSPOSE_STEP(2)
  FV_TRANSPOSE_STEP(1)
}

#endif /* FV_SIMD_TRANSPOSE_H */
