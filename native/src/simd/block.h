/*
 * Products by quantised weights as model files store them, in blocks with scales: Q8_0, Q4_0, Q4_K and the like.
 *
 * Both sides are cut into cells of 32 inputs. A row of x is rounded to eight bits cell by cell,
 *
 *   q = round(127 / peak * x), ties to even; s = peak / 127; peak = max(|x|, 2^-100)
 *
 * and a cell of a weight's column adds, part by part (a cell has one scale, or two for 16 inputs each),
 *
 *   c = c + (sum over the part of (u - z) q) * (s * d)      the sum exact in 32 bits
 *   c = c + (s * sum over the part of q) * -m               where the layout has minima
 *
 * to the sum of a row and that column, in the order of the inputs: u are the stored bits, unsigned, z the layout's zero,
 * d and m its scale and minimum, or -m where the layout adds it, all products of scales exact. Every tile does the same, so the bits do not depend on it.
 *
 * A panel of FV_PANEL columns lies as linear.h draws it: for a layout with scales of scales first, for each 8 cells,
 * a head; then the cells, each of scales, upper bits and lower bits.
 */
#ifndef FV_SIMD_BLOCK_H
#define FV_SIMD_BLOCK_H

#include "ops/layout/layout.h"
#include "simd/dot.h"
#include "simd/half.h"

enum { FV_CELL = 32, FV_CELLS_OF_HEAD = 8, FV_GROUPS = FV_CELL / 4 };

/*
 * Words of a row of x for each cell: 8 of four q, then s, then for each part what the sum of its q is good for: with
 * minima s * sum as a float, else the integer -z * sum, where the sum of products begins.
 */
enum { FV_CELL_WORDS = FV_GROUPS + 3 };

/* Cells of a row come in chunks, and of several rows all first chunks come first: [chunks][rows][FV_CHUNK_WORDS]. */
enum { FV_CHUNK_WORDS = FV_CELLS_OF_HEAD * FV_CELL_WORDS };

/* The most rows that a thread multiplies at once. */
enum { FV_CELL_ROWS = 126 };

/* Whether weights are packed in blocks for FOVEA_LAYOUT_*. */
FV_INLINE bool fv_is_block(int layout) { return layout >= FOVEA_LAYOUT_Q8_0; }

/* What a layout's cells are made of. Bytes are per column. */
typedef struct fv_form {
  int head;  /* bytes for 8 cells together: F16 d, and m if there are minima; 0: each cell has these itself */
  int scale; /* bytes at a cell's begin: d and m, or for each part a factor of the head's d, and one of its m */
  int parts; /* 1 or 2 */
  bool minima;
  bool narrow_factors; /* the factors of one part are halves of a byte: of d the lower, of m the upper */
  int one, two, low; /* bytes of a bit per value, of two bits, and of four or eight */
  int zero;
  bool table; /* the four bits number a value of fv_iq4_values */
} fv_form;

/* FORM(name) for every layout of blocks, FOVEA_LAYOUT_<name>. */
#define FV_FORMS(FORM)                                                                                       \
  FORM(Q8_0) FORM(Q4_0) FORM(Q4_1) FORM(Q5_0) FORM(Q5_1) FORM(Q4_K) FORM(Q5_K) FORM(Q6_K) FORM(Q2_K) FORM(Q3_K) \
  FORM(IQ4_NL)

FV_INLINE fv_form fv_form_of(const int layout) {
  switch (layout) {
    case FOVEA_LAYOUT_Q8_0:
      return (fv_form){.scale = 2, .parts = 1, .low = 32};
    case FOVEA_LAYOUT_Q4_0:
      return (fv_form){.scale = 2, .parts = 1, .low = 16, .zero = 8};
    case FOVEA_LAYOUT_Q4_1:
      return (fv_form){.scale = 4, .parts = 1, .minima = true, .low = 16};
    case FOVEA_LAYOUT_Q5_0:
      return (fv_form){.scale = 2, .parts = 1, .one = 4, .low = 16, .zero = 16};
    case FOVEA_LAYOUT_Q5_1:
      return (fv_form){.scale = 4, .parts = 1, .minima = true, .one = 4, .low = 16};
    case FOVEA_LAYOUT_Q4_K:
      return (fv_form){.head = 4, .scale = 2, .parts = 1, .minima = true, .low = 16};
    case FOVEA_LAYOUT_Q5_K:
      return (fv_form){.head = 4, .scale = 2, .parts = 1, .minima = true, .one = 4, .low = 16};
    case FOVEA_LAYOUT_Q6_K:
      return (fv_form){.head = 2, .scale = 2, .parts = 2, .two = 8, .low = 16, .zero = 32};
    case FOVEA_LAYOUT_Q2_K:
      return (fv_form){.head = 4, .scale = 2, .parts = 2, .minima = true, .narrow_factors = true, .two = 8};
    case FOVEA_LAYOUT_Q3_K:
      return (fv_form){.head = 2, .scale = 2, .parts = 2, .one = 4, .two = 8, .zero = 4};
    default: /* IQ4_NL */
      return (fv_form){.scale = 2, .parts = 1, .low = 16, .table = true};
  }
}

