/*
 * Top k: the contract of fovea_top_k's kernel.
 *
 *   indices[r] = the columns of the k largest of x[r], the largest first; of equals the lower column first;
 *                NaN ranks below minus infinity
 *
 *   x       [rows, width], rows strided
 *   indices [rows, k], rows strided, 1 <= k <= width
 */
#ifndef FV_TOP_K_H
#define FV_TOP_K_H

typedef void fv_top_k_kernel(long long rows, int width, int k, const float *x, long long x_stride, int *indices,
                             long long indices_stride);

#endif /* FV_TOP_K_H */
