/* What planners of rows share. */
#ifndef FOVEA_CUDA_PLANNING_H
#define FOVEA_CUDA_PLANNING_H

#include "cuda/plan.h"
#include "../../ops/attention/check.h"

/* Rows of a block where each has a warp. */
enum { FV_WARP_ROWS = 4 };

/* The most rows that a graph gives to a matrix. */
static inline int fv_most_rows(const fv_target *target, const fv_view *view) {
  const int most = view->rows == FOVEA_CUDA_ROWS_TOKENS ? target->max_tokens : target->max_sequences;
  return view->capacity < most ? view->capacity : most;
}

/* Where the count of a matrix's rows stands on the device. */
static inline unsigned long long fv_rows_address(const fv_target *target, const fv_view *view) {
  return target->batch.counts + (unsigned long long)view->rows * sizeof(int);
}

/* That a matrix is there, and of floats. */
static inline bool fv_is_matrix(const fv_view *view) {
  return view->rows != FOVEA_CUDA_ROWS_NONE && view->columns >= 1 && fv_is_dtype(view->dtype);
}

static inline int fv_blocks(long long count, int each) { return (int)((count + each - 1) / each); }

#endif
