/*
 * The table of layouts, compiled once per ISA. Contract in layout.h. To add a type of storage: its number in
 * fovea.h, a reader and a row of the table here.
 *
 *   F32, F16, BF16  | value | value | ...         little-endian
 *   I8, U8          | byte  | byte  | ...
 *
 * Blocks of 32 values, those of ggml: d and m are F16, q are 16 bytes whose lower halves are values 0 to 15 and whose
 * upper halves are 16 to 31, h has a fifth bit for each value.
 *
 *   Q8_0            | d | 32 signed bytes |       value = d * q
 *   Q4_0            | d | q |                     value = d * (q - 8)
 *   Q4_1            | d | m | q |                 value = d * q + m
 *   Q5_0            | d | h: 4 bytes | q |        value = d * (q - 16)
 *   Q5_1            | d | m | h: 4 bytes | q |    value = d * q + m
 *   IQ4_NL          | d | q |                     value = d * v[q], v ggml's table
 *
 * Blocks of 256 values, with a scale s, and perhaps a minimum t, for each 32 of them (Q6_K, Q2_K, Q3_K: 16). q and h as drawn there:
 *
 *   Q4_K            | d | m | s, t: 6 bits each, 12 bytes | q: 128 bytes |                   value = d * s * q - m * t
 *   Q5_K            | d | m | s, t: likewise | h: 32 bytes | q: 128 bytes |                  value = d * s * q - m * t
 *   Q6_K            | q: 128 bytes | h: 2 bits each, 64 bytes | s: 16 signed bytes | d |     value = d * s * (q - 32)
 *   Q2_K            | s, t: 4 bits each, 16 bytes | q: 2 bits each, 64 bytes | d | m |       value = d * s * q - m * t
 *   Q3_K            | h: 32 bytes | q: 2 bits each, 64 bytes | s: 6 bits, 12 bytes | d |     value = d * (s - 32) * (q - 4)
 *
 * d * q and d * s * q are exact, so that every ISA rounds alike, with or without fused multiply-add.
 */
#include "ops/layout/layout.h"

#include "simd/half.h"

static void read_f32(const char *values, long long start, long long stride, long long count, float *out) {
  const char *from = values + start * (long long)sizeof *out;
  if (stride == 1) {
    memcpy(out, from, (size_t)count * sizeof *out);
  } else {
    for (long long k = 0; k < count; k++) memcpy(out + k, from + k * stride * (long long)sizeof *out, sizeof *out);
  }
}

/* FV_LANES halves as fv_load_f16 reads them, but by a sum: a product with a subnormal costs 100 cycles on x86. */
FV_INLINE fv_f32 widen_f16(fv_u32 h) {
  const fv_u32 magnitude = (h & 0x7fff) << 13, bias = (fv_u32){0} + (112u << 23);
  const fv_u32 special = (fv_u32)(magnitude >= 0x7c00 << 13), small = (fv_u32)(magnitude < 0x0400 << 13);
  const fv_u32 normal = magnitude + bias + (special & bias);
  const fv_u32 subnormal = (fv_u32)((fv_f32)(magnitude + bias + (1u << 23)) - 0x1p-14f);
  return (fv_f32)((small & subnormal) | (~small & normal) | (h & 0x8000) << 16);
}

FV_INLINE fv_f32 widen_half(int dtype, const void *lanes) {
  const fv_u32 h = fv_load_u16(lanes);
  return dtype == FOVEA_DTYPE_F16 ? widen_f16(h) : (fv_f32)(h << 16);
}

FV_INLINE void read_half(int dtype, const char *from, long long stride, long long count, float *out) {
  const long long step = stride * (long long)sizeof(uint16_t);
  long long k = 0;
  if (stride == 1) {
    for (; k + FV_LANES <= count; k += FV_LANES) fv_store(out + k, widen_half(dtype, from + k * step));
  }
  while (k < count) {
    const int n = count - k < FV_LANES ? (int)(count - k) : FV_LANES;
    uint16_t lanes[FV_LANES] = {0};
    for (int j = 0; j < n; j++) memcpy(lanes + j, from + (k + j) * step, sizeof *lanes);
    fv_store_part(out + k, widen_half(dtype, lanes), n);
    k += n;
  }
}

