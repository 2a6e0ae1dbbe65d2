#include "stored.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const int bytes_of[] = {4, 2, 2, 1, 1, 34, 18, 20, 22, 24, 144, 176, 210, 84, 110, 18};

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static float from_f16(unsigned h) {
  const unsigned exponent = h >> 10 & 31, fraction = h & 0x3ff;
  if (exponent == 31) return from_bits((h & 0x8000) << 16 | 0x7f800000 | fraction << 13);
  const double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, (int)exponent - 25);
  return (float)(h & 0x8000 ? -size : size);
}

/* Signalling and quiet NaN, infinity, -0, and the smallest and largest of subnormal and normal numbers. */
static const unsigned hard_f16[] = {0x7c01, 0xfe55, 0xfc00, 0x8000, 0x0001, 0x83ff, 0x0400, 0x7bff};
static const unsigned hard_bf16[] = {0x7f81, 0xffc5, 0xff80, 0x8000, 0x0001, 0x807f, 0x0080, 0x7f7f};

/* Writes value number k, and says what it is. */
static float store(int layout, long long k, unsigned char *at) {
  float x = 0;
  test_fill(&x, 1);
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  switch (layout) {
    case FOVEA_LAYOUT_F32:
      memcpy(at, &bits, sizeof bits);
      return x;
    case FOVEA_LAYOUT_F16:
      bits = k < 8 ? hard_f16[k] : (bits >> 16 & 0x8000) | (unsigned)test_random(0x2000, 0x3fff);
      break;
    case FOVEA_LAYOUT_BF16:
      bits = k < 8 ? hard_bf16[k] : bits >> 16;
      break;
    default:
      *at = (unsigned char)test_random(0, 255);
      return layout == FOVEA_LAYOUT_U8 ? (float)*at : (float)(signed char)*at;
  }
  const uint16_t half = (uint16_t)bits;
  memcpy(at, &half, sizeof half);
  return layout == FOVEA_LAYOUT_F16 ? from_f16(half) : from_bits(bits << 16);
}

int test_block(int layout) {
  if (layout < FOVEA_LAYOUT_Q8_0) return 1;
  return layout < FOVEA_LAYOUT_Q4_K || layout == FOVEA_LAYOUT_IQ4_NL ? 32 : 256;
}

/* Where a block has its scale. */
static int scale_at(int layout) {
  return layout == FOVEA_LAYOUT_Q6_K ? 208 : layout == FOVEA_LAYOUT_Q2_K ? 80 : layout == FOVEA_LAYOUT_Q3_K ? 108 : 0;
}

static void put_half(unsigned char *at, int half) {
  const uint16_t bits = (uint16_t)half;
  memcpy(at, &bits, sizeof bits);
}

static double half_at(const unsigned char *at) {
  uint16_t bits;
  memcpy(&bits, at, sizeof bits);
  return from_f16(bits);
}

/* Random bytes with scales, and perhaps minima, that are finite. */
static void store_block(int layout, long long number, unsigned char *block) {
  for (int i = 0; i < bytes_of[layout]; i++) block[i] = (unsigned char)test_random(0, 255);
  put_half(block + scale_at(layout), number ? test_random(0x1000, 0x2fff) : 0x0201); /* the first is subnormal */
  const bool k = layout == FOVEA_LAYOUT_Q4_K || layout == FOVEA_LAYOUT_Q5_K;
  if (layout == FOVEA_LAYOUT_Q2_K) put_half(block + 82, test_random(0x9000, 0xafff));
  if (k || layout == FOVEA_LAYOUT_Q4_1 || layout == FOVEA_LAYOUT_Q5_1) put_half(block + 2, test_random(0x9000, 0xafff));
}

