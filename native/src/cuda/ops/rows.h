/*
 * Rows of matrices, as kernels read and write them: in chunks of 8 columns, whatever the type. Which chunk a lane has
 * does not depend on the alignment of a row, so neither do the bits of a sum.
 */
#ifndef FOVEA_CUDA_ROWS_H
#define FOVEA_CUDA_ROWS_H

#include "cuda/gpu.h"
#include "cuda/plan.h"

/* Columns of a chunk. */
#define FV_CHUNK 8

/* Whether the rows of a matrix may be read 16 bytes at a time: base and stride (bytes) are multiples of 16. */
FV_DEVICE bool is_aligned(const void *data, long long stride) {
  return (((uintptr_t)data | (uintptr_t)stride) & 15) == 0;
}

template <class T>
FV_DEVICE bool is_aligned(const fv_view &view) {
  return is_aligned(view.data, view.stride * (long long)sizeof(T));
}

template <class T>
FV_DEVICE T *row_of(const fv_view &view, long long row) {
  return (T *)view.data + row * view.stride;
}

/* ---- chunks of a known type ------------------------------------------------- */

template <class T>
FV_DEVICE void unpack2(uint32_t bits, float &low, float &high) {
  low = to_float(T{(uint16_t)bits});
  high = to_float(T{(uint16_t)(bits >> 16)});
}

FV_DEVICE void load_vector(const float *p, float (&v)[FV_CHUNK]) {
  const float4 a = *(const float4 *)p, b = *(const float4 *)(p + 4);
  v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w;
  v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
}

FV_DEVICE void load_vector(const float *p, float (&v)[FV_CHUNK / 2]) {
  const float4 a = *(const float4 *)p;
  v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w;
}

template <class T>
FV_DEVICE void load_vector(const T *p, float (&v)[FV_CHUNK]) {
  const uint4 a = *(const uint4 *)p;
  unpack2<T>(a.x, v[0], v[1]);
  unpack2<T>(a.y, v[2], v[3]);
  unpack2<T>(a.z, v[4], v[5]);
  unpack2<T>(a.w, v[6], v[7]);
}

FV_DEVICE void store_vector(float *p, const float (&v)[FV_CHUNK]) {
  *(float4 *)p = make_float4(v[0], v[1], v[2], v[3]);
  *(float4 *)(p + 4) = make_float4(v[4], v[5], v[6], v[7]);
}

template <class T>
FV_DEVICE void store_vector(T *p, const float (&v)[FV_CHUNK]) {
  *(uint4 *)p = make_uint4(pack<T>(v[0], v[1]), pack<T>(v[2], v[3]), pack<T>(v[4], v[5]), pack<T>(v[6], v[7]));
}

/* v = the first count of p, 0 behind them; aligned as is_aligned says. */
template <class T>
FV_DEVICE void load_chunk(const T *p, int count, bool aligned, float (&v)[FV_CHUNK]) {
  if (aligned && count >= FV_CHUNK) {
    load_vector(p, v);
    return;
  }
#pragma unroll
  for (int i = 0; i < FV_CHUNK; i++) v[i] = i < count ? to_float(p[i]) : 0;
}

/* The first count of v go to p. */
template <class T>
FV_DEVICE void store_chunk(T *p, int count, bool aligned, const float (&v)[FV_CHUNK]) {
  if (aligned && count >= FV_CHUNK) {
    store_vector(p, v);
    return;
  }
#pragma unroll
  for (int i = 0; i < FV_CHUNK; i++) {
    if (i < count) p[i] = from_float<T>(v[i]);
  }
}

FV_DEVICE void store_half_vector(float *p, const float (&v)[FV_CHUNK / 2]) {
  *(float4 *)p = make_float4(v[0], v[1], v[2], v[3]);
}

template <class T>
FV_DEVICE void store_half_vector(T *p, const float (&v)[FV_CHUNK / 2]) {
  *(uint2 *)p = make_uint2(pack<T>(v[0], v[1]), pack<T>(v[2], v[3]));
}

