/*
 * The table of layouts, compiled once per ISA. Contract in layout.h. To add a type of storage: its number in
 * fovea.h, a reader and a row of the table here.
 *
 *   F32, F16, BF16  | value | value | ...         little-endian
 *   I8, U8          | byte  | byte  | ...
 *   Q8_0            | d: F16, 2 bytes | q: 32 signed bytes | d | q | ...   value = d * q; ggml's block_q8_0
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

enum { Q8_0_VALUES = 32, Q8_0_BYTES = 34 };

static void read_q8_0(const char *values, long long start, long long stride, long long count, float *restrict out) {
  for (long long k = 0; k < count;) {
    const char *block = values + start / Q8_0_VALUES * Q8_0_BYTES;
    const int at = (int)(start % Q8_0_VALUES);
    const signed char *restrict q = (const signed char *)block + 2 + at;
    uint16_t half;
    memcpy(&half, block, sizeof half);
    const float d = widen_f16((fv_u32){0} + half)[0];
    if (stride == 1 && at == 0 && count - k >= Q8_0_VALUES) {
      for (int j = 0; j < Q8_0_VALUES; j++) out[k + j] = d * q[j];
      k += Q8_0_VALUES;
      start += Q8_0_VALUES;
    } else {
      out[k++] = d * *q;
      start += stride;
    }
  }
}

static const fv_layout layouts[] = {
    [FOVEA_LAYOUT_F32] = {4, 1, false, read_f32},
    [FOVEA_LAYOUT_F16] = {2, 1, false, read_f16},
    [FOVEA_LAYOUT_BF16] = {2, 1, false, read_bf16},
    [FOVEA_LAYOUT_I8] = {1, 1, true, read_i8},
    [FOVEA_LAYOUT_U8] = {1, 1, true, read_u8},
    [FOVEA_LAYOUT_Q8_0] = {Q8_0_BYTES, Q8_0_VALUES, false, read_q8_0},
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
