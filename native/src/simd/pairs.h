/*
 * Products of bfloat16 by the instruction that adds two of them to a sum in single precision, where the CPU has one.
 *
 *   x      [rows, pairs] words of two bfloat16, the first in the lower half, a zero behind the last of an odd number
 *   panel  [pairs][FV_PANEL] words of the same
 *
 * Both sides are bfloat16, so x is rounded to the nearest, ties to even. Each element of C is one chain over the
 * pairs in their order, from 0, whatever tile it lies in. What a pair's two products round to in between, and whether
 * a subnormal counts as zero, is the instruction's own business: every row and every tile has the same.
 */
#ifndef FV_SIMD_PAIRS_H
#define FV_SIMD_PAIRS_H

#include "simd/dot.h"
#include "simd/half.h"

#if defined(__AVX512BF16__)
#define FV_HAS_PAIRS 1
FV_INLINE fv_f32 fv_add_pairs(fv_f32 sum, fv_i32 columns, fv_i32 x) {
  return (fv_f32)_mm512_dpbf16_ps((__m512)sum, (__m512bh)columns, (__m512bh)x);
}

/* A pair in every lane. */
FV_INLINE fv_i32 fv_pair_lanes(int32_t pair) {
  fv_i32 lanes = (fv_i32){0} + pair;
#if defined(__clang__) && __clang_major__ < 17
  __asm__("" : "+v"(lanes)); /* LLVM 16 aborts where the product is to take it from memory */
#endif
  return lanes;
}
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define FV_HAS_PAIRS 1
FV_INLINE fv_f32 fv_add_pairs(fv_f32 sum, fv_i32 columns, fv_i32 x) {
  return (fv_f32)vbfdotq_f32((float32x4_t)sum, (bfloat16x8_t)columns, (bfloat16x8_t)x);
}

FV_INLINE fv_i32 fv_pair_lanes(int32_t pair) { return (fv_i32){0} + pair; }
#else
#define FV_HAS_PAIRS 0
#endif

/* Whether a weight is multiplied so: a row of x must fit where it is rounded to. */
FV_INLINE int fv_is_paired(int dtype, long long inputs) {
  return FV_HAS_PAIRS && dtype == FOVEA_DTYPE_BF16 && inputs <= FV_NARROW_BYTES / 2;
}

FV_INLINE long long fv_pairs(long long inputs) { return (inputs + 1) / 2; }

/* Two bfloat16 as a word. */
FV_INLINE uint32_t fv_pair(float first, float second) { return fv_to_bf16(first) | (uint32_t)fv_to_bf16(second) << 16; }

#if FV_HAS_PAIRS

/* Rounds a row of x: words [fv_pairs(count)]. */
FV_INLINE void fv_round_pairs(const float *x, long long count, int32_t *words) {
  long long i = 0;
  for (; i + 2 * FV_LANES <= count; i += 2 * FV_LANES) {
    const fv_f32 low = fv_load(x + i), high = fv_load(x + i + FV_LANES);
#ifdef __aarch64__
    const bfloat16x8_t pairs = vcvtq_high_bf16_f32(vcvtq_low_bf16_f32((float32x4_t)low), (float32x4_t)high);
#else
    const __m512bh pairs = _mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
#endif
    memcpy(words + i / 2, &pairs, sizeof pairs);
  }
  for (; i < count; i += 2) words[i / 2] = (int32_t)fv_pair(x[i], i + 1 < count ? x[i + 1] : 0);
}

/* rows and panels are constants wherever this is inlined. x: rows ldx words apart. */
FV_INLINE void fv_pair_tile_fixed(const int rows, const int panels, long long pairs, const int32_t *restrict x,
                                  long long ldx, const char *restrict b, long long panel_bytes, float *restrict c,
                                  long long ldc, const char *ahead, long long step) {
  fv_f32 sum[FV_TILE_ROWS][FV_TILE_PANELS * FV_PANEL_VECTORS];
  FV_UNROLL for (int r = 0; r < rows; r++) {
    FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) sum[r][v] = (fv_f32){0};
  }
  for (long long i = 0; i < pairs; i++) {
    fv_i32 columns[FV_TILE_PANELS * FV_PANEL_VECTORS];
    FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) {
      memcpy(&columns[v], b + (v / FV_PANEL_VECTORS) * panel_bytes +
                              (i * FV_PANEL + (v % FV_PANEL_VECTORS) * FV_LANES) * 4, sizeof columns[v]);
    }
    if (step > 0) fv_fetch(ahead + i * step, panels * FV_PANEL * 4);
    FV_UNROLL for (int r = 0; r < rows; r++) {
      const fv_i32 word = fv_pair_lanes(x[r * ldx + i]);
      FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) sum[r][v] = fv_add_pairs(sum[r][v], columns[v], word);
    }
  }
  FV_UNROLL for (int r = 0; r < rows; r++) {
    FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) fv_store(c + r * ldc + v * FV_LANES, sum[r][v]);
  }
}

/*
 * c [rows, panels * FV_PANEL] = the products of rows and panels, as many as fv_tile_f32 takes; with step > 0 what lies
 * at ahead is fetched meanwhile, step bytes per pair.
 */
FV_TILE_FUNCTION fv_pair_tile(int rows, int panels, long long pairs, const int32_t *x, long long ldx, const char *b,
                              long long panel_bytes, float *c, long long ldc, const char *ahead, long long step) {
#define FV_PAIR_TILE_CASE(r, p)                                                                \
  case (r) * 8 + (p):                                                                          \
    fv_pair_tile_fixed(r, p, pairs, x, ldx, b, panel_bytes, c, ldc, ahead, step);              \
    break;
  switch (rows * 8 + panels) {
    FV_TILE_CASES(FV_PAIR_TILE_CASE)
    default:
      __builtin_unreachable();
  }
#undef FV_PAIR_TILE_CASE
}

#endif

#endif /* FV_SIMD_PAIRS_H */
