/*
 * The softmax of attention90.cu. A group of 128 threads has 64 rows of scores; each thread has two of them, 8 apart, which
 * it shares with the three next to it: element i of a thread is of row i / 2 % 2 and key i / 4 * 8 + thread % 4 * 2 + i % 2
 * of the tile, as wgmma leaves it.
 */
#ifndef FOVEA_CUDA_ATTENTION90_SOFTMAX_H
#define FOVEA_CUDA_ATTENTION90_SOFTMAX_H

#include "cuda/ops/attention90/item.h"
#include "cuda/ops/attention90/plain.h"

namespace attention90 {

/* Transposes 4 by 4 words of four neighbours: word c of thread t becomes word t of thread c. */
FV_DEVICE void transpose_words(uint32_t (&w)[4], int lane) {
  const bool odd = lane & 1, high = lane & 2;
  const uint32_t a = shfl_xor(high ? w[0] : w[2], 2), b = shfl_xor(high ? w[1] : w[3], 2);
  (high ? w[0] : w[2]) = a;
  (high ? w[1] : w[3]) = b;
  const uint32_t c = shfl_xor(odd ? w[0] : w[1], 1), d = shfl_xor(odd ? w[2] : w[3], 1);
  (odd ? w[0] : w[1]) = c;
  (odd ? w[2] : w[3]) = d;
}

template <class K>
struct Rows {
  float peak[2], sum[2]; /* of scores so far; of this thread's weights alone */
  float factor[2];       /* of what was summed before the last tile */
  float unit, slope;
  int query[2];          /* counted from the start of the sequence */
  int low[2], high[2];   /* keys that the row sees, high excluded, less this thread's first column */
  int inner_low, inner_high; /* all 64 rows see the keys between */
  int length;

  FV_DEVICE Rows(const fv_attention90_params &p, const Item &item, int group, int thread)
      : unit(p.unit), slope(p.slope), length(item.length) {
    const int first = item.query + group * 64, column = thread % 4 * 2;
#pragma unroll
    for (int r = 0; r < 2; r++) {
      peak[r] = -INFINITY;
      sum[r] = 0;
      factor[r] = 1;
      query[r] = first + thread / 32 * 16 + thread % 32 / 4 + r * 8;
      low[r] = K::window ? query[r] - p.left - column : -column;
      high[r] = (K::window ? min(length, query[r] + p.right + 1) : length) - column;
    }
    inner_low = first + 63 - p.left;
    inner_high = min(length, first + p.right + 1);
  }

  /* Whether a row does not see all keys of the tile from key on. */
  FV_DEVICE bool is_edge(int key) const { return key < inner_low || key + K::keys > inner_high; }

  /* Scores of the tile from key on become weights, 2^(unit (s - peak)). */
  FV_DEVICE void weigh(float (&s)[K::keys / 2], int key, bool edge) {
    if (K::softcap) {
#pragma unroll
      for (int i = 0; i < K::keys / 2; i++) s[i] = 1 - __fdividef(2.0f, exp2_fast(slope * s[i]) + 1);
    }
    if (edge) {
      const int high0 = high[0] - key, high1 = high[1] - key, low0 = low[0] - key, low1 = low[1] - key;
#pragma unroll
      for (int i = 0; i < K::keys / 2; i++) {
        const int k = i / 4 * 8 + i % 2;
        if (k >= (i / 2 % 2 ? high1 : high0) || (K::window && k < (i / 2 % 2 ? low1 : low0))) s[i] = -INFINITY;
      }
    }
    float scaled[2];
#pragma unroll
    for (int r = 0; r < 2; r++) {
      float most = s[r * 2], other = s[r * 2 + 1];
#pragma unroll
      for (int i = 4; i < K::keys / 2; i += 4) {
        most = fmaxf(most, s[i + r * 2]);
        other = fmaxf(other, s[i + r * 2 + 1]);
      }
      most = fmaxf(peak[r], fmaxf(most, other));
      most = fmaxf(most, shfl_xor(most, 1));
      most = fmaxf(most, shfl_xor(most, 2));
      scaled[r] = most == -INFINITY ? 0 : most * unit; /* no key yet: all weights are 0 */
      factor[r] = exp2_fast(fmaf(peak[r], unit, -scaled[r]));
      peak[r] = most;
    }
    float even[2] = {0, 0}, odd[2] = {0, 0};
#pragma unroll
    for (int i = 0; i < K::keys / 2; i++) {
      const int r = i / 2 % 2;
      s[i] = exp2_fast(fmaf(s[i], unit, -scaled[r]));
      (i % 2 ? odd : even)[r] += s[i];
    }
    sum[0] = fmaf(sum[0], factor[0], even[0] + odd[0]);
    sum[1] = fmaf(sum[1], factor[1], even[1] + odd[1]);
  }

  /* Weights as the product with values takes them. */
  template <class T>
  FV_DEVICE void round(const float (&s)[K::keys / 2], uint32_t (&weights)[K::keys / 4]) const {
#pragma unroll
    for (int i = 0; i < K::keys / 4; i++) weights[i] = pack<T>(s[i * 2], s[i * 2 + 1]);
  }

  FV_DEVICE void fade(float (&o)[K::dim / 2]) const {
#pragma unroll
    for (int i = 0; i < K::dim / 2; i++) o[i] *= factor[i / 2 % 2];
  }

  /* Divides by the sums and writes the rows of the sequence, 16 bytes a thread. */
  FV_DEVICE void finish(const fv_attention90_params &p, const Item &item, float (&o)[K::dim / 2]) {
    using T = typename K::T;
    const int lane = threadIdx.x % 32;
    uint32_t astray[2] = {0, 0}; /* rows, as lanes have them, with NaN or infinity, which may be of a masked value */
#pragma unroll
    for (int r = 0; r < 2; r++) {
      float total = sum[r];
      total += shfl_xor(total, 1);
      total += shfl_xor(total, 2);
      const float scale = total == 0 ? 0 : 1 / total;
      float check = 0;
      if (K::window) {
#pragma unroll
        for (int i = r * 2; i < K::dim / 2; i += 4) check = fmaf(o[i + 1], 0.0f, fmaf(o[i], 0.0f, check));
        astray[r] = __ballot_sync(0xffffffffu, check != 0 && query[r] < length);
      }
      const bool written = query[r] < length && !(astray[r] >> (lane & ~3) & 15);
      T *out = (T *)p.out + (long long)(item.begin + query[r]) * p.out_stride + item.head * K::dim + lane % 4 * 8;
#pragma unroll
      for (int g = 0; g < K::dim / 32; g++) {
        uint32_t w[4];
#pragma unroll
        for (int c = 0; c < 4; c++) {
          const int i = (g * 4 + c) * 4 + r * 2;
          w[c] = pack<T>(o[i] * scale, o[i + 1] * scale);
        }
        transpose_words(w, lane);
        if (written) *(uint4 *)(out + g * 32) = make_uint4(w[0], w[1], w[2], w[3]);
      }
    }
    if (!K::window || !(astray[0] | astray[1])) return;
    const int first = shfl(query[0], 0);
#pragma unroll 1
    for (int i = 0; i < 16; i++) {
      if ((i < 8 ? astray[0] : astray[1]) >> i % 8 * 4 & 15) {
        attend_plainly<T, K::dim, K::softcap>(p, item, first + i, lane);
      }
    }
  }
};

}  // namespace attention90

#endif
