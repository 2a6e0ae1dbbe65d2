/* Fused attention, compiled once per ISA. Contract and algorithm in attention.h. */
#include "ops/attention/attention.h"

#include "ops/attention/few.h"
#include "ops/attention/pack.h"
#include "ops/attention/score.h"
#include "ops/attention/walk.h"
#include "simd/flush.h"
#include "simd/math.h"
#include "simd/tile.h"
#include "simd/transpose.h"

/* In each lane the largest of its scores in columns [from, to) that is not NaN. */
FV_INLINE fv_f32 peak_lanes(const float *scores, int from, int to) {
  fv_f32 top = fv_set(-__builtin_inff());
  for (int j = from; j < to; j += FV_LANES) top = fv_max(fv_load(scores + j), top);
  return top;
}

/* Turns scores, columns [from, to), into weights 2^(unit (s - base)) and returns the sum in each lane. */
FV_INLINE fv_f32 soften(float *scores, int from, int to, float base, float unit) {
  fv_f32 total = {0};
  for (int j = from; j < to; j += FV_LANES) {
    const fv_f32 p = fv_exp2_nonpositive(fv_load(scores + j) - base, unit);
    fv_store(scores + j, p);
    total += p;
  }
  return total;
}

/*
 * Turns the scores of a tile into weights under its rows' maxima. Updates m and l, and sets the factors for what was
 * summed before. Each step goes over all rows, since those do not wait for one another.
 */
static void soften_tile(const walk *x, const span *s, int begin, int rows,
                        float factors[FV_ROW_LANES]) {
  const fv_f32 minus_infinity = fv_set(-__builtin_inff());
  float *peaks = x->w.chunk.peak + begin, *sums = x->w.chunk.sum + begin, bases[FV_ROW_LANES];
  fv_f32 lanes[FV_ROW_LANES]; /* of each row; those behind the rows change nothing */
  for (int r = 0; r < rows; r++) lanes[r] = peak_lanes(x->w.scores + r * FV_KEY_BLOCK, s->from, s->end);
  for (int r = rows; r < FV_ROW_LANES; r++) lanes[r] = minus_infinity;
  for (int r = 0; r < FV_ROW_LANES; r += FV_LANES) {
    const fv_f32 peak = fv_load(peaks + r), next = fv_max(fv_row_peaks(lanes + r), peak);
    fv_store(peaks + r, next);
    fv_store(bases + r, fv_select(next == minus_infinity, (fv_f32){0}, next)); /* -inf - -inf would be NaN */
    fv_store(factors + r, fade(peak, next, x->unit));
  }
  for (int r = 0; r < rows; r++) {
    lanes[r] = soften(x->w.scores + r * FV_KEY_BLOCK, s->from, s->end, bases[r], x->unit);
  }
  for (int r = rows; r < FV_ROW_LANES; r++) lanes[r] = (fv_f32){0};
  for (int r = 0; r < FV_ROW_LANES; r += FV_LANES) {
    fv_store(sums + r, fv_load(sums + r) * fv_load(factors + r) + fv_row_sums(lanes + r));
  }
}

/*
 * Of a tile the keys that any of its rows attends to: o = c o + P V, or with at_once, where the factors are 1 / l,
 * o = c P V. out [rows, dim], rows stride apart
 */
static void weigh_values(const walk *x, const span *s, int rows, int at_once, const float *factors, float *out,
                         long long stride) {
  const int panels = x->dim / FV_PANEL, most = fv_tile_panels(rows);
  for (int panel = 0; panel < panels;) {
    const int taken = panels - panel >= most ? most : 1;
    const float *values = x->w.values + ((long long)panel * FV_KEY_BLOCK + s->from) * FV_PANEL;
    fv_tile_onto_kernel *tile = at_once ? fv_tile_times : FV_FLOATS(tile_onto);
    tile(rows, taken, s->to - s->from, x->w.scores + s->from, FV_KEY_BLOCK, values, (long long)FV_KEY_BLOCK * FV_PANEL,
         factors, out + panel * FV_PANEL, stride);
    panel += taken;
  }
}

/*
 * The same where a value is infinite or NaN: what has the weight 0 counts as 0, since 0 times it would be
 * NaN. The products are summed in the same order, so finite rows keep their bits. No product is in a branch: Clang would
 * leave it there, and not fuse it with the sum behind.
 */
static void weigh_values_that_count(const walk *x, const span *s, int rows, int at_once, const float *factors,
                                    float *out, long long stride) {
  for (int r = 0; r < rows; r++) {
    const float *weights = x->w.scores + r * FV_KEY_BLOCK;
    for (int panel = 0; panel < x->dim; panel += FV_LANES) {
      const float *values =
          x->w.values + (long long)(panel / FV_PANEL) * FV_KEY_BLOCK * FV_PANEL + panel % FV_PANEL;
      fv_f32 sum = {0};
      for (int j = s->from; j < s->to; j++) {
        const fv_f32 weight = fv_set(weights[j]);
        sum += weight * fv_select(weight != 0, fv_load(values + (long long)j * FV_PANEL), (fv_f32){0});
      }
      float *to = out + r * stride + panel;
      const fv_f32 scaled = at_once ? sum : fv_load(to), added = at_once ? (fv_f32){0} : sum; /* one product to fuse */
      fv_store(to, scaled * factors[r] + added);
    }
  }
}

