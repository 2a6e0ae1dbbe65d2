#include "cuda/ops/embedding/embedding.h"

#include "cuda/ops/rows.h"

namespace {

/* The row of p.positions that a token takes. */
FV_DEVICE long long position_of(const fv_embedding_params &p, int token) {
  const int sequence = sequence_of(p.batch, token);
  return (long long)token - p.batch.offsets[sequence] + (p.starts ? p.starts[sequence] : 0);
}

FV_DEVICE void add(const float *row, int column, int width, float (&sum)[FV_CHUNK]) {
  float v[FV_CHUNK];
  load_chunk(row + column, width - column, is_aligned(row, 0), v);
#pragma unroll
  for (int i = 0; i < FV_CHUNK; i++) sum[i] += v[i];
}

/* sum = (scale word + position) + type */
template <class T>
FV_DEVICE void embed(const fv_embedding_params &p, int token, int id, long long position) {
  const int width = p.out.columns;
  const T *word = (const T *)p.words + (long long)id * width;
  const bool aligned = is_aligned(word, 0);
  for (int column = (int)threadIdx.x % 32 * FV_CHUNK; column < width; column += 32 * FV_CHUNK) {
    float sum[FV_CHUNK];
    load_chunk(word + column, width - column, aligned, sum);
#pragma unroll
    for (int i = 0; i < FV_CHUNK; i++) sum[i] *= p.scale;
    if (p.positions) add(p.positions + position * width, column, width, sum);
    if (p.type) add(p.type, column, width, sum);
    store(p.out, token, column, sum);
  }
}

FV_DEVICE void refuse(const fv_view &out, int token) {
  for (int column = (int)threadIdx.x % 32; column < out.columns; column += 32) store_one(out, token, column, NAN);
}

}  // namespace

FV_KERNEL(fv_embedding, fv_embedding_params, 128, 8) {
  const int token = (int)row_of_group<32>();
  if (token >= p.batch.counts[FV_COUNT_TOKENS]) return;
  const int id = p.batch.ids[token];
  const long long position = p.positions ? position_of(p, token) : 0;
  if (id < 0 || id >= p.vocabulary || (p.positions && (position < 0 || position >= p.position_rows))) {
    refuse(p.out, token);
    return;
  }
  with_type(p.words_dtype, [&](auto type) { embed<decltype(type)>(p, token, id, position); });
}

/* A warp per token. */
FV_KERNEL(fv_token_types, fv_token_types_params, 128, 8) {
  const int token = (int)row_of_group<32>();
  if (token >= p.batch.counts[FV_COUNT_TOKENS]) return;
  const int type = p.batch.types[token], width = p.out.columns;
  if (type < 0 || type >= p.types) {
    refuse(p.out, token);
    return;
  }
  const float *row = p.table + (long long)type * width;
  const bool aligned = is_aligned(row, 0);
  for (int column = (int)threadIdx.x % 32 * FV_CHUNK; column < width; column += 32 * FV_CHUNK) {
    float v[FV_CHUNK];
    load_chunk(row + column, width - column, aligned, v);
    store(p.out, token, column, v);
  }
}