static void read_f16(const char *values, long long start, long long stride, long long count, float *out) {
  read_half(FOVEA_DTYPE_F16, values + start * 2, stride, count, out);
}

static void read_bf16(const char *values, long long start, long long stride, long long count, float *out) {
  read_half(FOVEA_DTYPE_BF16, values + start * 2, stride, count, out);
}

/* Two loops, so that the compiler makes vectors of the first. */
#define DEFINE_READ_BYTES(name, type)                                                                            \
  static void name(const char *values, long long start, long long stride, long long count, float *restrict out) { \
    const type *restrict from = (const type *)values + start;                                                    \
    if (stride == 1) {                                                                                           \
      for (long long k = 0; k < count; k++) out[k] = from[k];                                                    \
    } else {                                                                                                     \
      for (long long k = 0; k < count; k++) out[k] = from[k * stride];                                           \
    }                                                                                                            \
  }
DEFINE_READ_BYTES(read_i8, signed char)
DEFINE_READ_BYTES(read_u8, unsigned char)

enum { BLOCK = 32, HALF = BLOCK / 2, SUPER = 256 };

FV_INLINE float read_scale(const unsigned char *from) {
  uint16_t half;
  memcpy(&half, from, sizeof half);
  return widen_f16((fv_u32){0} + half)[0];
}

FV_INLINE void decode_q8_0(const unsigned char *restrict block, float *restrict out) {
  const float d = read_scale(block);
  const signed char *restrict q = (const signed char *)block + 2;
  for (int j = 0; j < BLOCK; j++) out[j] = d * q[j];
}

/* d * (q - zero) + m of halves of bytes. */
FV_INLINE void decode_q4(const unsigned char *restrict q, float d, float m, int zero, float *restrict out) {
  for (int j = 0; j < HALF; j++) {
    out[j] = d * ((q[j] & 15) - zero) + m;
    out[j + HALF] = d * ((q[j] >> 4) - zero) + m;
  }
}

/* The same of five bits. */
FV_INLINE void decode_q5(const unsigned char *restrict q, const unsigned char *restrict fifth, float d, float m,
                         int zero, float *restrict out) {
  uint32_t h;
  memcpy(&h, fifth, sizeof h);
  for (int j = 0; j < HALF; j++) {
    out[j] = d * ((int)((q[j] & 15u) | (h >> j & 1) << 4) - zero) + m;
    out[j + HALF] = d * ((int)(q[j] >> 4u | (h >> (j + HALF) & 1) << 4) - zero) + m;
  }
}

/* -0 leaves every sum as it is, 0 would make 0 of -0. */
FV_INLINE void decode_q4_0(const unsigned char *restrict block, float *restrict out) {
  decode_q4(block + 2, read_scale(block), -0.0f, 8, out);
}

FV_INLINE void decode_q4_1(const unsigned char *restrict block, float *restrict out) {
  decode_q4(block + 4, read_scale(block), read_scale(block + 2), 0, out);
}

FV_INLINE void decode_q5_0(const unsigned char *restrict block, float *restrict out) {
  decode_q5(block + 6, block + 2, read_scale(block), -0.0f, 16, out);
}

FV_INLINE void decode_q5_1(const unsigned char *restrict block, float *restrict out) {
  decode_q5(block + 8, block + 4, read_scale(block), read_scale(block + 2), 0, out);
}

/* Scale and minimum number i of 8 in the 12 bytes of Q4_K and Q5_K. */
FV_INLINE void read_sixes(const unsigned char *from, int i, int *scale, int *minimum) {
  if (i < 4) {
    *scale = from[i] & 63;
    *minimum = from[i + 4] & 63;
  } else {
    *scale = (from[i + 4] & 15) | from[i - 4] >> 6 << 4;
    *minimum = from[i + 4] >> 4 | from[i] >> 6 << 4;
  }
}

