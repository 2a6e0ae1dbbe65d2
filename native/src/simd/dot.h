/*
 * Eight-bit matrix products: rows of x and columns of a weight, each quantised with a scale of its own.
 *
 *   q = round(127 / peak * x), ties to even; scale = peak / 127; peak = max(|x|, 2^-100)
 *
 * so that q is in [-127, 127] and x is near scale * q. NaN or infinity in x makes the scale NaN, and
 * with it all that comes of the row or column. Sums of products are exact in 32 bits, whatever the
 * instructions, so every table gives the same integers.
 *
 * Instructions take a group of FV_DOT_GROUP inputs at a time, one word of x, for FV_LANES columns:
 *
 *   x      [rows, groups] words of FV_DOT_GROUP fv_dot_element, zeros behind the last input
 *   panel  [FV_PANEL] scales, then [groups][FV_PANEL][FV_DOT_GROUP] bytes, each with FV_DOT_OFFSET added
 */
#ifndef FV_SIMD_DOT_H
#define FV_SIMD_DOT_H

/* The most rows of x, and their bytes, that a thread keeps in fewer bits at once: on its stack, a part of L2. */
#define FV_NARROW_ROWS 252
#define FV_NARROW_BYTES (128 * 1024)

#include "simd/tile.h"
#ifdef __aarch64__
#include <arm_neon.h>
#endif

/* To the nearest integer, ties to even; any integer for NaN. Not a sum that the compiler may fuse with a product. */
FV_INLINE fv_i32 fv_round(fv_f32 x) {
#if FV_LANES == 16
  return (fv_i32)_mm512_cvtps_epi32((__m512)x);
#elif FV_LANES == 8
  return (fv_i32)_mm256_cvtps_epi32((__m256)x);
#elif defined(__SSE2__)
  return (fv_i32)_mm_cvtps_epi32((__m128)x);
#elif defined(__aarch64__)
  return (fv_i32)vcvtnq_s32_f32((float32x4_t)x);
#else
  fv_i32 rounded;
  for (int j = 0; j < FV_LANES; j++) rounded[j] = (int32_t)__builtin_rintf(x[j]);
  return rounded;
#endif
}

/*
 * fv_dot_load: a group of FV_LANES columns. fv_dot: sum += the products of each column's group with
 * that of a row, x in every lane.
 *
 * VNNI multiplies unsigned by signed bytes: weights are stored with 128 added, and 128 times the sum
 * of a row's x is taken off. Without it x86 multiplies pairs of 16 bits, which cannot saturate as its
 * product of bytes does, and x is stored that wide. NEON has a product of four signed bytes, or one of
 * two whose pairs, at most 2 * 127^2, fit 16 bits.
 */
#if defined(__AVX512VNNI__)
#define FV_DOT_GROUP 4
#define FV_DOT_OFFSET 128
typedef int8_t fv_dot_element;
typedef fv_i32 fv_dot_columns;
FV_INLINE fv_dot_columns fv_dot_load(const int8_t *p) { return (fv_i32)_mm512_loadu_si512(p); }
FV_INLINE fv_i32 fv_dot(fv_i32 sum, fv_dot_columns columns, fv_i32 x) {
  return (fv_i32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)columns, (__m512i)x);
}
#elif defined(__SSE2__)
#define FV_DOT_GROUP 2
#define FV_DOT_OFFSET 0
typedef int16_t fv_dot_element;
typedef fv_i32 fv_dot_columns;
#if FV_LANES == 16
FV_INLINE fv_dot_columns fv_dot_load(const int8_t *p) {
  return (fv_i32)_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)p));
}
FV_INLINE fv_i32 fv_dot(fv_i32 sum, fv_dot_columns columns, fv_i32 x) {
  return sum + (fv_i32)_mm512_madd_epi16((__m512i)columns, (__m512i)x);
}
#elif FV_LANES == 8
FV_INLINE fv_dot_columns fv_dot_load(const int8_t *p) {
  return (fv_i32)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p));
}
FV_INLINE fv_i32 fv_dot(fv_i32 sum, fv_dot_columns columns, fv_i32 x) {
  return sum + (fv_i32)_mm256_madd_epi16((__m256i)columns, (__m256i)x);
}
#else
FV_INLINE fv_dot_columns fv_dot_load(const int8_t *p) {
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)p);
  return (fv_i32)_mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}
