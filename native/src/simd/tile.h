/*
 * The matrix micro-kernel: C = A B for a few rows of A and a few panels of B, all of
 * C in registers. Linear layers run it over packed weights, attention over packed
 * keys and values.
 *
 *   a  [rows, k], rows lda apart
 *   b  panels [k, FV_PANEL], panel_stride apart; of BF16 [k, FV_LANES] words, with
 *      column j in the lower half of word j and column j + FV_LANES in the upper half;
 *      of F16 [k, FV_PANEL] halves
 *   c  [rows, panels * FV_PANEL], rows ldc apart; written, and read only where it is summed onto
 *
 * Each element of C is one chain of multiply-adds over k = 0, 1, 2, … from 0, so its
 * bits do not depend on how rows and panels are grouped, and those of BF16 and F16 are
 * those of the same values in single precision.
 *
 * Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008.
 */
#ifndef FV_SIMD_TILE_H
#define FV_SIMD_TILE_H

#include "fovea/fovea.h"
#include "simd/half.h"
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

/*
 * How far ahead of its use a panel is fetched that only one tile streams through: 8 rows are then limited by
 * memory. Less comes too late, more is driven out of the first cache before it is used.
 */
#define FV_TILE_AHEAD_BYTES (16 * 1024)

/* The most panels one call takes: few rows need several to keep the multiply-add units busy. */
#define FV_TILE_PANELS 4

/* Bytes of one row of a panel. */
FV_INLINE int fv_panel_row_bytes(const int dtype) { return FV_PANEL * (dtype == FOVEA_DTYPE_F32 ? 4 : 2); }

/* Vectors of row i of panels, panel_bytes apart. */
FV_INLINE void fv_load_panels(const int dtype, const int vectors, const char *panels, long long panel_bytes,
                              long long i, fv_f32 *row) {
  FV_UNROLL for (int v = 0; v < vectors; v++) {
    const float *panel = (const float *)(panels + (v / FV_PANEL_VECTORS) * panel_bytes);
    if (dtype == FOVEA_DTYPE_BF16) {
      const fv_i32 words = (fv_i32)fv_load(panel + i * FV_LANES);
      row[v] = (fv_f32)(v % FV_PANEL_VECTORS ? words & (int32_t)0xffff0000 : words << 16);
    } else if (dtype == FOVEA_DTYPE_F16) {
      row[v] = fv_load_f16((const uint16_t *)panel + i * FV_PANEL + (v % FV_PANEL_VECTORS) * FV_LANES);
    } else {
      row[v] = fv_load(panel + i * FV_PANEL + (v % FV_PANEL_VECTORS) * FV_LANES);
    }
  }
}

/* Begins to load bytes. */
FV_INLINE void fv_fetch(const char *from, const int bytes) {
  FV_UNROLL for (int byte = 0; byte < bytes; byte += 64) __builtin_prefetch(from + byte);
}

/* What becomes of A B: stored, added to factors C, or multiplied by factors. */
typedef enum fv_tile_end { FV_TILE_STORE, FV_TILE_ONTO, FV_TILE_TIMES } fv_tile_end;

/*
 * C = A B, or what end says, with a factor per row; C has vectors to a row. dtype, rows, vectors and end are constants
 * wherever this is inlined, so every loop but that over k unrolls. With step > 0 what lies at ahead is fetched
 * meanwhile, a row of B for each of the k, step bytes apart.
 */
