/* Fused attention, compiled once per ISA. Contract and algorithm in attention.h. */
#include "ops/attention/attention.h"

#include "simd/math.h"
#include "simd/tile.h"

/* value_dim, padded to whole panels. */
FV_INLINE long long padded(int dim) { return ((long long)dim + FV_PANEL - 1) / FV_PANEL * FV_PANEL; }

/* One worker's scratch. */
typedef struct workspace {
  float *keys;    /* FV_KEY_BLOCK / FV_PANEL panels [head_dim, FV_PANEL] of scaled, transposed keys */
  float *values;  /* padded / FV_PANEL panels [FV_KEY_BLOCK, FV_PANEL] */
  float *scores;  /* [FV_TILE_ROWS, FV_KEY_BLOCK] */
  float *product; /* [FV_TILE_ROWS, padded] of one key block */
  float *out;     /* [FV_QUERY_BLOCK, padded] */
  float *peak;    /* [FV_QUERY_BLOCK], m */
  float *sum;     /* [FV_QUERY_BLOCK], l */
} workspace;

static long long layout(workspace *w, float *base, int head_dim, int value_dim) {
  const long long dim = padded(value_dim);
  const long long sizes[] = {(long long)FV_KEY_BLOCK * head_dim, FV_KEY_BLOCK * dim, FV_TILE_ROWS * FV_KEY_BLOCK,
                             FV_TILE_ROWS * dim, FV_QUERY_BLOCK * dim, FV_QUERY_BLOCK, FV_QUERY_BLOCK};
  float **const parts[] = {&w->keys, &w->values, &w->scores, &w->product, &w->out, &w->peak, &w->sum};
  long long total = 0;
  for (int i = 0; i < 7; i++) {
    if (base) *parts[i] = base + total;
    total += (sizes[i] + 15) / 16 * 16;
  }
  return total;
}

long long FV_NAME(attention_scratch)(int head_dim, int value_dim) {
  workspace unused;
  return layout(&unused, 0, head_dim, value_dim);
}

/* scale k, of k [keys, dim] with rows stride apart, into panels [dim, FV_PANEL]; missing keys are 0. */
static void pack_keys(const float *k, long long stride, int keys, int dim, float scale, float *panels) {
  for (int first = 0; first < keys; first += FV_PANEL, panels += (long long)dim * FV_PANEL) {
    const int width = keys - first < FV_PANEL ? keys - first : FV_PANEL;
    for (int j = 0; j < width; j++) {
      const float *from = k + (first + j) * stride;
      for (int i = 0; i < dim; i++) panels[i * FV_PANEL + j] = scale * from[i];
    }
    for (int j = width; j < FV_PANEL; j++) {
      for (int i = 0; i < dim; i++) panels[i * FV_PANEL + j] = 0;
    }
  }
}

/* v [keys, dim], rows stride apart, into panels [FV_KEY_BLOCK, FV_PANEL]; missing columns are 0. */
static void pack_values(const float *v, long long stride, int keys, int dim, float *panels) {
  for (int first = 0; first < dim; first += FV_PANEL, panels += FV_KEY_BLOCK * FV_PANEL) {
    const int width = dim - first < FV_PANEL ? dim - first : FV_PANEL;
    for (int i = 0; i < keys; i++) {
      const float *from = v + i * stride + first;
      float *to = panels + i * FV_PANEL;
      if (width == FV_PANEL) {
        memcpy(to, from, FV_PANEL * sizeof(float));
      } else {
        memcpy(to, from, (size_t)width * sizeof(float));
        memset(to + width, 0, (size_t)(FV_PANEL - width) * sizeof(float));
      }
    }
  }
}

/*
 * Turns scores [FV_KEY_BLOCK] of one query, of which keys count, into weights e^(s - m'), 0 behind them up
 * to a whole vector. Updates m and l; returns the factor c for what was summed before.
 */
static float soften(float *scores, int keys, float *peak, float *sum) {
  const int width = (keys + FV_LANES - 1) / FV_LANES * FV_LANES;
  for (int j = keys; j < width; j++) scores[j] = -__builtin_inff();
  fv_f32 top = fv_load(scores);
  for (int j = FV_LANES; j < width; j += FV_LANES) top = fv_max(top, fv_load(scores + j));
  const float old = *peak, highest = fv_peak(top);
  const float next = old > highest ? old : highest;
  const float base = next == -__builtin_inff() ? 0 : next; /* -inf - -inf would be NaN */
  fv_f32 total = {0};
  for (int j = 0; j < width; j += FV_LANES) {
    const fv_f32 p = fv_exp(fv_load(scores + j) - base);
    fv_store(scores + j, p);
    total += p;
  }
  const float factor = old == -__builtin_inff() ? 0 : old == next ? 1 : __builtin_expf(old - base);
  *peak = next;
  *sum = *sum * factor + fv_sum(total);
  return factor;
}

