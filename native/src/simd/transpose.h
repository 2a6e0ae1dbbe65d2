/*
 * Transposes a square of FV_LANES x FV_LANES floats in registers, or folds its rows. The steps are those that x86 has
 * one instruction for: two that interleave pairs of rows within parts of four lanes, which leave in row 4 a + b of the
 * four rows 4 a ... their columns b, 4 + b, ..., and then one per doubling of four lanes that deals whole parts out.
 */
#ifndef FV_SIMD_TRANSPOSE_H
#define FV_SIMD_TRANSPOSE_H

#include "simd/vector.h"

/*
 * Within each four lanes: one, or two, of a and of b in turn, from the lower or the upper two of four. EVEN and ODD:
 * the even, or odd, parts of four lanes of a, then of b.
 */
#if FV_LANES == 4
#define FV_LOW_1(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define FV_HIGH_1(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define FV_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 1, 4, 5)
#define FV_HIGH_2(a, b) __builtin_shufflevector(a, b, 2, 3, 6, 7)
#elif FV_LANES == 8
#define FV_LOW_1(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define FV_HIGH_1(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define FV_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define FV_HIGH_2(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define FV_EVEN_4(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define FV_ODD_4(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#elif FV_LANES == 16
#define FV_LOW_1(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define FV_HIGH_1(a, b) __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define FV_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define FV_HIGH_2(a, b) __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define FV_EVEN_4(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define FV_ODD_4(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
#endif

/* Rows i and i + s become low and high of them: s is a literal. */
#define FV_TRANSPOSE_STEP(s, low, high)                         \
  FV_UNROLL for (int i = 0; i < FV_LANES; i++) { \
    if (i & (s)) continue;                                      \
    const fv_f32 a = rows[i], b = rows[i + (s)];                \
    rows[i] = low(a, b);                                        \
    rows[i + (s)] = high(a, b);                                 \
  }

FV_INLINE void fv_transpose(fv_f32 rows[FV_LANES]) {
  FV_TRANSPOSE_STEP(1, FV_LOW_1, FV_HIGH_1)
  FV_TRANSPOSE_STEP(2, FV_LOW_2, FV_HIGH_2)
#if FV_LANES >= 8
  FV_TRANSPOSE_STEP(4, FV_EVEN_4, FV_ODD_4)
#endif
#if FV_LANES == 16
  FV_TRANSPOSE_STEP(8, FV_EVEN_4, FV_ODD_4)
#endif
  /* Interleaving singles first has left columns 1 and 2 of each four in each other's place. */
  FV_UNROLL for (int i = 1; i < FV_LANES; i += 4) {
    const fv_f32 row = rows[i];
    rows[i] = rows[i + 1];
    rows[i + 1] = row;
  }
}

/* Rows i and i + s are folded into row i: operation is a name, s a literal. */
#define FV_FOLD_STEP(s, low, high, operation)                                       \
  FV_UNROLL for (int i = 0; i < FV_LANES; i += 2 * (s)) {            \
    rows[i] = operation(low(rows[i], rows[i + (s)]), high(rows[i], rows[i + (s)])); \
  }

#if FV_LANES == 4
#define FV_FOLD_PARTS(operation)
#elif FV_LANES == 8
#define FV_FOLD_PARTS(operation) FV_FOLD_STEP(4, FV_EVEN_4, FV_ODD_4, operation)
#else
#define FV_FOLD_PARTS(operation) \
  FV_FOLD_STEP(4, FV_EVEN_4, FV_ODD_4, operation) FV_FOLD_STEP(8, FV_EVEN_4, FV_ODD_4, operation)
#endif

FV_INLINE fv_f32 fv_add(fv_f32 a, fv_f32 b) { return a + b; }

/* In lane i the sum, or the maximum, of row i: in one order for every row, and with far fewer steps than row by row. */
FV_INLINE fv_f32 fv_row_sums(fv_f32 rows[FV_LANES]) {
  FV_FOLD_STEP(1, FV_LOW_1, FV_HIGH_1, fv_add)
  FV_FOLD_STEP(2, FV_LOW_2, FV_HIGH_2, fv_add)
  FV_FOLD_PARTS(fv_add)
  return rows[0];
}

FV_INLINE fv_f32 fv_row_peaks(fv_f32 rows[FV_LANES]) {
  FV_FOLD_STEP(1, FV_LOW_1, FV_HIGH_1, fv_max)
  FV_FOLD_STEP(2, FV_LOW_2, FV_HIGH_2, fv_max)
  FV_FOLD_PARTS(fv_max)
  return rows[0];
}

#endif /* FV_SIMD_TRANSPOSE_H */
