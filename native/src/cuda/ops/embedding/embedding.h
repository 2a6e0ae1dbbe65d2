/*
 * EMBEDDING: a warp per token.
 *
 *   out[t] = scale words[ids[t]] + positions[first_position + starts[s] + t - offsets[s]] + type
 *
 * The runtime refuses ids and positions outside their tables; should one come here, its row is NaN.
 */
#ifndef FOVEA_CUDA_EMBEDDING_H
#define FOVEA_CUDA_EMBEDDING_H

#include "cuda/plan.h"

typedef struct fv_embedding_params {
  fv_batch batch;
  FV_POINTER(const int) starts;      /* [sequences], tokens that each had before; null for none */
  FV_POINTER(const void) words;      /* [vocabulary, width] of words_dtype, dense */
  FV_POINTER(const float) positions; /* [position_rows, width] from first_position on, dense; or null */
  FV_POINTER(const float) type;      /* [width] or null */
  fv_view out;                       /* [tokens, width] */
  int words_dtype, vocabulary, position_rows;
  float scale;
} fv_embedding_params;

/* TOKEN_TYPES: a warp per token, out[t] = table[types[t]]. The runtime refuses other types; the row of one is NaN. */
typedef struct fv_token_types_params {
  fv_batch batch;
  FV_POINTER(const float) table; /* [types, width], dense */
  fv_view out;                   /* [tokens, width] */
  int types;
} fv_token_types_params;

#endif
