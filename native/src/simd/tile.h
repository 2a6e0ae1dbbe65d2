/*
 * The matrix micro-kernel: C = A B for a few rows of A and a few panels of B, all of
 * C in registers. Linear layers run it over packed weights, attention over packed
 * keys and values.
 *
 *   a  [rows, k], rows lda apart
 *   b  panels [k, FV_PANEL], panel_stride apart
 *   c  [rows, panels * FV_PANEL], rows ldc apart; written, not read
 *
 * Each element of C is one chain of multiply-adds over k = 0, 1, 2, … from 0, so its
 * bits do not depend on how rows and panels are grouped.
 *
 * Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008.
 */
#ifndef FV_SIMD_TILE_H
#define FV_SIMD_TILE_H

#include "simd/vector.h"

/* Vectors per panel row: two loads of B feed FV_TILE_ROWS * 2 multiply-adds. */
#define FV_PANEL_VECTORS 2
#define FV_PANEL (FV_PANEL_VECTORS * FV_LANES)

/* Rows: as many as leave registers for B's two vectors and A's broadcast. */
#if FV_LANES == 16 /* 32 registers, broadcasts are memory operands: 28 + 2 */
#define FV_TILE_ROWS 14
#elif defined(__aarch64__) /* 32 registers: 24 + 2 + A */
#define FV_TILE_ROWS 12
#else /* 16 registers: 12 + 2 + 1 */
#define FV_TILE_ROWS 6
#endif

/* The most panels one call takes: few rows need several to keep the multiply-add units busy. */
#define FV_TILE_PANELS 4

/*
 * C = A B, or, if onto, C = factors C + A B with a factor per row; C has vectors to a row. rows, vectors and onto are
 * constants wherever this is inlined, so every loop but that over k unrolls.
 */
FV_INLINE void fv_tile_fixed(const int rows, const int vectors, long long k, const float *restrict a, long long lda,
                             const float *restrict b, long long panel_stride, const int onto,
                             const float *restrict factors, float *restrict c, long long ldc) {
  fv_f32 sum[FV_TILE_ROWS][FV_TILE_PANELS * FV_PANEL_VECTORS];
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) sum[r][v] = (fv_f32){0};
  }
  for (long long i = 0; i < k; i++) {
    fv_f32 column[FV_TILE_PANELS * FV_PANEL_VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
      column[v] = fv_load(b + (v / FV_PANEL_VECTORS) * panel_stride + i * FV_PANEL + (v % FV_PANEL_VECTORS) * FV_LANES);
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
      const fv_f32 x = fv_set(a[r * lda + i]);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; v++) sum[r][v] += x * column[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
      float *to = c + r * ldc + v * FV_LANES;
      fv_store(to, onto ? fv_load(to) * factors[r] + sum[r][v] : sum[r][v]);
    }
  }
}

/* Panels that fv_tile takes at once for this many rows. */
FV_INLINE int fv_tile_panels(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }

/* rows 1 … FV_TILE_ROWS; panels 1 or fv_tile_panels(rows). */
FV_INLINE void fv_tile_any(int rows, int panels, long long k, const float *a, long long lda, const float *b,
                           long long panel_stride, const int onto, const float *factors, float *c, long long ldc) {
#define FV_TILE_CASE(r, p) \
  case (r) * 8 + (p): \
    fv_tile_fixed(r, (p) * FV_PANEL_VECTORS, k, a, lda, b, panel_stride, onto, factors, c, ldc); \
    break;
  switch (rows * 8 + panels) {
    FV_TILE_CASE(1, 1)
    FV_TILE_CASE(1, 4)
    FV_TILE_CASE(2, 1)
    FV_TILE_CASE(2, 2)
    FV_TILE_CASE(3, 1)
    FV_TILE_CASE(3, 2)
    FV_TILE_CASE(4, 1)
    FV_TILE_CASE(5, 1)
    FV_TILE_CASE(6, 1)
#if FV_TILE_ROWS > 6
    FV_TILE_CASE(7, 1)
    FV_TILE_CASE(8, 1)
    FV_TILE_CASE(9, 1)
    FV_TILE_CASE(10, 1)
    FV_TILE_CASE(11, 1)
    FV_TILE_CASE(12, 1)
#endif
#if FV_TILE_ROWS > 12
    FV_TILE_CASE(13, 1)
    FV_TILE_CASE(14, 1)
#endif
    default:
      __builtin_unreachable();
  }
#undef FV_TILE_CASE
}

static __attribute__((noinline, unused)) void fv_tile(int rows, int panels, long long k, const float *a, long long lda,
                                              const float *b, long long panel_stride, float *c, long long ldc) {
  fv_tile_any(rows, panels, k, a, lda, b, panel_stride, 0, 0, c, ldc);
}

/* C = factors C + A B, with a factor for each row. */
static __attribute__((noinline, unused)) void fv_tile_onto(int rows, int panels, long long k, const float *a,
                                                   long long lda, const float *b, long long panel_stride,
                                                   const float *factors, float *c, long long ldc) {
  fv_tile_any(rows, panels, k, a, lda, b, panel_stride, 1, factors, c, ldc);
}

/* The first FV_LANES columns of one panel alone. c [rows, FV_LANES] */
static __attribute__((noinline, unused)) void fv_tile_half(int rows, long long k, const float *a, long long lda,
                                                   const float *b, float *c, long long ldc) {
#define FV_TILE_CASE(r) \
  case r: \
    fv_tile_fixed(r, 1, k, a, lda, b, 0, 0, 0, c, ldc); \
    break;
  switch (rows) {
    FV_TILE_CASE(1)
    FV_TILE_CASE(2)
    FV_TILE_CASE(3)
    FV_TILE_CASE(4)
    FV_TILE_CASE(5)
    FV_TILE_CASE(6)
#if FV_TILE_ROWS > 6
    FV_TILE_CASE(7)
    FV_TILE_CASE(8)
    FV_TILE_CASE(9)
    FV_TILE_CASE(10)
    FV_TILE_CASE(11)
    FV_TILE_CASE(12)
#endif
#if FV_TILE_ROWS > 12
    FV_TILE_CASE(13)
    FV_TILE_CASE(14)
#endif
    default:
      __builtin_unreachable();
  }
#undef FV_TILE_CASE
}

#endif /* FV_SIMD_TILE_H */
