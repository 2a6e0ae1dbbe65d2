#include "engine.h"
#include "validate.h"

typedef struct job {
  const fovea_relative_bias_params *params;
  const float *by_query, *by_key;
  const int *bucket_of, *offsets;
  float *out;
} job;

/* The row of one query: token t, the one of number i in a sequence of count tokens from first on. */
static void fill_row(const job *j, long long t, int i, long long first, int count) {
  const fovea_relative_bias_params *p = j->params;
  const int *bucket_of = j->bucket_of + p->keys - 1 - i;
  for (int h = 0; h < p->heads; h++) {
    const float *query = j->by_query + t * p->by_query_stride + (long long)h * p->buckets;
    const float *key = j->by_key ? j->by_key + first * p->by_key_stride + (long long)h * p->buckets : 0;
    float *out = j->out + t * p->out_stride + (long long)h * p->keys;
    for (int k = 0; k < count; k++) {
      int b = *(const volatile int *)(bucket_of + k); /* checked, but another thread may write there */
      b = b >= 0 && b < p->buckets ? b : 0;
      out[k] = query[b] + (key ? key[k * p->by_key_stride + b] : 0);
    }
  }
}

static void run(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const job *j = context;
  for (int s = 0; s < j->params->sequences && j->offsets[s] < end; s++) {
    const long long first = j->offsets[s], last = j->offsets[s + 1];
    for (long long t = first > begin ? first : begin; t < last && t < end; t++) {
      fill_row(j, t, (int)(t - first), first, (int)(last - first));
    }
  }
}

static int check(const fovea_engine *engine, const job *j) {
  const fovea_relative_bias_params *p = j->params;
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->sequences >= 0 && p->heads >= 1 && p->buckets >= 1 && p->keys >= 1 && p->reserved == 0));
  FV_REQUIRE(fv_check(p->keys <= INT_MAX / 2));
  int columns, width;
  if (__builtin_mul_overflow(p->heads, p->buckets, &columns)) return FOVEA_STATUS_OVERFLOW;
  if (__builtin_mul_overflow(p->heads, p->keys, &width)) return FOVEA_STATUS_OVERFLOW;
  FV_REQUIRE(fv_check_pointer(j->offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, j->offsets));
  const int tokens = j->offsets[p->sequences];
  FV_REQUIRE(fv_check_matrix(j->by_query, p->by_query_stride ? tokens : 1, columns,
                             p->by_query_stride ? p->by_query_stride : columns));
  if (j->by_key) FV_REQUIRE(fv_check_matrix(j->by_key, tokens, columns, p->by_key_stride));
  FV_REQUIRE(fv_check_matrix(j->out, tokens, width, p->out_stride));
  FV_REQUIRE(fv_check_pointer(j->bucket_of));
  for (int s = 0; s < p->sequences; s++) {
    if (j->offsets[s + 1] - j->offsets[s] > p->keys) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  for (int i = 0; i < 2 * p->keys - 1; i++) {
    if (j->bucket_of[i] < 0 || j->bucket_of[i] >= p->buckets) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

int fovea_relative_bias(fovea_engine *engine, const fovea_relative_bias_params *params, const float *by_query,
                        const float *by_key, const int *bucket_of, const int *offsets, float *out) {
  job j = {params, by_query, by_key, bucket_of, offsets, out};
  FV_REQUIRE(check(engine, &j));
  const int tokens = offsets[params->sequences];
  fv_parallel(engine, tokens, fv_grain((long long)params->heads * params->keys), run, &j);
  return FOVEA_STATUS_OK;
}
