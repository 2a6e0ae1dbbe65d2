/*
 * L2 norm: the contract of fovea_normalize's kernel.
 *
 *   out[r] = x[r] / max(sqrt(sum(x[r]^2)), 1e-12)
 *
 *   x, out [rows, width], rows strided; out may be x with the same stride
 *
 * A row's bits depend on that row alone. A NaN makes its whole row NaN and no other.
 */
#ifndef FV_NORMALIZE_H
#define FV_NORMALIZE_H

typedef void fv_normalize_kernel(long long rows, int width, const float *x, long long x_stride, float *out,
                                 long long out_stride);

#endif /* FV_NORMALIZE_H */
