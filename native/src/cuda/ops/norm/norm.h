/*
 * LAYER_NORM, RMS_NORM and NORMALIZE of rows; the formulas are those of fovea.h.
 *
 * A row has a warp up to FV_NORM_WARP_COLUMNS columns, a block of FV_NORM_WIDE_THREADS threads beyond. It is read once
 * as long as it fits the registers of its threads. Sums are in float.
 */
#ifndef FOVEA_CUDA_NORM_H
#define FOVEA_CUDA_NORM_H

#include "cuda/plan.h"

#define FV_NORM_WARP_COLUMNS 1024
#define FV_NORM_WIDE_THREADS 256

typedef struct fv_norm_params {
  FV_POINTER(const int) rows;    /* how many */
  fv_view x, out;                /* [rows, width], of any float types; out may be x */
  FV_POINTER(const float) gamma; /* [width], null for NORMALIZE */
  FV_POINTER(const float) beta;  /* [width] or null */
  int op;                        /* FOVEA_CUDA_OP_* */
  float epsilon;
} fv_norm_params;

#endif
