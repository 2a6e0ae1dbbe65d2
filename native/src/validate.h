/* Checks that every entry of the ABI makes before it touches a tensor. Each returns an FOVEA_STATUS_* code. */
#ifndef FV_VALIDATE_H
#define FV_VALIDATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/fovea.h"

/* Returns from the entry with the first check that fails. */
#define FV_REQUIRE(check)                          \
  do {                                             \
    const int fv_status = (check);                 \
    if (fv_status != FOVEA_STATUS_OK) return fv_status; \
  } while (0)

/* The checks of an entry's first two arguments: both there, and params of the size that this library knows. */
#define FV_REQUIRE_PARAMS(engine, params)                                                \
  do {                                                                                   \
    if (!(engine) || !(params)) return FOVEA_STATUS_NULL_POINTER;                        \
    FV_REQUIRE(fv_check((params)->struct_size == (int)sizeof *(params)));                \
  } while (0)

static inline int fv_check(bool valid) { return valid ? FOVEA_STATUS_OK : FOVEA_STATUS_INVALID_ARGUMENT; }

/* Whether p, which may be null, is a multiple of bytes, a power of two. */
static inline bool fv_is_aligned(const void *p, size_t bytes) { return ((uintptr_t)p & (bytes - 1)) == 0; }

/* A pointer to floats or ints that must be there. */
static inline int fv_check_pointer(const void *p) {
  return p ? fv_check(fv_is_aligned(p, 4)) : FOVEA_STATUS_NULL_POINTER;
}

/*
 * Whether the 4-byte element at [rows - 1][columns - 1] under these strides lies past what an
 * address can hold, INT_MAX elements of a last dimension included. Sizes and strides are >= 0.
 */
static inline bool fv_overflows(long long rows, long long row_stride, long long columns, long long column_stride) {
  if (rows == 0 || columns == 0) return false;
  long long down, across, last;
  return __builtin_mul_overflow(rows - 1, row_stride, &down) ||
         __builtin_mul_overflow(columns - 1, column_stride, &across) || __builtin_add_overflow(down, across, &last) ||
         last > PTRDIFF_MAX / 4 - INT_MAX;
}

/* A matrix of floats or ints, [rows, columns] with rows stride elements apart. */
static inline int fv_check_matrix(const void *p, int rows, int columns, long long stride) {
  FV_REQUIRE(fv_check_pointer(p));
  FV_REQUIRE(fv_check(rows >= 0 && columns >= 0 && stride >= columns));
  return fv_overflows(rows, stride, 1, 0) ? FOVEA_STATUS_OVERFLOW : FOVEA_STATUS_OK;
}

/* offsets [sequences + 1] starts at 0 and does not decrease. */
static inline int fv_check_offsets(int sequences, const int *offsets) {
  if (offsets[0] != 0) return FOVEA_STATUS_OUT_OF_RANGE;
  for (int i = 0; i < sequences; i++) {
    if (offsets[i + 1] < offsets[i]) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

#endif /* FV_VALIDATE_H */
