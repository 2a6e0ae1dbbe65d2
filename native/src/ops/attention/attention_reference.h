/* What an attention call of the tests should give, by the naive formulas in double and in single precision. */
#ifndef FV_OPS_ATTENTION_REFERENCE_H
#define FV_OPS_ATTENTION_REFERENCE_H

#include "ops/attention/attention_problem.h"

static long long token_start(long long sequence_stride, const int *offsets, int s, long long token, long long stride) {
  return sequence_stride ? s * sequence_stride + token * stride : (offsets[s] + token) * stride;
}

static long long q_at(const problem *p, int s, int i, int h) {
  return token_start(p->params.q_sequence_stride, p->q_offsets, s, i, p->params.q_token_stride) +
         h * p->params.q_head_stride;
}

static long long out_at(const problem *p, int s, int i, int h) {
  return token_start(p->params.out_sequence_stride, p->q_offsets, s, i, p->params.out_token_stride) +
         h * p->params.out_head_stride;
}

static long long key_at(const problem *p, int values, int s, int j, int head) {
  const fovea_attention_params *a = &p->params;
  if (a->pages) {
    const long long page = p->page_table[s * a->page_table_stride + j / FOVEA_PAGE_KEYS];
    const long long row = (page * a->kv_heads + head) * FOVEA_PAGE_KEYS + j % FOVEA_PAGE_KEYS;
    return row * (values ? a->value_dim : a->head_dim);
  }
  return values ? token_start(a->v_sequence_stride, p->kv_offsets, s, j, a->v_token_stride) + head * a->v_head_stride
                : token_start(a->k_sequence_stride, p->kv_offsets, s, j, a->k_token_stride) + head * a->k_head_stride;
}

static long long bias_at(const problem *p, int s, int h, int i, int j) {
  const long long row = p->params.bias_rows ? p->q_offsets[s] + i : i;
  return h * p->params.bias_head_stride + row * p->params.bias_query_stride + j;
}

/* Whether query i of a sequence attends to key j. */
static int attends(const problem *p, int s, int h, int i, int j) {
  const fovea_attention_params *a = &p->params;
  const int queries = p->q_offsets[s + 1] - p->q_offsets[s], keys = p->kv_offsets[s + 1] - p->kv_offsets[s];
  const int diagonal = a->alignment == FOVEA_ALIGN_TOP_LEFT ? i : i + keys - queries;
  if (a->window_left >= 0 && j < diagonal - a->window_left) return 0;
  if (a->window_right >= 0 && j > diagonal + a->window_right) return 0;
  if (p->mask && !p->mask[s * a->mask_sequence_stride + i * a->mask_query_stride + j]) return 0;
  return !p->bias || p->bias[bias_at(p, s, h, i, j)] != -INFINITY;
}

/* One query of one head in the type that the name says. scores has room for all keys and takes the weights. */
#define DEFINE_REFERENCE(name, real, exponential, hyperbolic, logarithm)                                               \
  static void name##_turn(const problem *p, int position, real *row) {                                                \
    const int dim = p->params.rope_dim, pairs = dim / 2, half = p->params.rope == FOVEA_ROPE_HALF;                     \
    for (int i = 0; i < pairs; i++) {                                                                                  \
      real *x = row + (half ? i : 2 * i), *y = row + (half ? i + pairs : 2 * i + 1);                                   \
      const real c = (real)p->rope[position * dim + i], d = (real)p->rope[position * dim + pairs + i];                 \
      const real turned = *x * c - *y * d;                                                                             \
      *y = *y * c + *x * d;                                                                                            \
      *x = turned;                                                                                                     \
    }                                                                                                                  \
  }                                                                                                                    \
  static void name(const problem *p, int s, int h, int i, real *scores, real *out, real *lse) {                        \
    const fovea_attention_params *a = &p->params;                                                                      \
    const int queries = p->q_offsets[s + 1] - p->q_offsets[s], keys = p->kv_offsets[s + 1] - p->kv_offsets[s];         \
    const int diagonal = a->alignment == FOVEA_ALIGN_TOP_LEFT ? i : i + keys - queries;                                \
    const int kv_head = h / (a->heads / a->kv_heads);                                                                  \
    real q[512], k[512], peak = -(real)INFINITY, sum = 0;                                                              \
    for (int d = 0; d < a->head_dim; d++) q[d] = (real)element(p->q, a->q_dtype, q_at(p, s, i, h) + d);                \
    if (a->rope) name##_turn(p, diagonal, q);                                                                          \
    for (int j = 0; j < keys; j++) {                                                                                   \
      scores[j] = -(real)INFINITY;                                                                                     \
      if (!attends(p, s, h, i, j)) continue;                                                                           \
      for (int d = 0; d < a->head_dim; d++) k[d] = (real)element(p->k, a->kv_dtype, key_at(p, 0, s, j, kv_head) + d);  \
      if (a->rope && a->rope_keys) name##_turn(p, j, k);                                                               \
      real score = 0;                                                                                                  \
      for (int d = 0; d < a->head_dim; d++) score += q[d] * k[d];                                                      \
      score *= (real)a->scale;                                                                                         \
      if (a->softcap > 0) score = (real)a->softcap * hyperbolic(score / (real)a->softcap);                             \
      if (p->bias) score += (real)p->bias[bias_at(p, s, h, i, j)];                                                     \
      if (p->slopes) score -= (real)p->slopes[h] * (real)abs(diagonal - j);                                            \
      scores[j] = score;                                                                                               \
      if (score > peak) peak = score;                                                                                  \
    }                                                                                                                  \
    for (int j = 0; j < keys; j++) {                                                                                   \
      sum += scores[j] = scores[j] == -(real)INFINITY ? 0 : exponential(scores[j] - peak);                             \
    }                                                                                                                  \
    *lse = sum == 0 ? -(real)INFINITY : peak + logarithm(sum);                                                         \
    for (int d = 0; d < a->value_dim; d++) out[d] = 0;                                                                 \
    for (int j = 0; j < keys; j++) {                                                                                   \
      if (scores[j] == 0) continue;                                                                                    \
      scores[j] /= sum;                                                                                                \
      for (int d = 0; d < a->value_dim; d++) {                                                                         \
        out[d] += scores[j] * (real)element(p->v, a->kv_dtype, key_at(p, 1, s, j, kv_head) + d);                       \
      }                                                                                                                \
    }                                                                                                                  \
  }
DEFINE_REFERENCE(attend_double, double, exp, tanh, log)
DEFINE_REFERENCE(attend_float, float, expf, tanhf, logf)

#endif /* FV_OPS_ATTENTION_REFERENCE_H */
