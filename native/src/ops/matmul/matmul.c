/*
 * fovea_matmul: checks, then OpenBLAS, or the kernel where it is not loaded, over
 * fixed blocks of rows, each a call of its own. How the calls fall on threads changes
 * nothing in them, so a product has the same bits with any number of threads and in
 * any batch.
 *
 * OpenBLAS counts rows, columns and strides in int: a row stride beyond is an
 * INVALID_ARGUMENT.
 */
#include <limits.h>

#include "blas.h"
#include "engine.h"
#include "validate.h"

/* Rows of one call: few enough to share out, enough to make packing b again for each block cheap. */
#define BLOCK_ROWS 256

typedef struct matmul_job {
  const fv_blas *blas; /* null: the kernel */
  fv_product_kernel *kernel;
  const fovea_matmul_params *params;
  long long blocks; /* of one product */
  const float *a, *b;
  float *c;
} matmul_job;

/* One matrix of the batch: its rows must not overlap, its products may if it is only read. */
static int check_operand(const void *p, int batch, int rows, int columns, long long stride, long long batch_stride) {
  FV_REQUIRE(fv_check_pointer(p));
  FV_REQUIRE(fv_check(stride >= columns && stride <= INT_MAX && batch_stride >= 0));
  return fv_overflows(rows, stride, batch, batch_stride) ? FOVEA_STATUS_OVERFLOW : FOVEA_STATUS_OK;
}

static int check(const fovea_engine *engine, const fovea_matmul_params *p, const float *a, const float *b,
                 const float *c) {
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->batch >= 0 && p->m >= 0 && p->n >= 0 && p->k >= 0));
  FV_REQUIRE(fv_check(p->transpose_b == 0 || p->transpose_b == 1));
  const int b_rows = p->transpose_b ? p->n : p->k, b_columns = p->transpose_b ? p->k : p->n;
  FV_REQUIRE(check_operand(a, p->batch, p->m, p->k, p->a_stride, p->a_batch_stride));
  FV_REQUIRE(check_operand(b, p->batch, b_rows, b_columns, p->b_stride, p->b_batch_stride));
  FV_REQUIRE(check_operand(c, p->batch, p->m, p->n, p->c_stride, p->c_batch_stride));
  return fv_check(p->batch <= 1 || p->c_batch_stride >= p->n);
}

/* c [rows, n] = beta c */
static void scale(int rows, int n, float beta, float *c, long long stride) {
  for (int r = 0; r < rows; r++, c += stride) {
    for (int i = 0; i < n; i++) c[i] = beta == 0 ? 0 : beta * c[i];
  }
}

/* OpenBLAS wants a stride of at least 1 even where there is nothing to stride over. */
static int leading(long long stride) { return stride > 1 ? (int)stride : 1; }

static void multiply_block(const matmul_job *job, long long product, long long block) {
  const fovea_matmul_params *p = job->params;
  const long long row = block * BLOCK_ROWS;
  const int rows = p->m - row < BLOCK_ROWS ? (int)(p->m - row) : BLOCK_ROWS;
  const float *a = job->a + product * p->a_batch_stride + row * p->a_stride;
  const float *b = job->b + product * p->b_batch_stride;
  float *c = job->c + product * p->c_batch_stride + row * p->c_stride;
  if (p->k == 0) {
    scale(rows, p->n, p->beta, c, p->c_stride);
    return;
  }
  if (job->blas) {
    job->blas->sgemm(FV_BLAS_ROW_MAJOR, FV_BLAS_NO_TRANSPOSE,
                     p->transpose_b ? FV_BLAS_TRANSPOSE : FV_BLAS_NO_TRANSPOSE, rows, p->n, p->k, p->alpha, a,
                     leading(p->a_stride), b, leading(p->b_stride), p->beta, c, leading(p->c_stride));
    return;
  }
  job->kernel(&(fv_product){.rows = rows,
                            .n = p->n,
                            .k = p->k,
                            .a = a,
                            .a_row = p->a_stride,
                            .a_term = 1,
                            .b = b,
                            .b_term = p->transpose_b ? 1 : p->b_stride,
                            .b_column = p->transpose_b ? p->b_stride : 1,
                            .alpha = p->alpha,
                            .beta = p->beta,
                            .c = c,
                            .c_row = p->c_stride});
}

static void matmul_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const matmul_job *job = context;
  for (long long i = begin; i < end; i++) multiply_block(job, i / job->blocks, i % job->blocks);
}

int fovea_matmul(fovea_engine *engine, const fovea_matmul_params *params, const float *a, const float *b, float *c) {
  FV_REQUIRE(check(engine, params, a, b, c));
  if (params->m == 0 || params->n == 0) return FOVEA_STATUS_OK;
  matmul_job job = {fv_blas_loaded(), engine->kernels->product, params, ((long long)params->m - 1) / BLOCK_ROWS + 1, a, b, c};
  const long long rows = params->m < BLOCK_ROWS ? params->m : BLOCK_ROWS;
  const long long terms = params->k < 1 << 16 ? params->k : 1 << 16; /* rows * n * k can pass 2^63 */
  fv_parallel(engine, params->batch * job.blocks, fv_grain_of_products(rows * params->n * terms), matmul_slice, &job);
  return FOVEA_STATUS_OK;
}
