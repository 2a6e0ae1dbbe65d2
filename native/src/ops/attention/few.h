/*
 * Attention of a few rows to a key block, as a token that is generated has them: the query heads of one key/value head.
 * To pack a block pays if many rows meet it. A few rows meet keys FV_LANES at a time, turned in registers, and values
 * where they lie, so that the nearest cache holds what is under way and the block is read as fast as memory gives it.
 *
 * Every sum is the chain that the tiles of packed blocks make of it, so no bit depends on which of the two it was.
 */
#ifndef FV_OPS_ATTENTION_FEW_H
#define FV_OPS_ATTENTION_FEW_H

#include "ops/attention/pack.h"
#include "ops/attention/score.h"
#include "ops/attention/walk.h"
#include "simd/transpose.h"

/* The most rows: beyond, a packed block is as fast. */
#define FV_FEW_ROWS 4

/* Values that are widened at a time. */
enum { FEW_VALUES = FV_PANEL };

static int are_few(const walk *x) {
  const fovea_attention_params *p = x->job->params;
  return x->item->rows <= FV_FEW_ROWS && p->head_dim % FV_LANES == 0 && p->value_dim % FV_LANES == 0 &&
         !(p->rope != FOVEA_ROPE_NONE && p->rope_keys);
}

/* Asks for rows of the other half of a block, or of the next block: into the second cache, which has room for more of them. */
FV_INLINE void fetch_rows(const char *from, long long stride, int first, int rows, long long bytes) {
  for (int j = first; j < first + rows; j++) {
    const uintptr_t row = (uintptr_t)from + (uintptr_t)(j * stride);
    for (long long i = 0; i < bytes; i += 64) __builtin_prefetch((const void *)(row + (uintptr_t)i), 0, 2);
  }
}

/* Keys or values as a few rows of queries read them: floats, or halves where one instruction loads them as floats. */
typedef struct few_rows {
  int dtype;
  const char *first;
  long long stride; /* bytes */
} few_rows;

/* Whether they are halves: false is a constant where there are none. */
FV_INLINE int are_halves(const few_rows *x) { return FV_LANES == 16 && x->dtype == FOVEA_DTYPE_F16; }

/* Rows as load_rows takes them: as they lie, or in room. */
static few_rows read_rows(const fovea_attention_params *p, const char *from, long long stride, int rows, int count, float *room) {
  const few_rows halves = {p->kv_dtype, from, stride};
  if (are_halves(&halves)) return halves;
  long long apart;
  const float *floats = load_rows(p, from, stride, rows, count, room, &apart);
  return (few_rows){FOVEA_DTYPE_F32, (const char *)floats, apart * (long long)sizeof(float)};
}

/*
 * Scores of rows against FV_LANES keys; dtype and rows are constants. q [rows, dim], rows ldq apart, keys [.., dim]; of
 * keys only count are there, and the scores of the others are any. scores: rows FV_KEY_BLOCK apart
 */
FV_INLINE void score_lanes_fixed(const int dtype, const int rows, int dim, const float *q, long long ldq,
                                 const few_rows *keys, int count, float *scores) {
  fv_f32 sum[4] = {{0}, {0}, {0}, {0}};
  const char *key[FV_LANES];
  for (int j = 0; j < FV_LANES; j++) key[j] = keys->first + (j < count ? j : count - 1) * keys->stride;
  for (int i = 0; i < dim; i += FV_LANES) {
    fv_f32 square[FV_LANES];
#pragma GCC unroll 16
    for (int j = 0; j < FV_LANES; j++) square[j] = fv_load_as(dtype, key[j], i);
    fv_transpose(square);
#pragma GCC unroll 16
    for (int j = 0; j < FV_LANES; j++) {
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) sum[r] += fv_set(q[r * ldq + i + j]) * square[j];
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) fv_store(scores + r * FV_KEY_BLOCK, sum[r]);
}

FV_INLINE void score_lanes_as(const int dtype, int rows, int dim, const float *q, long long ldq, const few_rows *keys,
                              int count, float *scores) {
  for (int r = 0; r < rows;) {
    const int left = rows - r;
    const float *from = q + r * ldq;
    float *to = scores + r * FV_KEY_BLOCK;
    if (left >= 4) {
      score_lanes_fixed(dtype, 4, dim, from, ldq, keys, count, to);
      r += 4;
    } else if (left >= 2) {
      score_lanes_fixed(dtype, 2, dim, from, ldq, keys, count, to);
      r += 2;
    } else {
      score_lanes_fixed(dtype, 1, dim, from, ldq, keys, count, to);
      r += 1;
    }
  }
}

static __attribute__((noinline)) void score_lanes(int rows, int dim, const float *q, long long ldq, const few_rows *keys,
                                                  int count, float *scores) {
  if (are_halves(keys)) {
    score_lanes_as(FOVEA_DTYPE_F16, rows, dim, q, ldq, keys, count, scores);
  } else {
    score_lanes_as(FOVEA_DTYPE_F32, rows, dim, q, ldq, keys, count, scores);
  }
}

