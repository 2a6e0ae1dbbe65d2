/*
 * Attention with exact FMAs in single precision, for elements of any types and heads of any size. A block of 256 threads
 * takes 64 queries of a head and up to 128 columns of its values, and walks over tiles of 64 keys. Thread (i, j) of 16 x 16
 * holds the scores of queries 4 i ... 4 i + 3 and keys 4 j ... 4 j + 3; the dot products go through 32 elements of a head
 * at a time. The softmax between the two products is online, in powers of two. Sums go over elements and keys in order.
 *
 * 0 NaN is NaN: a block whose sums are not all finite begins anew and leaves out products with weights of 0.
 *
 * Milakov and Gimelshein, arXiv:1805.02867; Dao, FlashAttention-2, arXiv:2307.08691.
 */
#include "cuda/ops/attention/rows.h"

#define FV_EXACT_ROWS 64
#define FV_EXACT_PIECE 32            /* elements of a head at a time */
#define FV_EXACT_STRIDE (64 + 4)     /* floats between rows of the shared arrays but that of values */

struct exact_block {
  fv_sequence x;
  int head, first_query, queries;
  int first_key, last_key; /* that any of its queries may see */
  int first_column;        /* of the values */
  float slope;
};

/* Shared memory. Weights take the place of the pieces of queries and keys. */
struct exact_tiles {
  float *q, *k;    /* [FV_EXACT_PIECE, FV_EXACT_STRIDE], transposed */
  float *weights;  /* [FV_EXACT_ROWS, FV_EXACT_STRIDE] */
  float *values;   /* [FV_ATTENTION_KEYS, columns] */
  int *spoilt;
};

template <int C>
struct exact_state {
  float out[4][C];
  float peak[4], sum[4]; /* the sum of this thread's keys */
};

/* Elements [piece, piece + FV_EXACT_PIECE) of 64 rows, transposed; zeros where there is none. */
FV_DEVICE void load_piece(const fv_attention_args &p, const void *data, int dtype, long long at, long long stride,
                          int count, int piece, bool turn, int position, float *tile) {
#pragma unroll 1
  for (int i = threadIdx.x; i < FV_EXACT_ROWS * FV_EXACT_PIECE; i += FV_EXACT_THREADS) {
    const int r = i / FV_EXACT_PIECE, e = i % FV_EXACT_PIECE;
    float x = 0;
    if (r < count && piece + e < p.head_dim) {
      x = turned_element(p, data, dtype, at + r * stride, piece + e, turn ? angles_of(p, position + r) : nullptr);
    }
    tile[e * FV_EXACT_STRIDE + r] = x;
  }
}

template <int columns>
FV_DEVICE void load_values(const fv_attention_args &p, const exact_block &b, int key, float *tile) {
  const long long at = key_at(p, p.v, b.x, key, b.head / p.group, p.value_dim), stride = key_stride(p, p.v, p.value_dim);
#pragma unroll 2
  for (int i = threadIdx.x; i < FV_ATTENTION_KEYS * columns; i += FV_EXACT_THREADS) {
    const int r = i / columns, c = b.first_column + i % columns;
    tile[i] = key + r < b.x.keys && c < p.value_dim ? read_element(p.v.data, p.kv_dtype, at + r * stride + c) : 0;
  }
}

/* s = Q K^T of the tile of keys from key on. */
FV_DEVICE void multiply_keys(const fv_attention_args &p, const exact_block &b, const exact_tiles &t, int key,
                             float (&s)[4][4]) {
  const long long q_at = query_at(p.q, b.x, b.first_query, b.head);
  const long long k_at = key_at(p, p.k, b.x, key, b.head / p.group, p.head_dim);
  const int row = threadIdx.x / 16 * 4, column = threadIdx.x % 16 * 4;
#pragma unroll
  for (int i = 0; i < 16; i++) {
    s[i / 4][i % 4] = 0;
  }
  for (int piece = 0; piece < p.head_dim; piece += FV_EXACT_PIECE) {
    __syncthreads(); /* everybody has done with what lay here */
    load_piece(p, p.q.data, p.q_dtype, q_at, p.q.token, b.queries, piece, p.rope, b.x.diagonal + b.first_query, t.q);
    load_piece(p, p.k.data, p.kv_dtype, k_at, key_stride(p, p.k, p.head_dim), b.x.keys - key, piece, p.rope_keys, key,
               t.k);
    __syncthreads();
    const int count = p.head_dim - piece < FV_EXACT_PIECE ? p.head_dim - piece : FV_EXACT_PIECE;
#pragma unroll 2
    for (int e = 0; e < count; e++) {
      const float4 q = *reinterpret_cast<const float4 *>(t.q + e * FV_EXACT_STRIDE + row);
      const float4 k = *reinterpret_cast<const float4 *>(t.k + e * FV_EXACT_STRIDE + column);
      const float qs[4] = {q.x, q.y, q.z, q.w}, ks[4] = {k.x, k.y, k.z, k.w};
#pragma unroll
      for (int i = 0; i < 16; i++) {
        s[i / 4][i % 4] = fmaf(qs[i / 4], ks[i % 4], s[i / 4][i % 4]);
      }
    }
  }
}

