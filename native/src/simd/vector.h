/*
 * The vector type that kernels are written on: FV_LANES floats, FV_LANES set per
 * instruction set by cmake/isa.cmake. Portable: GCC and Clang vector extensions, and
 * intrinsics only where those come out worse. a * b + c becomes one fused multiply-add where the ISA has it
 * (-ffp-contract=fast), everywhere or nowhere in one table, so equal expressions
 * give equal bits.
 */
#ifndef FV_SIMD_VECTOR_H
#define FV_SIMD_VECTOR_H

#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#if !defined(FV_ISA) || !defined(FV_LANES)
#error "kernel sources are compiled once per row of cmake/isa.cmake"
#endif

/*
 * FV_NAME(layer_norm) is fv_layer_norm__avx2 in the AVX2 table. A table may take its kernels of floats, and those of
 * bytes, from another, as cmake/isa.cmake says: FV_FLOATS(layer_norm) is the one that it takes.
 */
#define FV_PASTE_(op, isa) fv_##op##__##isa
#define FV_PASTE(op, isa) FV_PASTE_(op, isa)
#define FV_NAME(op) FV_PASTE(op, FV_ISA)
#define FV_FLOATS(op) FV_PASTE(op, FV_ISA_OF_FLOATS)
#define FV_BYTES(op) FV_PASTE(op, FV_ISA_OF_BYTES)

#define FV_INLINE static inline __attribute__((always_inline, unused))

/*
 * Before a loop of a constant number of rounds, at most 16: it becomes straight code, so that what it indexes can stay in
 * registers. Clang knows no pragma of GCC's, and passes over it without a word.
 */
#ifdef __clang__
#define FV_UNROLL _Pragma("clang loop unroll(full)")
#else
#define FV_UNROLL _Pragma("GCC unroll 16")
#endif

typedef float fv_f32 __attribute__((vector_size(FV_LANES * 4)));
typedef int32_t fv_i32 __attribute__((vector_size(FV_LANES * 4)));
typedef uint32_t fv_u32 __attribute__((vector_size(FV_LANES * 4))); /* where sums may wrap around */

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

/* b where a or b is NaN: what x86 has an instruction for, which GCC does not make of a select. */
#if FV_LANES == 16
FV_INLINE fv_f32 fv_max(fv_f32 a, fv_f32 b) { return (fv_f32)_mm512_max_ps((__m512)a, (__m512)b); }
FV_INLINE fv_f32 fv_min(fv_f32 a, fv_f32 b) { return (fv_f32)_mm512_min_ps((__m512)a, (__m512)b); }
#elif FV_LANES == 8
FV_INLINE fv_f32 fv_max(fv_f32 a, fv_f32 b) { return (fv_f32)_mm256_max_ps((__m256)a, (__m256)b); }
FV_INLINE fv_f32 fv_min(fv_f32 a, fv_f32 b) { return (fv_f32)_mm256_min_ps((__m256)a, (__m256)b); }
#else
FV_INLINE fv_f32 fv_max(fv_f32 a, fv_f32 b) { return fv_select(a > b, a, b); }
FV_INLINE fv_f32 fv_min(fv_f32 a, fv_f32 b) { return fv_select(a < b, a, b); }
#endif

/* A vector's four-lane parts, folded by a binary operation: lane i with lane i + half, down to four. */
typedef float fv_f32x4 __attribute__((vector_size(16)));
#if FV_LANES == 4
#define FV_FOLD(v, operation) (v)
#elif FV_LANES == 8
#define FV_FOLD(v, operation) \
  operation(__builtin_shufflevector(v, v, 0, 1, 2, 3), __builtin_shufflevector(v, v, 4, 5, 6, 7))
#else
#define FV_FOLD(v, operation)                                                                                      \
  operation(operation(__builtin_shufflevector(v, v, 0, 1, 2, 3), __builtin_shufflevector(v, v, 8, 9, 10, 11)),     \
            operation(__builtin_shufflevector(v, v, 4, 5, 6, 7), __builtin_shufflevector(v, v, 12, 13, 14, 15)))
#endif

FV_INLINE fv_f32x4 fv_sum_4(fv_f32x4 a, fv_f32x4 b) { return a + b; }

FV_INLINE fv_f32x4 fv_peak_4(fv_f32x4 a, fv_f32x4 b) {
#ifdef __SSE__
  return (fv_f32x4)_mm_max_ps((__m128)a, (__m128)b);
#else
  typedef int32_t i32x4 __attribute__((vector_size(16)));
  const i32x4 larger = a > b;
  return (fv_f32x4)(((i32x4)a & larger) | ((i32x4)b & ~larger));
#endif
}

/* Horizontal sum and maximum, in one fixed order: halves folded onto each other. */
FV_INLINE float fv_sum(fv_f32 v) {
  const fv_f32x4 four = FV_FOLD(v, fv_sum_4);
  const fv_f32x4 two = four + __builtin_shufflevector(four, four, 2, 3, 2, 3);
  return two[0] + two[1];
}

FV_INLINE float fv_peak(fv_f32 v) {
  const fv_f32x4 four = FV_FOLD(v, fv_peak_4);
  const fv_f32x4 two = fv_peak_4(four, __builtin_shufflevector(four, four, 2, 3, 2, 3));
  return two[0] > two[1] ? two[0] : two[1];
}

#endif /* FV_SIMD_VECTOR_H */
