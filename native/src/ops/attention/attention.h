/*
 * Fused attention: out = softmax(scale Q K^T, masked) V per sequence and head, never
 * holding more of the scores than one tile. fovea.h has the contract; this is what the
 * kernels of each ISA implement.
 *
 *            keys ->
 *           +---------+---------+---
 *   rows    | tile    |         |      tile: S = Q K^T, then P = e^(S - m), in the L1 cache
 *     |     +---------+---------+---   key block: K, transposed, and V, packed once per block of
 *     v     |         | masked  |      rows into the panels of simd/tile.h
 *
 * A row is one query of one head. The rows of an item are those of all heads that share a
 * key/value head, query by query, so that a block of keys is packed once for all of them.
 *
 * Per row the running maximum m, sum l and output o are kept over the key blocks:
 *
 *   m' = max(m, max S)    c = e^(m - m')    l = c l + sum P    o = c o + P V
 *
 * and o / l is the result. They are kept per chunk of FV_KEY_CHUNK keys, and the chunks of a
 * row are then merged in order by the same formulas: so a single row's chunks can be computed
 * by several threads, and no bit depends on whether they were.
 *
 * Blocks and chunks begin at the sequence, each row is computed by itself, and a key that a row
 * does not attend to adds nothing: a row's bits depend on nothing else in the batch, nor on which
 * masked tiles were skipped.
 *
 * The few rows of a token that is generated are an exception to the packing, not to the sums: few.h.
 *
 * Milakov and Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135, 2307.08691.
 */
#ifndef FV_OPS_ATTENTION_H
#define FV_OPS_ATTENTION_H

#include "fovea/fovea.h"

#define FV_ROW_BLOCK 256
#define FV_KEY_BLOCK FOVEA_PAGE_KEYS
#define FV_KEY_CHUNK (8 * FV_KEY_BLOCK)

typedef struct fv_attention_job {
  const fovea_attention_params *params;
  const void *q, *k, *v;
  const int *q_offsets, *kv_offsets, *page_table;
  const unsigned char *mask;
  const float *bias, *alibi_slopes, *rope_table;
  float *scratch;           /* scratch_floats per worker */
  long long scratch_floats; /* a multiple of 16 */
  int row_block;            /* rows of an item, at most FV_ROW_BLOCK */
  float *out, *lse, *weights;
} fv_attention_job;

/* A block of rows: some of the queries of one sequence, each with the heads of one key/value head. */
typedef struct fv_attention_item {
  int sequence, kv_head;
  long long first_row; /* row r is query r / group, head kv_head * group + r % group; group = heads / kv_heads */
  int rows;
} fv_attention_item;

/* Floats of scratch that one worker needs: a multiple of 16. */
typedef long long fv_attention_scratch_kernel(int head_dim, int value_dim);

/* Computes an item with the scratch of this worker. */
typedef void fv_attention_kernel(const fv_attention_job *job, const fv_attention_item *item, int worker);

/* Computes chunk c, c + 1, ... of an item, one with the scratch of each worker in [begin, end). */
typedef void fv_attention_chunks_kernel(const fv_attention_job *job, const fv_attention_item *item, long long chunk,
                                        int begin, int end);

/*
 * Merges the chunks that the first workers hold, in order, into what worker 0 has merged so far: nothing
 * yet if first. Writes the result if last.
 */
typedef void fv_attention_merge_kernel(const fv_attention_job *job, const fv_attention_item *item, int workers,
                                       int first, int last);

#endif /* FV_OPS_ATTENTION_H */