/* This thread's scores, to and from the array of weights. */
FV_DEVICE void store_scores(const exact_tiles &t, const float (&s)[4][4]) {
  float *to = t.weights + threadIdx.x / 16 * 4 * FV_EXACT_STRIDE + threadIdx.x % 16 * 4;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    *reinterpret_cast<float4 *>(to + i * FV_EXACT_STRIDE) = {s[i][0], s[i][1], s[i][2], s[i][3]};
  }
}

/* What fovea.h does to scores after the product. It goes through shared memory, so that it takes few registers. */
FV_DEVICE void adjust(const fv_attention_args &p, const exact_block &b, const exact_tiles &t, int key, float (&s)[4][4]) {
  const int row = threadIdx.x / 16 * 4, column = threadIdx.x % 16 * 4;
  float *scores = t.weights + row * FV_EXACT_STRIDE + column;
  __syncthreads(); /* the pieces that lie there are read */
  store_scores(t, s);
#pragma unroll 1
  for (int i = 0; i < 16; i++) {
    float *score = scores + i / 4 * FV_EXACT_STRIDE + i % 4;
    const int query = row + i / 4, k = key + column + i % 4;
    if (query < b.queries && k < b.x.keys) {
      *score = adjusted<true>(p, b.x, b.head, b.first_query + query, k, *score, b.slope);
    }
  }
#pragma unroll
  for (int i = 0; i < 16; i++) {
    s[i / 4][i % 4] = scores[i / 4 * FV_EXACT_STRIDE + i % 4];
  }
}

/* -infinity for what the window hides. */
FV_DEVICE void hide(const fv_attention_args &p, const exact_block &b, int key, float (&s)[4][4]) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const int query = b.first_query + (int)threadIdx.x / 16 * 4 + i;
    const int low = low_key(p, b.x, query), high = high_key(p, b.x, query);
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int k = key + (int)threadIdx.x % 16 * 4 + j;
      if (k < low || k >= high) {
        s[i][j] = -INFINITY;
      }
    }
  }
}

/* Turns scores into weights under the rows' maxima, and what was summed before with them. */
template <int C>
FV_DEVICE void soften(float unit, float (&s)[4][4], exact_state<C> &state) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float peak = fmaxf(state.peak[i], fmaxf(fmaxf(s[i][0], s[i][1]), fmaxf(s[i][2], s[i][3])));
    for (int lanes = 8; lanes > 0; lanes /= 2) {
      peak = fmaxf(peak, shfl_xor(peak, lanes));
    }
    const float factor = fade(state.peak[i], peak, unit);
    state.peak[i] = peak;
    float sum = 0;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      s[i][j] = weight_of(s[i][j], peak, unit);
      sum += s[i][j];
    }
    state.sum[i] = fmaf(state.sum[i], factor, sum);
#pragma unroll
    for (int c = 0; c < C; c++) {
      state.out[i][c] *= factor;
    }
  }
}

/* Column c of a thread's C: runs of up to four, 16 threads side by side. */
template <int C>
FV_DEVICE int column_of(int c) {
  constexpr int run = C < 4 ? C : 4;
  return c / run * (16 * run) + (int)threadIdx.x % 16 * run + c % run;
}

/* out += P V over keys of the tile. */
template <int C, bool careful>
FV_DEVICE void multiply_values(const exact_tiles &t, int keys, float (&out)[4][C]) {
  const float *weights = t.weights + threadIdx.x / 16 * 4 * FV_EXACT_STRIDE;
#pragma unroll 1
  for (int k = 0; k < keys; k += 4) {
    float w[4][4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const float4 row = *reinterpret_cast<const float4 *>(weights + i * FV_EXACT_STRIDE + k);
      w[i][0] = row.x;
      w[i][1] = row.y;
      w[i][2] = row.z;
      w[i][3] = row.w;
    }
#pragma unroll
    for (int j = 0; j < 4; j++) {
      float v[C];
#pragma unroll
      for (int c = 0; c < C; c++) {
        v[c] = t.values[(k + j) * 16 * C + column_of<C>(c)];
      }
#pragma unroll
      for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int c = 0; c < C; c++) {
          if (!careful || w[i][j] != 0) {
            out[i][c] = fmaf(w[i][j], v[c], out[i][c]);
          }
        }
      }
    }
  }
}

