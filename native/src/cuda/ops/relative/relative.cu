#include "cuda/ops/relative/relative.h"

#include "cuda/ops/rows.h"

FV_KERNEL(fv_relative_bias, fv_relative_params, 128, 8) {
  const int token = (int)row_of_group<32>(), head = (int)blockIdx.y;
  if (token >= p.batch.counts[FV_COUNT_TOKENS]) return;
  const int sequence = sequence_of(p.batch, token), first = p.batch.offsets[sequence];
  const int count = p.batch.offsets[sequence + 1] - first, query = token - first;
  if (query >= p.keys) return;
  const int *bucket_of = p.bucket_of + p.keys - 1 - query;
  float *out = row_of<float>(p.out, token) + (long long)head * p.keys;
  for (int key = (int)threadIdx.x % 32; key < count && key < p.keys; key += 32) {
    const int named = bucket_of[key], bucket = named >= 0 && named < p.buckets ? named : 0;
    const int column = head * p.buckets + bucket;
    const float of_query = p.table ? p.table[column] : load_one(p.by_query, token, column);
    out[key] = of_query + (p.by_key.data ? load_one(p.by_key, first + key, column) : 0);
  }
}
