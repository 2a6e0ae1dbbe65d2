/* Where the keys and values of a block lie, and how they come into panels. */
#ifndef FV_OPS_ATTENTION_PACK_H
#define FV_OPS_ATTENTION_PACK_H

#include "ops/attention/walk.h"
#include "ops/cache/cache.h"
#include "simd/rope.h"
#include "simd/transpose.h"

/* Up to FV_KEY_BLOCK keys of one head, from the sequence's key first on. */
typedef struct key_block {
  long long first;
  int keys;
  const char *k, *v;            /* of the first key */
  long long k_stride, v_stride; /* bytes between keys */
  int finite;                   /* whether all values are, once they are packed */
} key_block;

static key_block find_block(const walk *x, long long first) {
  const fovea_attention_params *p = x->job->params;
  const long long left = x->keys - first;
  key_block block = {.first = first, .keys = left < FV_KEY_BLOCK ? (int)left : FV_KEY_BLOCK};
  if (p->pages) {
    const int page = x->job->page_table[x->item->sequence * (long long)p->page_table_stride + first / FOVEA_PAGE_KEYS];
    const long long row = ((long long)page * p->kv_heads + x->item->kv_head) * FOVEA_PAGE_KEYS;
    block.k_stride = fv_cached_bytes(p->kv_dtype, p->head_dim);
    block.v_stride = fv_cached_bytes(p->kv_dtype, p->value_dim);
    block.k = (const char *)x->job->k + row * block.k_stride;
    block.v = (const char *)x->job->v + row * block.v_stride;
    return block;
  }
  const long long bytes = fv_dtype_bytes(p->kv_dtype);
  const long long k = sequence_start(x, p->k_sequence_stride, x->job->kv_offsets, p->k_token_stride) +
                      first * p->k_token_stride + x->item->kv_head * p->k_head_stride;
  const long long v = sequence_start(x, p->v_sequence_stride, x->job->kv_offsets, p->v_token_stride) +
                      first * p->v_token_stride + x->item->kv_head * p->v_head_stride;
  block.k_stride = p->k_token_stride * bytes;
  block.v_stride = p->v_token_stride * bytes;
  block.k = (const char *)x->job->k + k * bytes;
  block.v = (const char *)x->job->v + v * bytes;
  return block;
}

/* Blocks of Q8_0 as floats: each is a binary16 and 32 signed bytes, and their products are exact. */
static void widen_q8_0(const char *row, int count, float *restrict out) {
  for (int i = 0; i < count; i += FV_CACHE_BLOCK, row += FV_CACHE_BLOCK_BYTES) {
    uint16_t half;
    memcpy(&half, row, sizeof half);
    const float scale = fv_set_f16(half)[0];
    const signed char *restrict q = (const signed char *)row + sizeof half;
    for (int j = 0; j < FV_CACHE_BLOCK; j++) out[i + j] = scale * q[j];
  }
}

/* One row as floats, turned to its position if turn. */
static __attribute__((noinline)) void load_row(const fovea_attention_params *p, int dtype, const char *from, int count,
                                               int turn, const float *rope_table, long long position, float *row) {
  switch (dtype) {
    case FOVEA_DTYPE_F32:
      fv_widen(FOVEA_DTYPE_F32, from, count, row);
      break;
    case FOVEA_DTYPE_F16:
      fv_widen(FOVEA_DTYPE_F16, from, count, row);
      break;
    case FOVEA_DTYPE_BF16:
      fv_widen(FOVEA_DTYPE_BF16, from, count, row);
      break;
    default:
      widen_q8_0(from, count, row);
  }
  if (!turn) return;
  const float *angles = rope_table + position * p->rope_dim;
  fv_rope(p->rope, p->rope_dim / 2, angles, angles + p->rope_dim / 2, row);
}

/* Rows of a type, count elements each and stride bytes apart, as floats: where they lie, or in room. */
static const float *load_rows(const fovea_attention_params *p, const char *from, long long stride, int rows, int count,
                              float *room, long long *apart) {
  if (p->kv_dtype == FOVEA_DTYPE_F32) {
    *apart = stride / (long long)sizeof(float);
    return (const float *)(const void *)from;
  }
  *apart = count;
  for (int j = 0; j < rows; j++) {
    load_row(p, p->kv_dtype, from + j * stride, count, 0, 0, 0, room + (long long)j * count);
  }
  return room;
}

/* Rows ahead that are asked for while rows are packed: a single query would else wait for each of them. */
enum { ROWS_AHEAD = 32 };

/* Asks for a row that is needed soon. It may lie past the last: to ask for an address is no access. */
FV_INLINE void prefetch_row(const char *row, long long offset, long long bytes) {
  const uintptr_t first = (uintptr_t)row + (uintptr_t)offset;
  for (long long i = 0; i < bytes; i += 64) __builtin_prefetch((const void *)(first + (uintptr_t)i));
}

/* Asks for the queries of rows [from, to). */
static void fetch_queries(const walk *x, int from, int to) {
  for (int r = from; r < to; r++) {
    prefetch_row((const char *)(x->q + r * x->q_stride), 0, x->job->params->head_dim * (long long)sizeof(float));
  }
}

/* The queries of the item: where they lie if they are used as they are. */
static void load_queries(walk *x) {
  const fovea_attention_params *p = x->job->params;
  if (p->q_dtype == FOVEA_DTYPE_F32 && p->rope == FOVEA_ROPE_NONE && x->group == 1) {
    x->q = (const float *)x->job->q + row_start(x, 0, p->q_sequence_stride, p->q_token_stride, p->q_head_stride);
    x->q_stride = p->q_token_stride;
    return;
  }
  x->q = x->w.queries;
  x->q_stride = p->head_dim;
  for (int r = 0; r < x->item->rows; r++) {
    const char *from = (const char *)x->job->q + row_start(x, r, p->q_sequence_stride, p->q_token_stride,
                                                           p->q_head_stride) * fv_dtype_bytes(p->q_dtype);
    load_row(p, p->q_dtype, from, p->head_dim, p->rope, x->job->rope_table, x->diagonal + query_of(x, r),
             x->w.queries + (long long)r * p->head_dim);
  }
}

