#include "cuda/ops/pool/pool.h"

#include "cuda/ops/rows.h"

namespace {

constexpr int WARPS = FV_POOL_THREADS / 32;

struct Tokens {
  int begin, end;
};

/* The tokens that the mode takes. */
FV_DEVICE Tokens tokens_of(const fv_pool_params &p, int sequence) {
  const int begin = p.batch.offsets[sequence], end = p.batch.offsets[sequence + 1];
  if (begin == end || p.mode == FOVEA_POOLING_MEAN) return {begin, end};
  return p.mode == FOVEA_POOLING_CLS ? Tokens{begin, begin + 1} : Tokens{end - 1, end};
}

/* The mean of the column first + threadIdx.x over the tokens, 0 without any. sums [WARPS, FV_POOL_COLUMNS] */
template <class T>
FV_DEVICE float mean(const fv_pool_params &p, Tokens tokens, int first, float *sums) {
  const int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
  const int column = first + lane * FV_CHUNK;
  const bool aligned = is_aligned<T>(p.x);
  float sum[FV_CHUNK] = {};
  if (column < p.x.columns) {
#pragma unroll 2
    for (int t = tokens.begin + warp; t < tokens.end; t += WARPS) {
      float v[FV_CHUNK];
      load_chunk(row_of<const T>(p.x, t) + column, p.x.columns - column, aligned, v);
#pragma unroll
      for (int i = 0; i < FV_CHUNK; i++) sum[i] += v[i];
    }
  }
  __syncthreads(); /* the sums before were read */
  store_vector(sums + warp * FV_POOL_COLUMNS + lane * FV_CHUNK, sum);
  __syncthreads();
  float total = 0;
  for (int w = 0; w < WARPS; w++) total += sums[w * FV_POOL_COLUMNS + (int)threadIdx.x];
  return tokens.begin < tokens.end ? total / (float)(tokens.end - tokens.begin) : 0;
}

template <class T>
FV_DEVICE void pool(const fv_pool_params &p, int sequence, float *sums) {
  const Tokens tokens = tokens_of(p, sequence);
  float divisor = 1;
  if (p.normalize) {
    float squares = 0;
    for (int first = 0; first < p.x.columns; first += FV_POOL_COLUMNS) {
      const float x = mean<T>(p, tokens, first, sums);
      squares = fmaf(x, x, squares); /* columns past the last are 0 */
    }
    const float length = sqrtf(group_sum<FV_POOL_THREADS>(squares, sums));
    divisor = length < 1e-12f ? 1e-12f : length;
  }
  for (int first = 0; first < p.x.columns; first += FV_POOL_COLUMNS) {
    const float x = mean<T>(p, tokens, first, sums) / divisor;
    const int column = first + (int)threadIdx.x;
    if (column < p.x.columns) store_one(p.out, sequence, column, x);
  }
}

}  // namespace

FV_KERNEL(fv_pool, fv_pool_params, FV_POOL_THREADS, 4) {
  FV_SHARED(shared);
  const int sequence = (int)blockIdx.x;
  if (sequence >= p.batch.counts[FV_COUNT_SEQUENCES]) return;
  with_type(p.x.dtype, [&](auto type) { pool<decltype(type)>(p, sequence, (float *)shared); });
}
