/*
 * Products with F32 weights. A thread has rows y, y + SIDE_Y, ... and columns x, x + SIDE_X, ... of the tile, and reads
 * four inputs of each at a time: neighbours in x lie in different banks, neighbours in y share what they read.
 */
#include "cuda/ops/linear/finish.h"
#include "cuda/ops/linear/linear.h"

namespace {

/* LOOSE: x of any alignment. */
template <int ROWS, int OUTPUTS, int DEPTH, int STAGES, int M, int N, bool LOOSE>
struct FloatProduct {
  static constexpr int SIDE_X = OUTPUTS / N, SIDE_Y = ROWS / M;
  static constexpr int THREADS = SIDE_X * SIDE_Y;
  static constexpr int STRIDE = DEPTH + FV_LINEAR_FLOAT_GAP;
  static constexpr int STAGE = (ROWS + OUTPUTS) * STRIDE; /* floats */
  static constexpr int CHUNKS = DEPTH / 4;                /* of 16 bytes */
  static_assert(SIDE_X == 16 && THREADS % 64 == 0, "a warp has 8 columns and 4 rows of threads");

  const fv_linear_params &p;
  float *shared;
  int first_row, first_output, rows;
  float sums[M][N] = {};

  FV_DEVICE int x() const { return (int)threadIdx.x % 8 + (int)threadIdx.x / 32 % 2 * 8; }
  FV_DEVICE int y() const { return (int)threadIdx.x % 32 / 8 + (int)threadIdx.x / 64 * 4; }

  template <int TILE>
  FV_DEVICE void bring(float *tile, const float *matrix, long long stride, int first, int count, int input) {
#pragma unroll
    for (int c = 0; c < TILE * CHUNKS; c += THREADS) {
      const int e = c + (int)threadIdx.x;
      if (TILE * CHUNKS % THREADS != 0 && e >= TILE * CHUNKS) break;
      const int row = e / CHUNKS, chunk = e % CHUNKS;
      const int left = first + row < count ? 4 * (p.inputs - input - chunk * 4) : 0;
      const int bytes = left < 0 ? 0 : left > 16 ? 16 : left;
      const float *source = bytes > 0 ? matrix + (first + row) * stride + input + chunk * 4 : matrix;
      cp_async16(tile + row * STRIDE + chunk * 4, source, bytes);
    }
  }

  FV_DEVICE void bring_loose(float *tile, int input) {
    for (int e = (int)threadIdx.x; e < ROWS * DEPTH; e += THREADS) {
      const int row = e / DEPTH, i = e % DEPTH;
      const bool inside = first_row + row < rows && input + i < p.inputs;
      tile[row * STRIDE + i] = inside ? row_of<const float>(p.x, first_row + row)[input + i] : 0;
    }
  }

  FV_DEVICE void bring_stage(int step) {
    float *stage = shared + step % STAGES * STAGE;
    const int input = step * DEPTH;
    if (LOOSE) {
      bring_loose(stage, input);
    } else {
      bring<ROWS>(stage, (const float *)p.x.data, p.x.stride, first_row, rows, input);
    }
    bring<OUTPUTS>(stage + ROWS * STRIDE, (const float *)p.weight, p.weight_stride, first_output, p.outputs, input);
  }

  FV_DEVICE void multiply_stage(int step) {
    const float *stage = shared + step % STAGES * STAGE;
    const float *left = stage + y() * STRIDE, *right = stage + (ROWS + x()) * STRIDE;
#pragma unroll 1
    for (int i = 0; i < DEPTH; i += 4) {
      float4 a[M];
#pragma unroll
      for (int m = 0; m < M; m++) a[m] = *(const float4 *)(left + m * SIDE_Y * STRIDE + i);
#pragma unroll
      for (int n = 0; n < N; n++) {
        const float4 b = *(const float4 *)(right + n * SIDE_X * STRIDE + i);
#pragma unroll
        for (int m = 0; m < M; m++) {
          sums[m][n] = fmaf(a[m].x, b.x, sums[m][n]);
          sums[m][n] = fmaf(a[m].y, b.y, sums[m][n]);
          sums[m][n] = fmaf(a[m].z, b.z, sums[m][n]);
          sums[m][n] = fmaf(a[m].w, b.w, sums[m][n]);
        }
      }
    }
  }

  FV_DEVICE void multiply() {
    const int steps = (p.inputs + DEPTH - 1) / DEPTH;
#pragma unroll 1
    for (int s = 0; s < STAGES - 1; s++) {
      if (s < steps) bring_stage(s);
      cp_async_commit();
    }
    for (int step = 0; step < steps; step++) {
      cp_async_wait<STAGES - 2>();
      __syncthreads();
      if (step + STAGES - 1 < steps) bring_stage(step + STAGES - 1);
      cp_async_commit();
      multiply_stage(step);
    }
    cp_async_wait<0>();
    __syncthreads(); /* the stages make room for the sums */
  }

  static FV_DEVICE void run(const fv_linear_params &p, float *shared) {
    const int rows = *p.rows, first_row = (int)blockIdx.y * ROWS, first_output = (int)blockIdx.x * OUTPUTS;
    if (first_row >= rows) return;
    FloatProduct product = {p, shared, first_row, first_output, rows};
    product.multiply();
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
      for (int n = 0; n < N; n++) {
        shared[sum_at<OUTPUTS>(product.y() + m * SIDE_Y, product.x() + n * SIDE_X)] = product.sums[m][n];
      }
    }
    __syncthreads();
    finish<float, ROWS, OUTPUTS, THREADS>(p, shared, first_row, first_output, rows);
  }
};

}  // namespace

#define FV_LINEAR_FLOAT(name, threads, blocks, loose, ...)   \
  FV_KERNEL(name, fv_linear_params, threads, blocks) {        \
    FV_SHARED(shared);                                        \
    FloatProduct<__VA_ARGS__, loose>::run(p, (float *)shared); \
  }

FV_LINEAR_FLOAT(fv_linear_f32_large, 256, 2, false, FV_LINEAR_FLOAT_LARGE)
FV_LINEAR_FLOAT(fv_linear_f32_medium, 256, 3, false, FV_LINEAR_FLOAT_MEDIUM)
FV_LINEAR_FLOAT(fv_linear_f32_small, 128, 8, false, FV_LINEAR_FLOAT_SMALL)
FV_LINEAR_FLOAT(fv_linear_f32_loose, 256, 3, true, FV_LINEAR_FLOAT_MEDIUM)
