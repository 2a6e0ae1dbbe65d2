/*
 * Rounds floats to blocks, compiled once per ISA. Contract in layout.h; the blocks are drawn in layout_kernel.c.
 *
 * Scales of scales are rounded in turn, and integers are chosen for what the block really holds.
 */
#include "ops/layout/layout.h"
#include "simd/fit.h"

fv_layout_kernel FV_NAME(layout);
fv_layout_write_kernel FV_NAME(layout_write);

typedef unsigned char byte;

enum { BLOCK = 32, HALF = BLOCK / 2 };

/* ---- blocks of 32 --------------------------------------------------------------- */

static void put_nibbles(const int *q, byte *to) {
  for (int j = 0; j < HALF; j++) to[j] = (byte)((q[j] & 15) | (q[j + HALF] & 15) << 4);
}

static void put_fifths(const int *q, byte *to) {
  uint32_t bits = 0;
  for (int j = 0; j < BLOCK; j++) bits |= (uint32_t)(q[j] >> 4 & 1) << j;
  memcpy(to, &bits, sizeof bits);
}

static void write_q8_0(const float *x, byte *block) {
  int q[BLOCK];
  const float peak = fv_extremes_of(x, BLOCK).peak, d = fv_half_of((peak < 0 ? -peak : peak) / 127);
  fv_round_to(x, BLOCK, d, 0, -127, 127, q);
  fv_put_half(block, d);
  for (int j = 0; j < BLOCK; j++) block[2 + j] = (byte)q[j];
}

/* Q4_0 and Q5_0. */
static void write_symmetric(const float *x, int low, byte *block) {
  int q[BLOCK];
  const float d = fv_half_of(fv_fit(x, BLOCK, low, -low - 1));
  fv_round_to(x, BLOCK, d, 0, low, -low - 1, q);
  for (int j = 0; j < BLOCK; j++) q[j] -= low;
  fv_put_half(block, d);
  if (low == -16) put_fifths(q, block + 2);
  put_nibbles(q, block + (low == -16 ? 6 : 2));
}

/* Q4_1 and Q5_1, whose minimum may be of either sign. */
static void write_affine(const float *x, int high, byte *block) {
  int q[BLOCK];
  const fv_extremes e = fv_extremes_of(x, BLOCK);
  const float d = fv_half_of((e.high - e.low) / (float)high), m = fv_half_of(e.low);
  fv_round_to(x, BLOCK, d, -m, 0, high, q);
  fv_put_half(block, d);
  fv_put_half(block + 2, m);
  if (high == 31) put_fifths(q, block + 4);
  put_nibbles(q, block + (high == 31 ? 8 : 4));
}

static const int8_t iq4_values[] = {FV_IQ4_VALUES};

static int nearest_iq4(float x) {
  int at = 0;
  while (at < 15 && x > ((float)iq4_values[at] + (float)iq4_values[at + 1]) / 2) at++;
  return at;
}

static void write_iq4_nl(const float *x, byte *block) {
  int q[BLOCK] = {0};
  const float peak = fv_extremes_of(x, BLOCK).peak;
  float best = 0, d = 0;
  for (int t = 0; t < FV_FIT_TRIES && peak != 0; t++) {
    const float inverse = (float)(iq4_values[0] + 2 * (t - FV_FIT_TRIES / 2)) / peak;
    float product = 0, square = 0;
    for (int j = 0; j < BLOCK; j++) {
      const float value = iq4_values[nearest_iq4(x[j] * inverse)], w = x[j] * x[j];
      product += w * value * x[j], square += w * value * value;
    }
    if (square > 0 && product * product > best * square) best = product * product / square, d = product / square;
  }
  d = fv_half_of(d);
  for (int j = 0; j < BLOCK && d != 0; j++) q[j] = nearest_iq4(x[j] / d);
  fv_put_half(block, d);
  put_nibbles(q, block + 2);
}

/* ---- blocks of 256 -------------------------------------------------------------- */

/* An integer from low to high near x / unit; 0 where the unit is. */
static int in_units(float x, float unit, int low, int high) {
  if (unit == 0) return 0;
  const float units = x / unit;
  return units <= (float)low ? low : units >= (float)high ? high : (int)(units + (units < 0 ? -0.5f : 0.5f));
}

