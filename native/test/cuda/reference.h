// Plans carried out in double, from the formulas of fovea.h: what the results of the library are held against.
#ifndef FOVEA_TEST_CUDA_REFERENCE_H
#define FOVEA_TEST_CUDA_REFERENCE_H

#include <algorithm>

#include "cuda/activation_reference.h"
#include "cuda/runtime.h"

namespace rt {

// A batch of whole sequences. Caches are empty before it: what is appended is what is attended to. A value that a matrix
// of half values holds is rounded as it is there; nothing else is.
class Reference {
 public:
  Reference(const Device &device, const Plan &plan, const std::vector<int> &ids, const std::vector<int> &offsets,
            const std::vector<int> &types = {})
      : device_(device), ids_(ids), offsets_(offsets), types_(types), tokens_(offsets.back()),
        sequences_(static_cast<int>(offsets.size()) - 1),
        memory_{std::vector<double>(static_cast<size_t>(plan.token_elements * tokens_)),
                std::vector<double>(static_cast<size_t>(plan.sequence_elements * sequences_))} {
    for (const fovea_cuda_step &s : plan.steps) run(s);
  }

  double get(const fovea_cuda_operand &o, int row, int column) const {
    return memory_[o.rows][index(o, row, column)];
  }

 private:
  const Device &device_;
  const std::vector<int> &ids_, &offsets_;
  const std::vector<int> types_; // none: all are 0
  int tokens_, sequences_;
  std::vector<double> memory_[2];
  std::map<std::pair<int, int>, fovea_cuda_step> appended_;

  size_t index(const fovea_cuda_operand &o, int row, int column) const {
    const long long rows = o.rows == FOVEA_CUDA_ROWS_TOKENS ? tokens_ : sequences_;
    return static_cast<size_t>(o.offset * rows + 1ll * row * o.stride + o.first_column + column);
  }
  void set(const fovea_cuda_operand &o, int row, int column, double x) {
    memory_[o.rows][index(o, row, column)] = bytes_of(o.dtype) == 2 ? round_to(o.dtype, static_cast<float>(x)) : x;
  }
  int rows_of(const fovea_cuda_operand &o) const { return o.rows == FOVEA_CUDA_ROWS_TOKENS ? tokens_ : sequences_; }
  const float *constant(const fovea_cuda_step &s, int i) const {
    return s.constants[i] ? device_.constants.at(s.constants[i]).data() : nullptr;
  }

  void embed(const fovea_cuda_step &s) {
    const float *words = constant(s, 0), *positions = constant(s, 1), *type = constant(s, 2);
    const int width = s.out.columns;
    for (int q = 0; q < sequences_; q++) {
      for (int t = offsets_[static_cast<size_t>(q)]; t < offsets_[static_cast<size_t>(q) + 1]; t++) {
        const int place = s.first_position + t - offsets_[static_cast<size_t>(q)];
        for (int c = 0; c < width; c++) {
          set(s.out, t, c,
              s.scale * words[ids_[static_cast<size_t>(t)] * width + c] + (positions ? positions[place * width + c] : 0) +
                  (type ? type[c] : 0));
        }
      }
    }
  }

  void add_types(const fovea_cuda_step &s) {
    for (int t = 0; t < tokens_; t++) {
      const int type = types_.empty() ? 0 : types_[static_cast<size_t>(t)];
      for (int c = 0; c < s.out.columns; c++) set(s.out, t, c, constant(s, 0)[type * s.out.columns + c]);
    }
  }

  void relate(const fovea_cuda_step &s) {
    const int keys = s.out.columns / s.heads;
    for (int q = 0; q < sequences_; q++) {
      const int first = offsets_[static_cast<size_t>(q)], count = offsets_[static_cast<size_t>(q) + 1] - first;
      for (int at = 0; at < s.heads * count * count; at++) {
        const int h = at / (count * count), i = at / count % count, j = at % count;
        int bucket;
        memcpy(&bucket, constant(s, 1) + keys - 1 + j - i, sizeof bucket);
        const int column = h * s.buckets + bucket;
        set(s.out, first + i, h * keys + j,
            (constant(s, 0) ? constant(s, 0)[column] : get(s.x, first + i, column)) +
                (s.y.rows != FOVEA_CUDA_ROWS_NONE ? get(s.y, first + j, column) : 0));
      }
    }
  }

