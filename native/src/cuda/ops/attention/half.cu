/*
 * Attention of half types on tensor cores. A block takes 64 queries of a head, a warp 16 of them, and walks over tiles of
 * 64 keys: S = Q K^T and O += P V are m16n8k16 products with sums in single precision, P is rounded to the half type, the
 * softmax between them is online, in powers of two. Scores stay in registers. Loads of V overlap with S, those of the next
 * K with P V.
 *
 * 0 NaN is NaN: a value that is not finite would spread to queries which do not attend to it. Therefore a block whose sums
 * are not all finite begins anew, with products that leave such values out and add them where their weight is not 0.
 *
 * Dao, FlashAttention-2, arXiv:2307.08691; Milakov and Gimelshein, arXiv:1805.02867.
 */
#include "cuda/ops/attention/half_tile.h"

/* What a warp keeps of its 16 queries. Thread (g = lane / 4, t = lane % 4) holds rows g and g + 8, of each eight columns
   2 t and 2 t + 1. */
template <int D>
struct half_state {
  float out[D / 8][4];
  float peak[2], sum[2]; /* the sum of this thread's columns */
};

template <class T>
struct half_tiles {
  T *q, *k, *v;
};

/* The block's tile of queries and where its keys lie. */
struct half_block {
  fv_sequence x;
  int head, first_query;
  int first_key, last_key; /* that any of its queries may see */
  float slope;
};

/* ---- loads ------------------------------------------------------------------- */

template <class T, int D, bool plain>
FV_DEVICE void load_queries(const fv_attention_args &p, const half_block &b, T *tile) {
  const T *base = static_cast<const T *>(p.q.data) + query_at(p.q, b.x, b.first_query, b.head);
  const int count = b.x.queries - b.first_query;
  if (plain && !p.rope) {
    copy_rows<T, D>(tile, base, p.q.token, count);
  } else {
    convert_rows<T, D>(p, tile, base, p.q.token, count, p.head_dim, p.q_vectors,
                       p.rope ? b.x.diagonal + b.first_query : -1);
  }
}

/* Keys or values from key on. */
template <class T, int D, bool plain>
FV_DEVICE void load_keys(const fv_attention_args &p, const half_block &b, const fv_heads &h, int dim, bool vectors,
                         bool turn, int key, T *tile) {
  const long long at = key_at(p, h, b.x, key, b.head / p.group, dim), stride = key_stride(p, h, dim);
  const int count = b.x.keys - key, position = turn ? key : -1;
  if (plain) {
    copy_rows<T, D>(tile, static_cast<const T *>(h.data) + at, stride, count);
  } else if (p.kv_dtype == FOVEA_DTYPE_F32) {
    convert_rows<T, D>(p, tile, static_cast<const float *>(h.data) + at, stride, count, dim, vectors, position);
  } else {
    convert_rows<T, D>(p, tile, static_cast<const T *>(h.data) + at, stride, count, dim, vectors, position);
  }
}

/* ---- products ------------------------------------------------------------------ */

/* s [16, 64] = Q K^T, of 32 keys at a time those that begin before end. */
template <class T, int D, bool plain>
FV_DEVICE void multiply_keys(const fv_attention_args &p, const T *q, const T *k, int end, float (&s)[8][4]) {
  constexpr int stride = half_stride(D);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const T *q_row = q + (warp * 16 + lane % 16) * stride + lane / 16 * 8;
  const T *k_row = k + (lane % 8 + lane / 16 * 8) * stride + lane / 8 % 2 * 8;
#pragma unroll
  for (int half = 0; half < 2; half++) {
#pragma unroll
    for (int n = half * 4; n < half * 4 + 4; n++) {
      s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0;
    }
    if (half * 32 >= end) {
      continue;
    }
#pragma unroll
    for (int c = 0; c < D; c += 16) {
      if (!plain && c >= p.head_dim) {
        break;
      }
      uint32_t a[4];
      ldmatrix_x4(a, q_row + c);
#pragma unroll
      for (int n = half * 4; n < half * 4 + 4; n += 2) {
        uint32_t b[4];
        ldmatrix_x4(b, k_row + n * 8 * stride + c);
        const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
        mma<T>(s[n], a, low);
        mma<T>(s[n + 1], a, high);
      }
    }
  }
}