/* Bytes per column of a cell, and of all cells of so many inputs. */
FV_INLINE int fv_cell_bytes(const fv_form f) { return f.scale + f.one + f.two + f.low; }

FV_INLINE long long fv_form_bytes(const fv_form f, long long inputs) {
  const long long cells = inputs / FV_CELL;
  return cells * fv_cell_bytes(f) + cells / FV_CELLS_OF_HEAD * f.head;
}

/* Of one column, or of a panel where bytes are those of a panel: where cell number cell, and its head, begin. */
FV_INLINE long long fv_cell_at(const fv_form f, long long cell) {
  return cell * fv_cell_bytes(f) + (cell / FV_CELLS_OF_HEAD + 1) * f.head;
}

/* ---- the dot product of four ------------------------------------------------- */

/*
 * fv_dot4: sum += the products of each column's four bytes with the four of a row, x in every lane; bytes of columns are
 * unsigned and below 128. fv_dot4_wide: the columns' bytes are signed, with FV_WIDE_OFFSET added; with FV_DOT4_IS_WIDE
 * that is what fv_dot4 does with all bytes.
 */
#if defined(__AVX512VNNI__)
#define FV_WIDE_OFFSET 128
#define FV_DOT4_IS_WIDE 1
FV_INLINE fv_i32 fv_dot4(fv_i32 sum, fv_i32 columns, fv_i32 x) {
  return (fv_i32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)columns, (__m512i)x);
}
FV_INLINE fv_i32 fv_dot4_wide(fv_i32 sum, fv_i32 columns, fv_i32 x) { return fv_dot4(sum, columns, x); }
#elif FV_LANES == 16
#define FV_WIDE_OFFSET 0
#define FV_DOT4_IS_WIDE 0
FV_INLINE fv_i32 fv_dot4(fv_i32 sum, fv_i32 columns, fv_i32 x) {
  const __m512i pairs = _mm512_maddubs_epi16((__m512i)columns, (__m512i)x);
  return sum + (fv_i32)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}
FV_INLINE fv_i32 fv_dot4_wide(fv_i32 sum, fv_i32 columns, fv_i32 x) {
  const __mmask64 negative = _mm512_movepi8_mask((__m512i)columns);
  const __m512i turned = _mm512_mask_sub_epi8((__m512i)x, negative, _mm512_setzero_si512(), (__m512i)x);
  return fv_dot4(sum, (fv_i32)_mm512_abs_epi8((__m512i)columns), (fv_i32)turned);
}
#elif FV_LANES == 8
#define FV_WIDE_OFFSET 0
#define FV_DOT4_IS_WIDE 0
FV_INLINE fv_i32 fv_dot4(fv_i32 sum, fv_i32 columns, fv_i32 x) {
  const __m256i pairs = _mm256_maddubs_epi16((__m256i)columns, (__m256i)x);
  return sum + (fv_i32)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}
