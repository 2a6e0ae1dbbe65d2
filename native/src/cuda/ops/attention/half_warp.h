/*
 * What a warp does with its 16 queries of a half type: products with tiles of keys and of values on tensor cores, and the
 * softmax between them. Thread (g = lane / 4, t = lane % 4) holds rows g and g + 8, of each eight columns 2 t and 2 t + 1.
 */
#ifndef FOVEA_CUDA_ATTENTION_HALF_WARP_H
#define FOVEA_CUDA_ATTENTION_HALF_WARP_H

#include "cuda/ops/attention/half_tile.h"

/* What is summed so far. */
template <int D>
struct half_state {
  float out[D / 8][4];
  float peak[2], sum[2]; /* the sum of this thread's columns */
};

/* Nothing is summed yet. */
template <int D>
FV_DEVICE void clear(half_state<D> &state) {
  for (int i = 0; i < 2; i++) {
    state.peak[i] = -INFINITY;
    state.sum[i] = 0;
  }
#pragma unroll
  for (int n = 0; n < D / 8; n++) {
    state.out[n][0] = state.out[n][1] = state.out[n][2] = state.out[n][3] = 0;
  }
}

/* ---- products ------------------------------------------------------------------ */

/* s [16, 8 N] = Q K^T, over 32 keys at a time those that begin before end. q: the warp's queries. */
template <class T, int D, int N, bool plain>
FV_DEVICE void multiply_keys(const fv_attention_args &p, const T *q, const T *k, int end, float (&s)[N][4]) {
  constexpr int stride = half_stride(D);
  const int lane = threadIdx.x % 32;
  const T *q_row = q + lane % 16 * stride + lane / 16 * 8;
  const T *k_row = k + (lane % 8 + lane / 16 * 8) * stride + lane / 8 % 2 * 8;
#pragma unroll
  for (int half = 0; half < N / 4; half++) {
#pragma unroll
    for (int n = half * 4; n < half * 4 + 4; n++) {
      s[n][0] = s[n][1] = s[n][2] = s[n][3] = 0;
    }
    if (half * 32 >= end) {
      continue;
    }
#pragma unroll
    for (int c = 0; c < D; c += 16) {
      if (!plain && c >= p.head_dim) {
        break;
      }
      uint32_t a[4];
      ldmatrix_x4(a, q_row + c);
#pragma unroll
      for (int n = half * 4; n < half * 4 + 4; n += 2) {
        uint32_t b[4];
        ldmatrix_x4(b, k_row + n * 8 * stride + c);
        const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
        mma<T>(s[n], a, low);
        mma<T>(s[n + 1], a, high);
      }
    }
  }
}

/* The bits of 1 and of the exponent of infinity and NaN. */
template <class T>
struct half_bits;
template <>
struct half_bits<f16> {
  static constexpr uint32_t one = 0x3c00, exponent = 0x7c00;
};
template <>
struct half_bits<bf16> {
  static constexpr uint32_t one = 0x3f80, exponent = 0x7f80;
};

/* Both halves of a pair by f. */
template <class F>
FV_DEVICE uint32_t each_half(uint32_t pair, F f) {
  return f(pair & 0xffff) | f(pair >> 16) << 16;
}

/*
 * c [16, 8] += a b as if products with a = 0 were not there: what is not finite in b is left out of the product, and where
 * any of it meets a weight, infinity or NaN is added.
 */
template <class T>
FV_DEVICE void multiply_carefully(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  constexpr uint32_t one = half_bits<T>::one, exponent = half_bits<T>::exponent;
  uint32_t some[4], finite[2], above[2], below[2];
  float up[4] = {0, 0, 0, 0}, down[4] = {0, 0, 0, 0};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    some[i] = each_half(a[i], [](uint32_t h) { return (h & 0x7fff) != 0 ? one : 0; });
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    finite[i] = each_half(b[i], [](uint32_t h) { return (h & exponent) == exponent ? 0 : h; });
    above[i] = each_half(b[i], [](uint32_t h) { return (h & 0x7fff) > exponent || h == exponent ? one : 0; });
    below[i] = each_half(b[i], [](uint32_t h) { return (h & 0x7fff) > exponent || h == (exponent | 0x8000) ? one : 0; });
  }
  mma<T>(c, a, finite);
  mma<T>(up, some, above);
  mma<T>(down, some, below);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    c[i] += up[i] > 0 ? INFINITY : 0;
    c[i] += down[i] > 0 ? -INFINITY : 0;
  }
}

/* out [16, D] += P V, over 32 keys at a time those that begin before end. */
template <class T, int D, int N, bool plain>
FV_DEVICE void multiply_values(const fv_attention_args &p, const float (&s)[N][4], const T *v, int end, bool careful,
                               float (&out)[D / 8][4]) {
  constexpr int stride = half_stride(D);
  const int lane = threadIdx.x % 32;
  const T *v_row = v + lane % 16 * stride + lane / 16 * 8;
#pragma unroll
  for (int k = 0; k < N / 2; k++) {
    if (k / 2 * 32 >= end) {
      continue;
    }
    const uint32_t a[4] = {pack<T>(s[2 * k][0], s[2 * k][1]), pack<T>(s[2 * k][2], s[2 * k][3]),
                           pack<T>(s[2 * k + 1][0], s[2 * k + 1][1]), pack<T>(s[2 * k + 1][2], s[2 * k + 1][3])};
#pragma unroll
    for (int n = 0; n < D / 8; n += 2) {
      if (!plain && n * 8 >= p.value_dim) {
        break;
      }
      uint32_t b[4];
      ldmatrix_x4_trans(b, v_row + k * 16 * stride + n * 8);
      const uint32_t low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
      if (careful) {
        multiply_carefully<T>(out[n], a, low);
        multiply_carefully<T>(out[n + 1], a, high);
      } else {
        mma<T>(out[n], a, low);
        mma<T>(out[n + 1], a, high);
      }
    }
  }
}