/* The bits of 1 and of the exponent of infinity and NaN. */
template <class T>
struct half_bits;
template <>
struct half_bits<f16> {
  static constexpr uint32_t one = 0x3c00, exponent = 0x7c00;
};
template <>
struct half_bits<bf16> {
  static constexpr uint32_t one = 0x3f80, exponent = 0x7f80;
};

/* Both halves of a pair by f. */
template <class F>
FV_DEVICE uint32_t each_half(uint32_t pair, F f) {
  return f(pair & 0xffff) | f(pair >> 16) << 16;
}

/*
 * c [16, 8] += a b as if products with a = 0 were not there: what is not finite in b is left out of the product, and where
 * any of it meets a weight, infinity or NaN is added.
 */
template <class T>
FV_DEVICE void multiply_carefully(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  constexpr uint32_t one = half_bits<T>::one, exponent = half_bits<T>::exponent;
  uint32_t some[4], finite[2], above[2], below[2];
  float up[4] = {0, 0, 0, 0}, down[4] = {0, 0, 0, 0};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    some[i] = each_half(a[i], [](uint32_t h) { return (h & 0x7fff) != 0 ? one : 0; });
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    finite[i] = each_half(b[i], [](uint32_t h) { return (h & exponent) == exponent ? 0 : h; });
    above[i] = each_half(b[i], [](uint32_t h) { return (h & 0x7fff) > exponent || h == exponent ? one : 0; });
    below[i] = each_half(b[i], [](uint32_t h) { return (h & 0x7fff) > exponent || h == (exponent | 0x8000) ? one : 0; });
  }
  mma<T>(c, a, finite);
  mma<T>(up, some, above);
  mma<T>(down, some, below);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    c[i] += up[i] > 0 ? INFINITY : 0;
    c[i] += down[i] > 0 ? -INFINITY : 0;
  }
}

/* out [16, D] += P V, over 32 keys at a time those that begin before end. */
template <class T, int D, bool plain>
FV_DEVICE void multiply_values(const fv_attention_args &p, const float (&s)[8][4], const T *v, int end, bool careful,
                               float (&out)[D / 8][4]) {
  constexpr int stride = half_stride(D);
  const int lane = threadIdx.x % 32;
  const T *v_row = v + lane % 16 * stride + lane / 16 * 8;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    if (k / 2 * 32 >= end) {
      continue;
    }
    const uint32_t a[4] = {pack<T>(s[2 * k][0], s[2 * k][1]), pack<T>(s[2 * k][2], s[2 * k][3]),
                           pack<T>(s[2 * k + 1][0], s[2 * k + 1][1]), pack<T>(s[2 * k + 1][2], s[2 * k + 1][3])};
#pragma unroll
    for (int n = 0; n < D / 8; n += 2) {
      if (!plain && n * 8 >= p.value_dim) {
        break;
      }
      uint32_t b[4];
      ldmatrix_x4_trans(b, v_row + k * 16 * stride + n * 8);
      const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
      if (careful) {
        multiply_carefully<T>(out[n], a, low);
        multiply_carefully<T>(out[n + 1], a, high);
      } else {
        mma<T>(out[n], a, low);
        mma<T>(out[n + 1], a, high);
      }
    }
  }
}

/* ---- softmax ------------------------------------------------------------------- */

/* The 16 queries of a warp and the keys that all of them, or any, may see. */
struct half_rows {
  int first, last; /* last < first: there are none */
  int any_low, all_low, all_high, any_high;
};

FV_DEVICE half_rows rows_of(const fv_attention_args &p, const half_block &b) {
  half_rows r;
  r.first = b.first_query + (int)threadIdx.x / 32 * 16;
  r.last = r.first + 15 < b.x.queries ? r.first + 15 : b.x.queries - 1;
  r.any_low = low_key(p, b.x, r.first);
  r.all_low = low_key(p, b.x, r.last);
  r.all_high = high_key(p, b.x, r.first);
  r.any_high = high_key(p, b.x, r.last);
  return r;
}

/* What fovea.h does to scores after the product, in the tile of keys from key on. */
FV_DEVICE void adjust(const fv_attention_args &p, const half_block &b, const half_rows &r, int key, float (&s)[8][4]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int n = 0; n < 8; n++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int query = r.first + lane / 4 + j / 2 * 8, column = key + n * 8 + lane % 4 * 2 + j % 2;
      if (query < b.x.queries && column < b.x.keys) {
        s[n][j] = adjusted<false>(p, b.x, b.head, query, column, s[n][j], b.slope);
      }
    }
  }
}

