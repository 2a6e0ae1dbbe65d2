/*
 * Attention of short sequences, as sentences are: at most 32 queries and 32 keys, of half types, without adjustments of
 * scores. What half.cu would do with one tile of keys, bit for bit; but here a block takes two heads, each with two warps,
 * and the queries, keys and values of both come at once.
 */
#include "cuda/ops/attention/half_warp.h"

#define FV_SHORT_HEADS 2

/* A head's tiles of FV_SHORT_QUERIES rows. */
template <class T, int D>
struct short_tiles {
  T *q, *k, *v;
};

template <class T, int D>
FV_DEVICE short_tiles<T, D> tiles_at(unsigned char *shared, int which) {
  constexpr int size = FV_SHORT_QUERIES * half_stride(D);
  T *q = reinterpret_cast<T *>(shared) + which * 3 * size;
  return {q, q + size, q + 2 * size};
}

/* Rows of heads; they land when the thread waits. */
template <class T, int D>
FV_DEVICE void copy_heads(const fv_attention_args &p, const fv_sequence &x, int first_head, unsigned char *shared) {
  constexpr int chunks = FV_SHORT_QUERIES * (D / 8);
#pragma unroll 1
  for (int j = 0; j < FV_SHORT_HEADS * chunks / FV_ATTENTION_THREADS; j++) {
    const int i = j * FV_ATTENTION_THREADS + (int)threadIdx.x, which = i / chunks, head = first_head + which;
    const int r = i / (D / 8) % FV_SHORT_QUERIES, c = i % (D / 8) * 8, at = r * half_stride(D) + c;
    const short_tiles<T, D> t = tiles_at<T, D>(shared, which);
    const bool there = head < p.heads;
    const int query = there && r < x.queries ? r : 0, key = there && r < x.keys ? r : 0, known = there ? head : 0;
    const long long q = query_at(p.q, x, query, known) + c;
    const long long k = key_at(p, p.k, x, key, known / p.group, D) + c;
    const long long v = key_at(p, p.v, x, key, known / p.group, D) + c;
    cp_async16(t.q + at, static_cast<const T *>(p.q.data) + q, there && r < x.queries ? 16 : 0);
    cp_async16(t.k + at, static_cast<const T *>(p.k.data) + k, there && r < x.keys ? 16 : 0);
    cp_async16(t.v + at, static_cast<const T *>(p.v.data) + v, there && r < x.keys ? 16 : 0);
  }
}

/* 16 queries of a head by a warp. */
template <class T, int D>
FV_DEVICE void attend_rows(const fv_attention_args &p, const fv_sequence &x, const short_tiles<T, D> &t, int head,
                           int first) {
  const half_rows r = rows_from(p, x, first);
  half_state<D> state;
  clear<D>(state);
  if (r.any_low < r.any_high) {
    float s[4][4];
    multiply_keys<T, D, 4, true>(p, t.q + first * half_stride(D), t.k, r.any_high, s);
    if (r.all_low > 0 || r.all_high < FV_SHORT_QUERIES) {
      hide<4>(p, x, r, 0, s);
    }
    soften<D, 4>(unit_of(p), s, state);
    multiply_values<T, D, 4, true>(p, s, t.v, r.any_high, false, state.out);
    if (__any_sync(0xffffffffu, !all_finite(state))) {
#pragma unroll
      for (int i = 0; i < D / 2; i++) {
        state.out[i / 4][i % 4] = 0;
      }
      multiply_values<T, D, 4, true>(p, s, t.v, r.any_high, true, state.out);
    }
  }
  finish<D>(p, x, head, first, state);
}

template <class T, int D>
FV_DEVICE void attention_short(const fv_attention_args &p, unsigned char *shared) {
  const int pairs = (p.heads + FV_SHORT_HEADS - 1) / FV_SHORT_HEADS, warp = (int)threadIdx.x / 32;
  const int first_tile = p.batch.counts[FV_COUNT_MIDDLE_TILES], last_tile = p.batch.counts[FV_COUNT_SMALL_TILES];
  for (int i = first_tile * pairs + (int)blockIdx.x; i < last_tile * pairs; i += (int)gridDim.x) {
    const fv_sequence x = sequence_of(p, p.batch.small_tiles[i / pairs * 2]);
    const int first_head = i % pairs * FV_SHORT_HEADS, head = first_head + warp / 2, first = warp % 2 * 16;
    copy_heads<T, D>(p, x, first_head, shared);
    cp_async_commit();
    cp_async_wait<0>();
    __syncthreads();
    if (head < p.heads && first < x.queries) {
      attend_rows<T, D>(p, x, tiles_at<T, D>(shared, warp / 2), head, first);
    }
    __syncthreads();
  }
}

#define FV_SHORT_KERNEL(T, D, blocks)                                                       \
  FV_KERNEL(fv_attention_##T##_##D##_short, fv_attention_args, FV_ATTENTION_THREADS, blocks) { \
    FV_SHARED(shared);                                                                      \
    attention_short<T, D>(p, shared);                                                       \
  }
FV_SHORT_KERNEL(f16, 32, 6)
FV_SHORT_KERNEL(f16, 64, 4)
FV_SHORT_KERNEL(bf16, 32, 6)
FV_SHORT_KERNEL(bf16, 64, 4)