  void norm(const fovea_cuda_step &s) {
    const float *gamma = constant(s, 0), *beta = constant(s, 1);
    const int width = s.x.columns;
    for (int r = 0; r < rows_of(s.x); r++) {
      double mean = 0, square = 0, largest = -INFINITY, sum = 0;
      for (int c = 0; c < width; c++) mean += get(s.x, r, c) / width, largest = std::max(largest, get(s.x, r, c));
      if (s.op != FOVEA_CUDA_OP_LAYER_NORM) mean = 0;
      for (int c = 0; c < width; c++) {
        square += (get(s.x, r, c) - mean) * (get(s.x, r, c) - mean);
        sum += std::exp(get(s.x, r, c) - largest);
      }
      for (int c = 0; c < width; c++) {
        const double x = get(s.x, r, c);
        set(s.out, r, c,
            s.op == FOVEA_CUDA_OP_LOG_SOFTMAX ? x - largest - std::log(sum)
            : s.op == FOVEA_CUDA_OP_NORMALIZE
                ? x / std::max(std::sqrt(square), 1e-12)
                : (x - mean) / std::sqrt(square / width + s.epsilon) * gamma[c] + (beta ? beta[c] : 0));
      }
    }
  }

  void linear(const fovea_cuda_step &s) {
    const float *w = constant(s, 0), *bias = constant(s, 1);
    const int inputs = s.x.columns;
    const auto product = [&](int r, int o) {
      double sum = bias ? bias[o] : 0;
      for (int i = 0; i < inputs; i++) sum += get(s.x, r, i) * w[o * inputs + i];
      return sum;
    };
    for (int r = 0; r < rows_of(s.x); r++) {
      for (int o = 0; o < s.out.columns; o++) {
        const double y = s.gated ? activation_in_double(s.activation, product(r, 2 * o)) * product(r, 2 * o + 1)
                                 : activation_in_double(s.activation, product(r, o));
        set(s.out, r, o, y + (s.z.rows != FOVEA_CUDA_ROWS_NONE ? get(s.z, r, o) : 0));
      }
    }
  }

  void elementwise(const fovea_cuda_step &s) {
    for (int r = 0; r < rows_of(s.x); r++) {
      for (int c = 0; c < s.x.columns; c++) {
        const double x = get(s.x, r, c);
        set(s.out, r, c,
            s.op == FOVEA_CUDA_OP_ADD        ? x + get(s.y, r, c)
            : s.op == FOVEA_CUDA_OP_MULTIPLY ? activation_in_double(s.activation, x) * get(s.y, r, c)
                                             : activation_in_double(s.activation, x));
      }
    }
  }

  // Element i of a head's row, turned to a position.
  double turned(const fovea_cuda_step &s, const fovea_cuda_operand &o, int row, int head, int i, int position) const {
    const auto at = [&](int j) { return get(o, row, head * s.head_dim + j); };
    if (s.rope == FOVEA_ROPE_NONE || i >= s.rope_dim) return at(i);
    const int half = s.rope_dim / 2, pair = s.rope == FOVEA_ROPE_HALF ? i % half : i / 2;
    const int first = s.rope == FOVEA_ROPE_HALF ? pair : 2 * pair, second = first + (s.rope == FOVEA_ROPE_HALF ? half : 1);
    const float *row_of = constant(s, 0) + position * s.rope_dim;
    const double cosine = row_of[pair], sine = row_of[half + pair];
    return i == first ? at(first) * cosine - at(second) * sine : at(second) * cosine + at(first) * sine;
  }

  void attend(const fovea_cuda_step &s) {
    const fovea_cuda_step &keys = s.group < 0 ? s : appended_.at({s.group, s.layer});
    const fovea_cuda_operand &k = s.group < 0 ? s.y : keys.x, &v = s.group < 0 ? s.z : keys.y;
    const float *slopes = constant(s, 1);
    for (int q = 0; q < sequences_; q++) {
      const int first = offsets_[static_cast<size_t>(q)], count = offsets_[static_cast<size_t>(q) + 1] - first;
      for (int h = 0; h < s.heads; h++) {
        const int g = h / (s.heads / s.kv_heads);
        for (int i = 0; i < count; i++) {
          std::vector<double> score(static_cast<size_t>(count), -INFINITY);
          double largest = -INFINITY, sum = 0;
          for (int j = 0; j < count; j++) {
            if ((s.window_left >= 0 && j < i - s.window_left) || (s.window_right >= 0 && j > i + s.window_right)) continue;
            double x = 0;
            for (int e = 0; e < s.head_dim; e++) x += turned(s, s.x, first + i, h, e, i) * turned(keys, k, first + j, g, e, j);
            x *= s.scale;
            if (s.softcap > 0) x = s.softcap * std::tanh(x / s.softcap);
            if (s.bias.rows != FOVEA_CUDA_ROWS_NONE) x += get(s.bias, first + i, h * (s.bias.columns / s.heads) + j);
            if (slopes) x -= slopes[h] * std::abs(i - j);
            score[static_cast<size_t>(j)] = x;
            largest = std::max(largest, x);
          }
          for (double &x : score) sum += x = std::exp(x - largest);
          for (int e = 0; e < s.value_dim; e++) {
            double o = 0;
            for (int j = 0; j < count; j++) {
              o += score[static_cast<size_t>(j)] / sum * get(v, first + j, g * s.value_dim + e);
            }
            set(s.out, first + i, h * s.value_dim + e, o);
          }
        }
      }
    }
  }

