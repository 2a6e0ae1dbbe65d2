/* The kernels of attention90.h. */
#include "cuda/ops/attention90/attention90.h"

#include "cuda/gpu90.h"

#if FV_HOPPER

#include "cuda/ops/attention90/item.h"
#include "cuda/ops/attention90/plain.h"
#include "cuda/ops/attention90/softmax.h"
#include "cuda/ops/owned.h"

namespace {

using namespace attention90;

/* Registers of a thread that brings tiles, and of one that computes. */
constexpr int kFewRegisters = 24, kManyRegisters = 240;
/* Named barriers: the turn of a computing group, and a meeting of the threads of one. */
constexpr int kTurn = 1, kMeeting = 3;

template <class T_, int DIM, int KEYS, bool WINDOW, bool SOFTCAP>
struct Kernel90 {
  using T = T_;
  static constexpr int dim = DIM, keys = KEYS, spans = FV_ATTENTION90_SPANS(DIM), stages = FV_ATTENTION90_STAGES(DIM);
  static constexpr bool window = WINDOW, softcap = SOFTCAP;
  static constexpr int span_bytes = KEYS * 128, tile_bytes = spans * span_bytes;   /* of keys or values */
  static constexpr int q_span_bytes = FV_TILE_LARGE * 128, q_bytes = spans * q_span_bytes;
};

/* The shared memory of a block. Each barrier has parity 0 in its first phase. */
template <class K>
struct Shared {
  unsigned char *q, *k, *v; /* q [spans, queries, 128 bytes]; k and v [stages, spans, keys, 128 bytes] */
  uint64_t *q_full, *q_empty, *k_full, *k_empty, *v_full, *v_empty; /* of k and v [stages] */
  Item *items; /* [2], in turn; there when the item's queries are */

  FV_DEVICE explicit Shared(unsigned char *base)
      : q(base), k(q + K::q_bytes), v(k + K::stages * K::tile_bytes),
        q_full((uint64_t *)(v + K::stages * K::tile_bytes)), q_empty(q_full + 1), k_full(q_full + 2),
        k_empty(k_full + K::stages), v_full(k_empty + K::stages), v_empty(v_full + K::stages),
        items((Item *)(v_empty + K::stages)) {}

  /* Each warp that computes hands back what it has read. */
  FV_DEVICE void init() const {
    barrier_init(q_full, 1);
    barrier_init(q_empty, 8);
    for (int i = 0; i < K::stages; i++) {
      barrier_init(k_full + i, 1);
      barrier_init(v_full + i, 1);
      barrier_init(k_empty + i, 8);
      barrier_init(v_empty + i, 8);
    }
    barrier_init_fence();
  }
};

/* Where a tile of keys lies, and the parity of its phase: they go round. */
template <class K>
struct Stage {
  int index = 0, parity = 0;

