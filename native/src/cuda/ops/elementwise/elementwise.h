/*
 * ADD, MULTIPLY and ACTIVATE: a warp per row, blocks side by side over wide rows. Sums and products are in float,
 * whatever the types.
 *
 *   ADD       out = x + y
 *   MULTIPLY  out = activation(x) y
 *   ACTIVATE  out = activation(x)
 */
#ifndef FOVEA_CUDA_ELEMENTWISE_H
#define FOVEA_CUDA_ELEMENTWISE_H

#include "cuda/plan.h"

/* Columns of a row that a block takes. */
#define FV_ELEMENTWISE_COLUMNS 1024

typedef struct fv_elementwise_params {
  FV_POINTER(const int) rows;
  fv_view x, y, out; /* [rows, width], of any float types; no y for ACTIVATE; out may be x or y */
  int op;            /* FOVEA_CUDA_OP_* */
  int activation;
} fv_elementwise_params;

#endif