/* -infinity for what the window hides. */
FV_DEVICE void hide(const fv_attention_args &p, const half_block &b, const half_rows &r, int key, float (&s)[8][4]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    const int query = r.first + lane / 4 + i * 8;
    const int low = low_key(p, b.x, query) - key, high = high_key(p, b.x, query) - key;
#pragma unroll
    for (int n = 0; n < 8; n++) {
#pragma unroll
      for (int j = 2 * i; j < 2 * i + 2; j++) {
        const int column = n * 8 + lane % 4 * 2 + j % 2;
        if (column < low || column >= high) {
          s[n][j] = -INFINITY;
        }
      }
    }
  }
}

/* Turns scores into weights under the rows' maxima, and what was summed before with them. */
template <int D>
FV_DEVICE void soften(float unit, float (&s)[8][4], half_state<D> &state) {
#pragma unroll
  for (int i = 0; i < 2; i++) {
    float peak = state.peak[i];
#pragma unroll
    for (int n = 0; n < 8; n++) {
      peak = fmaxf(peak, fmaxf(s[n][2 * i], s[n][2 * i + 1]));
    }
    peak = fmaxf(peak, shfl_xor(peak, 1));
    peak = fmaxf(peak, shfl_xor(peak, 2));
    const float factor = fade(state.peak[i], peak, unit);
    state.peak[i] = peak;
    float sum = 0;
#pragma unroll
    for (int n = 0; n < 8; n++) {
#pragma unroll
      for (int j = 2 * i; j < 2 * i + 2; j++) {
        s[n][j] = weight_of(s[n][j], peak, unit);
        sum += s[n][j];
      }
    }
    state.sum[i] = state.sum[i] * factor + sum;
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      state.out[n][2 * i] *= factor;
      state.out[n][2 * i + 1] *= factor;
    }
  }
}

/* ---- a block ------------------------------------------------------------------- */

/* All keys of the block's queries. The queries are in their tile, or on the way. */
template <class T, int D, bool plain>
FV_DEVICE void attend(const fv_attention_args &p, const half_block &b, const half_tiles<T> &t, bool careful,
                      half_state<D> &state) {
  const half_rows r = rows_of(p, b);
  const float unit = unit_of(p);
  for (int i = 0; i < 2; i++) {
    state.peak[i] = -INFINITY;
    state.sum[i] = 0;
  }
#pragma unroll
  for (int n = 0; n < D / 8; n++) {
    state.out[n][0] = state.out[n][1] = state.out[n][2] = state.out[n][3] = 0;
  }
  int key = b.first_key / FV_ATTENTION_KEYS * FV_ATTENTION_KEYS;
  if (key < b.last_key) {
    load_keys<T, D, plain>(p, b, p.k, p.head_dim, p.k_vectors, p.rope_keys, key, t.k);
  }
  cp_async_commit();
  for (; key < b.last_key; key += FV_ATTENTION_KEYS) {
    cp_async_wait<0>();
    __syncthreads(); /* K is there, and V free */
    load_keys<T, D, plain>(p, b, p.v, p.value_dim, p.v_vectors, false, key, t.v);
    cp_async_commit();
    const bool active = r.first <= r.last && key < r.any_high && key + FV_ATTENTION_KEYS > r.any_low;
    float s[8][4];
    if (active) {
      multiply_keys<T, D, plain>(p, t.q, t.k, r.any_high - key, s);
    }
    cp_async_wait<0>();
    __syncthreads(); /* V is there, and K free */
    if (key + FV_ATTENTION_KEYS < b.last_key) {
      load_keys<T, D, plain>(p, b, p.k, p.head_dim, p.k_vectors, p.rope_keys, key + FV_ATTENTION_KEYS, t.k);
    }
    cp_async_commit();
    if (active) {
      if (!plain && has_adjustments(p)) {
        adjust(p, b, r, key, s);
      }
      if (key < r.all_low || key + FV_ATTENTION_KEYS > r.all_high) {
        hide(p, b, r, key, s);
      }
      soften<D>(unit, s, state);
      multiply_values<T, D, plain>(p, s, t.v, r.any_high - key, careful, state.out);
    }
  }
  cp_async_wait<0>();
}

