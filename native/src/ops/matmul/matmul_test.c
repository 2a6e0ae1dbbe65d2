#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
  int batch, m, n, k, gap;
} shape;

static const shape shapes[] = {
    {0, 3, 3, 3, 0}, {1, 0, 3, 2, 0},  {1, 3, 0, 2, 0},   {2, 3, 4, 0, 1},    {1, 1, 1, 1, 0},     {1, 1, 37, 64, 0},
    {1, 5, 1, 9, 2}, {3, 7, 5, 3, 1},  {12, 64, 64, 32, 0}, {2, 33, 17, 65, 3},
    {1, 255, 24, 40, 0}, {1, 256, 24, 40, 1}, {1, 257, 24, 40, 0}, {2, 600, 48, 20, 0}, {1, 7, 31, 127, 1},
    {1, 15, 33, 128, 0}, {2, 29, 65, 129, 1}, {1, 113, 32, 400, 0},
};

/* c [m, n] in the type that the name says; the float form is the naive one. */
#define DEFINE_REFERENCE(name, real)                                                                            \
  static void name(const fovea_matmul_params *p, const float *a, const float *b, const float *c, real *out) {   \
    for (int i = 0; i < p->m; i++) {                                                                            \
      for (int j = 0; j < p->n; j++) {                                                                          \
        real sum = 0;                                                                                           \
        for (int l = 0; l < p->k; l++) {                                                                        \
          sum += (real)a[i * p->a_stride + l] * (real)b[p->transpose_b ? j * p->b_stride + l : l * p->b_stride + j]; \
        }                                                                                                       \
        out[(long long)i * p->n + j] = p->alpha * sum + (p->beta == 0 ? 0 : p->beta * c[i * p->c_stride + j]);  \
      }                                                                                                         \
    }                                                                                                           \
  }
DEFINE_REFERENCE(reference_double, double)
DEFINE_REFERENCE(reference_float, float)

static fovea_matmul_params params_of(shape s, int transpose_b, float beta) {
  fovea_matmul_params p = {.struct_size = sizeof p,
                           .batch = s.batch,
                           .m = s.m,
                           .n = s.n,
                           .k = s.k,
                           .transpose_b = transpose_b,
                           .alpha = 0.75f,
                           .beta = beta,
                           .a_stride = s.k + s.gap,
                           .b_stride = (transpose_b ? s.k : s.n) + s.gap,
                           .c_stride = s.n + s.gap};
  p.a_batch_stride = s.m * p.a_stride;
  p.b_batch_stride = (transpose_b ? s.n : s.k) * p.b_stride;
  p.c_batch_stride = s.m * p.c_stride + s.gap;
  if (p.c_batch_stride < s.n) p.c_batch_stride = s.n;
  return p;
}

/* With beta 0, c is NaN beforehand and must not be read. */
static void should_match_reference(fovea_engine *engine, shape s, int transpose_b, float beta) {
  const fovea_matmul_params p = params_of(s, transpose_b, beta);
  const float *a = test_floats(s.batch * p.a_batch_stride), *b = test_floats(s.batch * p.b_batch_stride);
  const long long count = s.batch * p.c_batch_stride, dense_count = (long long)s.m * s.n;
  float *c = beta == 0 ? test_outputs(count) : test_floats(count);
  float *before = malloc((size_t)count * sizeof *before + 1), *naive = malloc((size_t)dense_count * sizeof *naive + 1);
  float *dense = malloc((size_t)dense_count * sizeof *dense + 1);
  double *want = malloc((size_t)dense_count * sizeof *want + 1);
  memcpy(before, c, (size_t)count * sizeof *before);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_matmul(engine, &p, a, b, c));
  for (int i = 0; i < s.batch; i++) {
    const float *old = before + i * p.c_batch_stride, *new = c + i * p.c_batch_stride;
    reference_double(&p, a + i * p.a_batch_stride, b + i * p.b_batch_stride, old, want);
    reference_float(&p, a + i * p.a_batch_stride, b + i * p.b_batch_stride, old, naive);
    for (int r = 0; r < s.m; r++) {
      memcpy(dense + (long long)r * s.n, new + r * p.c_stride, (size_t)s.n * sizeof *dense);
      CHECK_SAME_BITS(old + r * p.c_stride + s.n, new + r * p.c_stride + s.n, s.gap, "wrote behind row %d", r);
    }
    CHECK_CLOSE(dense, want, naive, dense_count, "product %d of %d %dx%dx%d, b %s, beta %g, %s", i, s.batch, s.m, s.n,
                s.k, transpose_b ? "transposed" : "plain", beta, test_describe(engine));
  }
  free(before);
  free(naive);
  free(dense);
  free(want);
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    for (int transpose_b = 0; transpose_b <= 1; transpose_b++) {
      should_match_reference(engine, shapes[i], transpose_b, 0);
      should_match_reference(engine, shapes[i], transpose_b, 0.5f);
    }
  }
}