/* The first count of half a chunk go to p. */
template <class T>
FV_DEVICE void store_half_chunk(T *p, int count, bool aligned, const float (&v)[FV_CHUNK / 2]) {
  if (aligned && count >= FV_CHUNK / 2) {
    store_half_vector(p, v);
    return;
  }
#pragma unroll
  for (int i = 0; i < FV_CHUNK / 2; i++) {
    if (i < count) p[i] = from_float<T>(v[i]);
  }
}

/* ---- chunks of a type that a view names --------------------------------------- */

FV_DEVICE constexpr int dtype_of(float) { return FOVEA_DTYPE_F32; }
FV_DEVICE constexpr int dtype_of(f16) { return FOVEA_DTYPE_F16; }
FV_DEVICE constexpr int dtype_of(bf16) { return FOVEA_DTYPE_BF16; }

/* Calls f with a value of the type of a dtype; float for I32, which has its bytes. */
template <class F>
FV_DEVICE void with_type(int dtype, F f) {
  if (dtype == FOVEA_DTYPE_F16) {
    f(f16());
  } else if (dtype == FOVEA_DTYPE_BF16) {
    f(bf16());
  } else {
    f(float());
  }
}

/* Calls f with a float, or with a T if a dtype is T's; less code than with_type. False if it is neither. */
template <class T, class F>
FV_DEVICE bool with_float_or(int dtype, F f) {
  if (dtype == FOVEA_DTYPE_F32) {
    f(float());
    return true;
  }
  if (dtype != dtype_of(T())) return false;
  f(T());
  return true;
}

/* v = the chunk at a column of a row, 0 past the last column. */
FV_DEVICE void load(const fv_view &view, long long row, int column, float (&v)[FV_CHUNK]) {
  with_type(view.dtype, [&](auto type) {
    using T = decltype(type);
    load_chunk(row_of<const T>(view, row) + column, view.columns - column, is_aligned<T>(view), v);
  });
}

FV_DEVICE void store(const fv_view &view, long long row, int column, const float (&v)[FV_CHUNK]) {
  with_type(view.dtype, [&](auto type) {
    using T = decltype(type);
    store_chunk(row_of<T>(view, row) + column, view.columns - column, is_aligned<T>(view), v);
  });
}

FV_DEVICE float load_one(const fv_view &view, long long row, int column) {
  float x = 0;
  with_type(view.dtype, [&](auto type) { x = to_float(row_of<const decltype(type)>(view, row)[column]); });
  return x;
}

FV_DEVICE void store_one(const fv_view &view, long long row, int column, float x) {
  with_type(view.dtype, [&](auto type) {
    using T = decltype(type);
    row_of<T>(view, row)[column] = from_float<T>(x);
  });
}

/* ---- rows and the threads that have them ---------------------------------------- */

/*
 * The row of this thread's group of GROUP threads, of blocks that begin with rows in x: a warp, of which a block has
 * several, or a whole block.
 */
template <int GROUP>
FV_DEVICE long long row_of_group() {
  return GROUP == 32 ? (long long)blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32 : (long long)blockIdx.x;
}

/* The sequence of a token: the last that starts at or before it. */
FV_DEVICE int sequence_of(const fv_batch &batch, int token) {
  int low = 0, high = batch.counts[FV_COUNT_SEQUENCES] - 1;
  while (low < high) {
    const int middle = high - (high - low) / 2;
    if (batch.offsets[middle] <= token) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/* Sum over a group, in a fixed order; shared [GROUP / 32], not read with warps. Two calls may follow each other. */
template <int GROUP>
FV_DEVICE float group_sum(float v, float *shared) {
  v = warp_sum(v);
  if (GROUP == 32) return v;
  __syncthreads(); /* the sum before was read */
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;
  __syncthreads();
  float sum = shared[0];
  for (int w = 1; w < GROUP / 32; w++) sum += shared[w];
  return sum;
}

/* The largest of a group, likewise; passes over NaN. */
template <int GROUP>
FV_DEVICE float group_max(float v, float *shared) {
  v = warp_max(v);
  if (GROUP == 32) return v;
  __syncthreads();
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;
  __syncthreads();
  float most = shared[0];
  for (int w = 1; w < GROUP / 32; w++) most = fmaxf(most, shared[w]);
  return most;
}

#endif