  FV_DEVICE void advance() {
    if (++index == K::stages) {
      index = 0;
      parity ^= 1;
    }
  }
};

/* Tile row by row of the batch, span by span. */
template <class K>
FV_DEVICE void bring_tile(unsigned char *to, const fv_tensor_map *map, uint64_t *full, uint64_t *empty,
                          const Stage<K> &stage, int head, int row) {
  barrier_wait(empty + stage.index, stage.parity ^ 1); /* the phase before the first counts as ended */
  barrier_expect(full + stage.index, K::tile_bytes);
#pragma unroll 1
  for (int s = 0; s < K::spans; s++) {
    tma_load(to + stage.index * K::tile_bytes + s * K::span_bytes, map, full + stage.index, s * 64, head, row);
  }
}

/* One thread brings the queries, keys and values of all the block's items. */
template <class K>
FV_DEVICE void bring(const fv_attention90_params &p, const Shared<K> &shared) {
  Stage<K> stage;
  Items items;
  Item item;
  int number = 0;
  for (; items.next<K::keys, K::window>(p, item); number++) {
    const int kv_head = item.head / p.group;
    for (int j = item.last; j >= item.first; j--) {
      const int row = item.begin + j * K::keys;
      bring_tile<K>(shared.k, &p.k, shared.k_full, shared.k_empty, stage, kv_head, row);
      if (j == item.last) {
        barrier_wait(shared.q_empty, number % 2 ^ 1);
        shared.items[number % 2] = item;
        barrier_expect(shared.q_full, K::q_bytes);
#pragma unroll 1
        for (int s = 0; s < K::spans; s++) {
          tma_load(shared.q + s * K::q_span_bytes, &p.q, shared.q_full, s * 64, item.head, item.begin + item.query);
        }
      }
      bring_tile<K>(shared.v, &p.v, shared.v_full, shared.v_empty, stage, kv_head, row);
      stage.advance();
    }
  }
  barrier_wait(shared.q_empty, number % 2 ^ 1);
  shared.items[number % 2] = item;
  barrier_arrive(shared.q_full);
}

/* s = Q K^T of 64 queries and a tile of keys; issued, not waited for. */
template <class K>
FV_DEVICE void issue_scores(float (&s)[K::keys / 2], const unsigned char *q, const unsigned char *k) {
  wgmma_own(s);
  wgmma_fence();
#pragma unroll
  for (int i = 0; i < K::dim / 16; i++) {
    wgmma_ss<typename K::T, kMajorK>(s, descriptor(q + i / 4 * K::q_span_bytes + i % 4 * 32, 128, 1024, 16),
                                     descriptor(k + i / 4 * K::span_bytes + i % 4 * 32, 128, 1024, 16), i > 0);
  }
  wgmma_commit();
}

/* o (+)= P V of 64 queries and a tile of values; issued, not waited for. */
template <class K>
FV_DEVICE void issue_values(float (&o)[K::dim / 2], uint32_t (&weights)[K::keys / 4], const unsigned char *v,
                            bool accumulate) {
  wgmma_own(o);
  wgmma_own(weights);
  wgmma_fence();
#pragma unroll
  for (int i = 0; i < K::keys / 16; i++) {
    wgmma_rs<typename K::T, kMajorMN>(o, weights + i * 4, descriptor(v + i * 16 * 128, 128, 1024, K::span_bytes),
                                      i > 0 || accumulate);
  }
  wgmma_commit();
}

/*
 * Zeros the values from row first of a tile on, which belong to other sequences or to none: their weights are 0, but
 * 0 NaN is NaN. Both groups do it, each before its own product.
 */
template <class K>
FV_DEVICE void zero_values(unsigned char *v, int first, int group, int thread) {
  for (int s = 0; s < K::spans; s++) {
    for (int i = first * 8 + thread; i < K::keys * 8; i += 128) {
      *(uint4 *)(v + s * K::span_bytes + i * 16) = make_uint4(0, 0, 0, 0);
    }
  }
  fence_async();
  named_sync(kMeeting + group, 128);
}

/* A group of 128 threads computes 64 queries of each item. */
template <class K>
FV_DEVICE void compute(const fv_attention90_params &p, const Shared<K> &shared, int group) {
  const int thread = threadIdx.x % 128, lane = threadIdx.x % 32;
  const unsigned char *q = shared.q + group * 64 * 128;
  const auto hand_back = [&](uint64_t *barrier) {
    if (lane == 0) barrier_arrive(barrier);
  };
  const auto take_turn = [&] { named_sync(kTurn + group, 256); };
  const auto give_turn = [&] { named_arrive(kTurn + (group ^ 1), 256); };
  float s[K::keys / 2], o[K::dim / 2];
  uint32_t weights[K::keys / 4];
  Stage<K> stage;
  if (group == 1) give_turn();
  for (int parity = 0;; parity ^= 1) {
    barrier_wait(shared.q_full, parity);
    const Item &item = shared.items[parity];
    if (item.head < 0) break;
    const int first = item.first, last = item.last;
    Rows<K> rows(p, item, group, thread);
    barrier_wait(shared.k_full + stage.index, stage.parity);
    take_turn();
    issue_scores<K>(s, q, shared.k + stage.index * K::tile_bytes);
    give_turn();
    wgmma_wait<0>();
    wgmma_own(s);
    hand_back(shared.k_empty + stage.index);
    rows.weigh(s, last * K::keys, true);
    rows.template round<typename K::T>(s, weights);
    if (const int behind = item.length - last * K::keys; behind < K::keys) {
      barrier_wait(shared.v_full + stage.index, stage.parity);
      zero_values<K>(shared.v + stage.index * K::tile_bytes, behind, group, thread);
    }
    for (int j = last - 1; j >= first; j--) {
      const Stage<K> before = stage;
      stage.advance();
      barrier_wait(shared.k_full + stage.index, stage.parity);
      take_turn();
      issue_scores<K>(s, q, shared.k + stage.index * K::tile_bytes);
      barrier_wait(shared.v_full + before.index, before.parity);
      issue_values<K>(o, weights, shared.v + before.index * K::tile_bytes, j < last - 1);
      give_turn();
      wgmma_wait<1>();
      wgmma_own(s);
      hand_back(shared.k_empty + stage.index);
      rows.weigh(s, j * K::keys, K::window && rows.is_edge(j * K::keys));
      wgmma_wait<0>();
      wgmma_own(o);
      wgmma_own(weights);
      hand_back(shared.v_empty + before.index);
      rows.fade(o);
      rows.template round<typename K::T>(s, weights);
    }
    hand_back(shared.q_empty);
    barrier_wait(shared.v_full + stage.index, stage.parity);
    issue_values<K>(o, weights, shared.v + stage.index * K::tile_bytes, last > first);
    wgmma_wait<0>();
    wgmma_own(o);
    wgmma_own(weights);
    hand_back(shared.v_empty + stage.index);
    stage.advance();
    rows.finish(p, item, o);
  }
  if (group == 0) take_turn(); /* the last that was given */
}

template <class K>
FV_DEVICE void attend90(const fv_attention90_params &p, unsigned char *memory) {
  if (p.batch.counts[FV_COUNT_LARGE_TILES] == 0) return;
  const Shared<K> shared(memory);
  if (threadIdx.x == 0) shared.init();
  __syncthreads();
  if (threadIdx.x < 128) {
    registers_less<kFewRegisters>();
    if (threadIdx.x == 0) {
      tma_prefetch(&p.q);
      tma_prefetch(&p.k);
      tma_prefetch(&p.v);
      bring<K>(p, shared);
    }
  } else {
    registers_more<kManyRegisters>();
    compute<K>(p, shared, threadIdx.x / 128 - 1);
  }
}

}  // namespace

