/*
 * Elementwise: the contract of fovea_elementwise's kernel.
 *
 *   out[r] = a[r] + b[r],  activation(a[r]) * b[r]  or  activation(a[r])
 *
 *   a, b, out [rows, width], rows strided; out may be a or b with the same stride
 *
 * An element's bits depend on that element of a and b alone, and so does a NaN.
 */
#ifndef FV_ELEMENTWISE_H
#define FV_ELEMENTWISE_H

typedef struct fv_elementwise_job {
  int width, op, activation; /* FOVEA_ELEMENTWISE_*, FOVEA_ACTIVATION_* */
  long long a_stride, b_stride, out_stride;
  const float *a, *b; /* b is null for ACTIVATE */
  float *out;
} fv_elementwise_job;

/* Computes rows [first, last). */
typedef void fv_elementwise_kernel(const fv_elementwise_job *job, long long first, long long last);

#endif /* FV_ELEMENTWISE_H */
