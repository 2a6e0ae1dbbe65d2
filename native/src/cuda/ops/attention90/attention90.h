/*
 * Attention of long sequences on Hopper: out = softmax(scale Q K^T, masked) V per sequence and head, queries, keys and
 * values of one half type, 64, 96, 128 or 256 elements each, straight out of the columns of a buffer. With RoPE, turn.h
 * goes before. ops/attention has all that is not computed here: other sizes, biases and masks, caches, and sequences of at
 * most FV_SHORT_KEYS keys.
 *
 * A block has one group of threads that brings tiles of keys and values by TMA, and two groups that compute, each for 64
 * of FV_TILE_LARGE queries. Blocks stay: each takes every n-th of the pairs of a tile of queries and a head.
 *
 * Shah et al., FlashAttention-3, arXiv:2407.08608; Dao, FlashAttention-2, arXiv:2307.08691.
 */
#ifndef FOVEA_CUDA_ATTENTION90_H
#define FOVEA_CUDA_ATTENTION90_H

#include "cuda/plan.h"
#include "cuda/tensor_map.h"

/* Three groups of threads. */
#define FV_ATTENTION90_THREADS 384

/* Keys of a tile of a kernel: all keys attended to, or a window. */
#define FV_ATTENTION90_FULL_KEYS(dim) ((dim) == 64 ? 192 : (dim) == 128 ? 176 : (dim) == 96 ? 128 : 80)
#define FV_ATTENTION90_WINDOW_KEYS(dim) ((dim) == 256 ? 80 : 128)

/* A row lies in spans of 64 elements, which are 128 bytes. */
#define FV_ATTENTION90_SPANS(dim) (((dim) + 63) / 64)

/* Keys and values that are under way or in use. */
#define FV_ATTENTION90_STAGES(dim) ((dim) == 64 ? 3 : 2)

/* Queries, keys, values, and behind them barriers and what is to be done. */
#define FV_ATTENTION90_SHARED(dim, keys) \
  (FV_ATTENTION90_SPANS(dim) * 128 * (FV_TILE_LARGE + 2 * FV_ATTENTION90_STAGES(dim) * (keys)) + 256)

typedef struct fv_attention90_params {
  fv_tensor_map q; /* [capacity, heads, dim], a copy brings [FV_TILE_LARGE, 1, 64] */
  fv_tensor_map k; /* [capacity, kv_heads, dim], a copy brings [keys of a tile, 1, 64] */
  fv_tensor_map v; /* likewise */
  fv_batch batch;
  /* The same without maps: rows of heads, strides in elements. */
  FV_POINTER(const void) queries;
  FV_POINTER(const void) keys;
  FV_POINTER(const void) values;
  FV_POINTER(void) out;
  long long query_stride, key_stride, value_stride, out_stride;
  int heads, group;            /* query heads; those that share a key head */
  int left, right;             /* keys that a query sees before and behind its own; FV_ATTENTION90_ALL: all */
  float unit;                  /* what the exponent of 2 is, per score (softcap: per tanh) */
  float slope;                 /* with softcap: tanh(x) of a product s is 1 - 2 / (2^(slope s) + 1) */
} fv_attention90_params;

/* More keys than there are. */
#define FV_ATTENTION90_ALL (1 << 30)

#endif