FV_INLINE fv_i32 fv_dot(fv_i32 sum, fv_dot_columns columns, fv_i32 x) {
  return sum + (fv_i32)_mm_madd_epi16((__m128i)columns, (__m128i)x);
}
#endif
#elif defined(__aarch64__)
#define FV_DOT_GROUP 4
#define FV_DOT_OFFSET 0
typedef int8_t fv_dot_element;
typedef int8x16_t fv_dot_columns;
FV_INLINE fv_dot_columns fv_dot_load(const int8_t *p) { return vld1q_s8(p); }
FV_INLINE fv_i32 fv_dot(fv_i32 sum, fv_dot_columns columns, fv_i32 x) {
#ifdef __ARM_FEATURE_DOTPROD
  return (fv_i32)vdotq_s32((int32x4_t)sum, columns, (int8x16_t)x);
#else
  const int8x16_t row = (int8x16_t)x;
  const int16x8_t low = vmull_s8(vget_low_s8(columns), vget_low_s8(row)), high = vmull_high_s8(columns, row);
  return (fv_i32)vpadalq_s16((int32x4_t)sum, vpaddq_s16(low, high));
#endif
}
#else
#define FV_DOT_GROUP 2
#define FV_DOT_OFFSET 0
typedef int16_t fv_dot_element;
typedef fv_i32 fv_dot_columns;
FV_INLINE fv_dot_columns fv_dot_load(const int8_t *p) {
  int16_t pairs[2 * FV_LANES];
  for (int j = 0; j < 2 * FV_LANES; j++) pairs[j] = p[j];
  fv_dot_columns columns;
  memcpy(&columns, pairs, sizeof columns);
  return columns;
}
FV_INLINE fv_i32 fv_dot(fv_i32 sum, fv_dot_columns columns, fv_i32 x) {
  return sum + (columns << 16 >> 16) * (x << 16 >> 16) + (columns >> 16) * (x >> 16);
}
#endif

FV_INLINE long long fv_dot_groups(long long inputs) { return (inputs + FV_DOT_GROUP - 1) / FV_DOT_GROUP; }

/* What quantising needs of each lane: how large its values are, and a sum that is NaN once one is not finite. */
typedef struct fv_range {
  fv_f32 peak, stray;
} fv_range;

FV_INLINE void fv_range_add(fv_range *range, fv_f32 x) {
  range->peak = fv_max((fv_f32)((fv_i32)x & 0x7fffffff), range->peak);
  range->stray = x * 0.0f + range->stray;
}

/* max(peak, 2^-100), whose inverse is finite. */
#define FV_SMALLEST_PEAK 0x1p-100f

/* Quantises a row of x: q [fv_dot_groups(count) * FV_DOT_GROUP]. Its sums of products begin at start. */
FV_INLINE void fv_quantize_row(const float *x, long long count, fv_dot_element *q, float *scale, int32_t *start) {
  fv_range ranges[4] = {0};
  long long i = 0;
  for (; i + 4 * FV_LANES <= count; i += 4 * FV_LANES) {
    for (int u = 0; u < 4; u++) fv_range_add(&ranges[u], fv_load(x + i + u * FV_LANES));
  }
  for (; i + FV_LANES <= count; i += FV_LANES) fv_range_add(&ranges[0], fv_load(x + i));
  if (i < count) fv_range_add(&ranges[0], fv_load_part(x + i, (int)(count - i)));
  const fv_f32 peaks = fv_max(fv_max(ranges[0].peak, ranges[1].peak), fv_max(ranges[2].peak, ranges[3].peak));
  const float stray = fv_sum(ranges[0].stray + ranges[1].stray + ranges[2].stray + ranges[3].stray);
  const float peak = fv_peak(fv_max(peaks, fv_set(FV_SMALLEST_PEAK))) + stray, inverse = 127 / peak;
  *scale = peak / 127;

  typedef fv_dot_element elements __attribute__((vector_size(FV_LANES * sizeof(fv_dot_element))));
  typedef uint32_t words __attribute__((vector_size(FV_LANES * 4))); /* unsigned: of NaN any sum, without overflow */
  words sum = {0};
  for (i = 0; i + FV_LANES <= count; i += FV_LANES) {
    const fv_i32 rounded = fv_round(fv_load(x + i) * inverse);
    const elements narrow = __builtin_convertvector(rounded, elements);
    memcpy(q + i, &narrow, sizeof narrow);
    sum += (words)rounded;
  }
  if (i < count) {
    const fv_i32 rounded = fv_round(fv_load_part(x + i, (int)(count - i)) * inverse);
    const elements narrow = __builtin_convertvector(rounded, elements);
    memcpy(q + i, &narrow, (size_t)(fv_dot_groups(count) * FV_DOT_GROUP - i) * sizeof *q);
    sum += (words)rounded;
  }
  uint32_t total = 0;
  for (int j = 0; j < FV_LANES; j++) total += sum[j];
  *start = (int32_t)(0 - total * FV_DOT_OFFSET);
}

