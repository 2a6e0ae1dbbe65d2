/* The kernel of turn.h: a block for each tile of FV_TILE_LARGE tokens, a warp for each row. */
#include "cuda/ops/attention90/turn.h"

#include "cuda/ops/attention/elements.h"
#include "cuda/ops/rows.h"

namespace {

/* Elements 2 w and 2 w + 1 of a head, turned; angles: cosines, and behind them sines. */
template <class T>
FV_DEVICE uint32_t turned_word(const fv_turn_params &p, const uint32_t *head, int w, const float *angles) {
  const int pairs = p.rope_dim / 2;
  if (2 * w >= p.rope_dim) return head[w];
  float x, y, s, t;
  unpack2<T>(head[w], x, y);
  if (p.interleaved) {
    const float cosine = angles[w], sine = angles[pairs + w];
    return pack<T>(turned(x, y, cosine, sine), turned(y, -x, cosine, sine));
  }
  const bool first = 2 * w < pairs;
  unpack2<T>(head[first ? w + pairs / 2 : w - pairs / 2], s, t);
  const float *a = angles + (first ? 2 * w : 2 * w - pairs);
  return pack<T>(turned(x, first ? s : -s, a[0], a[pairs]), turned(y, first ? t : -t, a[1], a[pairs + 1]));
}

template <class T>
FV_DEVICE void turn(const fv_turn_params &p) {
  if ((int)blockIdx.x >= p.batch.counts[FV_COUNT_LARGE_TILES]) return;
  const int sequence = p.batch.large_tiles[blockIdx.x * 2], first = p.batch.large_tiles[blockIdx.x * 2 + 1];
  const int begin = p.batch.offsets[sequence], end = min(first + FV_TILE_LARGE, p.batch.offsets[sequence + 1] - begin);
  const int words = p.dim / 2, all = p.heads + p.kv_heads, lane = threadIdx.x % 32;
  for (int token = first + threadIdx.x / 32; token < end; token += FV_TURN_THREADS / 32) {
    const long long row = begin + token;
    const float *angles = angles_at(p.table, p.rope_dim, p.positions, token);
    const uint32_t *queries = (const uint32_t *)p.queries + row * p.query_stride / 2;
    const uint32_t *keys = (const uint32_t *)p.keys + row * p.key_stride / 2;
    uint32_t *out = (uint32_t *)p.out + row * all * words;
    for (int i = lane; i < all * words; i += 32) {
      const int head = i / words;
      const uint32_t *from = head < p.heads ? queries + head * words : keys + (head - p.heads) * words;
      out[i] = turned_word<T>(p, from, i % words, angles);
    }
  }
}

}  // namespace

FV_KERNEL(fv_attention90_turn, fv_turn_params, FV_TURN_THREADS, 1) {
  if (p.bf16) {
    turn<bf16>(p);
  } else {
    turn<f16>(p);
  }
}
