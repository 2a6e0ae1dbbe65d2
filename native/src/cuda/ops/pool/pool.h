/*
 * POOL: a block per sequence. Its warps sum every eighth token each, lanes side by side over columns, and add up in the
 * order of warps: an order that the length of the sequence alone decides.
 */
#ifndef FOVEA_CUDA_POOL_H
#define FOVEA_CUDA_POOL_H

#include "cuda/plan.h"

#define FV_POOL_THREADS 256

/* Columns that a block sums at once. */
#define FV_POOL_COLUMNS 256

typedef struct fv_pool_params {
  fv_batch batch;
  fv_view x;   /* [tokens, width] */
  fv_view out; /* [sequences, width] */
  int mode;    /* FOVEA_POOLING_* */
  int normalize;
} fv_pool_params;

#endif
