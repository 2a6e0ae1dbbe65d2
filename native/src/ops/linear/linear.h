/*
 * Linear layer on prepacked weights: out = activation(x W^T + bias) + residual.
 * fovea.h has the contract; this is what the kernel of each ISA implements.
 *
 * Packed weights: one header, then ceil(outputs / P) panels, P the panel width of the
 * ISA; the last panel's missing columns are 0. A panel of F32 is [inputs, P] floats;
 * simd/tile.h has that of BF16, simd/dot.h that of I8.
 *
 *   | header, 64 bytes | panel 0 | panel 1 | ...
 */
#ifndef FV_OPS_LINEAR_H
#define FV_OPS_LINEAR_H

#include <stdint.h>

/* The first 64 bytes of packed weights. */
typedef struct fv_packed_header {
  uint32_t magic; /* FV_PACKED_MAGIC */
  int32_t dtype;  /* FOVEA_DTYPE_* */
  int32_t isa;    /* FOVEA_ISA_* of the table whose panels they are */
  int32_t outputs;
  int32_t inputs;
  int32_t zero[11];
} fv_packed_header;

#define FV_PACKED_MAGIC 0x31505646u /* "FVP1" */

typedef struct fv_linear_layout {
  long long panel_bytes;
  int block_rows; /* the most rows of a block: a block of x stays in the cache while panels stream by */
} fv_linear_layout;

/* The layout for a type of weights and a number of inputs. */
typedef fv_linear_layout fv_linear_layout_kernel(int dtype, int inputs);

typedef struct fv_linear_pack_job {
  int dtype, outputs, inputs;
  long long output_stride, input_stride;
  const char *weight; /* floats of any alignment */
  char *panels;
  long long panel_bytes;
} fv_linear_pack_job;

/* Packs panels [first, last). */
typedef void fv_linear_pack_kernel(const fv_linear_pack_job *job, long long first, long long last);

typedef struct fv_linear_job {
  int dtype, rows, inputs, outputs, activation;
  int panels; /* ceil(outputs / panel) */
  fv_linear_layout layout;
  long long x_stride, residual_stride, out_stride;
  const char *weights;              /* the panels */
  const float *x, *bias, *residual; /* bias and residual may be null */
  float *out;
} fv_linear_job;

/* Computes items [first, last); item i is panel i % panels of row block i / panels. */
typedef void fv_linear_kernel(const fv_linear_job *job, long long first, long long last);

#endif /* FV_OPS_LINEAR_H */
