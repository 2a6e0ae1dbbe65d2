/*
 * What the parts of the attention kernel share: a worker's scratch, the state of rows, and where an item's
 * rows and keys lie.
 */
#ifndef FV_OPS_ATTENTION_WALK_H
#define FV_OPS_ATTENTION_WALK_H

#include "ops/attention/attention.h"
#include "simd/half.h"
#include "simd/math.h"
#include "simd/tile.h"

/* Vectors that hold a number for each row of a tile. */
#define FV_ROW_VECTORS ((FV_TILE_ROWS + FV_LANES - 1) / FV_LANES)
#define FV_ROW_LANES (FV_ROW_VECTORS * FV_LANES)

/* Rows of a state: the last tile's are read and written in whole vectors. */
#define FV_STATE_ROWS (FV_ROW_BLOCK + FV_ROW_LANES)

/* m, l and o of each row. */
typedef struct state {
  float *out;  /* [FV_ROW_BLOCK, dim] */
  float *peak; /* [FV_STATE_ROWS], of the scores as the product leaves them */
  float *sum;  /* [FV_STATE_ROWS] */
} state;

/* One worker's scratch. */
typedef struct workspace {
  float *queries; /* [FV_ROW_BLOCK, head_dim], widened and turned, unless they are read where they lie */
  float *rows;    /* [FV_PANEL, the larger dim], keys or values that are widened or turned before they are packed */
  float *keys;    /* FV_KEY_BLOCK / FV_PANEL panels [head_dim, FV_PANEL] of transposed keys */
  float *values;  /* dim / FV_PANEL panels [FV_KEY_BLOCK, FV_PANEL] */
  float *scores;  /* [FV_TILE_ROWS, FV_KEY_BLOCK] */
  state chunk;    /* of the chunk that is being computed */
  state total;    /* of the chunks that are merged */
} workspace;

/* One item under way. */
typedef struct walk {
  const fv_attention_job *job;
  const fv_attention_item *item;
  workspace w;
  int dim;                       /* value_dim, padded to whole panels */
  int group;                     /* query heads per key/value head */
  const float *q;                /* the queries of the rows, q_stride apart */
  long long q_stride;
  int scaled;                    /* whether scores are multiplied by the scale as they are adjusted */
  float factor;                  /* what they are multiplied by in the softmax: the scale, or 1 if scaled */
  float unit;                    /* log2(e) times that */
  long long queries, keys;       /* of the sequence */
  long long diagonal;            /* the key on the first query's diagonal */
  long long first_key, last_key; /* the keys [first, last) that any row may attend to */
} walk;

FV_INLINE long long padded(int dim) { return ((long long)dim + FV_PANEL - 1) / FV_PANEL * FV_PANEL; }

static long long layout(workspace *w, float *base, int head_dim, int value_dim) {
  const long long dim = padded(value_dim), key = head_dim;
  const long long sizes[] = {FV_ROW_BLOCK * key, FV_PANEL * (key > dim ? key : dim),
                             FV_KEY_BLOCK * key, FV_KEY_BLOCK * dim,
                             FV_TILE_ROWS * FV_KEY_BLOCK,
                             FV_ROW_BLOCK * dim, FV_STATE_ROWS, FV_STATE_ROWS,
                             FV_ROW_BLOCK * dim, FV_STATE_ROWS, FV_STATE_ROWS};
  float **const parts[] = {&w->queries, &w->rows,
                           &w->keys, &w->values,
                           &w->scores,
                           &w->chunk.out, &w->chunk.peak, &w->chunk.sum,
                           &w->total.out, &w->total.peak, &w->total.sum};
  long long total = 0;
  for (int i = 0; i < (int)(sizeof sizes / sizeof *sizes); i++) {
    if (base) *parts[i] = base + total;
    total += (sizes[i] + 15) / 16 * 16;
  }
  return total;
}

long long FV_NAME(attention_scratch)(int head_dim, int value_dim) {
  workspace unused;
  return layout(&unused, 0, head_dim, value_dim);
}

/* ---- rows ------------------------------------------------------------------- */

/* Most often a group is one head, and two divisions would cost as much as to load a row. */
FV_INLINE long long query_of(const walk *x, int row) {
  const long long r = x->item->first_row + row;
  return x->group == 1 ? r : r / x->group;
}

FV_INLINE int head_of(const walk *x, int row) {
  return x->group == 1 ? x->item->kv_head
                       : x->item->kv_head * x->group + (int)((x->item->first_row + row) % x->group);
}

/* The keys [low, high) that the window lets a row see; none if high <= low. */
FV_INLINE long long low_key(const walk *x, int row) {
  const int left = x->job->params->window_left;
  const long long low = left < 0 ? 0 : x->diagonal + query_of(x, row) - left;
  return low > 0 ? low : 0;
}

