#include "cuda/ops/logits/logits.h"
#include "cuda/ops/rows.h"

namespace {

/* A sum and what its rounding lost. */
struct Sum {
  float high, low;
};

/* Knuth's exact sum of two floats, and the low parts; the order of the two makes no difference. */
FV_DEVICE Sum operator+(Sum a, Sum b) {
  const float high = a.high + b.high, part = high - a.high;
  const float lost = (a.high - (high - part)) + (b.high - part);
  return {high, (a.low + b.low) + lost};
}

template <int GROUP>
FV_DEVICE Sum group_sum(Sum sum, Sum *shared) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) sum = sum + Sum{shfl_xor(sum.high, lanes), shfl_xor(sum.low, lanes)};
  if (GROUP == 32) return sum;
  __syncthreads(); /* what was shared before was read */
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = sum;
  __syncthreads();
  sum = shared[0];
  for (int w = 1; w < GROUP / 32; w++) sum = sum + shared[w];
  return sum;
}

template <class T, int GROUP>
struct Logits {
  const T *x;
  int columns;
  bool aligned;

  template <class F>
  FV_DEVICE void each(F f) const {
    for (int column = (int)threadIdx.x % GROUP * FV_CHUNK; column < columns; column += GROUP * FV_CHUNK) {
      float v[FV_CHUNK];
      load_chunk(x + column, columns - column, aligned, v);
      f(column, v);
    }
  }

  FV_DEVICE float peak() const {
    float peak = -INFINITY;
    each([&](int column, const float(&v)[FV_CHUNK]) {
#pragma unroll
      for (int i = 0; i < FV_CHUNK; i++) {
        if (column + i < columns) peak = fmaxf(peak, v[i]);
      }
    });
    return peak;
  }

  /* The sum of e^(x - peak) over this thread's columns. */
  FV_DEVICE Sum sum(float peak) const {
    Sum sum = {0, 0};
    each([&](int column, const float(&v)[FV_CHUNK]) {
      float e[FV_CHUNK];
#pragma unroll
      for (int i = 0; i < FV_CHUNK; i++) e[i] = column + i < columns ? expf(v[i] - peak) : 0;
      sum = sum + Sum{((e[0] + e[1]) + (e[2] + e[3])) + ((e[4] + e[5]) + (e[6] + e[7])), 0};
    });
    return sum;
  }
};

template <int GROUP>
FV_DEVICE void log_softmax(const fv_log_softmax_params &p, void *shared) {
  const long long row = row_of_group<GROUP>();
  if (row >= *p.rows) return;
  with_type(p.x.dtype, [&](auto type) {
    using T = decltype(type);
    const Logits<T, GROUP> x = {row_of<const T>(p.x, row), p.x.columns, is_aligned<T>(p.x)};
    const float peak = group_max<GROUP>(x.peak(), (float *)shared);
    const Sum sum = group_sum<GROUP>(x.sum(peak), (Sum *)shared);
    const float log_sum = logf(sum.high) + sum.low / sum.high;
    x.each([&](int column, float(&v)[FV_CHUNK]) {
#pragma unroll
      for (int i = 0; i < FV_CHUNK; i++) v[i] = (v[i] - peak) - log_sum;
      store(p.out, row, column, v);
    });
  });
}

}  // namespace

FV_KERNEL(fv_log_softmax_rows, fv_log_softmax_params, 128, 8) { log_softmax<32>(p, nullptr); }

FV_KERNEL(fv_log_softmax_wide, fv_log_softmax_params, FV_LOGITS_WIDE_THREADS, 2) {
  FV_SHARED(shared);
  log_softmax<FV_LOGITS_WIDE_THREADS>(p, shared);
}