/* ---- softmax ------------------------------------------------------------------- */

/* The 16 queries of a warp and the keys that all of them, or any, may see. */
struct half_rows {
  int first, last; /* last < first: there are none */
  int any_low, all_low, all_high, any_high;
};

FV_DEVICE half_rows rows_from(const fv_attention_args &p, const fv_sequence &x, int first) {
  half_rows r;
  r.first = first;
  r.last = first + 15 < x.queries ? first + 15 : x.queries - 1;
  r.any_low = low_key(p, x, r.first);
  r.all_low = low_key(p, x, r.last);
  r.all_high = high_key(p, x, r.first);
  r.any_high = high_key(p, x, r.last);
  return r;
}

/* What fovea.h does to scores after the product, in the tile of keys from key on. */
template <int N>
FV_DEVICE void adjust(const fv_attention_args &p, const fv_sequence &x, const half_rows &r, int head, int key,
                      float (&s)[N][4]) {
  const int lane = threadIdx.x % 32;
  const float slope = slope_of(p, head);
#pragma unroll
  for (int n = 0; n < N; n++) {
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const int query = r.first + lane / 4 + j / 2 * 8, column = key + n * 8 + lane % 4 * 2 + j % 2;
      if (query < x.queries && column < x.keys) {
        s[n][j] = adjusted<false>(p, x, head, query, column, s[n][j], slope);
      }
    }
  }
}

/* -infinity for what the window hides. */
template <int N>
FV_DEVICE void hide(const fv_attention_args &p, const fv_sequence &x, const half_rows &r, int key, float (&s)[N][4]) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    const int query = r.first + lane / 4 + i * 8;
    const int low = low_key(p, x, query) - key, high = high_key(p, x, query) - key;
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
      for (int j = 2 * i; j < 2 * i + 2; j++) {
        const int column = n * 8 + lane % 4 * 2 + j % 2;
        if (column < low || column >= high) {
          s[n][j] = -INFINITY;
        }
      }
    }
  }
}

/* Turns scores into weights under the rows' maxima, and what was summed before with them. */
template <int D, int N>
FV_DEVICE void soften(float unit, float (&s)[N][4], half_state<D> &state) {
#pragma unroll
  for (int i = 0; i < 2; i++) {
    float peak = state.peak[i];
#pragma unroll
    for (int n = 0; n < N; n++) {
      peak = fmaxf(peak, fmaxf(s[n][2 * i], s[n][2 * i + 1]));
    }
    peak = fmaxf(peak, shfl_xor(peak, 1));
    peak = fmaxf(peak, shfl_xor(peak, 2));
    const float factor = fade(state.peak[i], peak, unit);
    state.peak[i] = peak;
    float sum = 0;
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
      for (int j = 2 * i; j < 2 * i + 2; j++) {
        s[n][j] = weight_of(s[n][j], peak, unit);
        sum += s[n][j];
      }
    }
    state.sum[i] = state.sum[i] * factor + sum;
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      state.out[n][2 * i] *= factor;
      state.out[n][2 * i + 1] *= factor;
    }
  }
}

/* ---- results ------------------------------------------------------------------- */

/* out = o / l, 0 for a row that attended to nothing, and the lse. */
template <int D>
FV_DEVICE void finish(const fv_attention_args &p, const fv_sequence &x, int head, int first, const half_state<D> &state) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int i = 0; i < 2; i++) {
    float sum = state.sum[i];
    sum += shfl_xor(sum, 1);
    sum += shfl_xor(sum, 2);
    const int query = first + lane / 4 + i * 8;
    if (query >= x.queries) {
      continue;
    }
    const float inverse = sum == 0 ? 0 : 1 / sum;
    const long long at = query_at(p.out, x, query, head) + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < D / 8; n++) {
      const int column = n * 8 + lane % 4 * 2;
      if (column < p.value_dim) { /* + 0 makes -0 a 0: which of both depends on the tiles that were skipped */
        write_two(p, at + n * 8, state.out[n][2 * i] * inverse + 0.0f, state.out[n][2 * i + 1] * inverse + 0.0f,
                  column + 1 < p.value_dim);
      }
    }
    if (p.lse.data && lane % 4 == 0) {
      static_cast<float *>(p.lse.data)[query_at(p.lse, x, query, head)] = log_sum(p, state.peak[i], sum);
    }
  }
}

template <int D>
FV_DEVICE bool all_finite(const half_state<D> &state) {
  bool finite = true;
#pragma unroll
  for (int n = 0; n < D / 8; n++) {
    finite = finite && is_finite(state.out[n][0]) && is_finite(state.out[n][1]) && is_finite(state.out[n][2]) &&
             is_finite(state.out[n][3]);
  }
  return finite;
}

#endif