template <int C>
FV_DEVICE void attend(const fv_attention_args &p, const exact_block &b, const exact_tiles &t, bool careful,
                      exact_state<C> &state) {
  const float unit = unit_of(p);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    state.peak[i] = -INFINITY;
    state.sum[i] = 0;
#pragma unroll
    for (int c = 0; c < C; c++) {
      state.out[i][c] = 0;
    }
  }
  for (int key = b.first_key / FV_ATTENTION_KEYS * FV_ATTENTION_KEYS; key < b.last_key; key += FV_ATTENTION_KEYS) {
    float s[4][4];
    multiply_keys(p, b, t, key, s);
    if (has_adjustments(p)) {
      adjust(p, b, t, key, s);
    }
    hide(p, b, key, s);
    soften<C>(unit, s, state);
    load_values<16 * C>(p, b, key, t.values); /* free since the barriers of the keys */
    __syncthreads();
    store_scores(t, s);
    __syncthreads();
    const int left = b.last_key - key, keys = left < FV_ATTENTION_KEYS ? left : FV_ATTENTION_KEYS;
    if (careful) {
      multiply_values<C, true>(t, keys, state.out);
    } else {
      multiply_values<C, false>(t, keys, state.out);
    }
  }
}

/* out = o / l, 0 for a row that attended to nothing, and the lse. */
template <int C>
FV_DEVICE void finish(const fv_attention_args &p, const exact_block &b, const exact_state<C> &state) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    float sum = state.sum[i];
    for (int lanes = 8; lanes > 0; lanes /= 2) {
      sum += shfl_xor(sum, lanes);
    }
    const int query = b.first_query + (int)threadIdx.x / 16 * 4 + i;
    if (query >= b.x.queries) {
      continue;
    }
    const float inverse = sum == 0 ? 0 : 1 / sum;
    const long long at = query_at(p.out, b.x, query, b.head);
#pragma unroll
    for (int c = 0; c < C; c++) {
      const int column = b.first_column + column_of<C>(c);
      if (column < p.value_dim) { /* + 0 makes -0 a 0: which of both depends on the tiles that were skipped */
        write_element(p.out.data, p.out_dtype, at + column, state.out[i][c] * inverse + 0.0f);
      }
    }
    if (p.lse.data && b.first_column == 0 && threadIdx.x % 16 == 0) {
      static_cast<float *>(p.lse.data)[query_at(p.lse, b.x, query, b.head)] = log_sum(p, state.peak[i], sum);
    }
  }
}

/* A tile of queries of a head. */
template <int C>
FV_DEVICE void attend_tile(const fv_attention_args &p, const exact_block &b, const exact_tiles &t) {
  if (threadIdx.x == 0) {
    *t.spoilt = 0;
  }
  exact_state<C> state;
  for (bool careful = false;; careful = true) {
    attend<C>(p, b, t, careful, state);
    if (careful) {
      break;
    }
    bool finite = true;
#pragma unroll
    for (int i = 0; i < 4 * C; i++) {
      finite = finite && is_finite(state.out[i / C][i % C]);
    }
    __syncthreads();
    if (!finite) {
      *t.spoilt = 1;
    }
    __syncthreads();
    if (!*t.spoilt) {
      break;
    }
  }
  finish<C>(p, b, state);
}

/* Blocks stay: each takes every n-th of the pairs of a tile of queries and a head. */
template <int C>
FV_DEVICE void attention_exact(const fv_attention_args &p, unsigned char *shared) {
  exact_tiles t;
  t.weights = t.q = reinterpret_cast<float *>(shared);
  t.k = t.q + FV_EXACT_PIECE * FV_EXACT_STRIDE;
  t.values = t.k + FV_EXACT_PIECE * FV_EXACT_STRIDE;
  t.spoilt = reinterpret_cast<int *>(t.values + FV_ATTENTION_KEYS * 16 * C);
  const tile_range tiles = tiles_of(p);
  for (int i = tiles.first * p.heads + (int)blockIdx.x; i < tiles.last * p.heads; i += (int)gridDim.x) {
    const int tile = i / p.heads;
    exact_block b;
    b.x = sequence_of(p, p.batch.small_tiles[2 * tile]);
    if (is_split(p, b.x)) {
      continue;
    }
    b.head = i % p.heads;
    b.first_query = p.batch.small_tiles[2 * tile + 1];
    b.queries = b.x.queries - b.first_query < FV_EXACT_ROWS ? b.x.queries - b.first_query : FV_EXACT_ROWS;
    b.first_key = low_key(p, b.x, b.first_query);
    b.last_key = high_key(p, b.x, b.first_query + b.queries - 1);
    b.first_column = (int)blockIdx.y * 16 * C;
    b.slope = slope_of(p, b.head);
    __syncthreads(); /* everybody has done with the tile before */
    attend_tile<C>(p, b, t);
  }
}

/* By columns of the values. */
#define FV_EXACT_KERNEL(columns, blocks)                                                                  \
  FV_KERNEL(fv_attention_exact_##columns, fv_attention_args, FV_EXACT_THREADS, blocks) {                 \
    FV_SHARED(shared);                                                                                   \
    attention_exact<columns / 16>(p, shared);                                                            \
  }
FV_EXACT_KERNEL(32, 2)
FV_EXACT_KERNEL(64, 2)
FV_EXACT_KERNEL(128, 2)
