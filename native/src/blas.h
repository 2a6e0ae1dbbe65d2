/* OpenBLAS, opened on demand. */
#ifndef FV_BLAS_H
#define FV_BLAS_H

/* cblas.h's enumerations; they are passed as int. */
enum { FV_BLAS_ROW_MAJOR = 101, FV_BLAS_NO_TRANSPOSE = 111, FV_BLAS_TRANSPOSE = 112 };

typedef struct fv_blas {
  /* c [m, n] = alpha op(a) op(b) + beta c; the reference BLAS's SGEMM, with a row order in front. */
  void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
                const float *b, int ldb, float beta, float *c, int ldc);
  char *(*config)(void);
  void (*set_threads)(int threads);
  void (*shut_down_threads)(void);
} fv_blas;

/* What fovea_blas_load opened, or null before it. */
const fv_blas *fv_blas_loaded(void);

#endif /* FV_BLAS_H */
