/*
 * Attention on the device: out = softmax(scale Q K^T, masked) V per sequence and head, with all that fovea_attention has.
 * The formulas are fovea.h's; this is what the kernels take.
 *
 *   half.cu     queries, keys and values of a half type, on tensor cores: tiles of 64 queries and 64 keys
 *   short.cu    the same for sequences of up to 32 queries and as many keys
 *   exact.cu    any types and sizes, with FMAs in single precision: tiles of 64 queries and 64 keys
 *   split.cu    a single query over many keys (decoding): a block per range of keys, then the ranges are added up
 *   pattern.cu  the softmax itself, to be looked at
 *
 * Which kernel takes a sequence depends on the step and on that sequence's own numbers of queries and keys.
 */
#ifndef FOVEA_CUDA_ATTENTION_H
#define FOVEA_CUDA_ATTENTION_H

#include "cuda/plan.h"

/* Keys of a tile. It divides FOVEA_PAGE_KEYS, so that a tile lies in one page. */
#define FV_ATTENTION_KEYS 64
#define FV_ATTENTION_THREADS 128 /* of half.cu, split.cu and pattern.cu */
#define FV_EXACT_THREADS 256
/* The most ranges of keys of a single query. A range is pages of FOVEA_PAGE_KEYS keys. */
#define FV_MOST_SPLITS 32
/* Query heads that a block of split.cu serves at most. */
#define FV_SPLIT_HEADS 8
/* Lanes that share a key in split.cu. */
#define FV_SPLIT_LANES 8
/* Floats of a block's shared memory in split.cu, in front of its queries. */
#define FV_SPLIT_FLOATS (FOVEA_PAGE_KEYS * FV_SPLIT_HEADS + 3 * FV_SPLIT_HEADS)
/* Floats of a block's shared memory in exact.cu, for so many columns of values. */
#define FV_EXACT_FLOATS(columns) (2 * 32 * (64 + 4) + 64 * (columns) + 4)
/* Bytes of a block's shared memory in half.cu, for heads padded to dim, and in short.cu, where two heads have half as many
   rows each. */
#define FV_HALF_BYTES(dim) (3 * 64 * ((dim) + 8) * 2)

/* Vectors [tokens, heads, dim], the last dimension contiguous. Strides in elements. */
typedef struct fv_heads {
  FV_POINTER(void) data;
  long long sequence; /* 0: sequences follow each other, as their offsets say */
  long long token, head;
} fv_heads;

typedef struct fv_attention_args {
  fv_batch batch;
  FV_POINTER(const int) kv_offsets; /* [sequences + 1]: of keys; may be batch.offsets */
  FV_POINTER(const int) page_table; /* [sequences, pages_each], or null: k and v are tensors */
  fv_heads q, k, v, out;            /* of k and v data alone is read with pages */
  fv_heads lse, weights;            /* data null if not wanted */
  FV_POINTER(const unsigned char) mask; /* or null, as the next three */
  FV_POINTER(const float) bias;
  FV_POINTER(const float) slopes; /* [heads] */
  FV_POINTER(const float) rope;   /* [rope_positions, rope_dim] */
  FV_POINTER(float) parts;        /* of split.cu: [sequences, heads, most_splits, value_dim + 2] */
  long long mask_sequence, mask_head, mask_query;
  long long bias_sequence, bias_head, bias_query;
  int q_dtype, kv_dtype, out_dtype;
  int heads, kv_heads, group; /* group: query heads of a key/value head */
  int head_dim, value_dim;
  int pages_each;
  int left, right; /* -1: all */
  int top_left;
  int rope_layout, rope_dim, rope_positions, rope_keys;
  int k_vectors, v_vectors; /* 1: rows begin at multiples of 16 bytes and hold multiples of 16 bytes */
  int q_vectors;
  int out_pairs; /* 1: columns 2 i and 2 i + 1 of the output are one store */
  int splits;      /* 1: sequences of one query are split.cu's */
  int most_splits; /* that a sequence may have */
  int long_elsewhere;  /* 1: attention90 takes sequences of more than FV_SHORT_KEYS queries */
  int short_elsewhere; /* 1: short.cu takes those of at most FV_SHORT_QUERIES */
  int scaled;      /* 1: scores are multiplied by scale before the softmax takes their maximum; 0: along with log2 e */
  float scale, softcap;
  int bias_rows; /* 1: bias has a row per query token of the batch; 0: one per query of its sequence */
} fv_attention_args;

#endif
