/*
 * Attention of sequences of one query, as in decoding: what costs is to read the keys. A block takes a range of a sequence's
 * keys and up to FV_SPLIT_HEADS query heads of a key/value head, which share what it reads, and leaves for each head the
 * maximum, the sum and the sum of weighted values; the blocks of combine add the ranges up in order. FMAs in single
 * precision, whatever the types. How keys fall into ranges depends on their number alone.
 *
 * Flash-decoding: Dao, Haziza, Massa and Sizov, 2023.
 */
#include "cuda/ops/attention/rows.h"
#include "cuda/ops/rows.h"

/* 16 bytes of keys or values. */
template <class S>
struct split_vector {
  static constexpr int size = 16 / sizeof(S);
};

struct split_block {
  fv_sequence x;
  int first_head, heads, kv_head;
  int first_column; /* of the values */
  int first_key, last_key;
};

/* Shared memory, FV_SPLIT_FLOATS and the queries. */
struct split_tiles {
  float *weights;             /* [FOVEA_PAGE_KEYS, G]; at the end sums of values [warps, 32 lanes, 16 bytes of values] */
  float *peak, *sum, *factor; /* [G] */
  float *q;                   /* [G, head_dim], turned */
};

FV_DEVICE int splits_of(int keys) {
  const int pages = (keys + FOVEA_PAGE_KEYS - 1) / FOVEA_PAGE_KEYS;
  const int each = (pages + FV_MOST_SPLITS - 1) / FV_MOST_SPLITS;
  return each ? (pages + each - 1) / each : 0;
}

FV_DEVICE int split_keys(int keys) {
  const int pages = (keys + FOVEA_PAGE_KEYS - 1) / FOVEA_PAGE_KEYS;
  return (pages + FV_MOST_SPLITS - 1) / FV_MOST_SPLITS * FOVEA_PAGE_KEYS;
}

/* What a range leaves for a head: its values, then maximum and sum. */
FV_DEVICE float *part_of(const fv_attention_args &p, int sequence, int head, int split) {
  return p.parts + (((long long)sequence * p.heads + head) * p.most_splits + split) * (p.value_dim + 2);
}

/* The scores of all heads and a page's keys from key on: FV_SPLIT_LANES lanes share a key. */
template <class S, int G>
FV_DEVICE void score_page(const fv_attention_args &p, const split_block &b, const split_tiles &t, int key) {
  constexpr int size = split_vector<S>::size;
  const S *base = static_cast<const S *>(p.k.data) + key_at(p, p.k, b.x, key, b.kv_head, p.head_dim);
  const long long stride = key_stride(p, p.k, p.head_dim);
  const int lane = threadIdx.x % FV_SPLIT_LANES, left = b.last_key - key;
  const int low = low_key(p, b.x, 0) - key, high = high_key(p, b.x, 0) - key;
#pragma unroll 2
  for (int r = threadIdx.x / FV_SPLIT_LANES; r < FOVEA_PAGE_KEYS; r += FV_ATTENTION_THREADS / FV_SPLIT_LANES) {
    float s[G];
#pragma unroll
    for (int g = 0; g < G; g++) {
      s[g] = 0;
    }
    const bool seen = r < left && r >= low && r < high;
    for (int c = lane * size; seen && c < p.head_dim; c += FV_SPLIT_LANES * size) {
      float k[size];
      load_vector(base + r * stride + c, k);
#pragma unroll
      for (int g = 0; g < G; g++) {
        if (g < b.heads) {
#pragma unroll
          for (int i = 0; i < size; i += 4) {
            const float4 q = *reinterpret_cast<const float4 *>(t.q + g * p.head_dim + c + i);
            s[g] = fmaf(q.x, k[i], s[g]);
            s[g] = fmaf(q.y, k[i + 1], s[g]);
            s[g] = fmaf(q.z, k[i + 2], s[g]);
            s[g] = fmaf(q.w, k[i + 3], s[g]);
          }
        }
      }
    }
    float mine = 0; /* of head number lane */
#pragma unroll
    for (int g = 0; g < G; g++) {
      for (int lanes = 1; lanes < FV_SPLIT_LANES; lanes *= 2) {
        s[g] += shfl_xor(s[g], lanes);
      }
      mine = lane == g ? s[g] : mine;
    }
    if (lane < b.heads) {
      const int head = b.first_head + lane;
      t.weights[r * G + lane] =
          seen ? adjusted<true>(p, b.x, head, 0, key + r, mine, slope_of(p, head)) : -INFINITY;
    }
  }
}