/* The 32 values number i of 8: the lower halves of 32 bytes for an even i, the upper halves of the same for the next. */
FV_INLINE void decode_part_k(const unsigned char *restrict q, const unsigned char *restrict fifth, int i, float scale,
                             float minimum, float *restrict out) {
  q += i / 2 * 32;
  for (int j = 0; j < 32; j++) {
    const int high = fifth ? (fifth[j] >> i & 1) << 4 : 0;
    out[i * 32 + j] = scale * (float)((q[j] >> i % 2 * 4 & 15) | high) - minimum;
  }
}

FV_INLINE void decode_k(const unsigned char *block, const unsigned char *fifth, const unsigned char *q, float *out) {
  const float d = read_scale(block), m = read_scale(block + 2);
  for (int i = 0; i < 8; i++) {
    int scale, minimum;
    read_sixes(block + 4, i, &scale, &minimum);
    decode_part_k(q, fifth, i, d * (float)scale, m * (float)minimum, out);
  }
}

FV_INLINE void decode_q4_k(const unsigned char *block, float *out) { decode_k(block, NULL, block + 16, out); }

FV_INLINE void decode_q5_k(const unsigned char *block, float *out) { decode_k(block, block + 16, block + 48, out); }

/* Each half of 128 values: four parts of 32, whose lower bits are the halves of 64 bytes, upper bits pairs of 32 bytes. */
FV_INLINE void decode_q6_k(const unsigned char *restrict block, float *restrict out) {
  const signed char *scales = (const signed char *)block + 192;
  const float d = read_scale(block + 208);
  for (int part = 0; part < 8; part++) {
    const unsigned char *q = block + part / 4 * 64 + part % 2 * 32, *h = block + 128 + part / 4 * 32;
    const int low = part % 4 / 2 * 4, high = part % 4 * 2;
    for (int j = 0; j < 32; j++) {
      const float scale = d * (float)scales[part * 2 + j / 16];
      out[part * 32 + j] = scale * (float)(((q[j] >> low & 15) | (h[j] >> high & 3) << 4) - 32);
    }
  }
}

