/*
 * The vector type that kernels are written on: FV_LANES floats, FV_LANES set per
 * instruction set by cmake/isa.cmake. Portable: GCC and Clang vector extensions,
 * no intrinsics. a * b + c becomes one fused multiply-add where the ISA has it
 * (-ffp-contract=fast), everywhere or nowhere in one table, so equal expressions
 * give equal bits.
 */
#ifndef FV_SIMD_VECTOR_H
#define FV_SIMD_VECTOR_H

#include <stdint.h>
#include <string.h>

#if !defined(FV_ISA) || !defined(FV_LANES)
#error "kernel sources are compiled once per row of cmake/isa.cmake"
#endif

/* FV_NAME(layer_norm) is fv_layer_norm__avx2 in the AVX2 table. */
#define FV_PASTE_(op, isa) fv_##op##__##isa
#define FV_PASTE(op, isa) FV_PASTE_(op, isa)
#define FV_NAME(op) FV_PASTE(op, FV_ISA)

#define FV_INLINE static inline __attribute__((always_inline, unused))

typedef float fv_f32 __attribute__((vector_size(FV_LANES * 4)));
typedef int32_t fv_i32 __attribute__((vector_size(FV_LANES * 4)));

FV_INLINE fv_f32 fv_load(const float *p) {
  fv_f32 v;
  memcpy(&v, p, sizeof v);
  return v;
}

FV_INLINE void fv_store(float *p, fv_f32 v) { memcpy(p, &v, sizeof v); }

/* The first n < FV_LANES floats at p, zeros behind them; nothing past p[n - 1] is read. */
FV_INLINE fv_f32 fv_load_part(const float *p, int n) {
  float lanes[FV_LANES] = {0};
  memcpy(lanes, p, (size_t)n * sizeof(float));
  return fv_load(lanes);
}

/* The first n < FV_LANES lanes; nothing past p[n - 1] is written. */
FV_INLINE void fv_store_part(float *p, fv_f32 v, int n) {
  float lanes[FV_LANES];
  fv_store(lanes, v);
  memcpy(p, lanes, (size_t)n * sizeof(float));
}

FV_INLINE fv_f32 fv_set(float x) { return x - (fv_f32){0}; }

/* Lanes of a where mask is all ones, of b where it is 0. */
FV_INLINE fv_f32 fv_select(fv_i32 mask, fv_f32 a, fv_f32 b) {
  return (fv_f32)(((fv_i32)a & mask) | ((fv_i32)b & ~mask));
}

/* b where a is NaN, as the SSE and AVX instruction. */
FV_INLINE fv_f32 fv_max(fv_f32 a, fv_f32 b) { return fv_select(a > b, a, b); }
FV_INLINE fv_f32 fv_min(fv_f32 a, fv_f32 b) { return fv_select(a < b, a, b); }

/* Horizontal sum and maximum, in one fixed order: halves folded onto each other. */
FV_INLINE float fv_sum(fv_f32 v) {
  float lanes[FV_LANES];
  fv_store(lanes, v);
  for (int half = FV_LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

FV_INLINE float fv_peak(fv_f32 v) {
  float lanes[FV_LANES];
  fv_store(lanes, v);
  for (int half = FV_LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  }
  return lanes[0];
}

#endif /* FV_SIMD_VECTOR_H */
