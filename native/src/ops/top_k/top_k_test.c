#include "harness.h"

#include <math.h>
#include <stdlib.h>

typedef struct shape {
  int rows, width, k, gap;
} shape;

static const shape shapes[] = {{0, 5, 2, 0},   {1, 1, 1, 0},   {2, 7, 7, 1},    {3, 16, 1, 0},    {2, 64, 3, 0},
                               {5, 65, 64, 2}, {3, 257, 9, 0}, {4, 1000, 20, 1}, {2, 150001, 40, 0}};

static const float *row_of_sort;

static int is_nan(float x) { return x != x; }

/* The order of the contract, over columns. */
static int compare(const void *left, const void *right) {
  const int i = *(const int *)left, j = *(const int *)right;
  const float a = row_of_sort[i], b = row_of_sort[j];
  if (is_nan(a) != is_nan(b)) return is_nan(a) - is_nan(b);
  if (a != b && !is_nan(a)) return a > b ? -1 : 1;
  return i - j;
}

static void should_rank(fovea_engine *engine, shape s, int kind) {
  const fovea_top_k_params p = {.struct_size = sizeof p,
                                .rows = s.rows,
                                .width = s.width,
                                .k = s.k,
                                .x_stride = s.width + s.gap,
                                .indices_stride = s.k + s.gap};
  float *x = test_floats(s.rows * p.x_stride);
  for (long long i = 0; i < s.rows * p.x_stride; i++) {
    if (kind == 1) x[i] = (float)test_random(0, 3); /* ties */
    if (kind == 2 && test_random(0, 4) == 0) x[i] = test_random(0, 1) ? NAN : -INFINITY;
    if (kind == 3) x[i] = NAN;
    if (kind == 4) x[i] = (float)i; /* every element enters the list */
  }
  int *indices = test_ints(s.rows * p.indices_stride), *order = malloc((size_t)s.width * sizeof *order);
  for (long long i = 0; i < s.rows * p.indices_stride; i++) indices[i] = -7;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_top_k(engine, &p, x, indices));
  for (int r = 0; r < s.rows; r++) {
    row_of_sort = x + r * p.x_stride;
    for (int i = 0; i < s.width; i++) order[i] = i;
    qsort(order, (size_t)s.width, sizeof *order, compare);
    for (int i = 0; i < s.k; i++) {
      CHECK(indices[r * p.indices_stride + i] == order[i], "%dx%d of kind %d: rank %d of row %d is %d, got %d, %s",
            s.rows, s.width, kind, i, r, order[i], indices[r * p.indices_stride + i], test_describe(engine));
    }
    for (int i = s.k; i < p.indices_stride; i++) {
      CHECK(indices[r * p.indices_stride + i] == -7, "wrote behind row %d", r);
    }
  }
  free(order);
  test_release();
}

/* The largest found wherever it stands: in a block, in a vector behind the blocks, among the last elements. */
static void should_find_it_in_any_column(fovea_engine *engine) {
  enum { WIDTH = 3 * 64 + 16 + 5 };
  const fovea_top_k_params p = {
      .struct_size = sizeof p, .rows = 1, .width = WIDTH, .k = 2, .x_stride = WIDTH, .indices_stride = 2};
  float *x = test_floats(WIDTH);
  int *indices = test_ints(2);
  for (int first = 0; first < WIDTH; first++) {
    const int second = (first * 7 + 3) % WIDTH;
    if (second == first) continue;
    const float kept = x[first], other = x[second];
    x[first] = INFINITY;
    x[second] = 2;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_top_k(engine, &p, x, indices));
    CHECK(indices[0] == first && indices[1] == second, "expected %d and %d, got %d and %d, %s", first, second,
          indices[0], indices[1], test_describe(engine));
    x[first] = kept;
    x[second] = other;
  }
  for (int i = 0; i < WIDTH; i++) x[i] = i % 2 ? 0.0f : -0.0f;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_top_k(engine, &p, x, indices));
  CHECK(indices[0] == 0 && indices[1] == 1, "zeros of both signs are equals, got %d and %d, %s", indices[0],
        indices[1], test_describe(engine));
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    for (int kind = 0; kind < 5; kind++) should_rank(engine, shapes[i], kind);
  }
  should_find_it_in_any_column(engine);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  float *x = test_floats(64);
  int *indices = test_ints(64);
  const fovea_top_k_params good = {
      .struct_size = sizeof good, .rows = 8, .width = 8, .k = 3, .x_stride = 8, .indices_stride = 3};
  fovea_top_k_params p = good;
#define CALL_WITH(status, field, value)                            \
  do {                                                             \
    p = good;                                                      \
    p.field = (value);                                             \
    CHECK_STATUS(status, fovea_top_k(engine, &p, x, indices));     \
  } while (0)
  for (int i = 0; i < 64; i++) indices[i] = -7;
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_top_k(NULL, &good, x, indices));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_top_k(engine, NULL, x, indices));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_top_k(engine, &good, NULL, indices));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_top_k(engine, &good, x, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_top_k(engine, &good, (const float *)((const char *)x + 2), indices));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_top_k(engine, &good, x, (int *)((char *)indices + 1)));
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, rows, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, width, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, k, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, k, 9);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, x_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, indices_stride, 2);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, x_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, indices_stride, 1LL << 60);
  for (int i = 0; i < 64; i++) CHECK(indices[i] == -7, "a call that fails wrote %d at %d", indices[i], i);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("top_k");
}