FV_INLINE void decode_q2_k(const unsigned char *restrict block, float *restrict out) {
  const float d = read_scale(block + 80), m = read_scale(block + 82);
  for (int i = 0; i < SUPER; i++) {
    const int factors = block[i / 16];
    const int q = block[16 + i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
    out[i] = d * (float)(factors & 15) * (float)q - m * (float)(factors >> 4);
  }
}

/* Scale k of 16: four bits are half a byte of the first eight, two more a pair of bits of the last four. */
FV_INLINE void decode_q3_k(const unsigned char *restrict block, float *restrict out) {
  const float d = read_scale(block + 108);
  for (int i = 0; i < SUPER; i++) {
    const int k = i / 16;
    const int s = (block[96 + k % 8] >> k / 8 * 4 & 15) | (block[104 + k % 4] >> k / 4 * 2 & 3) << 4;
    const int q = (block[32 + i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3) | (block[i % 32] >> i / 32 & 1) << 2;
    out[i] = d * (float)(s - 32) * (float)(q - 4);
  }
}

FV_INLINE void decode_iq4_nl(const unsigned char *restrict block, float *restrict out) {
  static const float values[] = {FV_IQ4_VALUES};
  const float d = read_scale(block);
  for (int j = 0; j < HALF; j++) {
    out[j] = d * values[block[2 + j] & 15];
    out[j + HALF] = d * values[block[2 + j] >> 4];
  }
}

/* Whole blocks go to out; of others, the values that are read. */
#define DEFINE_READ_BLOCKS(name, bytes, size)                                                                    \
  static void read_##name(const char *values, long long start, long long stride, long long count, float *out) {  \
    for (long long k = 0; k < count;) {                                                                          \
      const unsigned char *block = (const unsigned char *)values + start / (size) * (bytes);                     \
      long long at = start % (size);                                                                             \
      if (stride == 1 && at == 0 && count - k >= (size)) {                                                       \
        decode_##name(block, out + k);                                                                           \
        k += (size);                                                                                             \
        start += (size);                                                                                         \
        continue;                                                                                                \
      }                                                                                                          \
      float all[size];                                                                                           \
      decode_##name(block, all);                                                                                 \
      do {                                                                                                       \
        out[k++] = all[at];                                                                                      \
        at += stride;                                                                                            \
        start += stride;                                                                                         \
      } while (k < count && at >= 0 && at < (size));                                                             \
    }                                                                                                            \
  }
DEFINE_READ_BLOCKS(q8_0, 34, BLOCK)
DEFINE_READ_BLOCKS(q4_0, 18, BLOCK)
DEFINE_READ_BLOCKS(q4_1, 20, BLOCK)
DEFINE_READ_BLOCKS(q5_0, 22, BLOCK)
DEFINE_READ_BLOCKS(q5_1, 24, BLOCK)
DEFINE_READ_BLOCKS(q4_k, 144, SUPER)
DEFINE_READ_BLOCKS(q5_k, 176, SUPER)
DEFINE_READ_BLOCKS(q6_k, 210, SUPER)
DEFINE_READ_BLOCKS(q2_k, 84, SUPER)
DEFINE_READ_BLOCKS(q3_k, 110, SUPER)
DEFINE_READ_BLOCKS(iq4_nl, 18, BLOCK)

static const fv_layout layouts[] = {
    [FOVEA_LAYOUT_F32] = {4, 1, false, read_f32},
    [FOVEA_LAYOUT_F16] = {2, 1, false, read_f16},
    [FOVEA_LAYOUT_BF16] = {2, 1, false, read_bf16},
    [FOVEA_LAYOUT_I8] = {1, 1, true, read_i8},
    [FOVEA_LAYOUT_U8] = {1, 1, true, read_u8},
    [FOVEA_LAYOUT_Q8_0] = {34, BLOCK, false, read_q8_0},
    [FOVEA_LAYOUT_Q4_0] = {18, BLOCK, false, read_q4_0},
    [FOVEA_LAYOUT_Q4_1] = {20, BLOCK, false, read_q4_1},
    [FOVEA_LAYOUT_Q5_0] = {22, BLOCK, false, read_q5_0},
    [FOVEA_LAYOUT_Q5_1] = {24, BLOCK, false, read_q5_1},
    [FOVEA_LAYOUT_Q4_K] = {144, SUPER, false, read_q4_k},
    [FOVEA_LAYOUT_Q5_K] = {176, SUPER, false, read_q5_k},
    [FOVEA_LAYOUT_Q6_K] = {210, SUPER, false, read_q6_k},
    [FOVEA_LAYOUT_Q2_K] = {84, SUPER, false, read_q2_k},
    [FOVEA_LAYOUT_Q3_K] = {110, SUPER, false, read_q3_k},
    [FOVEA_LAYOUT_IQ4_NL] = {18, BLOCK, false, read_iq4_nl},
};

const fv_layout *FV_NAME(layout)(int layout) {
  return layout >= 0 && layout < (int)(sizeof layouts / sizeof *layouts) ? &layouts[layout] : NULL;
}

void FV_NAME(stored_read)(const fv_stored *weight, long long row, long long start, long long stride, long long count,
                          float *out) {
  weight->layout->read(weight->values, start, stride, count, out);
  if (!weight->layout->scaled) return;
  const float scale = fv_stored_scale(weight, row), zero = fv_stored_zero(weight, row);
  for (long long k = 0; k < count; k++) out[k] = scale * (out[k] - zero);
}

bool FV_NAME(is_finite)(const fv_layout *layout, const char *values, long long count) {
  enum { CHUNK = 2048 }; /* whole blocks of any layout */
  float chunk[CHUNK];
  for (long long at = 0; at < count; at += CHUNK) {
    const int n = count - at < CHUNK ? (int)(count - at) : CHUNK;
    layout->read(values, at, 1, n, chunk);
    uint32_t found = 0;
    for (int k = 0; k < n; k++) {
      uint32_t bits;
      memcpy(&bits, chunk + k, sizeof bits);
      found |= (bits & 0x7f800000) == 0x7f800000;
    }
    if (found) return false;
  }
  return true;
}