/* Turns a page's scores into weights under the maxima so far. A warp takes a head. */
template <int G>
FV_DEVICE void soften_page(const fv_attention_args &p, const split_block &b, const split_tiles &t) {
  const int lane = threadIdx.x % 32;
  const float unit = unit_of(p);
  for (int g = threadIdx.x / 32; g < b.heads; g += FV_ATTENTION_THREADS / 32) {
    const float before = t.peak[g];
    float peak = before, sum = 0;
    for (int r = lane; r < FOVEA_PAGE_KEYS; r += 32) {
      peak = fmaxf(peak, t.weights[r * G + g]);
    }
    peak = warp_max(peak);
    for (int r = lane; r < FOVEA_PAGE_KEYS; r += 32) {
      const float w = weight_of(t.weights[r * G + g], peak, unit);
      t.weights[r * G + g] = w;
      sum += w;
    }
    sum = warp_sum(sum);
    __syncwarp(); /* all lanes have read what lane 0 writes */
    if (lane == 0) {
      t.factor[g] = fade(before, peak, unit);
      t.peak[g] = peak;
      t.sum[g] = fmaf(t.sum[g], t.factor[g], sum);
    }
  }
}

/* How a warp reads values: lanes side by side in a row, a power of two, and rows at once. */
template <class S>
FV_DEVICE int lanes_of_row(const fv_attention_args &p) {
  int lanes = 1;
  while (lanes < 32 && lanes * split_vector<S>::size < p.value_dim) {
    lanes *= 2;
  }
  return lanes;
}

/* out = c out + P V of a page, over the rows that this thread reads. */
template <class S, int G>
FV_DEVICE void weigh_page(const fv_attention_args &p, const split_block &b, const split_tiles &t, int key,
                          float (&out)[G][split_vector<S>::size]) {
  constexpr int size = split_vector<S>::size;
  const S *base = static_cast<const S *>(p.v.data) + key_at(p, p.v, b.x, key, b.kv_head, p.value_dim);
  const long long stride = key_stride(p, p.v, p.value_dim);
  const int lanes = lanes_of_row<S>(p), left = b.last_key - key;
  const int column = b.first_column + (int)threadIdx.x % lanes * size;
#pragma unroll
  for (int g = 0; g < G; g++) {
    const float factor = g < b.heads ? t.factor[g] : 0;
#pragma unroll
    for (int i = 0; i < size; i++) {
      out[g][i] *= factor;
    }
  }
  if (column >= p.value_dim) {
    return;
  }
  const int low = low_key(p, b.x, 0) - key, rows = left < FOVEA_PAGE_KEYS ? left : FOVEA_PAGE_KEYS;
#pragma unroll 2
  for (int r = threadIdx.x / lanes; r < rows; r += FV_ATTENTION_THREADS / lanes) {
    if (r < low) {
      continue;
    }
    float v[size];
    load_vector(base + r * stride + column, v);
#pragma unroll
    for (int g = 0; g < G; g++) {
      const float w = g < b.heads ? t.weights[r * G + g] : 0;
      if (w != 0) { /* a value that is not attended to may be NaN */
#pragma unroll
        for (int i = 0; i < size; i++) {
          out[g][i] = fmaf(w, v[i], out[g][i]);
        }
      }
    }
  }
}

/* Adds up what the block's threads hold, lanes first and then warps in order, and leaves the part. */
template <class S, int G>
FV_DEVICE void leave_part(const fv_attention_args &p, const split_block &b, const split_tiles &t, int split,
                          float (&out)[G][split_vector<S>::size]) {
  constexpr int size = split_vector<S>::size, warps = FV_ATTENTION_THREADS / 32;
  const int lanes = lanes_of_row<S>(p), lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  float *sums = t.weights; /* [warps, 32 size]: a head at a time */
  const int width = lanes * size;
#pragma unroll
  for (int g = 0; g < G; g++) {
    if (g >= b.heads) {
      break;
    }
#pragma unroll
    for (int i = 0; i < size; i++) {
      for (int other = lanes; other < 32; other *= 2) {
        out[g][i] += shfl_xor(out[g][i], other);
      }
    }
    __syncthreads(); /* weights, or the sums of the head before, are read */
    if (lane < lanes) {
#pragma unroll
      for (int i = 0; i < size; i++) {
        sums[warp * 32 * size + lane * size + i] = out[g][i];
      }
    }
    __syncthreads();
    float *part = part_of(p, b.x.number, b.first_head + g, split);
    for (int c = threadIdx.x; c < width && b.first_column + c < p.value_dim; c += FV_ATTENTION_THREADS) {
      float sum = sums[c];
      for (int w = 1; w < warps; w++) {
        sum += sums[w * 32 * size + c];
      }
      part[b.first_column + c] = sum;
    }
    if (threadIdx.x == 0 && b.first_column == 0) {
      part[p.value_dim] = t.peak[g];
      part[p.value_dim + 1] = t.sum[g];
    }
  }
}

