/*
 * LOG_SOFTMAX, TOP_K and GATHER. A row has a warp up to FV_LOGITS_WARP_COLUMNS columns, else a block of
 * FV_LOGITS_WIDE_THREADS threads; GATHER always a warp.
 *
 * The sum of LOG_SOFTMAX is kept in pairs of floats, so that it is as exact over 200 000 columns as over a few.
 */
#ifndef FOVEA_CUDA_LOGITS_H
#define FOVEA_CUDA_LOGITS_H

#include "cuda/plan.h"

#define FV_LOGITS_WARP_COLUMNS 1024
#define FV_LOGITS_WIDE_THREADS 512

typedef struct fv_log_softmax_params {
  FV_POINTER(const int) rows;
  fv_view x, out; /* [rows, width]; out may be x */
} fv_log_softmax_params;

typedef struct fv_top_k_params {
  FV_POINTER(const int) rows;
  fv_view x;       /* [rows, width] */
  fv_view indices; /* [rows, k], I32 */
} fv_top_k_params;

/* An index outside the width gives NaN. */
typedef struct fv_gather_params {
  FV_POINTER(const int) rows;
  fv_view x;       /* [rows, width] */
  fv_view indices; /* [rows, k], I32 */
  fv_view out;     /* [rows, k] */
} fv_gather_params;

#endif
