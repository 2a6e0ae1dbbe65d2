/* The kernels of linear90.h. */
#include "cuda/ops/linear90/linear90.h"

#include "cuda/gpu90.h"

#if FV_HOPPER

#include "cuda/ops/linear/finish.h"
#include "cuda/ops/owned.h"

namespace {

/* Registers of a thread that brings tiles, and of one that computes. */
constexpr int kFewRegisters = 24, kManyRegisters = 240;
/* Named barrier: the turn of a computing group. */
constexpr int kTurn = 1;
/* Tiles of rows side by side in the order of tiles, so that blocks share rows of x and of W in the L2 cache. */
constexpr int kBand = 8;

template <class T_, int M, int OUTPUTS, int STAGES, int SHARERS>
struct Tile {
  using T = T_;
  static constexpr int blocks = M, outputs = OUTPUTS, stages = STAGES, sharers = SHARERS;
  static constexpr int group_rows = 64 * M, rows = group_rows * SHARERS;
  static constexpr int x_bytes = rows * 128, w_bytes = OUTPUTS * 128, stage_bytes = x_bytes + w_bytes;
  static constexpr int columns = FV_LINEAR90_COLUMNS(OUTPUTS);
};

/* The shared memory of a block. */
template <class K>
struct Room {
  unsigned char *tiles;   /* [stages]: x [rows, 128 bytes], w [outputs, 128 bytes] */
  float *sums;            /* [8 warps, 16, columns] */
  uint64_t *full, *empty; /* [stages] */

  FV_DEVICE explicit Room(unsigned char *base)
      : tiles(base), sums((float *)(base + K::stages * K::stage_bytes)),
        full((uint64_t *)((unsigned char *)sums + FV_LINEAR90_SUMS(K::outputs))), empty(full + K::stages) {}
};

/* Where stage number n of all that a block brings lies, and its parity. */
template <class K>
struct Stage {
  int index, parity;

  FV_DEVICE explicit Stage(int n) : index(n % K::stages), parity(n / K::stages % 2) {}
};

/* The tiles of a batch, and those of a block. */
template <class K>
struct Tiles {
  int rows, down, across;
  int row, output; /* of the tile */

  FV_DEVICE explicit Tiles(const fv_linear_params &p)
      : rows(*p.rows), down((rows + K::rows - 1) / K::rows), across((p.outputs + K::outputs - 1) / K::outputs) {}

  /* Whether the block has a tile of number t. */
  FV_DEVICE bool has(int t) const { return (int)blockIdx.x + t * (int)gridDim.x < down * across; }