/* Heads side by side in a row: products that interleave in memory. */
static void should_give_the_same_bits_for_any_threads_and_batch(void) {
  enum { TOKENS = 530, HEADS = 3, DIM = 32, ROW = HEADS * DIM, SCORES = HEADS * TOKENS * TOKENS };
  const float *q = test_floats(TOKENS * ROW), *k = test_floats(TOKENS * ROW);
  float *one = test_outputs(SCORES), *other = test_outputs(SCORES);
  fovea_matmul_params p = {.struct_size = sizeof p,
                           .batch = HEADS,
                           .m = TOKENS,
                           .n = TOKENS,
                           .k = DIM,
                           .transpose_b = 1,
                           .alpha = 1,
                           .a_stride = ROW,
                           .b_stride = ROW,
                           .c_stride = TOKENS,
                           .a_batch_stride = DIM,
                           .b_batch_stride = DIM,
                           .c_batch_stride = TOKENS * TOKENS};
  for (int threads = 1; threads <= 4; threads *= 2) {
    fovea_engine *engine = test_engine(threads);
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_matmul(engine, &p, q, k, threads == 1 ? one : other));
    if (threads > 1) CHECK_SAME_BITS(one, other, SCORES, "%d threads", threads);
    fovea_matmul_params single = p;
    single.batch = 1;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_matmul(engine, &single, q + 2 * DIM, k + 2 * DIM, other));
    CHECK_SAME_BITS(one + 2 * TOKENS * TOKENS, other, TOKENS * TOKENS, "alone, %d threads", threads);
    fovea_engine_destroy(engine);
  }
  test_release();
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  const float *a = test_floats(6 * 8), *b = test_floats(6 * 8);
  float *c = test_outputs(6 * 8);
  const fovea_matmul_params good = params_of((shape){2, 4, 5, 3, 0}, 1, 0);
  fovea_matmul_params p = good;
#define CHECK_WITH(status, field, value)                            \
  do {                                                              \
    p = good;                                                       \
    p.field = (value);                                              \
    CHECK_STATUS(status, fovea_matmul(engine, &p, a, b, c));        \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_matmul(NULL, &good, a, b, c));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_matmul(engine, NULL, a, b, c));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_matmul(engine, &good, NULL, b, c));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_matmul(engine, &good, a, NULL, c));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_matmul(engine, &good, a, b, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_matmul(engine, &good, a, b, (float *)((char *)c + 3)));
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 4);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, batch, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, m, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, n, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, k, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, transpose_b, 2);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, a_stride, 2);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, b_stride, -3);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, c_stride, 1LL << 31);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, a_batch_stride, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, c_batch_stride, 0);
  CHECK_WITH(FOVEA_STATUS_OVERFLOW, b_batch_stride, 1LL << 62);
  CHECK_UNTOUCHED(c, 6 * 8);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_matmul(engine, &good, a, b, c));
  test_release();
  fovea_engine_destroy(engine);
}

static void should_compute(void) {
  test_each_engine(on_engine);
  should_give_the_same_bits_for_any_threads_and_batch();
  should_refuse_misuse();
}

/* Without OpenBLAS first, which is loaded once per process. */
int main(void) {
  should_compute();
  const char *path = getenv("FOVEA_OPENBLAS");
  if (!path || !*path) {
    printf("matmul: products of OpenBLAS not tested: FOVEA_OPENBLAS names no library\n");
    return test_finish("matmul");
  }
  const int threads = test_threads();
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_blas_load(path));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_blas_load("/nowhere/else")); /* once per process */
  char text[256], start[5];
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_blas_describe(sizeof text, text));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_blas_describe(sizeof start, start));
  CHECK(strncmp(text, "OpenBLAS", 8) == 0, "got the description %s", text);
  CHECK(strcmp(start, "Open") == 0, "got %s in 5 bytes", start);
  should_compute();
  const int left = test_threads_settled(threads);
  CHECK(left == threads, "expected %d threads, got %d after OpenBLAS was used", threads, left);
  printf("matmul: %s\n", text);
  return test_finish("matmul");
}