template <class S, int G>
FV_DEVICE void attention_split(const fv_attention_args &p, unsigned char *shared) {
  const int split = (int)(blockIdx.x % p.most_splits), s = (int)(blockIdx.x / p.most_splits);
  if (s >= p.batch.counts[FV_COUNT_SEQUENCES]) {
    return;
  }
  split_block b;
  b.x = sequence_of(p, s);
  if (b.x.queries != 1 || split >= splits_of(b.x.keys)) {
    return;
  }
  const int batches = (p.group + G - 1) / G, batch = (int)(blockIdx.y % batches);
  b.kv_head = (int)(blockIdx.y / batches);
  b.first_head = b.kv_head * p.group + batch * G;
  b.heads = p.group - batch * G < G ? p.group - batch * G : G;
  b.first_column = (int)blockIdx.z * 32 * split_vector<S>::size;
  const int each = split_keys(b.x.keys), low = low_key(p, b.x, 0), high = high_key(p, b.x, 0);
  b.first_key = split * each;
  b.last_key = b.first_key + each < high ? b.first_key + each : high;
  split_tiles t;
  t.weights = reinterpret_cast<float *>(shared);
  t.peak = t.weights + FOVEA_PAGE_KEYS * FV_SPLIT_HEADS;
  t.sum = t.peak + FV_SPLIT_HEADS;
  t.factor = t.sum + FV_SPLIT_HEADS;
  t.q = t.factor + FV_SPLIT_HEADS;
  for (int g = 0; g < b.heads; g++) {
    const long long at = query_at(p.q, b.x, 0, b.first_head + g);
    for (int e = threadIdx.x; e < p.head_dim; e += FV_ATTENTION_THREADS) {
      t.q[g * p.head_dim + e] =
          turned_element(p, p.q.data, p.q_dtype, at, e, p.rope ? angles_of(p, b.x.diagonal) : nullptr);
    }
  }
  if (threadIdx.x < G) {
    t.peak[threadIdx.x] = -INFINITY;
    t.sum[threadIdx.x] = 0;
  }
  float out[G][split_vector<S>::size];
#pragma unroll
  for (int g = 0; g < G; g++) {
#pragma unroll
    for (int i = 0; i < split_vector<S>::size; i++) {
      out[g][i] = 0;
    }
  }
  __syncthreads();
  for (int key = b.first_key; key < b.last_key; key += FOVEA_PAGE_KEYS) {
    if (key + FOVEA_PAGE_KEYS <= low) {
      continue;
    }
    score_page<S, G>(p, b, t, key);
    __syncthreads();
    soften_page<G>(p, b, t);
    __syncthreads();
    weigh_page<S, G>(p, b, t, key, out);
    __syncthreads();
  }
  leave_part<S, G>(p, b, t, split, out);
}

#define FV_SPLIT_KERNEL(S, name, G, blocks)                                                                  \
  FV_KERNEL(fv_attention_split_##name##_##G, fv_attention_args, FV_ATTENTION_THREADS, blocks) {              \
    FV_SHARED(shared);                                                                                       \
    attention_split<S, G>(p, shared);                                                                        \
  }
FV_SPLIT_KERNEL(float, f32, 1, 4)
FV_SPLIT_KERNEL(float, f32, 8, 4)
FV_SPLIT_KERNEL(f16, f16, 1, 4)
FV_SPLIT_KERNEL(f16, f16, 8, 3)
FV_SPLIT_KERNEL(bf16, bf16, 1, 4)
FV_SPLIT_KERNEL(bf16, bf16, 8, 3)

/* The ranges of a sequence of one query, for a head. */
FV_KERNEL(fv_attention_combine, fv_attention_args, FV_ATTENTION_THREADS, 1) {
  const int head = (int)(blockIdx.x % p.heads), s = (int)(blockIdx.x / p.heads);
  if (s >= p.batch.counts[FV_COUNT_SEQUENCES]) {
    return;
  }
  const fv_sequence x = sequence_of(p, s);
  if (x.queries != 1) {
    return;
  }
  const int splits = splits_of(x.keys);
  const float unit = unit_of(p);
  float peak = -INFINITY, sum = 0;
  for (int i = 0; i < splits; i++) {
    peak = fmaxf(peak, part_of(p, s, head, i)[p.value_dim]);
  }
  for (int i = 0; i < splits; i++) {
    const float *part = part_of(p, s, head, i);
    sum = fmaf(part[p.value_dim + 1], weight_of(part[p.value_dim], peak, unit), sum);
  }
  const float inverse = sum == 0 ? 0 : 1 / sum;
  const long long at = query_at(p.out, x, 0, head);
  for (int c = threadIdx.x; c < p.value_dim; c += FV_ATTENTION_THREADS) {
    float out = 0;
    for (int i = 0; i < splits; i++) {
      const float *part = part_of(p, s, head, i);
      const float w = weight_of(part[p.value_dim], peak, unit);
      out = w == 0 ? out : fmaf(part[c], w, out);
    }
    write_element(p.out.data, p.out_dtype, at + c, out * inverse + 0.0f);
  }
  if (p.lse.data && threadIdx.x == 0) {
    static_cast<float *>(p.lse.data)[query_at(p.lse, x, 0, head)] = log_sum(p, peak, sum);
  }
}