/* rows and panels are constants wherever this is inlined. x: rows ldx words apart. */
FV_INLINE void fv_dot_tile_fixed(const int rows, const int panels, long long groups, const int32_t *restrict x,
                                 long long ldx, const float *restrict scales, const int32_t *restrict starts,
                                 const char *restrict b, long long panel_bytes, float *restrict c,
                                 long long ldc, const char *ahead, long long step) {
  fv_i32 sum[FV_TILE_ROWS][FV_TILE_PANELS * FV_PANEL_VECTORS];
  FV_UNROLL for (int r = 0; r < rows; r++) {
    FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) sum[r][v] = (fv_i32){0} + starts[r];
  }
  const int row_bytes = FV_PANEL * FV_DOT_GROUP;
  const int8_t *weights = (const int8_t *)b + FV_PANEL * sizeof(float);
  for (long long i = 0; i < groups; i++) {
    fv_dot_columns columns[FV_TILE_PANELS * FV_PANEL_VECTORS];
    FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) {
      columns[v] = fv_dot_load(weights + (v / FV_PANEL_VECTORS) * panel_bytes +
                               (i * FV_PANEL + (v % FV_PANEL_VECTORS) * FV_LANES) * FV_DOT_GROUP);
    }
    if (step > 0) fv_fetch(ahead + i * step, panels * row_bytes);
    FV_UNROLL for (int r = 0; r < rows; r++) {
      const fv_i32 word = (fv_i32){0} + x[r * ldx + i];
      FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) sum[r][v] = fv_dot(sum[r][v], columns[v], word);
    }
  }
  FV_UNROLL for (int r = 0; r < rows; r++) {
    FV_UNROLL for (int v = 0; v < panels * FV_PANEL_VECTORS; v++) {
      const float *column_scales = (const float *)(b + (v / FV_PANEL_VECTORS) * panel_bytes);
      const fv_f32 scale = scales[r] * fv_load(column_scales + (v % FV_PANEL_VECTORS) * FV_LANES);
      fv_store(c + r * ldc + v * FV_LANES, __builtin_convertvector(sum[r][v], fv_f32) * scale);
    }
  }
}

/*
 * c [rows, panels * FV_PANEL] = the scaled products of rows and panels, as many as fv_tile_f32 takes;
 * ahead and step as there, scales and starts as fv_quantize_row gives them.
 */
FV_TILE_FUNCTION fv_dot_tile(int rows, int panels, long long groups, const int32_t *x, long long ldx,
                             const float *scales, const int32_t *starts, const char *b, long long panel_bytes,
                             float *c, long long ldc, const char *ahead, long long step) {
  if (step <= 0) __builtin_unreachable();
#define FV_DOT_TILE_CASE(r, p)                                                                    \
  case (r) * 8 + (p):                                                                             \
    fv_dot_tile_fixed(r, p, groups, x, ldx, scales, starts, b, panel_bytes, c, ldc, ahead, step); \
    break;
  switch (rows * 8 + panels) {
    FV_TILE_CASES(FV_DOT_TILE_CASE)
    default:
      __builtin_unreachable();
  }
#undef FV_DOT_TILE_CASE
}

#endif /* FV_SIMD_DOT_H */