  /* Down each band, column by column. */
  FV_DEVICE void take(int t) {
    const int i = (int)blockIdx.x + t * (int)gridDim.x, band = i / (kBand * across), rest = i % (kBand * across);
    const int height = min(kBand, down - band * kBand);
    row = (band * kBand + rest % height) * K::rows;
    output = rest / height * K::outputs;
  }
};

/* One thread brings the tiles of x and W of all the block's tiles. */
template <class K>
FV_DEVICE void bring(const fv_linear90_params &p, const Room<K> &room, Tiles<K> &tiles) {
  const int steps = (p.linear.inputs + FV_LINEAR90_DEPTH - 1) / FV_LINEAR90_DEPTH;
  for (int t = 0, n = 0; tiles.has(t); t++) {
    tiles.take(t);
    for (int k = 0; k < steps; k++, n++) {
      const Stage<K> stage(n);
      unsigned char *to = room.tiles + stage.index * K::stage_bytes;
      barrier_wait(room.empty + stage.index, stage.parity ^ 1); /* the phase before the first counts as ended */
      barrier_expect(room.full + stage.index, K::stage_bytes);
      tma_load(to, &p.x, room.full + stage.index, k * FV_LINEAR90_DEPTH, tiles.row);
      tma_load(to + K::x_bytes, &p.w, room.full + stage.index, k * FV_LINEAR90_DEPTH, tiles.output);
    }
  }
}

/* sums (+)= x W^T of a stage; issued, not waited for. */
template <class K>
FV_DEVICE void issue(float (&sums)[K::blocks][K::outputs / 2], const unsigned char *x, const unsigned char *w,
                     bool accumulate) {
#pragma unroll
  for (int m = 0; m < K::blocks; m++) wgmma_own(sums[m]);
  wgmma_fence();
#pragma unroll
  for (int i = 0; i < FV_LINEAR90_DEPTH / 16; i++) {
#pragma unroll
    for (int m = 0; m < K::blocks; m++) {
      wgmma_ss<typename K::T, kMajorK>(sums[m], descriptor(x + m * 64 * 128 + i * 32, 128, 1024, 16),
                                       descriptor(w + i * 32, 128, 1024, 16), i > 0 || accumulate);
    }
  }
  wgmma_commit();
}

/* A group's sums of a tile, from registers through shared memory to out: 16 rows a warp, some columns at a time. */
template <class K>
FV_DEVICE void finish_tile(const fv_linear_params &p, float *kept, const float (&sums)[K::blocks][K::outputs / 2],
                           int first_row, int first_output, int rows) {
  constexpr int across = K::outputs / K::columns, chunks = K::columns / FV_CHUNK;
  const int lane = threadIdx.x % 32, warp_row = first_row + threadIdx.x % 128 / 32 * 16;
#pragma unroll 1
  for (int part = 0; part < K::blocks * across; part++) {
#pragma unroll
    for (int s = 0; s < K::blocks * across; s++) {
      if (s != part) continue;
#pragma unroll
      for (int i = 0; i < K::columns / 2; i += 2) {
        const float *pair = sums[s / across] + s % across * (K::columns / 2) + i;
        const int at = sum_at<K::columns>(lane / 4 + i / 2 % 2 * 8, i / 4 * 8 + lane % 4 * 2);
        *(float2 *)(kept + at) = make_float2(pair[0], pair[1]);
      }
    }
    __syncwarp();
    const int block_row = warp_row + part / across * 64, block_output = first_output + part % across * K::columns;
#pragma unroll 1
    for (int c = lane; c < 16 * chunks; c += 32) {
      const int row = block_row + c / chunks, output = block_output + c % chunks * FV_CHUNK;
      if (row >= rows || output >= p.outputs) continue;
      float v[FV_CHUNK];
      load_vector(kept + sum_at<K::columns>(c / chunks, c % chunks * FV_CHUNK), v);
      finish_chunk<false>(p, row, output, v);
    }
    __syncwarp();
  }
}

/* A group of 128 threads computes every other tile, or its rows of every tile. */
template <class K>
FV_DEVICE void compute(const fv_linear90_params &p, const Room<K> &room, Tiles<K> &tiles, int group) {
  constexpr bool alternate = K::sharers == 1;
  const int steps = (p.linear.inputs + FV_LINEAR90_DEPTH - 1) / FV_LINEAR90_DEPTH;
  const int lane = threadIdx.x % 32, group_row = alternate ? 0 : group * K::group_rows;
  float *kept = room.sums + (threadIdx.x / 32 - 4) * 16 * K::columns;
  float sums[K::blocks][K::outputs / 2];
  for (int t = alternate ? group : 0; tiles.has(t); t += alternate ? 2 : 1) {
    tiles.take(t);
    /* The stages of the tile before have landed: no barrier is two phases behind. */
    if (alternate && t > 0) named_sync(kTurn + group, 256);
    for (int k = 0; k < steps; k++) {
      const int n = t * steps + k;
      const Stage<K> stage(n), before(n - 1);
      const unsigned char *x = room.tiles + stage.index * K::stage_bytes;
      barrier_wait(room.full + stage.index, stage.parity);
      issue<K>(sums, x + group_row * 128, x + K::x_bytes, k > 0);
      wgmma_wait<1>();
      if (k > 0 && lane == 0) barrier_arrive(room.empty + before.index);
    }
    if (alternate && tiles.has(t + 1)) named_arrive(kTurn + (group ^ 1), 256);
    wgmma_wait<0>();
#pragma unroll
    for (int m = 0; m < K::blocks; m++) wgmma_own(sums[m]);
    if (lane == 0) barrier_arrive(room.empty + Stage<K>((t + 1) * steps - 1).index);
    finish_tile<K>(p.linear, kept, sums, tiles.row + group_row, tiles.output, tiles.rows);
  }
}

template <class K>
FV_DEVICE void multiply90(const fv_linear90_params &p, unsigned char *memory) {
  Tiles<K> tiles(p.linear);
  if (!tiles.has(0)) return;
  const Room<K> room(memory);
  if (threadIdx.x == 0) {
    for (int i = 0; i < K::stages; i++) {
      barrier_init(room.full + i, 1);
      barrier_init(room.empty + i, 4 * K::sharers); /* each warp that computes hands back what it has read */
    }
    barrier_init_fence();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    registers_less<kFewRegisters>();
    if (threadIdx.x == 0) {
      tma_prefetch(&p.x);
      tma_prefetch(&p.w);
      bring<K>(p, room, tiles);
    }
  } else {
    registers_more<kManyRegisters>();
    compute<K>(p, room, tiles, threadIdx.x / 128 - 1);
  }
}

}  // namespace

#define FV_LINEAR90(T, name, ...)                                                              \
  FV_KERNEL(fv_linear90_##T##_##name, fv_linear90_params, FV_LINEAR90_THREADS, 1) {            \
    FV_SHARED(memory);                                                                         \
    multiply90<Tile<T, __VA_ARGS__>>(p, memory);                                               \
  }

FV_LINEAR90(f16, wide, FV_LINEAR90_WIDE)
FV_LINEAR90(f16, large, FV_LINEAR90_LARGE)
FV_LINEAR90(f16, medium, FV_LINEAR90_MEDIUM)
FV_LINEAR90(f16, small, FV_LINEAR90_SMALL)
FV_LINEAR90(bf16, wide, FV_LINEAR90_WIDE)
FV_LINEAR90(bf16, large, FV_LINEAR90_LARGE)
FV_LINEAR90(bf16, medium, FV_LINEAR90_MEDIUM)
FV_LINEAR90(bf16, small, FV_LINEAR90_SMALL)

#endif
