/*
 * fovea_ragged_matmul: a product per sequence, each a call of its own of OpenBLAS, or of the kernel where it is not
 * loaded, so that its bits depend neither on the other sequences nor on the number of threads.
 */
#include <limits.h>
#include <string.h>

#include "blas.h"
#include "engine.h"
#include "validate.h"

typedef struct ragged_job {
  const fv_blas *blas; /* null: the kernel */
  fv_product_kernel *kernel;
  const fovea_ragged_matmul_params *params;
  const float *a, *b;
  const int *offsets;
  float *out;
} ragged_job;

static int check(const fovea_engine *engine, const fovea_ragged_matmul_params *p, const float *a, const float *b,
                 const int *offsets, const float *out) {
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->sequences >= 0 && p->k >= 1 && p->n >= 1 && p->reserved == 0));
  FV_REQUIRE(fv_check(p->transpose_a == 0 || p->transpose_a == 1));
  FV_REQUIRE(fv_check((long long)p->k * p->n <= INT_MAX));
  FV_REQUIRE(fv_check(p->a_stride <= INT_MAX && p->b_stride <= INT_MAX && p->out_stride <= INT_MAX));
  FV_REQUIRE(fv_check_pointer(offsets));
  FV_REQUIRE(fv_check_offsets(p->sequences, offsets));
  const int tokens = offsets[p->sequences], matrix = p->k * p->n;
  FV_REQUIRE(fv_check_matrix(a, tokens, p->k, p->a_stride));
  if (p->transpose_a) {
    FV_REQUIRE(fv_check_matrix(b, tokens, p->n, p->b_stride));
    FV_REQUIRE(fv_check_matrix(out, p->sequences, matrix, p->out_stride));
  } else {
    FV_REQUIRE(fv_check_matrix(b, p->sequences, matrix, p->b_stride));
    FV_REQUIRE(fv_check_matrix(out, tokens, p->n, p->out_stride));
  }
  return FOVEA_STATUS_OK;
}

/* out [k, n] = a^T b of a sequence */
static void multiply_columns(const ragged_job *job, int tokens, const float *a, const float *b, float *out) {
  const fovea_ragged_matmul_params *p = job->params;
  if (job->blas) {
    job->blas->sgemm(FV_BLAS_ROW_MAJOR, FV_BLAS_TRANSPOSE, FV_BLAS_NO_TRANSPOSE, p->k, p->n, tokens, 1, a,
                     (int)p->a_stride, b, (int)p->b_stride, 0, out, p->n);
    return;
  }
  job->kernel(&(fv_product){.rows = p->k,
                            .n = p->n,
                            .k = tokens,
                            .a = a,
                            .a_row = 1,
                            .a_term = p->a_stride,
                            .b = b,
                            .b_term = p->b_stride,
                            .b_column = 1,
                            .alpha = 1,
                            .c = out,
                            .c_row = p->n});
}

/* out [tokens, n] = a b of a sequence */
static void multiply_rows(const ragged_job *job, int tokens, const float *a, const float *b, float *out) {
  const fovea_ragged_matmul_params *p = job->params;
  if (job->blas) {
    job->blas->sgemm(FV_BLAS_ROW_MAJOR, FV_BLAS_NO_TRANSPOSE, FV_BLAS_NO_TRANSPOSE, tokens, p->n, p->k, 1, a,
                     (int)p->a_stride, b, p->n, 0, out, (int)p->out_stride);
    return;
  }
  job->kernel(&(fv_product){.rows = tokens,
                            .n = p->n,
                            .k = p->k,
                            .a = a,
                            .a_row = p->a_stride,
                            .a_term = 1,
                            .b = b,
                            .b_term = p->n,
                            .b_column = 1,
                            .alpha = 1,
                            .c = out,
                            .c_row = p->out_stride});
}

static void multiply(const ragged_job *job, long long sequence) {
  const fovea_ragged_matmul_params *p = job->params;
  const long long begin = job->offsets[sequence];
  const int tokens = (int)(job->offsets[sequence + 1] - begin);
  const float *a = job->a + begin * p->a_stride;
  if (!p->transpose_a) {
    if (tokens > 0) {
      multiply_rows(job, tokens, a, job->b + sequence * p->b_stride, job->out + begin * p->out_stride);
    }
    return;
  }
  float *out = job->out + sequence * p->out_stride;
  if (tokens == 0) {
    memset(out, 0, (size_t)p->k * (size_t)p->n * sizeof(float));
  } else {
    multiply_columns(job, tokens, a, job->b + begin * p->b_stride, out);
  }
}

static void run(void *context, long long begin, long long end, int worker) {
  (void)worker;
  for (long long s = begin; s < end; s++) multiply(context, s);
}

int fovea_ragged_matmul(fovea_engine *engine, const fovea_ragged_matmul_params *params, const float *a, const float *b,
                        const int *offsets, float *out) {
  FV_REQUIRE(check(engine, params, a, b, offsets, out));
  if (params->sequences == 0) return FOVEA_STATUS_OK;
  ragged_job job = {fv_blas_loaded(), engine->kernels->product, params, a, b, offsets, out};
  const long long tokens = offsets[params->sequences] / params->sequences + 1;
  fv_parallel(engine, params->sequences, fv_grain_of_products(tokens * params->k * params->n), run, &job);
  return FOVEA_STATUS_OK;
}
