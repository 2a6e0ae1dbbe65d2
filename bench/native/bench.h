/*
 * What the comparison studies need in C. Buffers are the caller's; nothing is kept past a call.
 */
#ifndef FOVEA_BENCH_H
#define FOVEA_BENCH_H

#ifdef _WIN32
#define FB_API __declspec(dllexport)
#else
#define FB_API __attribute__((visibility("default")))
#endif

/*
 * Attention of one head as a textbook has it: all scores, their softmax, then the weighted sums.
 *
 * q, k, v, out [n, d] dense; scores [n, n], overwritten. Query i sees the keys 0 to i only if causal is not 0.
 */
FB_API void fb_attention_naive(int n, int d, int causal, const float *q, const float *k, const float *v, float *scores,
                               float *out);

/*
 * The most multiply-adds that one core does, in GFLOP/s (two operations each): a loop on registers alone.
 *
 * isa: the name of a row of native/cmake/isa.cmake, which must run on this CPU. Takes about `seconds`.
 * Returns 0 for an isa that is not built in.
 */
FB_API double fb_fma_gflops(const char *isa, double seconds);

/*
 * Softmax in place of `rows` rows of n scores, dense, from row first_row on of matrices with n rows each. With
 * causal, row i of a matrix keeps its first i + 1 scores and gets zeros behind them. Relative error below 1e-6.
 *
 * isa: as above; nothing is done for one that is not built in.
 */
FB_API void fb_softmax(const char *isa, long long first_row, long long rows, int n, int causal, float *scores);

/* Reads `bytes`, a multiple of 128, of memory aligned to 16, as fast as one core does: the sum of all 64-bit words. */
FB_API long long fb_read(const void *memory, long long bytes);

/* ---- callees of the calls suite ------------------------------------------ */

/* x + 1. */
FB_API int fb_empty(int x);

/* Sizes and strides of one linear layer, as Fovea's ops take them. */
typedef struct fb_params {
  int struct_size;
  int rows;
  int inputs;
  int outputs;
  long long x_stride;
  long long out_stride;
} fb_params;

/* Reads every field and every address, and computes nothing: the sum of the fields, or -1 where an address is null. */
FB_API long long fb_op(const fb_params *params, const float *x, const float *weight, float *out);

/* The sum of n floats, in 16 partial sums. */
FB_API float fb_sum(const float *x, int n);

#endif
