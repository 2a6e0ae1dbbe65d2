/* The scores of one tile of rows against one packed key block: the product, then all that changes or masks them. */
#ifndef FV_OPS_ATTENTION_SCORE_H
#define FV_OPS_ATTENTION_SCORE_H

#include "ops/attention/pack.h"
#include "ops/attention/walk.h"
#include "simd/math.h"

/*
 * The columns of a key block that concern a tile: [from, to) holds every key that the window lets any of its
 * rows see, from is the border of a panel, and end that of the vector behind to.
 */
typedef struct span {
  int from, to, end;
  int partial; /* whether some row sees fewer keys than [from, end) */
} span;

static span span_of(const walk *x, const key_block *block, int begin, int rows) {
  const int last = begin + rows - 1;
  /* Later rows see later keys. */
  const long long low = low_key(x, begin) - block->first, high = high_key(x, last) - block->first;
  span s = {.from = low > 0 ? (int)(low < block->keys ? low : block->keys) / FV_PANEL * FV_PANEL : 0,
            .to = high < block->keys ? (int)(high > 0 ? high : 0) : block->keys};
  s.end = (s.to + FV_LANES - 1) / FV_LANES * FV_LANES;
  s.partial = low_key(x, last) > block->first + s.from || high_key(x, begin) < block->first + s.end;
  return s;
}

typedef uint8_t fv_u8 __attribute__((vector_size(FV_LANES)));

/* count bytes of a mask, of which there may be fewer than lanes: all ones where not 0. */
FV_INLINE fv_i32 load_mask(const unsigned char *mask, int count) {
  fv_u8 bytes = {0};
  if (count >= FV_LANES) {
    memcpy(&bytes, mask, sizeof bytes);
  } else {
    unsigned char part[FV_LANES] = {0};
    if (count > 0) memcpy(part, mask, (size_t)count);
    memcpy(&bytes, part, sizeof bytes);
  }
  return __builtin_convertvector(bytes, fv_i32) != 0;
}

FV_INLINE fv_f32 load_bias(const float *bias, int count) {
  if (count >= FV_LANES) return fv_load(bias);
  return count > 0 ? fv_load_part(bias, count) : (fv_f32){0};
}

FV_INLINE fv_i32 columns_from(int first) {
  fv_i32 lane;
  for (int i = 0; i < FV_LANES; i++) lane[i] = i;
  return lane + first;
}

/* The row of the bias that stands for the sequence's first query. */
static long long bias_row(const walk *x) {
  return x->job->params->bias_rows ? x->job->q_offsets[x->item->sequence] : 0;
}

/* What fovea.h adds to a score after the product of query and key, for columns [from, end) of one row. */
static void adjust_row(const walk *x, const key_block *block, const span *s, int row, float *scores) {
  const fovea_attention_params *p = x->job->params;
  const long long sequence = x->item->sequence, query = query_of(x, row);
  const int head = head_of(x, row);
  const fv_f32 minus_infinity = fv_set(-__builtin_inff());
  const float scale = x->scaled ? p->scale : 1;
  const float cap = p->softcap, slope = x->job->alibi_slopes ? x->job->alibi_slopes[head] : 0;
  const float diagonal = (float)(x->diagonal + query - block->first);
  const unsigned char *mask = !x->job->mask ? 0
                                            : x->job->mask + sequence * p->mask_sequence_stride +
                                                  head * p->mask_head_stride + query * p->mask_query_stride +
                                                  block->first;
  const float *bias = !x->job->bias ? 0
                                    : x->job->bias + sequence * p->bias_sequence_stride + head * p->bias_head_stride +
                                          (bias_row(x) + query) * p->bias_query_stride + block->first;
  for (int j = s->from; j < s->end; j += FV_LANES) {
    fv_i32 seen = ~(fv_i32){0};
    fv_f32 score = fv_load(scores + j) * scale;
    if (cap > 0) score = cap * fv_tanh(score / cap);
    if (bias) {
      const fv_f32 b = load_bias(bias + j, block->keys - j);
      seen &= b != minus_infinity;
      score += b;
    }
    if (slope != 0) {
      const fv_f32 distance = diagonal - __builtin_convertvector(columns_from(j), fv_f32);
      score -= slope * fv_max(distance, -distance);
    }
    if (mask) seen &= load_mask(mask + j, block->keys - j);
    fv_store(scores + j, fv_select(seen, score, minus_infinity));
  }
}

/* -infinity for what the window hides from one row in columns [from, end): of its vectors only those that hold such. */
static void mask_row(const walk *x, const key_block *block, const span *s, int row, float *scores) {
  const fv_f32 minus_infinity = fv_set(-__builtin_inff());
  const long long low = low_key(x, row) - block->first, high = high_key(x, row) - block->first;
  const int first = low < s->end ? (int)low : s->end, last = high > s->from ? (int)high : s->from;
  for (int j = s->from; j < first; j += FV_LANES) {
    fv_store(scores + j, fv_select(columns_from(j) >= first, fv_load(scores + j), minus_infinity));
  }
  for (int j = last / FV_LANES * FV_LANES; j < s->end; j += FV_LANES) {
    fv_store(scores + j, fv_select(columns_from(j) < last, fv_load(scores + j), minus_infinity));
  }
}

/* What changes or masks the products of rows [begin, begin + rows). What is not attended to is -infinity. */
static void adjust_tile(const walk *x, const key_block *block, const span *s, int begin, int rows) {
  for (int r = 0; r < rows; r++) {
    float *scores = x->w.scores + r * FV_KEY_BLOCK;
    if (x->scaled || x->job->mask) adjust_row(x, block, s, begin + r, scores);
    if (s->partial) mask_row(x, block, s, begin + r, scores);
  }
}

/* Scores of rows [begin, begin + rows), columns [from, end), into w.scores. */
static void score_tile(const walk *x, const key_block *block, const span *s, int begin, int rows) {
  const int head_dim = x->job->params->head_dim, most = fv_tile_panels(rows);
  const float *queries = x->q + begin * x->q_stride;
  for (int column = s->from; column < s->to;) {
    const float *keys = x->w.keys + (long long)column * head_dim;
    if (s->to - column <= FV_LANES) {
      fv_tile_half(rows, head_dim, queries, x->q_stride, keys, x->w.scores + column, FV_KEY_BLOCK);
      break;
    }
    const int panels = (s->to - column + FV_PANEL - 1) / FV_PANEL >= most ? most : 1;
    FV_FLOATS(tile)(rows, panels, head_dim, queries, x->q_stride, keys, (long long)head_dim * FV_PANEL,
                    x->w.scores + column, FV_KEY_BLOCK);
    column += panels * FV_PANEL;
  }
  adjust_tile(x, block, s, begin, rows);
}

#endif /* FV_OPS_ATTENTION_SCORE_H */
