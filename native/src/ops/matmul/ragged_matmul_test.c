#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCES = 6 };

static const int lengths[SEQUENCES] = {3, 0, 1, 40, 7, 129};

typedef struct inputs {
  fovea_ragged_matmul_params params;
  int *offsets;
  float *a, *b, *out;
  long long outputs;
} inputs;

/* Buffers live until test_release. */
static inputs make(int k, int n, int transpose_a, int gap) {
  inputs in = {.offsets = test_ints(SEQUENCES + 1)};
  in.offsets[0] = 0;
  for (int s = 0; s < SEQUENCES; s++) in.offsets[s + 1] = in.offsets[s] + lengths[s];
  const int tokens = in.offsets[SEQUENCES];
  in.params = (fovea_ragged_matmul_params){.struct_size = sizeof in.params,
                                           .sequences = SEQUENCES,
                                           .k = k,
                                           .n = n,
                                           .transpose_a = transpose_a,
                                           .a_stride = k + gap,
                                           .b_stride = (transpose_a ? n : k * n) + gap,
                                           .out_stride = (transpose_a ? k * n : n) + gap};
  in.a = test_floats(tokens * in.params.a_stride);
  in.b = test_floats((transpose_a ? tokens : SEQUENCES) * in.params.b_stride);
  in.outputs = (transpose_a ? SEQUENCES : tokens) * in.params.out_stride;
  in.out = test_outputs(in.outputs);
  return in;
}

/* One element, in double and naively in float. */
static void element(const inputs *in, int s, int row, int column, double *exact, float *naive) {
  const fovea_ragged_matmul_params *p = &in->params;
  *exact = 0;
  *naive = 0;
  const int terms = p->transpose_a ? lengths[s] : p->k;
  for (int i = 0; i < terms; i++) {
    const int token = in->offsets[s] + (p->transpose_a ? i : row);
    const float a = in->a[token * p->a_stride + (p->transpose_a ? row : i)];
    const float b = p->transpose_a ? in->b[token * p->b_stride + column] : in->b[s * p->b_stride + i * p->n + column];
    *exact += (double)a * b;
    *naive += a * b;
  }
}

static void should_match_reference(fovea_engine *engine, int k, int n, int transpose_a, int gap) {
  const inputs in = make(k, n, transpose_a, gap);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_ragged_matmul(engine, &in.params, in.a, in.b, in.offsets, in.out));
  for (int s = 0; s < SEQUENCES; s++) {
    const int rows = transpose_a ? k : lengths[s];
    const size_t count = (size_t)rows * (size_t)n;
    double *want = calloc(count + 1, sizeof *want);
    float *naive = calloc(count + 1, sizeof *naive), *got = calloc(count + 1, sizeof *got);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < n; c++) {
        element(&in, s, r, c, want + r * n + c, naive + r * n + c);
        got[r * n + c] = transpose_a ? in.out[s * in.params.out_stride + r * n + c]
                                     : in.out[(in.offsets[s] + r) * in.params.out_stride + c];
      }
    }
    CHECK_CLOSE(got, want, naive, (long long)count, "%d tokens, %dx%d, %s", lengths[s], k, n, test_describe(engine));
    free(want);
    free(naive);
    free(got);
  }
  const int width = transpose_a ? k * n : n, rows = transpose_a ? SEQUENCES : in.offsets[SEQUENCES];
  for (int r = 0; r < rows; r++) CHECK_UNTOUCHED(in.out + r * in.params.out_stride + width, gap);
  test_release();
}

static void should_take_no_sequences_and_only_empty_ones(fovea_engine *engine, int transpose_a) {
  inputs in = make(5, 3, transpose_a, 0);
  in.params.sequences = 0;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_ragged_matmul(engine, &in.params, in.a, in.b, in.offsets, in.out));
  CHECK_UNTOUCHED(in.out, in.outputs);
  in.params.sequences = 2;
  in.offsets[1] = in.offsets[2] = 0;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_ragged_matmul(engine, &in.params, in.a, in.b, in.offsets, in.out));
  const int written = transpose_a ? 2 * 5 * 3 : 0;
  for (int i = 0; i < written; i++) CHECK(in.out[i] == 0, "got %g at %d, %s", in.out[i], i, test_describe(engine));
  CHECK_UNTOUCHED(in.out + written, in.outputs - written);
  test_release();
}