/* 1 / l, and 0 for a row that attended to nothing. */
FV_INLINE fv_f32 inverse_of(fv_f32 sum) { return fv_select(sum == 0, (fv_f32){0}, 1 / sum); }

/* Adds one packed key block to the state of one tile of rows; with at_once it is the only one, and out is written. */
static void attend_tile(const walk *x, const key_block *block, int begin, int rows, int at_once) {
  const span s = span_of(x, block, begin, rows);
  float *out = at_once ? out_row(x, begin) : x->w.chunk.out + (long long)begin * x->dim;
  const long long stride = at_once ? x->job->params->out_token_stride : x->dim;
  if (s.from >= s.to) {
    for (int r = 0; at_once && r < rows; r++) memset(out + r * stride, 0, (size_t)x->dim * sizeof(float));
    return;
  }
  float factors[FV_ROW_LANES];
  score_tile(x, block, &s, begin, rows);
  soften_tile(x, &s, begin, rows, factors);
  for (int r = 0; at_once && r < rows; r += FV_LANES) {
    fv_store(factors + r, inverse_of(fv_load(x->w.chunk.sum + begin + r)));
  }
  (block->finite ? weigh_values : weigh_values_that_count)(x, &s, rows, at_once, factors, out, stride);
}

static key_block pack_block(const walk *x, long long key) {
  key_block block = find_block(x, key);
  pack_keys(x, &block);
  pack_values(x, &block);
  return block;
}

/* Adds a key block to the state of all rows of the item, which are few. next: the block that follows, or null. */
static void attend_few(const walk *x, key_block *block, const key_block *next) {
  const int rows = x->item->rows, value_dim = x->job->params->value_dim;
  const span s = span_of(x, block, 0, rows);
  if (s.from >= s.to) return;
  float factors[FV_ROW_LANES], *sums = x->w.values;
  score_few(x, block, &s);
  soften_tile(x, &s, 0, rows, factors);
  if (!sum_few(x, block, &s, next, sums)) {
    pack_values(x, block);
    weigh_values_that_count(x, &s, rows, 0, factors, x->w.chunk.out, x->dim);
    return;
  }
  for (int r = 0; r < rows; r++) {
    float *out = x->w.chunk.out + (long long)r * x->dim;
    for (int i = 0; i < value_dim; i += FV_LANES) {
      fv_store(out + i, fv_load(sums + (long long)r * value_dim + i) + fv_load(out + i) * factors[r]);
    }
  }
}

/* The state of one chunk, all rows of the item. */
static void attend_chunk(walk *x, long long chunk) {
  clear_state(&x->w.chunk, x->item->rows, x->dim);
  const long long chunk_begin = chunk * FV_KEY_CHUNK, chunk_end = chunk_begin + FV_KEY_CHUNK;
  const long long begin = chunk_begin > x->first_key ? chunk_begin : x->first_key / FV_KEY_BLOCK * FV_KEY_BLOCK;
  const long long end = chunk_end < x->last_key ? chunk_end : x->last_key;
  const int tiles = tiles_of(x->item->rows), few = are_few(x);
  for (long long key = begin; key < end; key += FV_KEY_BLOCK) {
    if (few) {
      const long long after = key + FV_KEY_BLOCK;
      key_block block = find_block(x, key), next = find_block(x, after < x->last_key ? after : key);
      attend_few(x, &block, after < x->last_key ? &next : 0);
      continue;
    }
    const key_block block = pack_block(x, key);
    for (int t = 0; t < tiles; t++) {
      const int first = tile_begin(x->item->rows, tiles, t), last = tile_begin(x->item->rows, tiles, t + 1);
      if (key == begin && t + 1 < tiles) fetch_queries(x, last, tile_begin(x->item->rows, tiles, t + 2));
      attend_tile(x, &block, first, last - first, 0);
    }
  }
}

/*
 * Whether all keys of the item are in one block and its rows of the output lie as those of a tile: then what the tiles
 * give is written where it belongs. It has the same bits by either way.
 */
static int attends_at_once(const walk *x) {
  return x->first_key < x->last_key && x->first_key / FV_KEY_BLOCK == (x->last_key - 1) / FV_KEY_BLOCK &&
         x->group == 1 && x->job->params->value_dim == x->dim;
}

static void attend_at_once(walk *x) {
  clear_state(&x->w.chunk, x->item->rows, 0);
  const key_block block = pack_block(x, x->first_key / FV_KEY_BLOCK * FV_KEY_BLOCK);
  const int tiles = tiles_of(x->item->rows);
  for (int t = 0; t < tiles; t++) {
    const int first = tile_begin(x->item->rows, tiles, t);
    attend_tile(x, &block, first, tile_begin(x->item->rows, tiles, t + 1) - first, 1);
  }
}

