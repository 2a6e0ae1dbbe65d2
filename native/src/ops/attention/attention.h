/*
 * Fused attention: out = softmax(scale Q K^T) V per sequence and head, never holding
 * more of the scores than one tile. fovea.h has the contract; this is what the kernel
 * of each ISA implements.
 *
 *            keys ->
 *           +---------+---------+---
 *   query   | row     |         |      row tile: S = Q (scale K)^T, then P = e^(S - m), in the L1 cache
 *   block   | tile    |         |
 *     |     +---------+---------+---   key block: scale K, transposed, and V, packed once per query
 *     v     |         |         |      block into the panels of simd/tile.h
 *
 * Per query the running maximum m, sum l and output o are kept over the key blocks:
 *
 *   m' = max(m, max S)    c = e^(m - m')    l = c l + sum P    o = c o + P V
 *
 * and o / l is the result. Blocks begin at the sequence, each query's row is computed
 * by itself: its bits depend on nothing else in the batch.
 *
 * Milakov and Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135, 2307.08691.
 */
#ifndef FV_OPS_ATTENTION_H
#define FV_OPS_ATTENTION_H

#define FV_QUERY_BLOCK 256
#define FV_KEY_BLOCK 128

typedef struct fv_attention_job {
  int sequences, heads, kv_heads, head_dim, value_dim;
  float scale;
  long long q_token_stride, q_head_stride, k_token_stride, k_head_stride, v_token_stride, v_head_stride,
      out_token_stride, out_head_stride;
  const float *q, *k, *v;
  const int *q_offsets, *kv_offsets;
  float *scratch;           /* scratch_floats per worker */
  long long scratch_floats; /* a multiple of 16 */
  float *out;
} fv_attention_job;

/* Floats of scratch that one worker needs: a multiple of 16. */
typedef long long fv_attention_scratch_kernel(int head_dim, int value_dim);

/*
 * Computes items [first, last) with the scratch of this worker. Items are numbered sequence by
 * sequence, in a sequence head by head, in a head by query block.
 */
typedef void fv_attention_kernel(const fv_attention_job *job, long long first, long long last, int worker);

#endif /* FV_OPS_ATTENTION_H */
