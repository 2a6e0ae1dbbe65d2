/*
 * Linear layer on prepacked weights: out = activation(x W^T + bias) + residual.
 * fovea.h has the contract; this is what the kernel of each ISA implements.
 *
 * Packed weights: one header, then ceil(outputs / P) panels of [inputs, P] floats,
 * P the panel width of the ISA; the last panel's missing columns are 0.
 *
 *   | header, 64 bytes | panel 0: [inputs][P] | panel 1 | ...
 */
#ifndef FV_OPS_LINEAR_H
#define FV_OPS_LINEAR_H

#include <stdint.h>

/* The first 64 bytes of packed weights. */
typedef struct fv_packed_header {
  uint32_t magic; /* FV_PACKED_MAGIC */
  int32_t dtype;  /* FOVEA_DTYPE_* */
  int32_t panel;  /* columns per panel */
  int32_t outputs;
  int32_t inputs;
  int32_t zero[11];
} fv_packed_header;

#define FV_PACKED_MAGIC 0x31505646u /* "FVP1" */

typedef struct fv_linear_pack_job {
  int outputs, inputs;
  long long output_stride, input_stride;
  const float *weight;
  float *panels;
} fv_linear_pack_job;

/* Packs panels [first, last). */
typedef void fv_linear_pack_kernel(const fv_linear_pack_job *job, long long first, long long last);

typedef struct fv_linear_job {
  int rows, inputs, outputs, activation;
  int block_rows; /* rows of a block: a block of x stays in the cache while panels stream by */
  int panels;     /* ceil(outputs / panel) */
  long long x_stride, residual_stride, out_stride;
  const float *x, *weights, *bias, *residual; /* weights: the panels; bias and residual may be null */
  float *out;
} fv_linear_job;

/* Computes items [first, last); item i is panel i % panels of row block i / panels. */
typedef void fv_linear_kernel(const fv_linear_job *job, long long first, long long last);

#endif /* FV_OPS_LINEAR_H */
