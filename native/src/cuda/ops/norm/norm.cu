#include "cuda/ops/norm/norm.h"

#include "cuda/ops/rows.h"

namespace {

/* A row, of whose chunks each thread of the group holds the first few of its own. */
template <class T, int GROUP>
struct Row {
  static constexpr int HELD = FV_NORM_WARP_COLUMNS / 32 / FV_CHUNK;

  const T *x;
  int columns;
  bool aligned;
  float held[HELD][FV_CHUNK];

  FV_DEVICE void load(const fv_view &view, long long row) {
    x = row_of<const T>(view, row);
    columns = view.columns;
    aligned = is_aligned<T>(view);
#pragma unroll
    for (int c = 0; c < HELD; c++) {
      const int column = first() + c * GROUP * FV_CHUNK;
      if (column < columns) load_chunk(x + column, columns - column, aligned, held[c]);
    }
  }

  FV_DEVICE int first() const { return (int)threadIdx.x % GROUP * FV_CHUNK; }

  /* Calls f with the column of each chunk of this thread and its values. */
  template <class F>
  FV_DEVICE void each(F f) const {
#pragma unroll
    for (int c = 0; c < HELD; c++) {
      const int column = first() + c * GROUP * FV_CHUNK;
      if (column < columns) f(column, held[c]);
    }
#pragma unroll 1
    for (int column = first() + HELD * GROUP * FV_CHUNK; column < columns; column += GROUP * FV_CHUNK) {
      float v[FV_CHUNK];
      load_chunk(x + column, columns - column, aligned, v);
      f(column, v);
    }
  }

  /* The sum over columns of (x - shift)^power. */
  template <int POWER>
  FV_DEVICE float sum(float shift, float *shared) const {
    float sum = 0;
    each([&](int column, const float(&v)[FV_CHUNK]) {
#pragma unroll
      for (int i = 0; i < FV_CHUNK; i++) {
        const float d = column + i < columns ? v[i] - shift : 0;
        sum = POWER == 2 ? fmaf(d, d, sum) : sum + d;
      }
    });
    return group_sum<GROUP>(sum, shared);
  }
};

template <class T, class Out, int GROUP>
FV_DEVICE void norm(const fv_norm_params &p, long long row, float *shared) {
  Row<T, GROUP> x;
  x.load(p.x, row);
  const float width = (float)x.columns;
  float shift = 0, scale, divisor = 1;
  if (p.op == FOVEA_CUDA_OP_LAYER_NORM) {
    shift = x.template sum<1>(0, shared) / width;
    scale = 1 / sqrtf(x.template sum<2>(shift, shared) / width + p.epsilon);
  } else {
    const float squares = x.template sum<2>(0, shared);
    const float length = sqrtf(squares);
    scale = p.gamma ? 1 / sqrtf(squares / width + p.epsilon) : 1;
    divisor = p.gamma ? 1 : length < 1e-12f ? 1e-12f : length;
  }
  Out *out = row_of<Out>(p.out, row);
  const bool aligned = is_aligned<Out>(p.out);
  x.each([&](int column, const float(&v)[FV_CHUNK]) {
    const int count = x.columns - column;
    float gamma[FV_CHUNK], y[FV_CHUNK];
    if (p.gamma) load_chunk(p.gamma + column, count, is_aligned(p.gamma, 0), gamma);
#pragma unroll
    for (int i = 0; i < FV_CHUNK; i++) y[i] = p.gamma ? (v[i] - shift) * scale * gamma[i] : v[i] / divisor;
    if (p.beta) {
      load_chunk(p.beta + column, count, is_aligned(p.beta, 0), gamma);
#pragma unroll
      for (int i = 0; i < FV_CHUNK; i++) y[i] += gamma[i];
    }
    store_chunk(out + column, count, aligned, y);
  });
}

template <int GROUP>
FV_DEVICE void norm_row(const fv_norm_params &p, float *shared) {
  const long long row = row_of_group<GROUP>();
  if (row >= *p.rows) return;
  with_type(p.x.dtype, [&](auto x) {
    with_type(p.out.dtype, [&](auto out) { norm<decltype(x), decltype(out), GROUP>(p, row, shared); });
  });
}

}  // namespace

FV_KERNEL(fv_norm_rows, fv_norm_params, 128, 6) { norm_row<32>(p, nullptr); }

FV_KERNEL(fv_norm_wide, fv_norm_params, FV_NORM_WIDE_THREADS, 3) {
  FV_SHARED(shared);
  norm_row<FV_NORM_WIDE_THREADS>(p, (float *)shared);
}
