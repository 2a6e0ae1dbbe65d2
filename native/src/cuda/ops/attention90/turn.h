/*
 * Queries and keys turned to their positions, for attention90: tensor cores read them from memory as they are. Rows of the
 * long sequences go to [tokens, heads + kv_heads, dim], rounded to their own type; RoPE as fovea_attention has it.
 */
#ifndef FOVEA_CUDA_ATTENTION90_TURN_H
#define FOVEA_CUDA_ATTENTION90_TURN_H

#include "cuda/plan.h"

#define FV_TURN_THREADS 256

typedef struct fv_turn_params {
  fv_batch batch;
  FV_POINTER(const void) queries; /* rows of heads, of one half type; strides in elements, even */
  FV_POINTER(const void) keys;
  FV_POINTER(void) out;
  FV_POINTER(const float) table; /* [positions, rope_dim]: cosines, then sines */
  long long query_stride, key_stride;
  int heads, kv_heads, dim;
  int positions, rope_dim; /* a multiple of 4 */
  int interleaved, bf16;
} fv_turn_params;

#endif