FV_INLINE void fv_tile_fixed(const int dtype, const int rows, const int vectors, long long k, const float *restrict a,
                             long long lda, const char *restrict b, long long panel_bytes, const fv_tile_end end,
                             const float *restrict factors, float *restrict c, long long ldc, const char *ahead,
                             long long step) {
  fv_f32 sum[FV_TILE_ROWS][FV_TILE_PANELS * FV_PANEL_VECTORS];
  FV_UNROLL for (int r = 0; r < rows; r++) {
    FV_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (fv_f32){0};
  }
  for (long long i = 0; i < k; i++) {
    fv_f32 column[FV_TILE_PANELS * FV_PANEL_VECTORS];
    fv_load_panels(dtype, vectors, b, panel_bytes, i, column);
    if (step > 0) fv_fetch(ahead + i * step, vectors / FV_PANEL_VECTORS * fv_panel_row_bytes(dtype));
    FV_UNROLL for (int r = 0; r < rows; r++) {
      const fv_f32 x = fv_set(a[r * lda + i]);
      FV_UNROLL for (int v = 0; v < vectors; v++) sum[r][v] += x * column[v];
    }
  }
  FV_UNROLL for (int r = 0; r < rows; r++) {
    FV_UNROLL for (int v = 0; v < vectors; v++) {
      float *to = c + r * ldc + v * FV_LANES;
      if (end == FV_TILE_ONTO) sum[r][v] += fv_load(to) * factors[r];
      if (end == FV_TILE_TIMES) sum[r][v] = sum[r][v] * factors[r] + 0.0f; /* which makes -0 a 0 */
      fv_store(to, sum[r][v]);
    }
  }
}

/* Panels that fv_tile takes at once for this many rows. */
FV_INLINE int fv_tile_panels(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }

/* CASE(rows, 1) for every number of rows. */
#if FV_TILE_ROWS == 14
#define FV_TILE_ROW_CASES(CASE)                                                                             \
  CASE(1, 1) CASE(2, 1) CASE(3, 1) CASE(4, 1) CASE(5, 1) CASE(6, 1) CASE(7, 1) CASE(8, 1) CASE(9, 1)        \
  CASE(10, 1) CASE(11, 1) CASE(12, 1) CASE(13, 1) CASE(14, 1)
#elif FV_TILE_ROWS == 12
#define FV_TILE_ROW_CASES(CASE)                                                                             \
  CASE(1, 1) CASE(2, 1) CASE(3, 1) CASE(4, 1) CASE(5, 1) CASE(6, 1) CASE(7, 1) CASE(8, 1) CASE(9, 1)        \
  CASE(10, 1) CASE(11, 1) CASE(12, 1)
#else
#define FV_TILE_ROW_CASES(CASE) CASE(1, 1) CASE(2, 1) CASE(3, 1) CASE(4, 1) CASE(5, 1) CASE(6, 1)
#endif

/* CASE(rows, panels) for every pair that a tile may have. */
#define FV_TILE_CASES(CASE) CASE(1, 2) CASE(1, 4) CASE(2, 2) CASE(3, 2) FV_TILE_ROW_CASES(CASE)

/* rows 1 … FV_TILE_ROWS; panels 1, 2 up to 3 rows, or fv_tile_panels(rows). */
FV_INLINE void fv_tile_any(const int dtype, int rows, int panels, long long k, const float *a, long long lda,
                           const char *b, long long panel_bytes, const fv_tile_end end, const float *factors, float *c,
                           long long ldc, const char *ahead, long long step) {
#define FV_TILE_CASE(r, p)                                                                              \
  case (r) * 8 + (p):                                                                                   \
    fv_tile_fixed(dtype, r, (p) * FV_PANEL_VECTORS, k, a, lda, b, panel_bytes, end, factors, c, ldc,    \
                  ahead, step);                                                                         \
    break;
  switch (rows * 8 + panels) {
    FV_TILE_CASES(FV_TILE_CASE)
    default:
      __builtin_unreachable();
  }
#undef FV_TILE_CASE
}

#define FV_TILE_FUNCTION static __attribute__((noinline, unused)) void

/* Products of floats, and C = factors C + A B, with a factor for each row: of ops/matmul/tile_kernel.c, which all share. */
typedef void fv_tile_kernel(int rows, int panels, long long k, const float *a, long long lda, const float *b,
                            long long panel_stride, float *c, long long ldc);
typedef void fv_tile_onto_kernel(int rows, int panels, long long k, const float *a, long long lda, const float *b,
                                 long long panel_stride, const float *factors, float *c, long long ldc);
fv_tile_kernel FV_FLOATS(tile);
fv_tile_onto_kernel FV_FLOATS(tile_onto);

