/*
 * Products with half weights. Warps share a tile as a grid; each multiplies fragments of 16 x 16 and 16 x 8 that
 * ldmatrix brings from shared memory. Chunks of 16 bytes are exchanged within their row, so that eight rows of a fragment lie in
 * different banks.
 */
#include "cuda/ops/linear/finish.h"
#include "cuda/ops/linear/linear.h"

namespace {

/* LOOSE: x of any type and alignment. */
template <class T, int ROWS, int OUTPUTS, int DEPTH, int STAGES, int DOWN, int ACROSS, bool LOOSE>
struct HalfProduct {
  static constexpr int THREADS = 32 * DOWN * ACROSS;
  static constexpr int CHUNKS = DEPTH / 8; /* of a row of a stage */
  static constexpr int STAGE = (ROWS + OUTPUTS) * DEPTH * 2; /* bytes */
  static constexpr int M = ROWS / DOWN / 16, N = OUTPUTS / ACROSS / 8; /* fragments of a warp */
  static_assert(CHUNKS == 8 || CHUNKS == 4, "exchange() knows these");
  static_assert(M >= 1 && N >= 1 && (N == 1 || N % 2 == 0), "fragments of W come in pairs");

  const fv_linear_params &p;
  unsigned char *shared;
  int first_row, first_output, rows;
  float sums[M][N][4] = {};

  /* Byte of a chunk in a tile. */
  static FV_DEVICE int at(int row, int chunk) {
    const int exchange = CHUNKS == 8 ? row & 7 : row >> 1 & 3;
    return (row * CHUNKS + (chunk ^ exchange)) * 16;
  }

  /* Brings chunks of a stage: those of a matrix of count rows from first on that begin at input. */
  template <int TILE>
  FV_DEVICE void bring(unsigned char *tile, const T *matrix, long long stride, int first, int count, int input) {
#pragma unroll
    for (int c = 0; c < TILE * CHUNKS; c += THREADS) {
      const int e = c + (int)threadIdx.x;
      if (TILE * CHUNKS % THREADS != 0 && e >= TILE * CHUNKS) break;
      const int row = e / CHUNKS, chunk = e % CHUNKS;
      const int left = first + row < count ? 2 * (p.inputs - input - chunk * 8) : 0;
      const int bytes = left < 0 ? 0 : left > 16 ? 16 : left;
      const T *source = bytes > 0 ? matrix + (first + row) * stride + input + chunk * 8 : matrix;
      cp_async16(tile + at(row, chunk), source, bytes);
    }
  }

  /* The same of x by plain loads, to the nearest of T. */
  FV_DEVICE void bring_loose(unsigned char *tile, int input) {
    for (int e = (int)threadIdx.x; e < ROWS * CHUNKS; e += THREADS) {
      const int row = e / CHUNKS, chunk = e % CHUNKS, column = input + chunk * 8;
      float v[FV_CHUNK] = {};
      if (first_row + row < rows && column < p.inputs) load(p.x, first_row + row, column, v);
      store_vector((T *)(tile + at(row, chunk)), v);
    }
  }

  FV_DEVICE void bring_stage(int step) {
    unsigned char *stage = shared + step % STAGES * STAGE;
    const int input = step * DEPTH;
    if (LOOSE) {
      bring_loose(stage, input);
    } else {
      bring<ROWS>(stage, (const T *)p.x.data, p.x.stride, first_row, rows, input);
    }
    bring<OUTPUTS>(stage + ROWS * DEPTH * 2, (const T *)p.weight, p.weight_stride, first_output, p.outputs, input);
  }

