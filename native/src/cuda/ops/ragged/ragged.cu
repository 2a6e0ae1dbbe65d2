#include "cuda/ops/ragged/ragged.h"

#include "cuda/ops/rows.h"

namespace {

constexpr int TILE = FV_RAGGED_TILE, DEPTH = FV_RAGGED_DEPTH, STRIDE = FV_RAGGED_STRIDE;
constexpr int SIDE = 16;          /* threads along a side of the tile */
constexpr int OWN = TILE / SIDE;  /* elements of a thread along a side */

/*
 * A tile of one product of depth terms per element.
 *
 *   left(i, d), right(d, j)  factors; 0 outside
 *   put(i, j, x)             where an element goes, if it is inside
 */
template <class Left, class Right, class Put>
FV_DEVICE void multiply(int depth, float *shared, Left left, Right right, Put put) {
  float *lefts = shared, *rights = shared + DEPTH * STRIDE; /* [DEPTH, STRIDE] each */
  const int thread = (int)threadIdx.x, x = thread % SIDE, y = thread / SIDE;
  float sums[OWN][OWN] = {};
  for (int first = 0; first < depth; first += DEPTH) {
    __syncthreads(); /* the tiles before were read */
    for (int e = thread; e < TILE * DEPTH; e += FV_RAGGED_THREADS) {
      const int d = e / TILE, i = e % TILE;
      lefts[d * STRIDE + i] = first + d < depth ? left(i, first + d) : 0;
      rights[d * STRIDE + i] = first + d < depth ? right(first + d, i) : 0;
    }
    __syncthreads();
#pragma unroll 4
    for (int d = 0; d < DEPTH; d++) {
      float a[OWN], b[OWN];
      for (int i = 0; i < OWN; i++) a[i] = lefts[d * STRIDE + y * OWN + i];
      for (int j = 0; j < OWN; j++) b[j] = rights[d * STRIDE + x * OWN + j];
#pragma unroll
      for (int i = 0; i < OWN; i++) {
#pragma unroll
        for (int j = 0; j < OWN; j++) sums[i][j] = fmaf(a[i], b[j], sums[i][j]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < OWN; i++) {
#pragma unroll
    for (int j = 0; j < OWN; j++) put(y * OWN + i, x * OWN + j, sums[i][j]);
  }
}

}  // namespace

/* Grid: tiles of queries, tiles of columns. */
FV_KERNEL(fv_ragged_matmul, fv_ragged_params, FV_RAGGED_THREADS, 3) {
  FV_SHARED(shared);
  static_assert(FV_RAGGED_TILE == FV_TILE_SMALL, "tiles of rows are those of the batch");
  if ((int)blockIdx.x >= p.batch.counts[FV_COUNT_SMALL_TILES]) return;
  const int sequence = p.batch.small_tiles[2 * blockIdx.x];
  const int row = p.batch.offsets[sequence] + p.batch.small_tiles[2 * blockIdx.x + 1];
  const int rows = p.batch.offsets[sequence + 1] - row, column = (int)blockIdx.y * TILE, columns = p.n - column;
  multiply(
      p.a.columns, (float *)shared, [&](int i, int d) { return i < rows ? load_one(p.a, row + i, d) : 0; },
      [&](int d, int j) { return j < columns ? load_one(p.b, sequence, d * p.n + column + j) : 0; },
      [&](int i, int j, float x) {
        if (i < rows && j < columns) store_one(p.out, row + i, column + j, x);
      });
}

/* Grid: sequences, tiles of columns of a times tiles of columns of b. */
FV_KERNEL(fv_ragged_matmul_transposed, fv_ragged_params, FV_RAGGED_THREADS, 3) {
  FV_SHARED(shared);
  const int sequence = (int)blockIdx.x;
  if (sequence >= p.batch.counts[FV_COUNT_SEQUENCES]) return;
  const int begin = p.batch.offsets[sequence], tokens = p.batch.offsets[sequence + 1] - begin;
  const int across = (p.n + TILE - 1) / TILE;
  const int row = (int)blockIdx.y / across * TILE, column = (int)blockIdx.y % across * TILE;
  const int rows = p.a.columns - row, columns = p.n - column;
  multiply(
      tokens, (float *)shared, [&](int i, int d) { return i < rows ? load_one(p.a, begin + d, row + i) : 0; },
      [&](int d, int j) { return j < columns ? load_one(p.b, begin + d, column + j) : 0; },
      [&](int i, int j, float x) {
        if (i < rows && j < columns) store_one(p.out, sequence, (row + i) * p.n + column + j, x);
      });
}