#define FV_ATTENTION90(T, dim, name, keys, window, softcap)                                                       \
  FV_KERNEL(fv_attention90_##T##_##dim##_##name, fv_attention90_params, FV_ATTENTION90_THREADS, 1) {                 \
    FV_SHARED(memory);                                                                                            \
    attend90<Kernel90<T, dim, keys, window, softcap>>(p, memory);                                                 \
  }
#define FV_ATTENTION90_OF(T, dim)                                                          \
  FV_ATTENTION90(T, dim, full, FV_ATTENTION90_FULL_KEYS(dim), false, false)                \
  FV_ATTENTION90(T, dim, window, FV_ATTENTION90_WINDOW_KEYS(dim), true, false)             \
  FV_ATTENTION90(T, dim, softcap, FV_ATTENTION90_WINDOW_KEYS(dim), true, true)

FV_ATTENTION90_OF(bf16, 64)
FV_ATTENTION90_OF(bf16, 96)
FV_ATTENTION90_OF(bf16, 128)
FV_ATTENTION90_OF(bf16, 256)
FV_ATTENTION90_OF(f16, 64)
FV_ATTENTION90_OF(f16, 96)
FV_ATTENTION90_OF(f16, 128)
FV_ATTENTION90_OF(f16, 256)

#endif
