/*
 * Layer norm: the contract of fovea_layer_norm's kernel.
 *
 *   out[r] = (x[r] - mean) / sqrt(var + epsilon) * gamma + beta
 *   mean = sum(x[r]) / width, var = sum((x[r] - mean)^2) / width
 *
 *   x, out      [rows, width], rows strided; out may be x with the same stride
 *   gamma, beta [width]
 *
 * Two passes over a row, so that a large mean does not cancel the variance away. A
 * row's bits depend on that row alone. A NaN or an infinity makes its whole row
 * NaN and no other. Ba et al., Layer Normalization, arXiv:1607.06450.
 */
#ifndef FV_LAYER_NORM_H
#define FV_LAYER_NORM_H

typedef void fv_layer_norm_kernel(long long rows, int width, float epsilon, const float *x, long long x_stride,
                                  const float *gamma, const float *beta, float *out, long long out_stride);

#endif /* FV_LAYER_NORM_H */
