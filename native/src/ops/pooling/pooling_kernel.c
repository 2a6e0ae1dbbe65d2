/* The pooling kernel, compiled once per ISA. Contract in pooling.h. */
#include "ops/pooling/pooling.h"

#include "fovea/fovea.h"
#include "simd/normalize.h"

/* Vectors of columns summed side by side while the tokens stream by. */
enum { COLUMN_VECTORS = 4 };

/* out [width] = the mean of x [tokens, width], tokens >= 1 */
static void mean(const float *x, long long stride, int tokens, int width, float *out) {
  const float count = (float)tokens;
  int i = 0;
  for (; i + COLUMN_VECTORS * FV_LANES <= width; i += COLUMN_VECTORS * FV_LANES) {
    fv_f32 sums[COLUMN_VECTORS] = {0};
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < COLUMN_VECTORS; v++) sums[v] += fv_load(x + t * stride + i + v * FV_LANES);
    }
    for (int v = 0; v < COLUMN_VECTORS; v++) fv_store(out + i + v * FV_LANES, sums[v] / count);
  }
  for (; i < width; i++) {
    float sum = 0;
    for (int t = 0; t < tokens; t++) sum += x[t * stride + i];
    out[i] = sum / count;
  }
}

void FV_NAME(pooling)(const fv_pooling_job *job, long long first, long long last) {
  const size_t row_bytes = (size_t)job->width * sizeof(float);
  for (long long s = first; s < last; s++) {
    const long long begin = job->offsets[s], end = job->offsets[s + 1];
    float *out = job->out + s * job->out_stride;
    if (begin == end) {
      memset(out, 0, row_bytes);
      continue;
    }
    switch (job->mode) {
      case FOVEA_POOLING_MEAN:
        mean(job->x + begin * job->x_stride, job->x_stride, (int)(end - begin), job->width, out);
        break;
      case FOVEA_POOLING_CLS:
        memcpy(out, job->x + begin * job->x_stride, row_bytes);
        break;
      default:
        memcpy(out, job->x + (end - 1) * job->x_stride, row_bytes);
        break;
    }
    if (job->normalize) fv_normalize_row(out, job->width, out);
  }
}
