/*
 * Pooling: one vector per sequence. fovea.h has the contract of fovea_pool; this is
 * what the kernel of each ISA implements.
 *
 *   MEAN  out[s] = (x[first] + x[first + 1] + …) / length, summed in the order of the tokens
 *   CLS   out[s] = x[first]
 *   LAST  out[s] = x[last]
 *
 * then, with normalize, out[s] / max(‖out[s]‖, 1e-12). An empty sequence gives 0. A
 * NaN spreads to its column, and with normalize to the whole vector of its sequence.
 */
#ifndef FV_OPS_POOLING_H
#define FV_OPS_POOLING_H

typedef struct fv_pooling_job {
  int width, mode, normalize;
  long long x_stride, out_stride;
  const int *offsets;
  const float *x;
  float *out;
} fv_pooling_job;

/* Computes sequences [first, last). */
typedef void fv_pooling_kernel(const fv_pooling_job *job, long long first, long long last);

#endif /* FV_OPS_POOLING_H */