/* FV_LANES elements of count keys, stride apart, into the columns [FV_LANES, FV_PANEL] of a panel. */
FV_INLINE void transpose_square(const float *keys, long long stride, const int count, float *panel) {
  fv_f32 rows[FV_LANES];
  FV_UNROLL for (int j = 0; j < FV_LANES; j++) rows[j] = j < count ? fv_load(keys + j * stride) : (fv_f32){0};
  fv_transpose(rows);
  FV_UNROLL for (int j = 0; j < FV_LANES; j++) fv_store(panel + j * FV_PANEL, rows[j]);
}

/*
 * keys [count <= FV_PANEL, dim], rows stride apart, transposed into a panel [dim, FV_PANEL]. Missing keys are 0 up to
 * the next border of a vector, and behind that nothing is read.
 */
static void transpose_panel(const float *keys, long long stride, int count, int dim, float *panel) {
  for (int half = 0; half < count; half += FV_LANES) {
    const int here = count - half < FV_LANES ? count - half : FV_LANES;
    const float *from = keys + half * stride;
    int i = 0;
    for (; i + FV_LANES <= dim; i += FV_LANES) {
      if (here == FV_LANES) {
        transpose_square(from + i, stride, FV_LANES, panel + i * FV_PANEL + half);
      } else {
        transpose_square(from + i, stride, here, panel + i * FV_PANEL + half);
      }
    }
    for (; i < dim; i++) {
      for (int j = 0; j < FV_LANES; j++) panel[i * FV_PANEL + half + j] = j < here ? from[j * stride + i] : 0;
    }
  }
}

static void pack_keys(const walk *x, const key_block *block) {
  const fovea_attention_params *p = x->job->params;
  const int turn = p->rope != FOVEA_ROPE_NONE && p->rope_keys;
  const long long bytes = fv_cached_bytes(p->kv_dtype, p->head_dim);
  for (int first = 0; first < block->keys; first += FV_PANEL) {
    const int count = block->keys - first < FV_PANEL ? block->keys - first : FV_PANEL;
    const char *from = block->k + first * block->k_stride;
    float *panel = x->w.keys + (long long)first * p->head_dim;
    for (int j = 0; j < count; j++) prefetch_row(from, (ROWS_AHEAD + j) * block->k_stride, bytes);
    if (p->kv_dtype == FOVEA_DTYPE_F32 && !turn) {
      transpose_panel((const float *)(const void *)from, block->k_stride / (long long)sizeof(float), count,
                      p->head_dim, panel);
      continue;
    }
    for (int j = 0; j < count; j++) {
      load_row(p, p->kv_dtype, from + j * block->k_stride, p->head_dim, turn, x->job->rope_table,
               block->first + first + j, x->w.rows + (long long)j * p->head_dim);
    }
    transpose_panel(x->w.rows, p->head_dim, count, p->head_dim, panel);
  }
}

/* FV_LANES of the value_dim elements of a value, zeros behind them. */
FV_INLINE fv_f32 load_value(const float *value, int value_dim, int i) {
  if (i + FV_LANES <= value_dim) return fv_load(value + i);
  return i < value_dim ? fv_load_part(value + i, value_dim - i) : (fv_f32){0};
}

/*
 * count values, rows stride apart, into one panel. columns: of its columns those that there are, a constant wherever it
 * is FV_PANEL. Returns the sum of 0 times each element: NaN if not all are finite.
 */
FV_INLINE fv_f32 pack_value_panel(const float *values, long long stride, int count, const int columns, float *panel) {
  fv_f32 poison = {0};
  for (int j = 0; j < count; j++, values += stride, panel += FV_PANEL) {
    const fv_f32 left = load_value(values, columns, 0), right = load_value(values, columns, FV_LANES);
    fv_store(panel, left);
    fv_store(panel + FV_LANES, right);
    poison += left * 0.0f + right * 0.0f; /* first the two: one addition to wait for */
  }
  return poison;
}

/* The values of a block into panels [FV_KEY_BLOCK, FV_PANEL]; missing columns are 0. Finds out whether all are finite. */
static void pack_values(const walk *x, key_block *block) {
  const fovea_attention_params *p = x->job->params;
  const int dim = p->value_dim;
  const long long bytes = fv_cached_bytes(p->kv_dtype, dim);
  fv_f32 poison = {0};
  for (int first = 0; first < block->keys; first += FV_PANEL) {
    const int count = block->keys - first < FV_PANEL ? block->keys - first : FV_PANEL;
    const char *from = block->v + first * block->v_stride;
    for (int j = 0; j < count; j++) prefetch_row(from, (ROWS_AHEAD + j) * block->v_stride, bytes);
    long long apart;
    const float *rows = load_rows(p, from, block->v_stride, count, dim, x->w.rows, &apart);
    float *panel = x->w.values + (long long)first * FV_PANEL;
    int column = 0;
    for (; column + FV_PANEL <= dim; column += FV_PANEL, panel += FV_KEY_BLOCK * FV_PANEL) {
      poison += pack_value_panel(rows + column, apart, count, FV_PANEL, panel);
    }
    if (column < dim) poison += pack_value_panel(rows + column, apart, count, dim - column, panel);
  }
  block->finite = fv_sum(poison) == 0;
}

#endif /* FV_OPS_ATTENTION_PACK_H */