  void pool(const fovea_cuda_step &s) {
    for (int q = 0; q < sequences_; q++) {
      const int first = offsets_[static_cast<size_t>(q)], end = offsets_[static_cast<size_t>(q) + 1];
      std::vector<double> pooled(static_cast<size_t>(s.x.columns));
      double square = 0;
      for (int c = 0; c < s.x.columns; c++) {
        double &x = pooled[static_cast<size_t>(c)];
        for (int t = first; t < end && s.mode == FOVEA_POOLING_MEAN; t++) x += get(s.x, t, c) / (end - first);
        if (s.mode != FOVEA_POOLING_MEAN && end > first) x = get(s.x, s.mode == FOVEA_POOLING_CLS ? first : end - 1, c);
        square += x * x;
      }
      const double norm = s.normalize ? std::max(std::sqrt(square), 1e-12) : 1;
      for (int c = 0; c < s.x.columns; c++) set(s.out, q, c, pooled[static_cast<size_t>(c)] / norm);
    }
  }

  void multiply_per_sequence(const fovea_cuda_step &s) {
    for (int q = 0; q < sequences_; q++) {
      const int first = offsets_[static_cast<size_t>(q)], end = offsets_[static_cast<size_t>(q) + 1], k = s.x.columns;
      if (s.mode == 0) {
        const int n = s.out.columns;
        for (int t = first; t < end; t++) {
          for (int c = 0; c < n; c++) {
            double sum = 0;
            for (int i = 0; i < k; i++) sum += get(s.x, t, i) * get(s.y, q, i * n + c);
            set(s.out, t, c, sum);
          }
        }
      } else {
        const int n = s.y.columns;
        for (int i = 0; i < k * n; i++) {
          double sum = 0;
          for (int t = first; t < end; t++) sum += get(s.x, t, i / n) * get(s.y, t, i % n);
          set(s.out, q, i, sum);
        }
      }
    }
  }

  void choose(const fovea_cuda_step &s) {
    for (int r = 0; r < rows_of(s.x); r++) {
      std::vector<int> columns(static_cast<size_t>(s.x.columns));
      for (int c = 0; c < s.x.columns; c++) columns[static_cast<size_t>(c)] = c;
      std::stable_sort(columns.begin(), columns.end(), [&](int a, int b) { return get(s.x, r, a) > get(s.x, r, b); });
      for (int c = 0; c < s.out.columns; c++) {
        if (s.op == FOVEA_CUDA_OP_TOP_K) {
          set(s.out, r, c, columns[static_cast<size_t>(c)]);
        } else {
          set(s.out, r, c, get(s.x, r, static_cast<int>(get(s.y, r, c))));
        }
      }
    }
  }

  void run(const fovea_cuda_step &s) {
    switch (s.op) {
      case FOVEA_CUDA_OP_EMBEDDING:
        return embed(s);
      case FOVEA_CUDA_OP_TOKEN_TYPES:
        return add_types(s);
      case FOVEA_CUDA_OP_RELATIVE_BIAS:
        return relate(s);
      case FOVEA_CUDA_OP_LAYER_NORM:
      case FOVEA_CUDA_OP_RMS_NORM:
      case FOVEA_CUDA_OP_NORMALIZE:
      case FOVEA_CUDA_OP_LOG_SOFTMAX:
        return norm(s);
      case FOVEA_CUDA_OP_LINEAR:
        return linear(s);
      case FOVEA_CUDA_OP_ADD:
      case FOVEA_CUDA_OP_MULTIPLY:
      case FOVEA_CUDA_OP_ACTIVATE:
        return elementwise(s);
      case FOVEA_CUDA_OP_CACHE_APPEND:
        appended_[{s.group, s.layer}] = s;
        return;
      case FOVEA_CUDA_OP_ATTENTION:
        return attend(s);
      case FOVEA_CUDA_OP_RAGGED_MATMUL:
        return multiply_per_sequence(s);
      case FOVEA_CUDA_OP_TOP_K:
      case FOVEA_CUDA_OP_GATHER:
        return choose(s);
      case FOVEA_CUDA_OP_POOL:
        return pool(s);
      default:
        RT_CHECK(false, "the reference has no op %d", s.op);
    }
  }
};

}  // namespace rt

#endif
