/* Weights of every layout for tests, and what a plain reading of fovea.h makes of them. */
#ifndef FV_STORED_H
#define FV_STORED_H

#include "harness.h"

enum { TEST_LAYOUTS = FOVEA_LAYOUT_IQ4_NL + 1 };

/* Which scales and zero points a weight has beside it. */
enum { TEST_NO_SCALES, TEST_ONE_SCALE, TEST_ROW_SCALES, TEST_SCALINGS };

/* Lives until test_release. */
typedef struct test_stored {
  int layout, block_bytes, block_values, scale_stride;
  const char *values;     /* count of them, whole blocks, between guard bytes, shift bytes past a border of 64 */
  const float *scales;    /* [rows], [1] or null */
  const int *zero_points; /* likewise */
  const float *numbers;   /* [count] the values, unscaled */
} test_stored;

/* Random values; of halves the first are those that are hard to widen, NaN among them. */
test_stored test_store(int layout, int scaling, int rows, long long count, int shift);

/* Where value number at, a multiple of block_values, lies. */
const char *test_stored_at(const test_stored *weight, long long at);

/* Value number at, scaled as one of a row. */
float test_stored_value(const test_stored *weight, int row, long long at);

/* Values of a block of layout; 1 of a plain one. */
int test_block(int layout);

/* Whether layout can be scaled as scaling says. */
bool test_is_scaling(int layout, int scaling);

#endif /* FV_STORED_H */
