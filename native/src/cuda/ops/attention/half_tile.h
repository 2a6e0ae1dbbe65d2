/* Tiles of 64 rows of a half type in shared memory: how rows come there, as they are or converted and turned. */
#ifndef FOVEA_CUDA_ATTENTION_HALF_TILE_H
#define FOVEA_CUDA_ATTENTION_HALF_TILE_H

#include "cuda/ops/attention/rows.h"
#include "cuda/ops/rows.h"

/* Rows of a tile, of queries as of keys. */
#define FV_HALF_ROWS 64

/* Halves from one row of a tile to the next: ldmatrix reads eight rows, 16 bytes each, without conflicts of banks. */
FV_DEVICE constexpr int half_stride(int dim) { return dim + 8; }

/* Turns columns [c, c + 8) of a row, which x holds. vectors: the row begins at a multiple of 16 bytes and ends at one. */
template <class S>
FV_DEVICE void turn8(const fv_attention_args &p, const S *row, int c, int dim, bool vectors, const float *angles,
                     float (&x)[8]) {
  const int pairs = p.rope_dim / 2;
  if (p.rope_layout == FOVEA_ROPE_INTERLEAVED) {
#pragma unroll
    for (int i = 0; i < 8; i += 2) {
      const int pair = (c + i) / 2;
      if (pair < pairs) {
        const float cosine = angles[pair], sine = angles[pairs + pair], first = x[i], second = x[i + 1];
        x[i] = turned(first, second, cosine, sine);
        x[i + 1] = turned(second, -first, cosine, sine);
      }
    }
    return;
  }
  if (c % 8 == 0 && pairs % 8 == 0) { /* all eight are of one half, and so are their partners */
    const bool first = c < pairs;
    const int pair = first ? c : c - pairs, other = first ? c + pairs : pair;
    float y[8];
    load_chunk(row + other, dim - other, vectors, y);
#pragma unroll
    for (int i = 0; i < 8; i++) {
      x[i] = turned(x[i], first ? y[i] : -y[i], angles[pair + i], angles[pairs + pair + i]);
    }
    return;
  }
  for (int i = 0; i < 8; i++) {
    const int e = c + i;
    if (e < p.rope_dim) {
      const bool first = e < pairs;
      const int pair = first ? e : e - pairs;
      const float y = to_float(row[first ? e + pairs : pair]);
      x[i] = turned(x[i], first ? y : -y, angles[pair], angles[pairs + pair]);
    }
  }
}

/*
 * Rows into a tile of T [FV_HALF_ROWS, half_stride(D)], zeros behind count rows and from dim on. Row r begins at
 * base + r stride; with position >= 0 it is turned to position + r.
 */
template <class T, int D, class S>
FV_DEVICE void convert_rows(const fv_attention_args &p, T *tile, const S *base, long long stride, int count, int dim,
                            bool vectors, int position) {
#pragma unroll 1
  for (int i = threadIdx.x; i < FV_HALF_ROWS * (D / 8); i += FV_ATTENTION_THREADS) {
    const int r = i / (D / 8), c = i % (D / 8) * 8;
    float x[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    if (r < count) {
      const S *row = base + r * stride;
      load_chunk(row + c, dim - c, vectors, x);
      if (position >= 0 && c < p.rope_dim) {
        turn8(p, row, c, dim, vectors, angles_of(p, position + r), x);
      }
    }
    store_vector(tile + r * half_stride(D) + c, x);
  }
}

/* The same of rows of T that are copied as they are and hold D elements; they land when the thread waits. */
template <class T, int D>
FV_DEVICE void copy_rows(T *tile, const T *base, long long stride, int count) {
#pragma unroll 4
  for (int i = threadIdx.x; i < FV_HALF_ROWS * (D / 8); i += FV_ATTENTION_THREADS) {
    const int r = i / (D / 8), c = i % (D / 8) * 8;
    cp_async16(tile + r * half_stride(D) + c, base + (r < count ? r * stride : 0) + c, r < count ? 16 : 0);
  }
}

#endif