FV_INLINE long long high_key(const walk *x, int row) {
  const int right = x->job->params->window_right;
  const long long high = right < 0 ? x->keys : x->diagonal + query_of(x, row) + right + 1;
  return high < x->keys ? high : x->keys;
}

/* Where a sequence begins: at a stride of its own, or behind the tokens before it. */
FV_INLINE long long sequence_start(const walk *x, long long sequence_stride, const int *offsets,
                                   long long token_stride) {
  const int s = x->item->sequence;
  return sequence_stride ? s * sequence_stride : offsets[s] * token_stride;
}

FV_INLINE long long row_start(const walk *x, int row, long long sequence_stride, long long token_stride,
                              long long head_stride) {
  return sequence_start(x, sequence_stride, x->job->q_offsets, token_stride) + query_of(x, row) * token_stride +
         head_of(x, row) * head_stride;
}

FV_INLINE float *out_row(const walk *x, int row) {
  const fovea_attention_params *p = x->job->params;
  return x->job->out + row_start(x, row, p->out_sequence_stride, p->out_token_stride, p->out_head_stride);
}

FV_INLINE float *lse_at(const walk *x, int row) {
  const fovea_attention_params *p = x->job->params;
  return x->job->lse + row_start(x, row, p->lse_sequence_stride, p->lse_token_stride, p->lse_head_stride);
}

FV_INLINE float *weights_row(const walk *x, int row) {
  const fovea_attention_params *p = x->job->params;
  return x->job->weights +
         row_start(x, row, p->weights_sequence_stride, p->weights_token_stride, p->weights_head_stride);
}

/*
 * Whether the scores themselves have to be multiplied by the scale: to be capped, or to have something added, or
 * because the softmax takes their maximum first. Else the softmax multiplies them along with log2(e), for nothing.
 */
static int scales_scores(const fv_attention_job *job) {
  const float scale = job->params->scale;
  return job->params->softcap != 0 || job->bias || job->alibi_slopes || !(scale > 0x1p-60f && scale < 0x1p60f);
}

static walk start_walk(const fv_attention_job *job, const fv_attention_item *item, int worker) {
  const fovea_attention_params *p = job->params;
  const int s = item->sequence;
  walk x = {.job = job, .item = item, .dim = (int)padded(p->value_dim), .group = p->heads / p->kv_heads};
  layout(&x.w, job->scratch + worker * job->scratch_floats, p->head_dim, p->value_dim);
  x.scaled = scales_scores(job);
  x.factor = x.scaled ? 1 : p->scale;
  x.unit = (float)(x.factor * 1.4426950408889634);
  x.queries = job->q_offsets[s + 1] - job->q_offsets[s];
  x.keys = job->kv_offsets[s + 1] - job->kv_offsets[s];
  x.diagonal = p->alignment == FOVEA_ALIGN_TOP_LEFT ? 0 : x.keys - x.queries;
  x.first_key = low_key(&x, 0);
  x.last_key = high_key(&x, item->rows - 1);
  if (x.last_key < x.first_key) x.last_key = x.first_key;
  return x;
}

/* Rows are cut into tiles of almost equal size. */
FV_INLINE int tiles_of(int rows) { return (rows + FV_TILE_ROWS - 1) / FV_TILE_ROWS; }
FV_INLINE int tile_begin(int rows, int tiles, int tile) { return (int)((long long)rows * tile / tiles); }

/* ---- state ------------------------------------------------------------------ */

static void clear_state(state *s, int rows, int dim) {
  memset(s->out, 0, (size_t)rows * (size_t)dim * sizeof(float));
  for (int r = 0; r < rows + FV_ROW_LANES; r++) {
    s->peak[r] = -__builtin_inff();
    s->sum[r] = 0;
  }
}

/* c = e^(m - m'), 1 where nothing changes and 0 where nothing was summed. */
FV_INLINE fv_f32 fade(fv_f32 peak, fv_f32 next, float unit) {
  return fv_exp2_nonpositive(fv_select(peak == next, (fv_f32){0}, peak - next), unit);
}

static void merge_state(state *total, const state *chunk, int rows, int dim, float unit) {
  for (int r = 0; r < rows; r++) {
    const float next = total->peak[r] > chunk->peak[r] ? total->peak[r] : chunk->peak[r];
    const float before = fade(fv_set(total->peak[r]), fv_set(next), unit)[0];
    const float now = fade(fv_set(chunk->peak[r]), fv_set(next), unit)[0];
    total->peak[r] = next;
    total->sum[r] = total->sum[r] * before + chunk->sum[r] * now;
    float *out = total->out + (long long)r * dim;
    const float *add = chunk->out + (long long)r * dim;
    for (int j = 0; j < dim; j += FV_LANES) {
      fv_store(out + j, fv_load(out + j) * before + fv_load(add + j) * now);
    }
  }
}

#endif /* FV_OPS_ATTENTION_WALK_H */