FV_INLINE fv_i32 fv_dot4_wide(fv_i32 sum, fv_i32 columns, fv_i32 x) {
  const __m256i turned = _mm256_sign_epi8((__m256i)x, (__m256i)columns);
  return fv_dot4(sum, (fv_i32)_mm256_abs_epi8((__m256i)columns), (fv_i32)turned);
}
#else
#define FV_WIDE_OFFSET 0
#define FV_DOT4_IS_WIDE 1
#if defined(__aarch64__)
FV_INLINE fv_i32 fv_dot4(fv_i32 sum, fv_i32 columns, fv_i32 x) { return fv_dot(sum, (int8x16_t)columns, x); }
#elif defined(__SSE2__)
/* Products of 16 bits: of the bytes with even numbers, moved to the upper half and back, and of those with odd ones. */
FV_INLINE fv_i32 fv_dot4(fv_i32 sum, fv_i32 columns, fv_i32 x) {
  const __m128i c = (__m128i)columns, r = (__m128i)x;
  const __m128i even = _mm_madd_epi16(_mm_srai_epi16(_mm_slli_epi16(c, 8), 8), _mm_srai_epi16(_mm_slli_epi16(r, 8), 8));
  return sum + (fv_i32)even + (fv_i32)_mm_madd_epi16(_mm_srai_epi16(c, 8), _mm_srai_epi16(r, 8));
}
#else
FV_INLINE fv_i32 fv_dot4(fv_i32 sum, fv_i32 columns, fv_i32 x) {
  return sum + (columns << 24 >> 24) * (x << 24 >> 24) + (columns << 16 >> 24) * (x << 16 >> 24) +
         (columns << 8 >> 24) * (x << 8 >> 24) + (columns >> 24) * (x >> 24);
}
#endif
FV_INLINE fv_i32 fv_dot4_wide(fv_i32 sum, fv_i32 columns, fv_i32 x) { return fv_dot4(sum, columns, x); }
#endif

/* Whether the bytes of columns are signed. */
FV_INLINE bool fv_is_wide(const fv_form f) { return f.low == FV_CELL || f.table; }

/* What is taken off every stored byte. */
FV_INLINE int fv_form_zero(const fv_form f) { return fv_is_wide(f) ? FV_WIDE_OFFSET : f.zero; }

FV_INLINE fv_i32 fv_form_dot(const fv_form f, fv_i32 sum, fv_i32 columns, fv_i32 x) {
  return fv_is_wide(f) ? fv_dot4_wide(sum, columns, x) : fv_dot4(sum, columns, x);
}

/* ---- cells ------------------------------------------------------------------- */

/* Each byte, 0 to 15, becomes the value that it numbers, FV_WIDE_OFFSET added. */
FV_INLINE fv_i32 fv_iq4_look_up(fv_i32 numbers) {
  static const int8_t values[16] __attribute__((aligned(16))) = {FV_IQ4_VALUES};
#if FV_LANES == 16
  const __m512i table = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)values));
  const __m512i found = _mm512_shuffle_epi8(table, (__m512i)numbers);
  return (fv_i32)_mm512_xor_si512(found, _mm512_set1_epi8((char)FV_WIDE_OFFSET)); /* adds 128, or nothing */
#elif FV_LANES == 8
  const __m256i table = _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)values));
  return (fv_i32)_mm256_shuffle_epi8(table, (__m256i)numbers);
#elif defined(__aarch64__)
  return (fv_i32)vqtbl1q_s8(vld1q_s8(values), (uint8x16_t)numbers);
#else
  int8_t bytes[FV_LANES * 4];
  memcpy(bytes, &numbers, sizeof bytes);
  for (int i = 0; i < FV_LANES * 4; i++) bytes[i] = values[bytes[i]];
  memcpy(&numbers, bytes, sizeof bytes);
  return numbers;
#endif
}

FV_INLINE fv_i32 fv_load_words(const char *from) {
  fv_i32 words;
  memcpy(&words, from, sizeof words);
  return words;
}

/* Bits of a byte from bit from on to bit to on, in every byte; mask has them where they go. */
FV_INLINE fv_i32 fv_move_bits(fv_i32 words, const int from, const int to, const int mask) {
  return (from > to ? (fv_i32)((fv_u32)words >> (from - to)) : words << (to - from)) & mask;
}

/* Group g of the columns of vector v: four bytes each, as fv_form_dot takes them. */
FV_INLINE fv_i32 fv_cell_group(const fv_form f, const char *cell, const int v, const int g) {
  const char *bits = cell + f.scale * FV_PANEL + v * FV_LANES * 4;
  const char *low = bits + (f.one + f.two) * FV_PANEL, *two = bits + f.one * FV_PANEL;
  if (f.low == FV_CELL) return fv_load_words(low + g * FV_PANEL * 4);
  fv_i32 bytes = {0};
  if (f.low) {
    bytes = fv_move_bits(fv_load_words(low + g % 4 * FV_PANEL * 4), g / 4 * 4, 0, 0x0f0f0f0f);
    if (f.table) return fv_iq4_look_up(bytes);
  }
  if (f.two) {
    const int to = f.low ? 4 : 0;
    bytes |= fv_move_bits(fv_load_words(two + g / 4 * FV_PANEL * 4), g % 4 * 2, to, 0x03030303 << to);
  }
  if (f.one) {
    const int to = f.low ? 4 : 2;
    bytes |= fv_move_bits(fv_load_words(bits), g, to, 0x01010101 << to);
  }
  return bytes;
}

