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
#include "cuda/ops/attention/half_warp.h"

template <class T>
struct half_tiles {
  T *q, *k, *v;
};

/* The block's tile of queries and where its keys lie. */
struct half_block {
  fv_sequence x;
  int head, first_query;
  int first_key, last_key; /* that any of its queries may see */
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

/* ---- a block ------------------------------------------------------------------- */

/* All keys of the block's queries. The queries are in their tile, or on the way. */
template <class T, int D, bool plain>
FV_DEVICE void attend(const fv_attention_args &p, const half_block &b, const half_tiles<T> &t, bool careful,
                      half_state<D> &state) {
  const int row = (int)threadIdx.x / 32 * 16; /* the first of the warp's, in the tile */
  const half_rows r = rows_from(p, b.x, b.first_query + row);
  const float unit = unit_of(p);
  clear<D>(state);
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
      multiply_keys<T, D, 8, plain>(p, t.q + row * half_stride(D), t.k, r.any_high - key, s);
    }
    cp_async_wait<0>();
    __syncthreads(); /* V is there, and K free */
    if (key + FV_ATTENTION_KEYS < b.last_key) {
      load_keys<T, D, plain>(p, b, p.k, p.head_dim, p.k_vectors, p.rope_keys, key + FV_ATTENTION_KEYS, t.k);
    }
    cp_async_commit();
    if (active) {
      if (!plain && has_adjustments(p)) {
        adjust<8>(p, b.x, r, b.head, key, s);
      }
      if (key < r.all_low || key + FV_ATTENTION_KEYS > r.all_high) {
        hide<8>(p, b.x, r, key, s);
      }
      soften<D, 8>(unit, s, state);
      multiply_values<T, D, 8, plain>(p, s, t.v, r.any_high - key, careful, state.out);
    }
  }
  cp_async_wait<0>();
}

/* A tile of queries of a head. */
template <class T, int D, bool plain>
FV_DEVICE void attend_tile(const fv_attention_args &p, const half_block &b, const half_tiles<T> &t, int *spoilt) {
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
  finish<D>(p, b.x, b.head, b.first_query + (int)threadIdx.x / 32 * 16, state);
}

/* Blocks stay: each takes every n-th of the pairs of a tile of queries and a head. */
template <class T, int D, bool plain>
FV_DEVICE void attention_half(const fv_attention_args &p, unsigned char *shared) {
  half_tiles<T> t;
  t.q = reinterpret_cast<T *>(shared);
  t.k = t.q + FV_HALF_ROWS * half_stride(D);
  t.v = t.k + FV_HALF_ROWS * half_stride(D);
  int *spoilt = reinterpret_cast<int *>(t.q + D); /* in the gap behind the first row */
  const tile_range tiles = tiles_of(p);
  for (int i = tiles.first * p.heads + (int)blockIdx.x; i < tiles.last * p.heads; i += (int)gridDim.x) {
    const int tile = i / p.heads;
    half_block b;
    b.x = sequence_of(p, p.batch.small_tiles[2 * tile]);
    if (is_split(p, b.x)) {
      continue;
    }
    b.head = i % p.heads;
    b.first_query = p.batch.small_tiles[2 * tile + 1];
    const int last = b.first_query + FV_HALF_ROWS < b.x.queries ? b.first_query + FV_HALF_ROWS : b.x.queries;
    b.first_key = low_key(p, b.x, b.first_query);
    b.last_key = high_key(p, b.x, last - 1);
    __syncthreads(); /* everybody has done with the tile before */
    attend_tile<T, D, plain>(p, b, t, spoilt);
  }
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
