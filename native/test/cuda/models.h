// Two small models as plans: a sentence encoder like MiniLM, and a decoder like Llama.
#ifndef FOVEA_TEST_CUDA_MODELS_H
#define FOVEA_TEST_CUDA_MODELS_H

#include "cuda/runtime.h"

namespace rt {

struct Sizes {
  int vocabulary = 30, width = 64, heads = 2, kv_heads = 2, inner = 128, layers = 2, positions = 200;
  int head_dim() const { return width / heads; }
};

// Random weights of a product, small enough that sums stay near 1.
inline long long product(Device &device, int dtype, unsigned seed, int outputs, int inputs) {
  const auto count = static_cast<size_t>(outputs) * static_cast<size_t>(inputs);
  return device.weight(dtype, static_cast<size_t>(inputs), values(seed, count, std::sqrt(3.0f / static_cast<float>(inputs))));
}

inline long long bias(Device &device, unsigned seed, int width, float around = 0) {
  return device.vector(values(seed, static_cast<size_t>(width), 0.1f, around));
}

// Embedding, norm; per layer attention and a layer with GELU, each with its residual and norm; mean and L2 norm.
inline Plan encoder(Device &device, int dtype, const Sizes &n) {
  Plan plan;
  const int w = n.width;
  const auto x = plan.tokens(w, dtype), y = plan.tokens(w, dtype), qkv = plan.tokens(3 * w, dtype);
  const auto context = plan.tokens(w, dtype), inner = plan.tokens(n.inner, dtype), vector = plan.sequences(w);
  const auto words = values(1, static_cast<size_t>(n.vocabulary * w), 1);
  const auto places = values(2, static_cast<size_t>(n.positions * w), 1);
  auto &embed = plan.add(step(FOVEA_CUDA_OP_EMBEDDING, kNone, x, device.table(dtype, words),
                              device.table(FOVEA_DTYPE_F32, places), bias(device, 3, w)));
  embed.weight_dtype = dtype;
  embed.vocabulary = n.vocabulary;
  embed.positions = n.positions;
  plan.add(step(FOVEA_CUDA_OP_LAYER_NORM, x, x, bias(device, 4, w, 1), bias(device, 5, w)));
  for (int i = 0; i < n.layers; i++) {
    const unsigned seed = 100 * static_cast<unsigned>(i + 1);
    const auto linear = [&](unsigned number, fovea_cuda_operand in, fovea_cuda_operand out) -> fovea_cuda_step & {
      auto &s = plan.add(step(FOVEA_CUDA_OP_LINEAR, in, out, product(device, dtype, seed + number, out.columns, in.columns),
                              bias(device, seed + number + 1, out.columns)));
      s.weight_dtype = dtype;
      return s;
    };
    linear(0, x, qkv);
    auto &attend = plan.add(step(FOVEA_CUDA_OP_ATTENTION, part(qkv, 0, w), context));
    attend.y = part(qkv, w, w);
    attend.z = part(qkv, 2 * w, w);
    attend.heads = attend.kv_heads = n.heads;
    attend.head_dim = attend.value_dim = n.head_dim();
    attend.scale = 1 / std::sqrt(static_cast<float>(n.head_dim()));
    linear(2, context, y).z = x;
    plan.add(step(FOVEA_CUDA_OP_LAYER_NORM, y, x, bias(device, seed + 4, w, 1), bias(device, seed + 5, w)));
    linear(6, x, inner).activation = FOVEA_ACTIVATION_GELU_ERF;
    linear(8, inner, x).z = x;
    plan.add(step(FOVEA_CUDA_OP_LAYER_NORM, x, x, bias(device, seed + 10, w, 1), bias(device, seed + 11, w)));
  }
  auto &pool = plan.add(step(FOVEA_CUDA_OP_POOL, x, vector));
  pool.mode = FOVEA_POOLING_MEAN;
  pool.normalize = 1;
  plan.outputs = {vector};
  return plan;
}

inline long long rope_table(Device &device, int positions, int dim) {
  std::vector<float> table;
  for (int p = 0; p < positions; p++) {
    for (int i = 0; i < dim; i++) {
      const double angle = p / std::pow(100.0, 2.0 * (i % (dim / 2)) / dim);
      table.push_back(static_cast<float>(i < dim / 2 ? std::cos(angle) : std::sin(angle)));
    }
  }
  return device.table(FOVEA_DTYPE_F32, table);
}

// Words; per layer RMS norm, RoPE and causal attention to a cache, a gated layer with SiLU; the logits of every token.
inline Plan decoder(Device &device, int dtype, const Sizes &n) {
  Plan plan;
  plan.groups = 1;
  const int w = n.width, dim = n.head_dim(), kv = n.kv_heads * dim;
  const auto x = plan.tokens(w, dtype), y = plan.tokens(w, dtype), qkv = plan.tokens(w + 2 * kv, dtype);
  const auto context = plan.tokens(w, dtype), inner = plan.tokens(n.inner, dtype), logits = plan.tokens(n.vocabulary);
  const long long rope = rope_table(device, n.positions, dim);
  auto &embed = plan.add(step(FOVEA_CUDA_OP_EMBEDDING, kNone, x,
                              device.table(dtype, values(1, static_cast<size_t>(n.vocabulary * w), 1))));
  embed.weight_dtype = dtype;
  embed.vocabulary = n.vocabulary;
  for (int i = 0; i < n.layers; i++) {
    const unsigned seed = 100 * static_cast<unsigned>(i + 1);
    const auto linear = [&](unsigned number, fovea_cuda_operand in, fovea_cuda_operand out, int gated) -> fovea_cuda_step & {
      const int outputs = out.columns * (1 + gated);
      auto &s = plan.add(step(FOVEA_CUDA_OP_LINEAR, in, out, product(device, dtype, seed + number, outputs, in.columns)));
      s.weight_dtype = dtype;
      s.gated = gated;
      return s;
    };
    plan.add(step(FOVEA_CUDA_OP_RMS_NORM, x, y, bias(device, seed + 4, w, 1)));
    linear(0, y, qkv, 0);
    const auto with_heads = [&](fovea_cuda_step s) {
      s.group = 0;
      s.layer = i;
      s.heads = n.heads;
      s.kv_heads = n.kv_heads;
      s.head_dim = s.value_dim = dim;
      s.scale = 1 / std::sqrt(static_cast<float>(dim));
      s.rope = FOVEA_ROPE_HALF;
      s.rope_dim = dim;
      s.rope_positions = n.positions;
      s.window_right = 0;
      return s;
    };
    plan.add(with_heads(step(FOVEA_CUDA_OP_CACHE_APPEND, part(qkv, w, kv), kNone, rope))).y = part(qkv, w + kv, kv);
    plan.add(with_heads(step(FOVEA_CUDA_OP_ATTENTION, part(qkv, 0, w), context, rope)));
    linear(1, context, x, 0).z = x;
    plan.add(step(FOVEA_CUDA_OP_RMS_NORM, x, y, bias(device, seed + 5, w, 1)));
    linear(2, y, inner, 1).activation = FOVEA_ACTIVATION_SILU;
    linear(3, inner, x, 0).z = x;
  }
  plan.add(step(FOVEA_CUDA_OP_RMS_NORM, x, y, bias(device, 6, w, 1)));
  auto &head = plan.add(step(FOVEA_CUDA_OP_LINEAR, y, logits, product(device, dtype, 7, n.vocabulary, w)));
  head.weight_dtype = dtype;
  plan.add(step(FOVEA_CUDA_OP_LOG_SOFTMAX, logits, logits));
  plan.outputs = {logits};
  return plan;
}

// What the two above leave out: products of activations, element-wise ops, the best of a row.
inline Plan others(Device &device, const Sizes &n) {
  Plan plan;
  const int w = n.width;
  const auto x = plan.tokens(w), y = plan.tokens(w), vector = plan.sequences(w), matrix = plan.sequences(w * w);
  const auto logits = plan.sequences(n.vocabulary), best = plan.sequences(3, FOVEA_CUDA_DTYPE_I32);
  const auto values_of = plan.sequences(3);
  auto &embed = plan.add(step(FOVEA_CUDA_OP_EMBEDDING, kNone, x,
                              device.table(FOVEA_DTYPE_F32, values(1, static_cast<size_t>(n.vocabulary * w), 1))));
  embed.vocabulary = n.vocabulary;
  embed.scale = 0.5f;
  plan.add(step(FOVEA_CUDA_OP_LINEAR, x, y, product(device, FOVEA_DTYPE_F32, 2, w, w)));
  auto &transposed = plan.add(step(FOVEA_CUDA_OP_RAGGED_MATMUL, x, matrix));
  transposed.y = y;
  transposed.mode = 1;
  plan.add(step(FOVEA_CUDA_OP_NORMALIZE, matrix, matrix));
  plan.add(step(FOVEA_CUDA_OP_RAGGED_MATMUL, x, y)).y = matrix;
  auto &gate = plan.add(step(FOVEA_CUDA_OP_MULTIPLY, x, x));
  gate.y = y;
  gate.activation = FOVEA_ACTIVATION_GELU_TANH;
  plan.add(step(FOVEA_CUDA_OP_ADD, x, y)).y = y;
  plan.add(step(FOVEA_CUDA_OP_POOL, y, vector)).mode = FOVEA_POOLING_LAST;
  plan.add(step(FOVEA_CUDA_OP_LINEAR, vector, logits, product(device, FOVEA_DTYPE_F32, 3, n.vocabulary, w)));
  plan.add(step(FOVEA_CUDA_OP_LOG_SOFTMAX, logits, logits));
  plan.add(step(FOVEA_CUDA_OP_TOP_K, logits, best));
  plan.add(step(FOVEA_CUDA_OP_GATHER, logits, values_of)).y = best;
  plan.outputs = {values_of, best, y};
  return plan;
}

// An encoder's attention like DeBERTa's: types of tokens, and a bias of distances by query and by key, each a product per
// head, or like MPNet's, by a table.
inline Plan relative(Device &device, int dtype, const Sizes &n, bool disentangled) {
  Plan plan;
  const int w = n.width, dim = n.head_dim(), keys = n.positions, buckets = 9;
  const auto x = plan.tokens(w, dtype), y = plan.tokens(w, dtype), qkv = plan.tokens(3 * w, dtype);
  const auto by_query = plan.tokens(n.heads * buckets, dtype), by_key = plan.tokens(n.heads * buckets, dtype);
  const auto bias_of = plan.tokens(n.heads * keys), vector = plan.sequences(w);
  auto &embed = plan.add(step(FOVEA_CUDA_OP_EMBEDDING, kNone, x,
                              device.table(dtype, values(1, static_cast<size_t>(n.vocabulary * w), 1))));
  embed.weight_dtype = dtype;
  embed.vocabulary = n.vocabulary;
  plan.add(step(FOVEA_CUDA_OP_TOKEN_TYPES, kNone, y, device.table(FOVEA_DTYPE_F32, values(2, static_cast<size_t>(3 * w), 1))))
      .vocabulary = 3;
  plan.add(step(FOVEA_CUDA_OP_ADD, x, x)).y = y;
  const auto linear = [&](unsigned seed, fovea_cuda_operand in, fovea_cuda_operand out) {
    plan.add(step(FOVEA_CUDA_OP_LINEAR, in, out, product(device, dtype, seed, out.columns, in.columns))).weight_dtype = dtype;
  };
  linear(3, x, qkv);
  for (int h = 0; h < n.heads && disentangled; h++) {
    linear(10 + static_cast<unsigned>(h), part(qkv, h * dim, dim), part(by_query, h * buckets, buckets));
    linear(20 + static_cast<unsigned>(h), part(qkv, w + h * dim, dim), part(by_key, h * buckets, buckets));
  }
  std::vector<float> bucket_of(static_cast<size_t>(2 * keys - 1));
  for (int i = 0; i < 2 * keys - 1; i++) {
    const int bucket = i * 4 % buckets;
    memcpy(&bucket_of[static_cast<size_t>(i)], &bucket, sizeof bucket);
  }
  auto &relate = plan.add(step(FOVEA_CUDA_OP_RELATIVE_BIAS, disentangled ? by_query : kNone, bias_of,
                               disentangled ? 0 : bias(device, 4, n.heads * buckets, 1), device.vector(bucket_of)));
  if (disentangled) relate.y = by_key;
  relate.heads = n.heads;
  relate.buckets = buckets;
  auto &attend = plan.add(step(FOVEA_CUDA_OP_ATTENTION, part(qkv, 0, w), y));
  attend.y = part(qkv, w, w);
  attend.z = part(qkv, 2 * w, w);
  attend.bias = bias_of;
  attend.heads = attend.kv_heads = n.heads;
  attend.head_dim = attend.value_dim = dim;
  attend.scale = 1 / std::sqrt(static_cast<float>(dim));
  auto &pool = plan.add(step(FOVEA_CUDA_OP_POOL, y, vector));
  pool.mode = FOVEA_POOLING_MEAN;
  pool.normalize = 1;
  plan.outputs = {vector};
  return plan;
}

}  // namespace rt

#endif