  /* Fragments of W: of 16 rows of W at a time, of 8 if the warp has no more. */
  FV_DEVICE void load_weights(const unsigned char *tile, int column, int chunk, uint32_t (&b)[N][2]) {
    const int lane = (int)threadIdx.x % 32;
    if constexpr (N == 1) {
      ldmatrix_x2(b[0], tile + at(column + lane % 8, chunk + lane / 8 % 2));
    } else {
#pragma unroll
      for (int n = 0; n < N; n += 2) {
        uint32_t r[4];
        ldmatrix_x4(r, tile + at(column + n * 8 + lane / 16 * 8 + lane % 8, chunk + lane / 8 % 2));
        b[n][0] = r[0], b[n][1] = r[1], b[n + 1][0] = r[2], b[n + 1][1] = r[3];
      }
    }
  }

  FV_DEVICE void multiply_stage(int step) {
    const unsigned char *stage = shared + step % STAGES * STAGE;
    const int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
    const int row = warp / ACROSS * M * 16, column = warp % ACROSS * N * 8;
#pragma unroll
    for (int k = 0; k < DEPTH / 16; k++) {
      uint32_t a[M][4], b[N][2];
#pragma unroll
      for (int m = 0; m < M; m++) ldmatrix_x4(a[m], stage + at(row + m * 16 + lane % 16, 2 * k + lane / 16));
      load_weights(stage + ROWS * DEPTH * 2, column, 2 * k, b);
#pragma unroll
      for (int m = 0; m < M; m++) {
#pragma unroll
        for (int n = 0; n < N; n++) mma<T>(sums[m][n], a[m], b[n]);
      }
    }
  }

  /* A step waits for its stage alone; the one that was read last is filled again while it multiplies. */
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

  FV_DEVICE void keep_sums() {
    const int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
    float *kept = (float *)shared;
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
      for (int n = 0; n < N; n++) {
        const int row = (warp / ACROSS * M + m) * 16 + lane / 4, column = (warp % ACROSS * N + n) * 8 + lane % 4 * 2;
        *(float2 *)(kept + sum_at<OUTPUTS>(row, column)) = make_float2(sums[m][n][0], sums[m][n][1]);
        *(float2 *)(kept + sum_at<OUTPUTS>(row + 8, column)) = make_float2(sums[m][n][2], sums[m][n][3]);
      }
    }
    __syncthreads();
  }

  static FV_DEVICE void run(const fv_linear_params &p, unsigned char *shared) {
    const int rows = *p.rows, first_row = (int)blockIdx.y * ROWS, first_output = (int)blockIdx.x * OUTPUTS;
    if (first_row >= rows) return;
    HalfProduct product = {p, shared, first_row, first_output, rows};
    product.multiply();
    product.keep_sums();
    finish<T, ROWS, OUTPUTS, THREADS>(p, (const float *)shared, first_row, first_output, rows);
  }
};

}  // namespace

#define FV_LINEAR_HALF(name, T, threads, blocks, loose, ...) \
  FV_KERNEL(name, fv_linear_params, threads, blocks) {        \
    FV_SHARED(shared);                                        \
    HalfProduct<T, __VA_ARGS__, loose>::run(p, shared);       \
  }

FV_LINEAR_HALF(fv_linear_f16_large, f16, 128, 2, false, FV_LINEAR_LARGE)
FV_LINEAR_HALF(fv_linear_f16_medium, f16, 128, 3, false, FV_LINEAR_MEDIUM)
FV_LINEAR_HALF(fv_linear_f16_small, f16, 128, 5, false, FV_LINEAR_SMALL)
FV_LINEAR_HALF(fv_linear_f16_loose, f16, 128, 3, true, FV_LINEAR_MEDIUM)
FV_LINEAR_HALF(fv_linear_bf16_large, bf16, 128, 2, false, FV_LINEAR_LARGE)
FV_LINEAR_HALF(fv_linear_bf16_medium, bf16, 128, 3, false, FV_LINEAR_MEDIUM)
FV_LINEAR_HALF(fv_linear_bf16_small, bf16, 128, 5, false, FV_LINEAR_SMALL)
FV_LINEAR_HALF(fv_linear_bf16_loose, bf16, 128, 3, true, FV_LINEAR_MEDIUM)
