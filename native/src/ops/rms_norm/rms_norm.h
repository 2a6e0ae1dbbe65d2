/*
 * RMS norm: the contract of fovea_rms_norm's kernel.
 *
 *   out[r] = x[r] / sqrt(sum(x[r]^2) / width + epsilon) * gamma
 *
 *   x, out [rows, width], rows strided; out may be x with the same stride
 *   gamma  [width]
 *
 * A row's bits depend on that row alone. A NaN makes its whole row NaN and no other.
 * Zhang and Sennrich, Root Mean Square Layer Normalization, arXiv:1910.07467.
 */
#ifndef FV_RMS_NORM_H
#define FV_RMS_NORM_H

typedef void fv_rms_norm_kernel(long long rows, int width, float epsilon, const float *x, long long x_stride,
                                const float *gamma, float *out, long long out_stride);

#endif /* FV_RMS_NORM_H */
