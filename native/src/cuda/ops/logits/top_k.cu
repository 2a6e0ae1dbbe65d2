/*
 * TOP_K and GATHER. Elements are ranked by a key of 64 bits: its upper half orders floats as fovea.h does, its lower
 * half puts lower columns first. Every thread keeps the best few keys of its columns; the best of all is taken k times,
 * and a thread whose few are all taken looks for the next ones in its columns.
 */
#include "cuda/ops/logits/logits.h"
#include "cuda/ops/rows.h"

namespace {

constexpr int KEPT = 4;

/* Never 0, and larger for what ranks before. */
FV_DEVICE uint64_t key_of(float x, int column) {
  uint32_t rank = 0; /* of NaN */
  if (x == 0) {
    rank = 0x80000000u; /* of either sign */
  } else if (x == x) {
    const uint32_t bits = __float_as_uint(x);
    rank = bits >> 31 ? ~bits : bits | 0x80000000u;
  }
  return (uint64_t)rank << 32 | (0xffffffffu - (uint32_t)column);
}

FV_DEVICE int column_of(uint64_t key) { return (int)(0xffffffffu - (uint32_t)key); }

FV_DEVICE void enter(uint64_t key, uint64_t (&best)[KEPT]) {
  if (key <= best[KEPT - 1]) return;
  best[KEPT - 1] = key;
#pragma unroll
  for (int i = KEPT - 1; i > 0; i--) {
    const uint64_t above = best[i - 1], below = best[i];
    best[i - 1] = above > below ? above : below;
    best[i] = above > below ? below : above;
  }
}

/* The best keys below a bound of this thread's columns, 0 where there are no more. */
template <class T, int GROUP>
FV_DEVICE void find(const fv_view &x, long long row, uint64_t bound, uint64_t (&best)[KEPT]) {
  const T *values = row_of<const T>(x, row);
  const bool aligned = is_aligned<T>(x);
#pragma unroll
  for (int i = 0; i < KEPT; i++) best[i] = 0;
  for (int column = (int)threadIdx.x % GROUP * FV_CHUNK; column < x.columns; column += GROUP * FV_CHUNK) {
    float v[FV_CHUNK];
    load_chunk(values + column, x.columns - column, aligned, v);
#pragma unroll
    for (int i = 0; i < FV_CHUNK; i++) {
      const uint64_t key = key_of(v[i], column + i);
      if (column + i < x.columns && key < bound) enter(key, best);
    }
  }
}

/* The largest of a group; shared [2, GROUP / 32], of which calls take the halves in turn. */
template <int GROUP>
FV_DEVICE uint64_t group_most(uint64_t key, int call, uint64_t *shared) {
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const uint64_t other = shfl_xor(key, lanes);
    key = other > key ? other : key;
  }
  if (GROUP == 32) return key;
  uint64_t *half = shared + call % 2 * (GROUP / 32);
  if (threadIdx.x % 32 == 0) half[threadIdx.x / 32] = key;
  __syncthreads();
  key = half[0];
  for (int w = 1; w < GROUP / 32; w++) key = half[w] > key ? half[w] : key;
  return key;
}

template <class T, int GROUP>
FV_DEVICE void top_k(const fv_top_k_params &p, long long row, uint64_t *shared) {
  uint64_t best[KEPT];
  find<T, GROUP>(p.x, row, ~0ull, best);
  for (int i = 0; i < p.indices.columns; i++) {
    const uint64_t most = group_most<GROUP>(best[0], i, shared);
    if (threadIdx.x % GROUP == 0) row_of<int>(p.indices, row)[i] = column_of(most);
    if (best[0] != most) continue;
#pragma unroll
    for (int j = 0; j + 1 < KEPT; j++) best[j] = best[j + 1];
    best[KEPT - 1] = 0;
    if (best[0] == 0) find<T, GROUP>(p.x, row, most, best);
  }
}

template <int GROUP>
FV_DEVICE void top_k_row(const fv_top_k_params &p, uint64_t *shared) {
  const long long row = row_of_group<GROUP>();
  if (row >= *p.rows) return;
  with_type(p.x.dtype, [&](auto type) { top_k<decltype(type), GROUP>(p, row, shared); });
}

}  // namespace

FV_KERNEL(fv_top_k_rows, fv_top_k_params, 128, 8) { top_k_row<32>(p, nullptr); }

FV_KERNEL(fv_top_k_wide, fv_top_k_params, FV_LOGITS_WIDE_THREADS, 2) {
  FV_SHARED(shared);
  top_k_row<FV_LOGITS_WIDE_THREADS>(p, (uint64_t *)shared);
}

FV_KERNEL(fv_gather, fv_gather_params, 128, 8) {
  const long long row = row_of_group<32>();
  if (row >= *p.rows) return;
  for (int i = (int)threadIdx.x % 32; i < p.out.columns; i += 32) {
    const int column = row_of<const int>(p.indices, row)[i];
    const bool inside = column >= 0 && column < p.x.columns;
    store_one(p.out, row, i, inside ? load_one(p.x, row, column) : NAN);
  }
}