FV_INLINE fv_f32 fv_load_scales(const char *from) {
  uint16_t halves[FV_LANES];
  memcpy(halves, from, sizeof halves);
  return fv_load_f16(halves);
}

/* FV_LANES bytes as integers, signed or not: GCC takes them apart one by one. */
FV_INLINE fv_i32 fv_load_bytes(const char *from, const bool is_signed) {
#if FV_LANES == 16
  const __m128i bytes = _mm_loadu_si128((const __m128i *)from);
  return (fv_i32)(is_signed ? _mm512_cvtepi8_epi32(bytes) : _mm512_cvtepu8_epi32(bytes));
#elif FV_LANES == 8
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)from);
  return (fv_i32)(is_signed ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes));
#else
  fv_i32 wide;
  for (int j = 0; j < FV_LANES; j++) wide[j] = is_signed ? (signed char)from[j] : (unsigned char)from[j];
  return wide;
#endif
}

/* Scale d, and with minima m, of one part of the columns of vector v. */
FV_INLINE void fv_cell_scales(const fv_form f, const char *head, const char *cell, const int v, const int part,
                              fv_f32 *d, fv_f32 *m) {
  const char *own = f.head ? head : cell;
  *d = fv_load_scales(own + v * FV_LANES * 2);
  if (f.minima) *m = fv_load_scales(own + FV_PANEL * 2 + v * FV_LANES * 2);
  if (f.minima && !f.head) *m = -*m; /* these layouts add theirs */
  if (!f.head) return;
  const char *factors = cell + part * FV_PANEL + v * FV_LANES;
  const fv_i32 first = fv_load_bytes(factors, !f.minima);
  *d *= __builtin_convertvector(f.narrow_factors ? first & 15 : first, fv_f32);
  if (!f.minima) return;
  const fv_i32 second = f.narrow_factors ? first >> 4 : fv_load_bytes(factors + FV_PANEL, false);
  *m *= __builtin_convertvector(second, fv_f32);
}

/* ---- x ------------------------------------------------------------------------ */

FV_INLINE long long fv_chunks(long long inputs) {
  return (inputs + FV_CELLS_OF_HEAD * FV_CELL - 1) / (FV_CELLS_OF_HEAD * FV_CELL);
}

/* Rounds cells of a row of x for weights of a form: words [cells][FV_CELL_WORDS]. */
FV_INLINE void fv_round_cells(const fv_form f, const float *x, long long cells, int32_t *words) {
  typedef int8_t narrow __attribute__((vector_size(FV_LANES)));
  const uint32_t zero = (uint32_t)fv_form_zero(f);
  for (long long i = 0; i < cells * FV_CELL; i += FV_CELL, words += FV_CELL_WORDS) {
    fv_range range = {{0}, {0}};
    FV_UNROLL for (int j = 0; j < FV_CELL; j += FV_LANES) fv_range_add(&range, fv_load(x + i + j));
    const float peak = fv_peak(fv_max(range.peak, fv_set(FV_SMALLEST_PEAK))) + fv_sum(range.stray);
    const float inverse = 127 / peak, scale = peak / 127;
    fv_u32 sums[2] = {{0}, {0}}; /* unsigned: of NaN any sum, without overflow */
    FV_UNROLL for (int j = 0; j < FV_CELL; j += FV_LANES) {
      const fv_i32 rounded = fv_round(fv_load(x + i + j) * inverse);
      const narrow bytes = __builtin_convertvector(rounded, narrow);
      memcpy((char *)words + j, &bytes, sizeof bytes);
      sums[j / (FV_CELL / 2)] += (fv_u32)rounded;
    }
    memcpy(words + FV_GROUPS, &scale, sizeof scale);
    if (f.parts == 1) sums[0] += sums[1];
    for (int part = 0; part < f.parts; part++) {
      uint32_t total = 0;
      for (int lane = 0; lane < FV_LANES; lane++) total += sums[part][lane];
      const float scaled = scale * (float)(int32_t)total;
      const uint32_t start = 0 - zero * total;
      memcpy(words + FV_GROUPS + 1 + part, f.minima ? (const void *)&scaled : (const void *)&start, 4);
    }
  }
}

#endif /* FV_SIMD_BLOCK_H */
