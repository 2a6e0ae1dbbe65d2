/*
 * Log softmax: the contract of fovea_log_softmax's kernel.
 *
 *   out[r] = x[r] - max(x[r]) - log(sum(e^(x[r] - max(x[r]))))
 *
 *   x, out [rows, width], rows strided; out may be x with the same stride
 *
 * A row's bits depend on that row alone. NaN, plus infinity or nothing but minus infinity makes its whole
 * row NaN and no other; minus infinity among finite elements stays.
 */
#ifndef FV_LOG_SOFTMAX_H
#define FV_LOG_SOFTMAX_H

typedef void fv_log_softmax_kernel(long long rows, int width, const float *x, long long x_stride, float *out,
                                   long long out_stride);

#endif /* FV_LOG_SOFTMAX_H */