static float largest(const float *x, int n) {
  float most = 0;
  for (int i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
  return most;
}

/* Q4_K and Q5_K: eight parts with scales and minima of six bits. */
static void write_sixes(const float *x, int high, byte *block) {
  float ds[8], ms[8];
  for (int i = 0; i < 8; i++) fv_fit_affine(x + i * 32, 32, high, ds + i, ms + i);
  const float d = fv_half_of(largest(ds, 8) / 63), m = fv_half_of(largest(ms, 8) / 63);
  byte *sixes = block + 4, *fifths = block + 16, *nibbles = block + (high == 31 ? 48 : 16);
  memset(block, 0, (size_t)(nibbles - block) + 128);
  fv_put_half(block, d);
  fv_put_half(block + 2, m);
  for (int i = 0; i < 8; i++) {
    const int s = in_units(ds[i], d, 0, 63), t = in_units(ms[i], m, 0, 63);
    if (i < 4) {
      sixes[i] |= (byte)s, sixes[i + 4] |= (byte)t;
    } else {
      sixes[i + 4] = (byte)((s & 15) | (t & 15) << 4);
      sixes[i - 4] |= (byte)(s >> 4 << 6), sixes[i] |= (byte)(t >> 4 << 6);
    }
    int q[32];
    fv_round_to(x + i * 32, 32, d * (float)s, m * (float)t, 0, high, q);
    for (int j = 0; j < 32; j++) {
      nibbles[i / 2 * 32 + j] |= (byte)((q[j] & 15) << i % 2 * 4);
      if (high == 31) fifths[j] |= (byte)(q[j] >> 4 << i);
    }
  }
}

/* The scales of 16 parts, and d, of which they are from low on; the largest goes to low. */
static float fit_parts(const float *x, int least, int low, float *ds) {
  for (int i = 0; i < 16; i++) ds[i] = fv_fit(x + i * 16, 16, least, -least - 1);
  return fv_half_of(fv_extremes_of(ds, 16).peak / (float)low);
}

static void write_q6_k(const float *x, byte *block) {
  float ds[16];
  const float d = fit_parts(x, -32, -128, ds);
  memset(block, 0, 210);
  fv_put_half(block + 208, d);
  for (int i = 0; i < 16; i++) {
    const int s = in_units(ds[i], d, -128, 127), part = i / 2;
    int q[16];
    block[192 + i] = (byte)s;
    fv_round_to(x + i * 16, 16, d * (float)s, 0, -32, 31, q);
    for (int j = 0; j < 16; j++) {
      const int u = q[j] + 32, at = i % 2 * 16 + j;
      block[part / 4 * 64 + part % 2 * 32 + at] |= (byte)((u & 15) << part % 4 / 2 * 4);
      block[128 + part / 4 * 32 + at] |= (byte)(u >> 4 << part % 4 * 2);
    }
  }
}

static void write_q3_k(const float *x, byte *block) {
  float ds[16];
  const float d = fit_parts(x, -4, -32, ds);
  memset(block, 0, 110);
  fv_put_half(block + 108, d);
  for (int i = 0; i < 16; i++) {
    const int s = in_units(ds[i], d, -32, 31), part = i / 2;
    int q[16];
    block[96 + i % 8] |= (byte)(((s + 32) & 15) << i / 8 * 4);
    block[104 + i % 4] |= (byte)((s + 32) >> 4 << i / 4 * 2);
    fv_round_to(x + i * 16, 16, d * (float)s, 0, -4, 3, q);
    for (int j = 0; j < 16; j++) {
      const int u = q[j] + 4, at = i % 2 * 16 + j;
      block[32 + part / 4 * 32 + at] |= (byte)((u & 3) << part % 4 * 2);
      block[at] |= (byte)(u >> 2 << part);
    }
  }
}

static void write_q2_k(const float *x, byte *block) {
  float ds[16], ms[16];
  for (int i = 0; i < 16; i++) fv_fit_affine(x + i * 16, 16, 3, ds + i, ms + i);
  const float d = fv_half_of(largest(ds, 16) / 15), m = fv_half_of(largest(ms, 16) / 15);
  memset(block, 0, 84);
  fv_put_half(block + 80, d);
  fv_put_half(block + 82, m);
  for (int i = 0; i < 16; i++) {
    const int s = in_units(ds[i], d, 0, 15), t = in_units(ms[i], m, 0, 15), part = i / 2;
    int q[16];
    block[i] = (byte)(s | t << 4);
    fv_round_to(x + i * 16, 16, d * (float)s, m * (float)t, 0, 3, q);
    for (int j = 0; j < 16; j++) block[16 + part / 4 * 32 + i % 2 * 16 + j] |= (byte)(q[j] << part % 4 * 2);
  }
}

static void write_block(int layout, const float *x, byte *block) {
  switch (layout) {
    case FOVEA_LAYOUT_Q8_0: write_q8_0(x, block); break;
    case FOVEA_LAYOUT_Q4_0: write_symmetric(x, -8, block); break;
    case FOVEA_LAYOUT_Q5_0: write_symmetric(x, -16, block); break;
    case FOVEA_LAYOUT_Q4_1: write_affine(x, 15, block); break;
    case FOVEA_LAYOUT_Q5_1: write_affine(x, 31, block); break;
    case FOVEA_LAYOUT_IQ4_NL: write_iq4_nl(x, block); break;
    case FOVEA_LAYOUT_Q4_K: write_sixes(x, 15, block); break;
    case FOVEA_LAYOUT_Q5_K: write_sixes(x, 31, block); break;
    case FOVEA_LAYOUT_Q6_K: write_q6_k(x, block); break;
    case FOVEA_LAYOUT_Q3_K: write_q3_k(x, block); break;
    default: write_q2_k(x, block); break;
  }
}

void FV_NAME(layout_write)(int layout, const float *x, char *block) {
  const int scale_at = layout == FOVEA_LAYOUT_Q6_K ? 208 : layout == FOVEA_LAYOUT_Q3_K ? 108 : layout == FOVEA_LAYOUT_Q2_K ? 80 : 0;
  const fv_layout *form = FV_NAME(layout)(layout);
  if (fv_all_finite(x, form->block_values)) {
    write_block(layout, x, (byte *)block);
  } else {
    memset(block, 0, (size_t)form->block_bytes);
    fv_put_half((byte *)block + scale_at, __builtin_nanf(""));
  }
}