/* The pattern itself, e^(s - m) / l, once m and l are known. */
static void write_weights(const walk *x, const state *done) {
  const int tiles = tiles_of(x->item->rows);
  for (int r = 0; r < x->item->rows; r++) memset(weights_row(x, r), 0, (size_t)x->keys * sizeof(float));
  for (long long key = x->first_key / FV_KEY_BLOCK * FV_KEY_BLOCK; key < x->last_key; key += FV_KEY_BLOCK) {
    key_block block = find_block(x, key);
    pack_keys(x, &block);
    for (int t = 0; t < tiles; t++) {
      const int begin = tile_begin(x->item->rows, tiles, t), rows = tile_begin(x->item->rows, tiles, t + 1) - begin;
      const span s = span_of(x, &block, begin, rows);
      if (s.from >= s.to) continue;
      score_tile(x, &block, &s, begin, rows);
      for (int r = 0; r < rows; r++) {
        float *scores = x->w.scores + r * FV_KEY_BLOCK;
        for (int j = s.from; j < s.end; j += FV_LANES) {
          const fv_f32 score = fv_load(scores + j);
          const fv_f32 p = fv_exp2_nonpositive(score - done->peak[begin + r], x->unit) / done->sum[begin + r];
          fv_store(scores + j, fv_select(score == -__builtin_inff(), (fv_f32){0}, p));
        }
        memcpy(weights_row(x, begin + r) + key + s.from, scores + s.from, (size_t)(s.to - s.from) * sizeof(float));
      }
    }
  }
}

/* lse = m + log l, -infinity for a row that attended to nothing, and the weights: if they are wanted. */
static void write_extras(const walk *x, const state *done) {
  for (int r = 0; x->job->lse && r < x->item->rows; r++) {
    *lse_at(x, r) = done->peak[r] * x->factor + __builtin_logf(done->sum[r]);
  }
  if (x->job->weights) write_weights(x, done);
}

/* out = o / l, 0 for a row that attended to nothing. */
static void write_out(const walk *x, const state *done) {
  const int value_dim = x->job->params->value_dim;
  for (int r = 0; r < x->item->rows; r++) {
    float *out = out_row(x, r);
    const float *row = done->out + (long long)r * x->dim;
    const fv_f32 inverse = inverse_of(fv_set(done->sum[r]));
    int j = 0;
    /* + 0 makes -0 a 0: which of both a sum of nothing is depends on the masked tiles that were skipped. */
    for (; j + FV_LANES <= value_dim; j += FV_LANES) fv_store(out + j, fv_load(row + j) * inverse + 0.0f);
    if (j < value_dim) fv_store_part(out + j, fv_load(row + j) * inverse + 0.0f, value_dim - j);
  }
  write_extras(x, done);
}

static void attend(walk *x) {
  load_queries(x);
  if (attends_at_once(x)) {
    attend_at_once(x);
    write_extras(x, &x->w.chunk);
    return;
  }
  const long long begin = x->first_key / FV_KEY_CHUNK, end = (x->last_key + FV_KEY_CHUNK - 1) / FV_KEY_CHUNK;
  if (end - begin <= 1) {
    attend_chunk(x, begin);
    write_out(x, &x->w.chunk);
    return;
  }
  clear_state(&x->w.total, x->item->rows, x->dim);
  for (long long chunk = begin; chunk < end; chunk++) {
    attend_chunk(x, chunk);
    merge_state(&x->w.total, &x->w.chunk, x->item->rows, x->dim, x->unit);
  }
  write_out(x, &x->w.total);
}

void FV_NAME(attention)(const fv_attention_job *job, const fv_attention_item *item, int worker) {
  const unsigned mode = fv_flush_begin();
  walk x = start_walk(job, item, worker);
  attend(&x);
  fv_flush_end(mode);
}

void FV_NAME(attention_chunks)(const fv_attention_job *job, const fv_attention_item *item, long long chunk, int begin,
                               int end) {
  const unsigned mode = fv_flush_begin();
  for (int worker = begin; worker < end; worker++) {
    walk x = start_walk(job, item, worker);
    load_queries(&x);
    attend_chunk(&x, chunk + worker);
  }
  fv_flush_end(mode);
}

void FV_NAME(attention_merge)(const fv_attention_job *job, const fv_attention_item *item, int workers, int first,
                              int last) {
  const unsigned mode = fv_flush_begin();
  walk x = start_walk(job, item, 0);
  if (first) clear_state(&x.w.total, item->rows, x.dim);
  for (int worker = 0; worker < workers; worker++) {
    const walk part = start_walk(job, item, worker);
    merge_state(&x.w.total, &part.w.chunk, item->rows, x.dim, x.unit);
  }
  if (last) {
    if (job->weights) load_queries(&x);
    write_out(&x, &x.w.total);
  }
  fv_flush_end(mode);
}
