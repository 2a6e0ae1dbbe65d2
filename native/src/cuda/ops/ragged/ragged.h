/*
 * RAGGED_MATMUL: a product for each sequence s, whose matrix A_s has the rows of its tokens.
 *
 *   transposed 0   out[t] = a[t] B_s        a [tokens, k]; b [sequences, k n], row s the matrix B_s; out [tokens, n]
 *   transposed 1   out[s] = A_s^T B_s       a [tokens, k]; b [tokens, n]; out [sequences, k n]; 0 for no tokens
 *
 * A block makes FV_RAGGED_TILE x FV_RAGGED_TILE elements. Each is one chain of float FMAs, in the order of k or of the
 * tokens, so that a sequence's bits depend on no other.
 */
#ifndef FOVEA_CUDA_RAGGED_H
#define FOVEA_CUDA_RAGGED_H

#include "cuda/plan.h"

#define FV_RAGGED_TILE 64
#define FV_RAGGED_DEPTH 16
#define FV_RAGGED_THREADS 256

/* Elements of a row of a shared tile: its 64 and what keeps the rows apart in banks. */
#define FV_RAGGED_STRIDE (FV_RAGGED_TILE + 4)

typedef struct fv_ragged_params {
  fv_batch batch;
  fv_view a, b, out;
  int n; /* columns of a product */
} fv_ragged_params;

#endif
