/*
 * A row of attention90.cu without tensor cores. A product of tiles multiplies masked values by 0, and 0 NaN is NaN; so a
 * row in which NaN or infinity came out is computed once more from the keys and values that it attends to alone.
 */
#ifndef FOVEA_CUDA_ATTENTION90_PLAIN_H
#define FOVEA_CUDA_ATTENTION90_PLAIN_H

#include "cuda/ops/attention90/item.h"

namespace attention90 {

/* The product of query q and key k, [DIM]; with a softcap its tanh. */
template <class T, int DIM, bool SOFTCAP>
FV_DEVICE float plain_score(const fv_attention90_params &p, const T *q, const T *k) {
  float s = 0;
#pragma unroll 8
  for (int i = 0; i < DIM; i++) s = fmaf(to_float(q[i]), to_float(k[i]), s);
  return SOFTCAP ? 1 - __fdividef(2.0f, exp2_fast(p.slope * s) + 1) : s;
}

/* A warp computes and writes the row of a query. */
template <class T, int DIM, bool SOFTCAP>
FV_DEVICE void attend_plainly(const fv_attention90_params &p, const Item &item, int query, int lane) {
  const int low = max(query - p.left, 0), high = min(query + p.right + 1, item.length);
  const long long row = item.begin + query, column = item.head / p.group * DIM;
  const T *q = (const T *)p.queries + row * p.query_stride + item.head * DIM;
  const T *k = (const T *)p.keys + item.begin * p.key_stride + column;
  const T *v = (const T *)p.values + item.begin * p.value_stride + column;
  float peak = -INFINITY;
  for (int key = low + lane; key < high; key += 32) {
    peak = fmaxf(peak, plain_score<T, DIM, SOFTCAP>(p, q, k + key * p.key_stride));
  }
  peak = warp_max(peak);
  const float scaled = peak == -INFINITY ? 0 : peak * p.unit;
  float sum = 0, o[DIM / 32];
#pragma unroll
  for (int e = 0; e < DIM / 32; e++) o[e] = 0;
  for (int begin = low; begin < high; begin += 32) {
    const int key = begin + lane;
    const float weight =
        key < high
            ? exp2_fast(fmaf(plain_score<T, DIM, SOFTCAP>(p, q, k + key * p.key_stride), p.unit, -scaled))
            : 0;
    sum += weight;
    for (int j = 0; j < 32 && begin + j < high; j++) {
      const float w = shfl(weight, j);
      const T *value = v + (begin + j) * p.value_stride;
#pragma unroll
      for (int e = 0; e < DIM / 32; e++) o[e] = fmaf(w, to_float(value[e * 32 + lane]), o[e]);
    }
  }
  sum = warp_sum(sum);
  T *out = (T *)p.out + row * p.out_stride + item.head * DIM;
#pragma unroll
  for (int e = 0; e < DIM / 32; e++) out[e * 32 + lane] = from_float<T>(sum == 0 ? 0 : o[e] / sum);
}

}  // namespace attention90

#endif
