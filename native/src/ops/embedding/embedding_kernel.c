/* The embedding kernel, compiled once per ISA. Contract in embedding.h. */
#include "ops/embedding/embedding.h"

#include "simd/vector.h"

fv_stored_read_kernel FV_NAME(stored_read);

/* out [width] = (scale word + position) + type; position and type may be null. */
static void add(int width, float scale, const float *word, const float *position, const float *type, float *out) {
  int i = 0;
  for (; i + FV_LANES <= width; i += FV_LANES) {
    fv_f32 sum = scale * fv_load(word + i);
    if (position) sum += fv_load(position + i);
    if (type) sum += fv_load(type + i);
    fv_store(out + i, sum);
  }
  for (; i < width; i++) {
    float sum = scale * word[i];
    if (position) sum += position[i];
    if (type) sum += type[i];
    out[i] = sum;
  }
}

/* Words are widened in pieces of this many values: whole blocks of any layout, and whole vectors. */
enum { PIECE = 256 };

/* Word id, of any layout, in place of word. */
static void add_stored(const fv_embedding_job *job, int id, const float *position, float *out) {
  for (long long i = 0; i < job->width; i += PIECE) {
    const int count = job->width - i < PIECE ? (int)(job->width - i) : PIECE;
    float piece[PIECE];
    FV_NAME(stored_read)(&job->words, id, id * (long long)job->width + i, 1, count, piece);
    add(count, job->scale, piece, position ? position + i : 0, job->type ? job->type + i : 0, out + i);
  }
}

/* The sequence that holds a token: the last one that starts at or before it. */
static int sequence_of(const fv_embedding_job *job, long long token) {
  int low = 0, high = job->sequences - 1;
  while (low < high) {
    const int middle = high - (high - low) / 2;
    if (job->offsets[middle] <= token) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

void FV_NAME(embedding)(const fv_embedding_job *job, long long first, long long last) {
  const long long width = job->width;
  int sequence = sequence_of(job, first);
  for (long long t = first; t < last; t++) {
    while (job->offsets[sequence + 1] <= t) sequence++;
    const long long before = job->starts ? job->starts[sequence] : 0;
    const float *position = job->positions ? job->positions + (before + t - job->offsets[sequence]) * width : 0;
    float *out = job->out + t * job->out_stride;
    if (job->floats) {
      add(job->width, job->scale, job->floats + job->ids[t] * width, position, job->type, out);
    } else {
      add_stored(job, job->ids[t], position, out);
    }
  }
}