/* The queries of one block against one packed key block. */
static void attend_block(const fv_attention_job *job, const workspace *w, const float *q, int queries, int keys) {
  const int dim = (int)padded(job->value_dim), head_dim = job->head_dim;
  const int key_panels = (keys + FV_PANEL - 1) / FV_PANEL;
  const int tiles = (queries + FV_TILE_ROWS - 1) / FV_TILE_ROWS;
  for (int t = 0; t < tiles; t++) {
    const int begin = (int)((long long)queries * t / tiles), rows = (int)((long long)queries * (t + 1) / tiles) - begin;
    const float *tile_q = q + begin * job->q_token_stride;
    for (int panel = 0; panel < key_panels; panel++) {
      fv_tile(rows, 1, head_dim, tile_q, job->q_token_stride, w->keys + (long long)panel * head_dim * FV_PANEL, 0,
              w->scores + panel * FV_PANEL, FV_KEY_BLOCK);
    }
    float factors[FV_TILE_ROWS];
    for (int r = 0; r < rows; r++) {
      factors[r] = soften(w->scores + r * FV_KEY_BLOCK, keys, w->peak + begin + r, w->sum + begin + r);
    }
    for (int panel = 0; panel < dim / FV_PANEL; panel++) {
      fv_tile(rows, 1, keys, w->scores, FV_KEY_BLOCK, w->values + (long long)panel * FV_KEY_BLOCK * FV_PANEL, 0,
              w->product + panel * FV_PANEL, dim);
    }
    for (int r = 0; r < rows; r++) {
      float *out = w->out + (long long)(begin + r) * dim;
      const float *product = w->product + r * dim;
      for (int j = 0; j < dim; j += FV_LANES) {
        fv_store(out + j, fv_load(out + j) * factors[r] + fv_load(product + j));
      }
    }
  }
}

/* out = o / l, or 0 for a query that saw no key. */
static void write_out(const fv_attention_job *job, const workspace *w, int queries, float *out) {
  const int dim = (int)padded(job->value_dim);
  for (int r = 0; r < queries; r++, out += job->out_token_stride) {
    const float *row = w->out + (long long)r * dim;
    const float inverse = w->sum[r] == 0 ? 0 : 1 / w->sum[r];
    int j = 0;
    for (; j + FV_LANES <= job->value_dim; j += FV_LANES) fv_store(out + j, fv_load(row + j) * inverse);
    if (j < job->value_dim) fv_store_part(out + j, fv_load(row + j) * inverse, job->value_dim - j);
  }
}

/* One query block of one head of one sequence. */
static void attend(const fv_attention_job *job, const workspace *w, int sequence, int head, int block) {
  const int kv_head = head / (job->heads / job->kv_heads);
  const long long first = job->q_offsets[sequence] + (long long)block * FV_QUERY_BLOCK;
  const long long left = job->q_offsets[sequence + 1] - first;
  const int queries = left < FV_QUERY_BLOCK ? (int)left : FV_QUERY_BLOCK;
  const long long kv_first = job->kv_offsets[sequence], kv_last = job->kv_offsets[sequence + 1];
  for (int r = 0; r < queries; r++) {
    w->peak[r] = -__builtin_inff();
    w->sum[r] = 0;
  }
  memset(w->out, 0, (size_t)queries * (size_t)padded(job->value_dim) * sizeof(float));
  for (long long key = kv_first; key < kv_last; key += FV_KEY_BLOCK) {
    const int keys = kv_last - key < FV_KEY_BLOCK ? (int)(kv_last - key) : FV_KEY_BLOCK;
    pack_keys(job->k + key * job->k_token_stride + kv_head * job->k_head_stride, job->k_token_stride, keys,
              job->head_dim, job->scale, w->keys);
    pack_values(job->v + key * job->v_token_stride + kv_head * job->v_head_stride, job->v_token_stride, keys,
                job->value_dim, w->values);
    attend_block(job, w, job->q + first * job->q_token_stride + head * job->q_head_stride, queries, keys);
  }
  write_out(job, w, queries, job->out + first * job->out_token_stride + head * job->out_head_stride);
}

void FV_NAME(attention)(const fv_attention_job *job, long long first, long long last, int worker) {
  workspace w;
  layout(&w, job->scratch + worker * job->scratch_floats, job->head_dim, job->value_dim);
  long long item = 0;
  for (int s = 0; s < job->sequences && item < last; s++) {
    const long long blocks =
        ((long long)job->q_offsets[s + 1] - job->q_offsets[s] + FV_QUERY_BLOCK - 1) / FV_QUERY_BLOCK;
    const long long end = item + blocks * job->heads;
    for (long long i = item > first ? item : first; i < end && i < last; i++) {
      attend(job, &w, s, (int)((i - item) / blocks), (int)((i - item) % blocks));
    }
    item = end;
  }
}