/* sum += weights values, of columns from on, for rows and vectors; dtype and both are constants. weights: rows FV_KEY_BLOCK apart. */
FV_INLINE void weigh_vectors(const int dtype, const int rows, const int vectors, int count, const float *restrict weights,
                             const few_rows *values, int from, float *restrict sums, long long lds) {
  fv_f32 sum[4][8];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) sum[r][v] = fv_load(sums + r * lds + from + v * FV_LANES);
  }
  const char *restrict row = values->first;
  for (int j = 0; j < count; j++, row += values->stride) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) {
      const fv_f32 value = fv_load_as(dtype, row, from + v * FV_LANES);
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) sum[r][v] += fv_set(weights[r * FV_KEY_BLOCK + j]) * value;
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) fv_store(sums + r * lds + from + v * FV_LANES, sum[r][v]);
  }
}

/* Vectors that a few rows keep in registers. */
#if FV_LANES == 16
#define FV_FEW_VECTORS 8
#else
#define FV_FEW_VECTORS 4
#endif

/* The same for all columns. rows: 1, 2 or 4 */
FV_INLINE void weigh_columns(const int dtype, const int rows, int count, int dim, const float *weights,
                             const few_rows *values, float *sums, long long lds) {
  const int most = rows == 4 ? FV_FEW_VECTORS / 2 : FV_FEW_VECTORS;
  int i = 0;
  for (; i + most * FV_LANES <= dim; i += most * FV_LANES) {
    weigh_vectors(dtype, rows, most, count, weights, values, i, sums, lds);
  }
  for (; i + most / 2 * FV_LANES <= dim; i += most / 2 * FV_LANES) {
    weigh_vectors(dtype, rows, most / 2, count, weights, values, i, sums, lds);
  }
  for (; i < dim; i += FV_LANES) weigh_vectors(dtype, rows, 1, count, weights, values, i, sums, lds);
}

FV_INLINE void weigh_rows(const int dtype, int rows, int count, int dim, const float *weights, const few_rows *values,
                          float *sums, long long lds) {
  for (int r = 0; r < rows;) {
    const int left = rows - r;
    const float *from = weights + r * FV_KEY_BLOCK;
    float *to = sums + r * lds;
    if (left >= 4) {
      weigh_columns(dtype, 4, count, dim, from, values, to, lds);
      r += 4;
    } else if (left >= 2) {
      weigh_columns(dtype, 2, count, dim, from, values, to, lds);
      r += 2;
    } else {
      weigh_columns(dtype, 1, count, dim, from, values, to, lds);
      r += 1;
    }
  }
}

static __attribute__((noinline)) void weigh_some(int rows, int count, int dim, const float *weights, const few_rows *values,
                                                 float *sums, long long lds) {
  if (are_halves(values)) {
    weigh_rows(FOVEA_DTYPE_F16, rows, count, dim, weights, values, sums, lds);
  } else {
    weigh_rows(FOVEA_DTYPE_F32, rows, count, dim, weights, values, sums, lds);
  }
}

/* As score_tile, of a block that is not packed. */
static void score_few(const walk *x, const key_block *block, const span *s) {
  const fovea_attention_params *p = x->job->params;
  const long long v_bytes = fv_cached_bytes(p->kv_dtype, p->value_dim);
  for (int j = s->from; j < s->to; j += FV_LANES) {
    const int count = block->keys - j < FV_LANES ? block->keys - j : FV_LANES;
    const few_rows keys = read_rows(p, block->k + j * block->k_stride, block->k_stride, count, p->head_dim, x->w.rows);
    fetch_rows(block->v, block->v_stride, j, count, v_bytes);
    score_lanes(x->item->rows, p->head_dim, x->q, x->q_stride, &keys, count, x->w.scores + j);
  }
  adjust_tile(x, block, s, 0, x->item->rows);
}

/* Whether floats, in whole vectors, are all finite. */
static int are_finite(const float *x, int count) {
  fv_f32 poison = {0};
  for (int i = 0; i < count; i += FV_LANES) poison += fv_load(x + i) * 0.0f;
  return fv_sum(poison) == 0;
}

/*
 * P V of a block that is not packed, into sums [rows, value_dim]. next: the keys that come after this block, or null.
 * Returns whether all of it is finite: else a value is not, or what weighs it, or a sum is too large.
 */
static int sum_few(const walk *x, const key_block *block, const span *s, const key_block *next, float *sums) {
  const fovea_attention_params *p = x->job->params;
  const int rows = x->item->rows, dim = p->value_dim;
  const long long k_bytes = fv_cached_bytes(p->kv_dtype, p->head_dim);
  memset(sums, 0, (size_t)rows * (size_t)dim * sizeof *sums);
  for (int j = s->from; j < s->to; j += FEW_VALUES) {
    const int count = s->to - j < FEW_VALUES ? s->to - j : FEW_VALUES;
    const few_rows values = read_rows(p, block->v + j * block->v_stride, block->v_stride, count, dim, x->w.rows);
    if (next) fetch_rows(next->k, next->k_stride, j, count, k_bytes);
    weigh_some(rows, count, dim, x->w.scores + j, &values, sums, dim);
  }
  return are_finite(sums, rows * dim);
}

#endif /* FV_OPS_ATTENTION_FEW_H */