/* Value i of a block of 256, by its definition in double. */
static float super_value(int layout, const unsigned char *block, int i) {
  const int part = i / 32, j = i % 32;
  if (layout == FOVEA_LAYOUT_Q6_K) {
    const int half = i / 128, quarter = part % 4;
    const int low = block[64 * half + 32 * (quarter % 2) + j] >> (quarter < 2 ? 0 : 4) & 15;
    const int q = low + 16 * (block[128 + 32 * half + j] >> 2 * quarter & 3);
    return (float)(half_at(block + 208) * (signed char)block[192 + i / 16] * (q - 32));
  }
  const double d = half_at(block + scale_at(layout));
  const int pair_of_bits = layout == FOVEA_LAYOUT_Q2_K ? 16 : 32;
  const int two = block[pair_of_bits + i / 128 * 32 + j] >> 2 * (part % 4) & 3;
  if (layout == FOVEA_LAYOUT_Q2_K) {
    return (float)(d * (block[i / 16] % 16) * two - half_at(block + 82) * (block[i / 16] / 16));
  }
  if (layout == FOVEA_LAYOUT_Q3_K) {
    const int k = i / 16, low = k < 8 ? block[96 + k] % 16 : block[88 + k] / 16;
    const int s = low + 16 * (block[104 + k % 4] >> 2 * (k / 4) & 3) - 32;
    return (float)(d * s * (two - (block[j] & 1 << part ? 0 : 4)));
  }
  const unsigned char *s = block + 4;
  const int scale = part < 4 ? s[part] % 64 : s[part + 4] % 16 + s[part - 4] / 64 * 16;
  const int minimum = part < 4 ? s[part + 4] % 64 : s[part + 4] / 16 + s[part] / 64 * 16;
  const unsigned char *nibbles = block + (layout == FOVEA_LAYOUT_Q5_K ? 48 : 16);
  const int pair = nibbles[part / 2 * 32 + j];
  int q = part % 2 ? pair / 16 : pair % 16;
  if (layout == FOVEA_LAYOUT_Q5_K && block[16 + j] & 1 << part) q += 16;
  return (float)(half_at(block) * scale * q - half_at(block + 2) * minimum);
}

/* Value i of a block of any size. */
static float block_value(int layout, const unsigned char *block, int i) {
  if (test_block(layout) == 256) return super_value(layout, block, i);
  const double d = half_at(block);
  if (layout == FOVEA_LAYOUT_Q8_0) return (float)(d * (signed char)block[2 + i]);
  if (layout == FOVEA_LAYOUT_IQ4_NL) {
    static const int values[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    return (float)(d * values[i < 16 ? block[2 + i] % 16 : block[i - 14] / 16]);
  }
  const bool five = layout == FOVEA_LAYOUT_Q5_0 || layout == FOVEA_LAYOUT_Q5_1;
  const bool minimum = layout == FOVEA_LAYOUT_Q4_1 || layout == FOVEA_LAYOUT_Q5_1;
  const unsigned char *bits = block + (minimum ? 4 : 2), *nibbles = bits + (five ? 4 : 0);
  int q = i < 16 ? nibbles[i] % 16 : nibbles[i - 16] / 16;
  if (five && bits[i / 8] & 1 << i % 8) q += 16;
  return (float)(minimum ? d * q + half_at(block + 2) : d * (q - (five ? 16 : 8)));
}

bool test_is_scaling(int layout, int scaling) {
  return scaling == TEST_NO_SCALES || layout == FOVEA_LAYOUT_I8 || layout == FOVEA_LAYOUT_U8;
}

test_stored test_store(int layout, int scaling, int rows, long long count, int shift) {
  test_stored weight = {.layout = layout,
                        .block_bytes = bytes_of[layout],
                        .block_values = test_block(layout),
                        .scale_stride = scaling == TEST_ROW_SCALES};
  unsigned char *values = (unsigned char *)test_aligned(shift + count / weight.block_values * weight.block_bytes);
  float *numbers = test_floats(count);
  values += shift;
  weight.values = (const char *)values;
  weight.numbers = numbers;
  for (long long k = 0; k < count; k++) {
    if (weight.block_values == 1) {
      numbers[k] = store(layout, k, values + k * weight.block_bytes);
      continue;
    }
    const int at = (int)(k % weight.block_values);
    unsigned char *block = values + k / weight.block_values * weight.block_bytes;
    if (at == 0) store_block(layout, k, block);
    numbers[k] = block_value(layout, block, at);
  }
  if (scaling == TEST_NO_SCALES) return weight;
  const int scales = scaling == TEST_ROW_SCALES ? rows : 1;
  int *zeros = test_ints(scales);
  for (int r = 0; r < scales; r++) zeros[r] = layout == FOVEA_LAYOUT_U8 ? test_random(0, 255) : test_random(-128, 127);
  weight.scales = test_floats(scales);
  weight.zero_points = zeros;
  return weight;
}

const char *test_stored_at(const test_stored *weight, long long at) {
  return weight->values + at / weight->block_values * weight->block_bytes;
}

float test_stored_value(const test_stored *weight, int row, long long at) {
  if (!weight->scales) return weight->numbers[at];
  const int r = row * weight->scale_stride;
  return weight->scales[r] * (weight->numbers[at] - (float)weight->zero_points[r]);
}
