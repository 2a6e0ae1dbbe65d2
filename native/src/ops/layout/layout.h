/*
 * Layouts: how the values of a weight lie in memory, FOVEA_LAYOUT_* in fovea.h. A type of storage is one
 * row of the table in layout_kernel.c and its reader there; whatever takes weights takes it from then on.
 */
#ifndef FV_OPS_LAYOUT_H
#define FV_OPS_LAYOUT_H

#include <stdbool.h>

#include "validate.h"

/*
 * Reads the values numbered start, start + stride, ... as floats: out [count]. values may begin at any byte, and
 * at a block. Those of a scaled layout come as the integers that they are stored as.
 */
typedef void fv_layout_read(const char *values, long long start, long long stride, long long count, float *out);

typedef struct fv_layout {
  int block_bytes, block_values;
  bool scaled; /* value = scale * (stored - zero point), the two given beside the values */
  fv_layout_read *read;
} fv_layout;

/* The row of the table for FOVEA_LAYOUT_*, null for any other number. */
typedef const fv_layout *fv_layout_kernel(int layout);

/* A weight of rows as it is stored. Row r has scales[r * scale_stride] and zero_points[r * scale_stride]. */
typedef struct fv_stored {
  const fv_layout *layout;
  const char *values;
  const float *scales;    /* null: 1 */
  const int *zero_points; /* null: 0 */
  int scale_stride;
} fv_stored;

static inline float fv_stored_scale(const fv_stored *weight, long long row) {
  return weight->scales ? weight->scales[row * weight->scale_stride] : 1;
}

static inline float fv_stored_zero(const fv_stored *weight, long long row) {
  return weight->zero_points ? (float)weight->zero_points[row * weight->scale_stride] : 0;
}

/* That there is such a layout, values are there, and scales beside them where they mean something alone. */
static inline int fv_check_stored(const fv_stored *weight) {
  FV_REQUIRE(fv_check(weight->layout != NULL));
  if (!weight->values) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(weight->scale_stride == 0 || weight->scale_stride == 1));
  FV_REQUIRE(fv_check(weight->layout->scaled || (!weight->scales && !weight->zero_points)));
  return fv_check(fv_is_aligned(weight->scales, 4) && fv_is_aligned(weight->zero_points, 4));
}

/* Reads values of one row, numbered as fv_layout_read numbers them, and scales them: out [count]. */
typedef void fv_stored_read_kernel(const fv_stored *weight, long long row, long long start, long long stride,
                                   long long count, float *out);

/* Rounds a block's values, x [block_values], to a layout of blocks. NaN or infinity among them makes the block's scale NaN. */
typedef void fv_layout_write_kernel(int layout, const float *x, char *block);

/* Whether none of the values is infinite or NaN; count of them, in whole blocks. */
typedef bool fv_is_finite_kernel(const fv_layout *layout, const char *values, long long count);

/* The values that the four bits of IQ4_NL number, ggml's kvalues_iq4nl. */
#define FV_IQ4_VALUES -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113

#endif /* FV_OPS_LAYOUT_H */
