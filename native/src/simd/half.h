/*
 * Conversions between single precision and the half types, FOVEA_DTYPE_F16 (IEEE 754
 * binary16) and FOVEA_DTYPE_BF16 (the upper half of a binary32). Widening is exact;
 * narrowing rounds to nearest, ties to even.
 */
#ifndef FV_SIMD_HALF_H
#define FV_SIMD_HALF_H

#include "fovea/fovea.h"
#include "simd/vector.h"

typedef uint16_t fv_u16 __attribute__((vector_size(FV_LANES * 2)));
typedef uint32_t fv_u32 __attribute__((vector_size(FV_LANES * 4)));

/* Bytes of an element. */
FV_INLINE long long fv_dtype_bytes(int dtype) { return dtype == FOVEA_DTYPE_F32 ? 4 : 2; }

FV_INLINE fv_u32 fv_load_u16(const uint16_t *p) {
  fv_u16 v;
  memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, fv_u32);
}

FV_INLINE fv_f32 fv_load_bf16(const uint16_t *p) { return (fv_f32)(fv_load_u16(p) << 16); }

/* Where there is no instruction, the exponent is rebiased by a product, which normalises subnormals too. */
FV_INLINE fv_f32 fv_load_f16(const uint16_t *p) {
#if FV_LANES == 16
  return (fv_f32)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#else
  const fv_u32 h = fv_load_u16(p), magnitude = (h & 0x7fff) << 13;
  const fv_u32 special = (fv_u32)(magnitude >= 0x7c00 << 13) & 0x7f800000; /* infinity and NaN */
  return (fv_f32)((fv_u32)((fv_f32)magnitude * 0x1p112f) | special | (h & 0x8000) << 16);
#endif
}

/* A binary16 in every lane. */
FV_INLINE fv_f32 fv_set_f16(uint16_t half) {
  const fv_u16 lanes = (fv_u16){0} + half;
  return fv_load_f16((const uint16_t *)&lanes);
}

/* FV_LANES elements from the i-th on. */
FV_INLINE fv_f32 fv_load_as(int dtype, const void *row, long long i) {
  if (dtype == FOVEA_DTYPE_F32) return fv_load((const float *)row + i);
  return dtype == FOVEA_DTYPE_F16 ? fv_load_f16((const uint16_t *)row + i) : fv_load_bf16((const uint16_t *)row + i);
}

/* The last n < FV_LANES elements of a row, from the i-th on, zeros behind them. */
FV_INLINE fv_f32 fv_load_part_as(int dtype, const void *row, long long i, int n) {
  if (dtype == FOVEA_DTYPE_F32) return fv_load_part((const float *)row + i, n);
  uint16_t rest[FV_LANES] = {0};
  memcpy(rest, (const uint16_t *)row + i, (size_t)n * sizeof *rest);
  return fv_load_as(dtype, rest, 0);
}

/* count elements of a row as floats. */
FV_INLINE void fv_widen(int dtype, const void *row, long long count, float *out) {
  long long i = 0;
  for (; i + FV_LANES <= count; i += FV_LANES) fv_store(out + i, fv_load_as(dtype, row, i));
  if (i < count) fv_store_part(out + i, fv_load_part_as(dtype, row, i, (int)(count - i)), (int)(count - i));
}

FV_INLINE uint16_t fv_to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

FV_INLINE uint16_t fv_to_f16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = bits & 0x80000000;
  bits ^= sign;
  if (bits >= 0x47800000) { /* 2^16 and above */
    bits = bits > 0x7f800000 ? 0x7e00 : 0x7c00;
  } else if (bits < 0x38800000) { /* below 2^-14: adding 1/2 leaves the subnormal's bits last */
    float shifted;
    memcpy(&shifted, &bits, sizeof shifted);
    shifted += 0.5f;
    memcpy(&bits, &shifted, sizeof bits);
    bits -= 0x3f000000;
  } else {
    bits = (bits - (112u << 23) + 0xfff + (bits >> 13 & 1)) >> 13;
  }
  return (uint16_t)(bits | sign >> 16);
}

/* FV_LANES floats as binary16. */
FV_INLINE void fv_store_f16(uint16_t *to, fv_f32 x) {
#if FV_LANES == 16
  _mm256_storeu_si256((__m256i *)to, _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT));
#else
  for (int j = 0; j < FV_LANES; j++) to[j] = fv_to_f16(x[j]);
#endif
}

/* count floats as a row of a type. */
FV_INLINE void fv_narrow(int dtype, const float *row, long long count, void *out) {
  uint16_t *to = out;
  if (dtype == FOVEA_DTYPE_F32) {
    memcpy(out, row, (size_t)count * sizeof(float));
  } else if (dtype == FOVEA_DTYPE_F16) {
    for (long long i = 0; i < count; i++) to[i] = fv_to_f16(row[i]);
  } else {
    for (long long i = 0; i < count; i++) to[i] = fv_to_bf16(row[i]);
  }
}

#endif /* FV_SIMD_HALF_H */