/* C = factors A B. */
FV_TILE_FUNCTION fv_tile_times(int rows, int panels, long long k, const float *a, long long lda, const float *b,
                               long long panel_stride, const float *factors, float *c, long long ldc) {
  fv_tile_any(FOVEA_DTYPE_F32, rows, panels, k, a, lda, (const char *)b, panel_stride * 4, FV_TILE_TIMES, factors, c,
              ldc, 0, 0);
}

/* fv_tile, fetching what lies at ahead, step > 0 bytes per row of B. Nothing need lie there. */
FV_TILE_FUNCTION fv_tile_f32(int rows, int panels, long long k, const float *a, long long lda, const char *b,
                             long long panel_bytes, float *c, long long ldc, const char *ahead, long long step) {
  if (step <= 0) __builtin_unreachable();
  fv_tile_any(FOVEA_DTYPE_F32, rows, panels, k, a, lda, b, panel_bytes, FV_TILE_STORE, 0, c, ldc, ahead, step);
}

/* As fv_tile_f32, on panels of BF16. */
FV_TILE_FUNCTION fv_tile_bf16(int rows, int panels, long long k, const float *a, long long lda, const char *b,
                              long long panel_bytes, float *c, long long ldc, const char *ahead, long long step) {
  if (step <= 0) __builtin_unreachable();
  fv_tile_any(FOVEA_DTYPE_BF16, rows, panels, k, a, lda, b, panel_bytes, FV_TILE_STORE, 0, c, ldc, ahead, step);
}

/* And on panels of F16. */
FV_TILE_FUNCTION fv_tile_f16(int rows, int panels, long long k, const float *a, long long lda, const char *b,
                             long long panel_bytes, float *c, long long ldc, const char *ahead, long long step) {
  if (step <= 0) __builtin_unreachable();
  fv_tile_any(FOVEA_DTYPE_F16, rows, panels, k, a, lda, b, panel_bytes, FV_TILE_STORE, 0, c, ldc, ahead, step);
}

/* One row against 4 panels, or 1, fetching nothing. c [panels * FV_PANEL] */
FV_INLINE void fv_tile_row(const int dtype, int panels, long long k, const float *a, const char *b,
                           long long panel_bytes, float *c) {
  if (panels == 4) {
    fv_tile_fixed(dtype, 1, 4 * FV_PANEL_VECTORS, k, a, 0, b, panel_bytes, FV_TILE_STORE, 0, c, 0, 0, 0);
  } else {
    fv_tile_fixed(dtype, 1, FV_PANEL_VECTORS, k, a, 0, b, panel_bytes, FV_TILE_STORE, 0, c, 0, 0, 0);
  }
}

FV_TILE_FUNCTION fv_tile_f32_row(int panels, long long k, const float *a, const char *b, long long panel_bytes,
                                 float *c) {
  fv_tile_row(FOVEA_DTYPE_F32, panels, k, a, b, panel_bytes, c);
}

FV_TILE_FUNCTION fv_tile_bf16_row(int panels, long long k, const float *a, const char *b, long long panel_bytes,
                                  float *c) {
  fv_tile_row(FOVEA_DTYPE_BF16, panels, k, a, b, panel_bytes, c);
}

FV_TILE_FUNCTION fv_tile_f16_row(int panels, long long k, const float *a, const char *b, long long panel_bytes,
                                 float *c) {
  fv_tile_row(FOVEA_DTYPE_F16, panels, k, a, b, panel_bytes, c);
}

/* The first FV_LANES columns of one panel alone. c [rows, FV_LANES] */
FV_TILE_FUNCTION fv_tile_half(int rows, long long k, const float *a, long long lda, const float *b, float *c,
                              long long ldc) {
#define FV_TILE_CASE(r, p) \
  case r: \
    fv_tile_fixed(FOVEA_DTYPE_F32, r, p, k, a, lda, (const char *)b, 0, FV_TILE_STORE, 0, c, ldc, 0, 0); \
    break;
  switch (rows) {
    FV_TILE_ROW_CASES(FV_TILE_CASE)
    default:
      __builtin_unreachable();
  }
#undef FV_TILE_CASE
}

#endif /* FV_SIMD_TILE_H */
