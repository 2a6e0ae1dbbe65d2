#include "stored.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const int bytes_of[] = {4, 2, 2, 1, 1, 34};

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

bool test_is_scaling(int layout, int scaling) {
  return scaling == TEST_NO_SCALES || layout == FOVEA_LAYOUT_I8 || layout == FOVEA_LAYOUT_U8;
}

test_stored test_store(int layout, int scaling, int rows, long long count, int shift) {
  test_stored weight = {.layout = layout,
                        .block_bytes = bytes_of[layout],
                        .block_values = layout == FOVEA_LAYOUT_Q8_0 ? 32 : 1,
                        .scale_stride = scaling == TEST_ROW_SCALES};
  unsigned char *values = (unsigned char *)test_aligned(shift + count / weight.block_values * weight.block_bytes);
  float *numbers = test_floats(count);
  values += shift;
  weight.values = (const char *)values;
  weight.numbers = numbers;
  for (long long k = 0; k < count; k++) {
    if (layout != FOVEA_LAYOUT_Q8_0) {
      numbers[k] = store(layout, k, values + k * weight.block_bytes);
      continue;
    }
    unsigned char *block = values + k / 32 * 34;
    const uint16_t d = (uint16_t)(k < 32 ? 0x0201 : test_random(0x1000, 0x2fff)); /* the first is subnormal */
    if (k % 32 == 0) memcpy(block, &d, sizeof d);
    uint16_t half;
    memcpy(&half, block, sizeof half);
    block[2 + k % 32] = (unsigned char)test_random(0, 255);
    numbers[k] = from_f16(half) * (float)(signed char)block[2 + k % 32];
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
