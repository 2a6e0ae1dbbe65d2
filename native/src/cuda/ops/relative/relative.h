/*
 * RELATIVE_BIAS: a warp per token and head.
 *
 *   out[t][h][j] = by_query[t][h][b] + by_key[u][h][b],  b = bucket_of[keys - 1 + j - i]
 *
 * for token t, the i-th of its sequence, and token u, the j-th of the same one. Columns behind a sequence's keys stay as
 * they are. The runtime refuses sequences of more keys; should one come here, what has no bucket is left out.
 */
#ifndef FOVEA_CUDA_RELATIVE_H
#define FOVEA_CUDA_RELATIVE_H

#include "cuda/plan.h"

typedef struct fv_relative_params {
  fv_batch batch;
  FV_POINTER(const float) table;   /* [heads, buckets] for all queries; null: by_query */
  FV_POINTER(const int) bucket_of; /* [2 keys - 1] */
  fv_view by_query, by_key;        /* [tokens, heads * buckets]; data null without */
  fv_view out;                     /* F32 [tokens, heads * keys] */
  int buckets, keys;
} fv_relative_params;

#endif