/* A sequence alone has the bits that it has among others. */
static void should_not_depend_on_company(fovea_engine *engine, int transpose_a) {
  const inputs in = make(24, 17, transpose_a, 0);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_ragged_matmul(engine, &in.params, in.a, in.b, in.offsets, in.out));
  fovea_ragged_matmul_params p = in.params;
  p.sequences = 1;
  for (int s = 0; s < SEQUENCES; s++) {
    const long long size = transpose_a ? 24 * 17 : lengths[s] * 17LL;
    const long long first = in.offsets[s];
    int *alone = test_ints(2);
    alone[0] = 0;
    alone[1] = lengths[s];
    float *out = test_outputs(size);
    const float *b = in.b + (transpose_a ? first : s) * p.b_stride;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_ragged_matmul(engine, &p, in.a + first * p.a_stride, b, alone, out));
    CHECK_SAME_BITS(out, in.out + (transpose_a ? s : first) * p.out_stride, size, "sequence %d alone, %s", s,
                    test_describe(engine));
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (int transpose_a = 0; transpose_a < 2; transpose_a++) {
    should_match_reference(engine, 1, 1, transpose_a, 0);
    should_match_reference(engine, 3, 5, transpose_a, 2);
    should_match_reference(engine, 64, 33, transpose_a, 1);
    should_match_reference(engine, 257, 130, transpose_a, 0);
    should_take_no_sequences_and_only_empty_ones(engine, transpose_a);
    should_not_depend_on_company(engine, transpose_a);
  }
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  const inputs in = make(4, 3, 0, 0);
  const fovea_ragged_matmul_params good = in.params;
  fovea_ragged_matmul_params p = good;
#define CALL_WITH(status, field, value)                                                      \
  do {                                                                                       \
    p = good;                                                                                \
    p.field = (value);                                                                       \
    CHECK_STATUS(status, fovea_ragged_matmul(engine, &p, in.a, in.b, in.offsets, in.out));   \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_ragged_matmul(NULL, &good, in.a, in.b, in.offsets, in.out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_ragged_matmul(engine, NULL, in.a, in.b, in.offsets, in.out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_ragged_matmul(engine, &good, NULL, in.b, in.offsets, in.out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_ragged_matmul(engine, &good, in.a, NULL, in.offsets, in.out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_ragged_matmul(engine, &good, in.a, in.b, NULL, in.out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_ragged_matmul(engine, &good, in.a, in.b, in.offsets, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_ragged_matmul(engine, &good, (const float *)((const char *)in.a + 2), in.b, in.offsets, in.out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_ragged_matmul(engine, &good, in.a, in.b, (const int *)((const char *)in.offsets + 1), in.out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_ragged_matmul(engine, &good, in.a, in.b, in.offsets, (float *)((char *)in.out + 3)));
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, sequences, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, k, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, n, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, k, 1 << 30);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, transpose_a, 2);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, reserved, 1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, a_stride, 3);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, b_stride, 11);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, out_stride, 2);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, a_stride, 1LL << 31);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, b_stride, 1LL << 31);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, out_stride, 1LL << 40);
  in.offsets[0] = 1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_ragged_matmul(engine, &good, in.a, in.b, in.offsets, in.out));
  in.offsets[0] = 0;
  in.offsets[1] = -1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_ragged_matmul(engine, &good, in.a, in.b, in.offsets, in.out));
  in.offsets[1] = lengths[0];
  CHECK_UNTOUCHED(in.out, in.outputs);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_ragged_matmul(engine, &good, in.a, in.b, in.offsets, in.out));
  test_release();
  fovea_engine_destroy(engine);
}

/* Without OpenBLAS first, which is loaded once per process. */
int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  const char *path = getenv("FOVEA_OPENBLAS");
  if (!path || !*path) {
    printf("ragged_matmul: products of OpenBLAS not tested: FOVEA_OPENBLAS names no library\n");
    return test_finish("ragged_matmul");
  }
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_blas_load(path));
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("ragged_matmul");
}
