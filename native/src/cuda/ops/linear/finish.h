/* The epilogue of a tile: from sums in shared memory to elements of out. */
#ifndef FOVEA_CUDA_LINEAR_FINISH_H
#define FOVEA_CUDA_LINEAR_FINISH_H

#include "cuda/ops/activation.h"
#include "cuda/ops/linear/linear.h"
#include "cuda/ops/rows.h"

/*
 * Where a sum of a tile lies, floats: rows of COLUMNS, a multiple of 16, whose chunks are exchanged so that neither the
 * fragments of a warp nor whole chunks meet in banks.
 */
template <int COLUMNS>
FV_DEVICE int sum_at(int row, int column) {
  static_assert(COLUMNS % 16 == 0, "chunks are exchanged in their row");
  const int exchange = COLUMNS % 32 == 0 ? row & 3 : row & 1;
  return row * COLUMNS + ((column / FV_CHUNK) ^ exchange) * FV_CHUNK + column % FV_CHUNK;
}

/* Four columns of out from a chunk of gates and what they gate. */
template <bool EXACT>
FV_DEVICE void finish_gated(const fv_linear_params &p, long long row, int column, const float (&v)[FV_CHUNK]) {
  float y[FV_CHUNK / 2];
#pragma unroll
  for (int i = 0; i < FV_CHUNK / 2; i++) y[i] = v[2 * i];
  activate<EXACT>(p.activation, y);
#pragma unroll
  for (int i = 0; i < FV_CHUNK / 2; i++) y[i] *= v[2 * i + 1];
  const int count = p.out.columns - column / 2;
  with_type(p.out.dtype, [&](auto type) {
    using T = decltype(type);
    T *out = row_of<T>(p.out, row) + column / 2;
    store_half_chunk(out, count, is_aligned<T>(p.out), y);
  });
}

template <bool EXACT>
FV_DEVICE void finish_chunk(const fv_linear_params &p, long long row, int column, float (&v)[FV_CHUNK]) {
  if (p.bias) {
    float bias[FV_CHUNK];
    load_chunk(p.bias + column, p.outputs - column, is_aligned(p.bias, 0), bias);
#pragma unroll
    for (int i = 0; i < FV_CHUNK; i++) v[i] += bias[i];
  }
  if (p.gated) {
    finish_gated<EXACT>(p, row, column, v);
    return;
  }
  activate<EXACT>(p.activation, v);
  if (p.residual.data) {
    float residual[FV_CHUNK];
    load(p.residual, row, column, residual);
#pragma unroll
    for (int i = 0; i < FV_CHUNK; i++) v[i] += residual[i];
  }
  store(p.out, row, column, v);
}

/*
 * What most layers with a residual do: sums + bias + residual, both matrices of type T. A thread keeps to its columns,
 * and asks for several rows of the residual before it needs the first.
 */
template <class T, int ROWS, int COLUMNS, int THREADS>
FV_DEVICE void finish_sum(const fv_linear_params &p, const float *sums, int first_row, int first_output, int rows) {
  constexpr int ACROSS = COLUMNS / FV_CHUNK, DOWN = THREADS / ACROSS;
  constexpr int ASKED = ROWS / DOWN < 1 ? 1 : ROWS / DOWN < 4 ? ROWS / DOWN : 4;
  const int chunk = (int)threadIdx.x % ACROSS, column = first_output + chunk * FV_CHUNK, count = p.outputs - column;
  if (count <= 0) return;
  const bool aligned = is_aligned<T>(p.out), residual_aligned = is_aligned<T>(p.residual);
  float bias[FV_CHUNK] = {};
  if (p.bias) load_chunk(p.bias + column, count, is_aligned(p.bias, 0), bias);
  for (int first = (int)threadIdx.x / ACROSS; first < ROWS; first += ASKED * DOWN) {
    float residual[ASKED][FV_CHUNK];
#pragma unroll
    for (int i = 0; i < ASKED; i++) {
      const int row = first_row + first + i * DOWN;
      if (row < rows) load_chunk(row_of<const T>(p.residual, row) + column, count, residual_aligned, residual[i]);
    }
#pragma unroll
    for (int i = 0; i < ASKED; i++) {
      const int row = first_row + first + i * DOWN;
      if (row >= rows) break;
      float v[FV_CHUNK];
      load_vector(sums + sum_at<COLUMNS>(first + i * DOWN, chunk * FV_CHUNK), v);
#pragma unroll
      for (int j = 0; j < FV_CHUNK; j++) v[j] = (v[j] + bias[j]) + residual[i][j];
      store_chunk(row_of<T>(p.out, row) + column, count, aligned, v);
    }
  }
}

/*
 * sums [ROWS, COLUMNS] as sum_at says, of the tile that begins at a row and an output; rows: of the batch. T is the
 * type of the weights.
 */
template <class T, int ROWS, int COLUMNS, int THREADS>
FV_DEVICE void finish(const fv_linear_params &p, const float *sums, int first_row, int first_output, int rows) {
  const bool sum = p.residual.data && p.activation == FOVEA_ACTIVATION_NONE && p.residual.dtype == p.out.dtype;
  if (sum && with_float_or<T>(p.out.dtype, [&](auto type) {
        finish_sum<decltype(type), ROWS, COLUMNS, THREADS>(p, sums, first_row, first_output, rows);
      })) {
    return;
  }
  for (int c = (int)threadIdx.x; c < ROWS * COLUMNS / FV_CHUNK; c += THREADS) {
    const int row = c / (COLUMNS / FV_CHUNK), column = c % (COLUMNS / FV_CHUNK) * FV_CHUNK;
    if (first_row + row >= rows || first_output + column >= p.outputs) continue;
    float v[FV_CHUNK];
    load_vector(sums + sum_at<COLUMNS>(row, column), v);
    finish_chunk<sizeof(T) == sizeof(float)>(p, first_row + row, first_output + column, v);
  }
}

#endif