/* out = o / l, 0 for a row that attended to nothing, and the lse. */
template <int D>
FV_DEVICE void finish(const fv_attention_args &p, const half_block &b, const half_state<D> &state) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    float sum = state.sum[i];
    sum += shfl_xor(sum, 1);
    sum += shfl_xor(sum, 2);
    const int query = b.first_query + (int)threadIdx.x / 32 * 16 + lane / 4 + i * 8;
    if (query >= b.x.queries) {
      continue;
    }
    const float inverse = sum == 0 ? 0 : 1 / sum;
    const long long at = query_at(p.out, b.x, query, b.head) + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      const int column = n * 8 + lane % 4 * 2;
      if (column < p.value_dim) { /* + 0 makes -0 a 0: which of both depends on the tiles that were skipped */
        write_two(p, at + n * 8, state.out[n][2 * i] * inverse + 0.0f, state.out[n][2 * i + 1] * inverse + 0.0f,
                  column + 1 < p.value_dim);
      }
    }
    if (p.lse.data && lane % 4 == 0) {
      static_cast<float *>(p.lse.data)[query_at(p.lse, b.x, query, b.head)] = log_sum(p, state.peak[i], sum);
    }
  }
}

template <int D>
FV_DEVICE bool all_finite(const half_state<D> &state) {
  bool finite = true;
#pragma unroll
  for (int n = 0; n < D / 8; n++) {
    finite = finite && is_finite(state.out[n][0]) && is_finite(state.out[n][1]) && is_finite(state.out[n][2]) &&
             is_finite(state.out[n][3]);
  }
  return finite;
}

template <class T, int D, bool plain>
FV_DEVICE void attention_half(const fv_attention_args &p, unsigned char *shared) {
  const int tile = (int)(blockIdx.x / p.heads);
  if (tile >= p.batch.counts[FV_COUNT_SMALL_TILES]) {
    return;
  }
  half_block b;
  b.x = sequence_of(p, p.batch.small_tiles[2 * tile]);
  if (!is_tiled(p, b.x)) {
    return;
  }
  b.head = (int)(blockIdx.x % p.heads);
  b.first_query = p.batch.small_tiles[2 * tile + 1];
  const int last = b.first_query + FV_HALF_ROWS < b.x.queries ? b.first_query + FV_HALF_ROWS : b.x.queries;
  b.first_key = low_key(p, b.x, b.first_query);
  b.last_key = high_key(p, b.x, last - 1);
  b.slope = slope_of(p, b.head);
  half_tiles<T> t;
  t.q = reinterpret_cast<T *>(shared);
  t.k = t.q + FV_HALF_ROWS * half_stride(D);
  t.v = t.k + FV_HALF_ROWS * half_stride(D);
  int *spoilt = reinterpret_cast<int *>(t.q + D); /* in the gap behind the first row */
  if (threadIdx.x == 0) {
    *spoilt = 0;
  }
  load_queries<T, D, plain>(p, b, t.q);
  half_state<D> state;
  for (bool careful = false;; careful = true) {
    attend<T, D, plain>(p, b, t, careful, state);
    if (careful) {
      break;
    }
    __syncthreads();
    if (!all_finite(state)) {
      *spoilt = 1;
    }
    __syncthreads();
    if (!*spoilt) {
      break;
    }
  }
  finish(p, b, state);
}

#define FV_HALF_KERNEL(T, D, kind, blocks)                                                              \
  FV_KERNEL(fv_attention_##T##_##D##_##kind, fv_attention_args, FV_ATTENTION_THREADS, blocks) {        \
    FV_SHARED(shared);                                                                                 \
    attention_half<T, D, plain_##kind>(p, shared);                                                     \
  }
#define FV_HALF_KERNELS(T)            \
  FV_HALF_KERNEL(T, 32, plain, 3)     \
  FV_HALF_KERNEL(T, 64, plain, 3)     \
  FV_HALF_KERNEL(T, 128, plain, 2)    \
  FV_HALF_KERNEL(T, 256, plain, 1)    \
  FV_HALF_KERNEL(T, 32, any, 3)       \
  FV_HALF_KERNEL(T, 64, any, 3)       \
  FV_HALF_KERNEL(T, 128, any, 2)      \
  FV_HALF_KERNEL(T, 256, any, 1)

constexpr bool plain_plain = true, plain_any = false;
FV_HALF_KERNELS(f16)
FV_HALF_KERNELS(bf16)
