/* Appends to the key/value cache, compiled once per ISA. Contract in cache.h. */
#include "ops/cache/cache.h"

#include "ops/layout/layout.h"
#include "simd/half.h"
#include "simd/rope.h"

/* Floats that are widened, turned and narrowed at a time. */
enum { PIECE = 1024 };

FV_INLINE const char *at(const char *p, int dtype, long long element) { return p + element * fv_dtype_bytes(dtype); }

/* Elements [first, last) of a row, from one type to another. */
static void convert(int from_dtype, const char *from, long long first, long long last, int to_dtype, char *to) {
  float piece[PIECE];
  for (; first < last; first += PIECE) {
    const long long count = last - first < PIECE ? last - first : PIECE;
    fv_widen(from_dtype, at(from, from_dtype, first), count, piece);
    fv_narrow(to_dtype, piece, count, to + first * fv_dtype_bytes(to_dtype));
  }
}

/* The first rope_dim elements of a key, turned, from one type to another. */
static void turn(const fovea_cache_append_params *p, const float *angles, const char *from, char *to) {
  float piece[PIECE];
  const int pairs = p->rope_dim / 2, half = p->rope == FOVEA_ROPE_HALF;
  for (int first = 0; first < pairs; first += PIECE / 2) {
    const int count = pairs - first < PIECE / 2 ? pairs - first : PIECE / 2;
    /* The two elements of a pair, or all of several, begin here. */
    const long long x = half ? first : 2 * first, y = half ? first + pairs : 2 * first + count;
    fv_widen(p->dtype, at(from, p->dtype, x), count, piece);
    fv_widen(p->dtype, at(from, p->dtype, y), count, piece + count);
    fv_rope(p->rope, count, angles + first, angles + pairs + first, piece);
    fv_narrow(p->cache_dtype, piece, count, to + x * fv_dtype_bytes(p->cache_dtype));
    fv_narrow(p->cache_dtype, piece + count, count, to + y * fv_dtype_bytes(p->cache_dtype));
  }
}

fv_layout_write_kernel FV_FLOATS(layout_write);

/* A row as blocks of Q8_0, its first turned elements turned. */
static __attribute__((noinline)) void quantize(const fovea_cache_append_params *p, int turned, const float *angles,
                                               const char *from, int dim, char *to) {
  float row[FV_CACHE_BLOCK_DIM];
  fv_widen(p->dtype, from, dim, row);
  if (turned) fv_rope(p->rope, turned / 2, angles, angles + turned / 2, row);
  for (int i = 0; i < dim; i += FV_CACHE_BLOCK, to += FV_CACHE_BLOCK_BYTES) {
    FV_FLOATS(layout_write)(FOVEA_LAYOUT_Q8_0, row + i, to);
  }
}

/* One token of a sequence, all heads. token counts the sequence's new ones. */
static void append(const fv_cache_append_job *job, int sequence, long long token) {
  const fovea_cache_append_params *p = job->params;
  const long long position = job->lengths[sequence] + token;
  const long long page = job->page_table[sequence * (long long)p->page_table_stride + position / FOVEA_PAGE_KEYS];
  const long long k_start = p->k_sequence_stride ? sequence * p->k_sequence_stride
                                                 : job->offsets[sequence] * p->k_token_stride;
  const long long v_start = p->v_sequence_stride ? sequence * p->v_sequence_stride
                                                 : job->offsets[sequence] * p->v_token_stride;
  for (int head = 0; head < p->kv_heads; head++) {
    const long long row = (page * p->kv_heads + head) * FOVEA_PAGE_KEYS + position % FOVEA_PAGE_KEYS;
    const char *k = at(job->k, p->dtype, k_start + token * p->k_token_stride + head * p->k_head_stride);
    const char *v = at(job->v, p->dtype, v_start + token * p->v_token_stride + head * p->v_head_stride);
    char *k_row = job->k_pages + row * fv_cached_bytes(p->cache_dtype, p->head_dim);
    char *v_row = job->v_pages + row * fv_cached_bytes(p->cache_dtype, p->value_dim);
    const int turned = p->rope == FOVEA_ROPE_NONE ? 0 : p->rope_dim;
    if (p->cache_dtype == FOVEA_LAYOUT_Q8_0) {
      quantize(p, turned, turned ? job->rope_table + position * p->rope_dim : 0, k, p->head_dim, k_row);
      quantize(p, 0, 0, v, p->value_dim, v_row);
      continue;
    }
    if (turned) turn(p, job->rope_table + position * p->rope_dim, k, k_row);
    convert(p->dtype, k, turned, p->head_dim, p->cache_dtype, k_row);
    convert(p->dtype, v, 0, p->value_dim, p->cache_dtype, v_row);
  }
}

void FV_NAME(cache_append)(const fv_cache_append_job *job, long long begin, long long end) {
  for (int s = 0; s < job->params->sequences && job->offsets[s] < end; s++) {
    const long long first = job->offsets[s], last = job->offsets[s + 1];
    for (long long t = first > begin ? first : begin; t < last && t < end; t++) append(job, s, t - first);
  }
}
