// One direct attention call of the emulated tests: its tensors under awkward strides, and what it should give by the naive
// formulas, in double and in the precision of the types.
#ifndef FOVEA_CUDA_ATTENTION_CASE_H
#define FOVEA_CUDA_ATTENTION_CASE_H

#include <memory>

#include "cuda/op_harness.h"

namespace attention {

constexpr double kInfinity = INFINITY;

struct Options {
  std::vector<int> queries, keys;
  int heads = 1, kv_heads = 1, head_dim = 32, value_dim = 32;
  int q_dtype = FOVEA_DTYPE_F32, kv_dtype = FOVEA_DTYPE_F32;
  int left = -1, right = -1, top_left = 0, rope = 0, rope_dim = 0;
  float scale = 0, softcap = 0;
  bool mask = false, bias = false, bias_rows = false, alibi = false, padded = false, paged = false, lse = false, weights = false;
  int gap = 0; // elements between rows
  unsigned seed = 1;
};

inline int longest(const std::vector<int> &lengths) { return *std::max_element(lengths.begin(), lengths.end()); }

inline std::vector<int> offsets_of(const std::vector<int> &lengths) {
  std::vector<int> offsets{0};
  for (int length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

// Flat memory of a type between guard bytes, NaN where nothing was written.
using Flat = op::Matrix;
inline std::unique_ptr<Flat> flat(int dtype, long long count, int offset = 0) {
  return std::make_unique<Flat>(dtype, 0, 1, static_cast<int>(std::max(count, 1ll)), 0, offset);
}

class Case {
 public:
  Options o;
  fovea_attention_params params = {};
  op::Batch batch;
  std::vector<int> q_offsets, kv_offsets, table;
  std::unique_ptr<Flat> q, k, v, out, lse, weights, bias, slopes, rope;
  std::vector<unsigned char> mask;

  explicit Case(const Options &options)
      : o(options), batch(options.queries, 0, 0), q_offsets(offsets_of(o.queries)), kv_offsets(offsets_of(o.keys)) {
    fovea_attention_params &p = params;
    p.struct_size = sizeof p;
    p.sequences = batch.sequences;
    p.heads = o.heads, p.kv_heads = o.kv_heads, p.head_dim = o.head_dim, p.value_dim = o.value_dim;
    p.q_dtype = o.q_dtype, p.kv_dtype = o.kv_dtype;
    p.scale = o.scale != 0 ? o.scale : 1 / std::sqrt(static_cast<float>(o.head_dim));
    p.softcap = o.softcap;
    p.window_left = o.left, p.window_right = o.right;
    p.alignment = o.top_left ? FOVEA_ALIGN_TOP_LEFT : FOVEA_ALIGN_BOTTOM_RIGHT;
    make_masks();
    make_rope();
    make_keys();
    make_queries();
  }

  int run(int compute_capability = 80) {
    op::Problem problem(FOVEA_CUDA_OP_ATTENTION, batch, compute_capability);
    problem.direct = &params;
    problem.x.data = q->data();
    problem.out.data = out->data();
    problem.keys = k->data();
    problem.values = v->data();
    problem.group.ends = kv_offsets.data();
    problem.group.page_table = o.paged ? table.data() : nullptr;
    problem.mask = o.mask ? mask.data() : nullptr;
    problem.bias = bias ? bias->data() : nullptr;
    problem.lse = lse ? lse->data() : nullptr;
    problem.weights = weights ? weights->data() : nullptr;
    problem.step.constants[0] = rope ? rope->address() : 0;
    problem.step.constants[1] = slopes ? slopes->address() : 0;
    const int status = problem.run();
    kernels = problem.kernels();
    return status;
  }
  std::string kernels; // of the last run

  // ---- places of elements

  static long long at(long long sequence_stride, int offset, int s, int token, long long token_stride) {
    return sequence_stride ? s * sequence_stride + token * token_stride : (offset + token) * token_stride;
  }
  long long q_at(int s, int i, int h) const {
    return at(params.q_sequence_stride, q_offsets[s], s, i, params.q_token_stride) + h * params.q_head_stride;
  }
  long long out_at(int s, int i, int h) const {
    return at(params.out_sequence_stride, q_offsets[s], s, i, params.out_token_stride) + h * params.out_head_stride;
  }
  long long lse_at(int s, int i, int h) const {
    return at(params.lse_sequence_stride, q_offsets[s], s, i, params.lse_token_stride) + h * params.lse_head_stride;
  }
  long long weights_at(int s, int i, int h) const {
    return at(params.weights_sequence_stride, q_offsets[s], s, i, params.weights_token_stride) +
           h * params.weights_head_stride;
  }
  long long key_at(bool values, int s, int j, int head) const {
    if (o.paged) {
      const long long page = table[s * params.page_table_stride + j / FOVEA_PAGE_KEYS];
      return ((page * o.kv_heads + head) * FOVEA_PAGE_KEYS + j % FOVEA_PAGE_KEYS) * (values ? o.value_dim : o.head_dim);
    }
    return values ? at(params.v_sequence_stride, kv_offsets[s], s, j, params.v_token_stride) + head * params.v_head_stride
                  : at(params.k_sequence_stride, kv_offsets[s], s, j, params.k_token_stride) + head * params.k_head_stride;
  }

  // ---- the naive formulas

  int diagonal(int s, int i) const { return o.top_left ? i : i + o.keys[s] - o.queries[s]; }

  bool attends(int s, int h, int i, int j) const {
    const int d = diagonal(s, i);
    if (o.left >= 0 && j < d - o.left) return false;
    if (o.right >= 0 && j > d + o.right) return false;
    if (o.mask && !mask[s * params.mask_sequence_stride + i * params.mask_query_stride + j]) return false;
    return !bias || bias_at(s, h, i, j) != -INFINITY;
  }
  float bias_at(int s, int h, int i, int j) const {
    const int row = o.bias_rows ? q_offsets[s] + i : i;
    return bias->get(0, static_cast<int>(h * params.bias_head_stride + row * params.bias_query_stride + j));
  }

  // A row by the formulas in R. rounding: the type that products multiply, F32 for none.
  template <class R>
  void row(int s, int h, int i, int rounding, std::vector<R> &w, std::vector<R> &result, R &log_sum) const {
    const int keys = o.keys[s], d = diagonal(s, i), kv = h / (o.heads / o.kv_heads);
    const auto rounded = [&](R x) { return std::is_same_v<R, double> ? x : R(op::round_to(rounding, float(x))); };
    const auto turned = [&](const Flat &from, long long first, bool turn, int position) {
      std::vector<R> x(static_cast<size_t>(o.head_dim));
      for (int e = 0; e < o.head_dim; e++) x[e] = from.get(0, static_cast<int>(first + e));
      const int pairs = turn ? params.rope_dim / 2 : 0;
      for (int e = 0; e < pairs; e++) {
        R &a = x[o.rope == FOVEA_ROPE_HALF ? e : 2 * e], &b = x[o.rope == FOVEA_ROPE_HALF ? e + pairs : 2 * e + 1];
        const R c = rope->get(0, position * params.rope_dim + e), n = rope->get(0, position * params.rope_dim + pairs + e);
        const R first_turned = a * c - b * n;
        b = b * c + a * n, a = first_turned;
      }
      for (R &e : x) e = rounded(e);
      return x;
    };
    const std::vector<R> query = turned(*q, q_at(s, i, h), o.rope, d);
    R peak = -kInfinity, sum = 0;
    w.assign(static_cast<size_t>(keys), R(-kInfinity));
    for (int j = 0; j < keys; j++) {
      if (!attends(s, h, i, j)) continue;
      const std::vector<R> key = turned(*k, key_at(false, s, j, kv), params.rope_keys, j);
      R score = 0;
      for (int e = 0; e < o.head_dim; e++) score += query[e] * key[e];
      score *= R(params.scale);
      if (o.softcap > 0) score = R(o.softcap) * std::tanh(score / R(o.softcap));
      if (bias) score += bias_at(s, h, i, j);
      if (slopes) score -= R(slopes->get(0, h)) * R(std::abs(d - j));
      w[j] = score;
      if (score > peak) peak = score;
    }
    for (R &x : w) sum += x = x == R(-kInfinity) ? 0 : std::exp(x - peak);
    log_sum = sum == 0 ? R(-kInfinity) : peak + std::log(sum);
    result.assign(static_cast<size_t>(o.value_dim), 0);
    for (int j = 0; j < keys; j++) {
      if (w[j] == 0) continue;
      w[j] /= sum;
      for (int e = 0; e < o.value_dim; e++) {
        result[e] += rounded(w[j]) * rounded(R(v->get(0, static_cast<int>(key_at(true, s, j, kv) + e))));
      }
    }
  }

 private:
  float drawn(int row, int column) const { return op::value(o.seed + 17, row, column); }

  void make_masks() {
    const int rows = longest(o.queries), columns = longest(o.keys);
    params.mask_query_stride = columns + 3; // a row for each query of each sequence
    params.mask_sequence_stride = rows * params.mask_query_stride;
    if (o.mask) {
      mask.resize(static_cast<size_t>(batch.sequences * params.mask_sequence_stride));
      for (size_t i = 0; i < mask.size(); i++) mask[i] = drawn(1, static_cast<int>(i)) > -0.4f ? 7 : 0;
    }
    params.bias_query_stride = columns + 1; // a row for each query of each head, of one sequence or of all
    params.bias_rows = o.bias_rows;
    params.bias_head_stride = (o.bias_rows ? std::max(q_offsets.back(), 1) : rows) * params.bias_query_stride;
    if (o.bias) {
      bias = flat(FOVEA_DTYPE_F32, o.heads * params.bias_head_stride);
      for (int i = 0; i < bias->columns; i++) {
        const float x = drawn(2, i);
        bias->set(0, i, x > 0.7f ? -INFINITY : x);
      }
    }
    if (o.alibi) {
      slopes = flat(FOVEA_DTYPE_F32, o.heads);
      slopes->fill(3);
    }
  }

  void make_rope() {
    params.rope = o.rope;
    if (!o.rope) return;
    params.rope_dim = o.rope_dim ? o.rope_dim : o.head_dim / 2 * 2;
    params.rope_positions = std::max(longest(o.keys), longest(o.queries)) + 1;
    params.rope_keys = !o.paged;
    const int pairs = params.rope_dim / 2;
    rope = flat(FOVEA_DTYPE_F32, static_cast<long long>(params.rope_positions) * params.rope_dim);
    for (int position = 0; position < params.rope_positions; position++) {
      for (int e = 0; e < pairs; e++) {
        const double angle = position * std::pow(10000, -2.0 * e / params.rope_dim);
        rope->set(0, position * params.rope_dim + e, static_cast<float>(std::cos(angle)));
        rope->set(0, position * params.rope_dim + pairs + e, static_cast<float>(std::sin(angle)));
      }
    }
  }

  // k [tokens, kv_heads, dim], v [kv_heads, tokens, dim]; or pages, numbered backwards.
  void make_keys() {
    const long long keys = kv_offsets.back();
    long long k_count, v_count;
    if (o.paged) {
      const int columns = (longest(o.keys) + FOVEA_PAGE_KEYS - 1) / FOVEA_PAGE_KEYS + 1;
      params.page_table_stride = columns;
      params.pages = batch.sequences * columns + 1;
      for (int i = 0; i < batch.sequences * columns; i++) table.push_back(batch.sequences * columns - i);
      k_count = static_cast<long long>(params.pages) * o.kv_heads * FOVEA_PAGE_KEYS * o.head_dim;
      v_count = static_cast<long long>(params.pages) * o.kv_heads * FOVEA_PAGE_KEYS * o.value_dim;
    } else {
      const long long together = o.padded ? longest(o.keys) : keys;
      params.k_head_stride = o.head_dim + o.gap;
      params.k_token_stride = o.kv_heads * params.k_head_stride;
      params.k_sequence_stride = o.padded ? together * params.k_token_stride + 2 * o.gap : 0;
      params.v_token_stride = o.value_dim;
      params.v_head_stride = o.value_dim * together + o.gap;
      params.v_sequence_stride = o.padded ? o.kv_heads * params.v_head_stride : 0;
      k_count = o.padded ? batch.sequences * params.k_sequence_stride : keys * params.k_token_stride;
      v_count = (o.padded ? batch.sequences : 1) * o.kv_heads * params.v_head_stride;
    }
    k = flat(o.kv_dtype, k_count);
    v = flat(o.kv_dtype, v_count);
    for (int s = 0; s < batch.sequences; s++) {
      for (int j = 0; j < o.keys[s]; j++) {
        for (int h = 0; h < o.kv_heads; h++) {
          const int row = (s * 4096 + j) * 64 + h;
          for (int e = 0; e < o.head_dim; e++) {
            k->set(0, static_cast<int>(key_at(false, s, j, h) + e), 2 * op::value(o.seed + 1, row, e));
          }
          for (int e = 0; e < o.value_dim; e++) {
            v->set(0, static_cast<int>(key_at(true, s, j, h) + e), op::value(o.seed + 2, row, e));
          }
        }
      }
    }
  }

  void make_queries() {
    fovea_attention_params &p = params;
    const long long queries = o.padded ? batch.sequences * longest(o.queries) : q_offsets.back();
    p.q_head_stride = o.head_dim;
    p.q_token_stride = o.heads * o.head_dim + o.gap;
    p.out_head_stride = o.value_dim;
    p.out_token_stride = o.heads * o.value_dim + o.gap;
    p.lse_token_stride = 1;
    p.lse_head_stride = queries + 1;
    p.weights_token_stride = longest(o.keys) + 2;
    p.weights_head_stride = queries * p.weights_token_stride + 1;
    if (o.padded) {
      p.q_sequence_stride = longest(o.queries) * p.q_token_stride;
      p.out_sequence_stride = longest(o.queries) * p.out_token_stride;
      p.lse_sequence_stride = longest(o.queries);
      p.weights_sequence_stride = longest(o.queries) * p.weights_token_stride;
    }
    q = flat(o.q_dtype, queries * p.q_token_stride);
    for (int s = 0; s < batch.sequences; s++) {
      for (int i = 0; i < o.queries[s]; i++) {
        for (int h = 0; h < o.heads; h++) {
          for (int e = 0; e < o.head_dim; e++) {
            q->set(0, static_cast<int>(q_at(s, i, h) + e), 2 * op::value(o.seed, (s * 4096 + i) * 64 + h, e));
          }
        }
      }
    }
    out = flat(FOVEA_DTYPE_F32, queries * p.out_token_stride);
    if (o.lse) lse = flat(FOVEA_DTYPE_F32, o.heads * p.lse_head_stride);
    if (o.weights) weights = flat(FOVEA_DTYPE_F32, o.heads * p.weights_head_stride);
  }
};

} // namespace attention

#endif
