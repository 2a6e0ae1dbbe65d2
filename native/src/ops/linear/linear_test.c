#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Row r of out in double and, naively, in float. */
static double activate(int activation, double x) {
  switch (activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
      return x / 2 * (1 + erf(x * sqrt(0.5)));
    case FOVEA_ACTIVATION_GELU_TANH:
      return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    default:
      return x;
  }
}

#define DEFINE_REFERENCE(name, real)                                                                                \
  static void name(int inputs, int outputs, int activation, const float *x, const float *weight, long long o_stride, \
                   long long i_stride, const float *bias, const float *residual, real *out) {                       \
    for (int o = 0; o < outputs; o++) {                                                                             \
      real sum = 0;                                                                                                 \
      for (int i = 0; i < inputs; i++) sum += (real)x[i] * (real)weight[o * o_stride + i * i_stride];              \
      if (bias) sum += bias[o];                                                                                     \
      sum = (real)activate(activation, sum);                                                                       \
      out[o] = residual ? sum + residual[o] : sum;                                                                  \
    }                                                                                                               \
  }
DEFINE_REFERENCE(reference_double, double)
DEFINE_REFERENCE(reference_float, float)

typedef struct shape {
  int rows, inputs, outputs;
} shape;

/* Around the row tiles (6, 12, 14), the panels (8, 16, 32) and their groups (1 row: 4 panels, 2 and 3: 2). */
static const shape shapes[] = {
    {0, 3, 5},     {1, 1, 1},     {1, 7, 128},   {1, 5, 131},  {2, 16, 64},  {2, 3, 65},   {3, 33, 63},  {3, 8, 97},
    {4, 12, 8},    {5, 13, 9},    {6, 64, 16},   {7, 65, 17},  {8, 31, 31},  {11, 40, 32}, {12, 9, 33},  {13, 17, 48},
    {14, 59, 15},  {15, 96, 7},   {16, 1, 100},  {29, 30, 40}, {97, 80, 33}, {31, 1536, 20}, {150, 700, 40},
};

typedef struct options {
  bool transposed; /* weight stored [inputs, outputs] */
  bool bias, residual, in_place;
  int activation, gap;
} options;

static const options variants[] = {
    {false, false, false, false, FOVEA_ACTIVATION_NONE, 0},  {true, true, false, false, FOVEA_ACTIVATION_NONE, 3},
    {false, true, true, false, FOVEA_ACTIVATION_NONE, 1},    {true, true, true, true, FOVEA_ACTIVATION_NONE, 2},
    {true, true, false, false, FOVEA_ACTIVATION_GELU_ERF, 5}, {false, true, false, false, FOVEA_ACTIVATION_GELU_TANH, 0},
    {true, false, true, false, FOVEA_ACTIVATION_GELU_ERF, 0},
};

static fovea_linear_pack_params pack_params_of(const fovea_engine *engine, shape s, bool transposed) {
  fovea_linear_pack_params p = {.struct_size = sizeof p,
                                .outputs = s.outputs,
                                .inputs = s.inputs,
                                .dtype = FOVEA_DTYPE_F32,
                                .output_stride = transposed ? 1 : s.inputs + 2,
                                .input_stride = transposed ? s.outputs + 1 : 1};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_packed_bytes(engine, &p, &p.packed_bytes));
  return p;
}

static long long weight_floats(const fovea_linear_pack_params *p) {
  return (p->outputs - 1) * p->output_stride + (p->inputs - 1) * p->input_stride + 1;
}

static fovea_linear_params params_of(shape s, int activation, int gap, long long packed_bytes) {
  return (fovea_linear_params){.struct_size = sizeof(fovea_linear_params),
                               .rows = s.rows,
                               .inputs = s.inputs,
                               .outputs = s.outputs,
                               .activation = activation,
                               .packed_bytes = packed_bytes,
                               .x_stride = s.inputs + gap,
                               .residual_stride = s.outputs + gap,
                               .out_stride = s.outputs + gap};
}

static void should_match_reference(fovea_engine *engine, shape s, options with) {
  const fovea_linear_pack_params pack = pack_params_of(engine, s, with.transposed);
  const float *weight = test_floats(weight_floats(&pack));
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, packed));

  const fovea_linear_params p = params_of(s, with.activation, with.gap, pack.packed_bytes);
  const long long floats = s.rows * p.out_stride, count = (long long)s.rows * s.outputs;
  const float *x = test_floats(s.rows * p.x_stride), *bias = with.bias ? test_floats(s.outputs) : NULL;
  const float *residual = with.residual ? test_floats(floats) : NULL;
  float *out = test_outputs(floats);
  if (with.in_place && floats > 0) memcpy(out, residual, (size_t)floats * sizeof(float));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, bias, with.in_place ? out : residual, out));

  double *want = calloc((size_t)count + 1, sizeof *want);
  float *naive = calloc((size_t)count + 1, sizeof *naive), *dense = calloc((size_t)count + 1, sizeof *dense);
  for (int r = 0; r < s.rows; r++) {
    const float *row = x + r * p.x_stride, *add = residual ? residual + r * p.out_stride : NULL;
    const long long at = (long long)r * s.outputs;
    reference_double(s.inputs, s.outputs, with.activation, row, weight, pack.output_stride, pack.input_stride, bias,
                     add, want + at);
    reference_float(s.inputs, s.outputs, with.activation, row, weight, pack.output_stride, pack.input_stride, bias,
                    add, naive + at);
    memcpy(dense + at, out + r * p.out_stride, (size_t)s.outputs * sizeof(float));
    if (!with.in_place) CHECK_UNTOUCHED(out + r * p.out_stride + s.outputs, with.gap);
  }
  CHECK_CLOSE(dense, want, naive, count, "%dx%dx%d, activation %d, %s", s.rows, s.inputs, s.outputs, with.activation,
              test_describe(engine));
  free(want);
  free(naive);
  free(dense);
  test_release();
}

static void should_give_a_row_the_same_bits_in_any_company(fovea_engine *engine) {
  const shape s = {67, 301, 203};
  const fovea_linear_pack_params pack = pack_params_of(engine, s, true);
  const float *weight = test_floats(weight_floats(&pack)), *bias = test_floats(s.outputs);
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, packed));
  fovea_linear_params p = params_of(s, FOVEA_ACTIVATION_GELU_ERF, 0, pack.packed_bytes);
  const float *x = test_floats(s.rows * p.x_stride);
  float *out = test_outputs(s.rows * p.out_stride), *part = test_outputs(s.rows * p.out_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, bias, NULL, out));
  for (int rows = 1; rows < s.rows; rows++) {
    const int first = test_random(0, s.rows - rows);
    p.rows = rows;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x + first * p.x_stride, packed, bias, NULL, part));
    CHECK_SAME_BITS(part, out + first * p.out_stride, rows * p.out_stride, "rows %d to %d alone, %s", first,
                    first + rows, test_describe(engine));
  }
  test_release();
}

static void should_keep_a_nan_to_its_row(fovea_engine *engine) {
  const shape s = {9, 20, 37};
  const fovea_linear_pack_params pack = pack_params_of(engine, s, true);
  const float *weight = test_floats(weight_floats(&pack));
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, packed));
  const fovea_linear_params p = params_of(s, FOVEA_ACTIVATION_GELU_TANH, 0, pack.packed_bytes);
  float *x = test_floats(s.rows * p.x_stride), *out = test_outputs(s.rows * p.out_stride);
  x[4 * p.x_stride + 19] = NAN;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, NULL, NULL, out));
  for (int i = 0; i < s.rows * s.outputs; i++) {
    CHECK(isnan(out[i]) == (i / s.outputs == 4), "got %g at %d, NaN only in row 4", out[i], i);
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
      should_match_reference(engine, shapes[i], variants[v]);
    }
  }
  should_give_a_row_the_same_bits_in_any_company(engine);
  should_keep_a_nan_to_its_row(engine);
}

#define WITH(good, status, field, value, call) \
  do {                                         \
    p = (good);                                \
    p.field = (value);                         \
    CHECK_STATUS(status, call);                \
  } while (0)

static void should_refuse_misuse_of_pack(void) {
  fovea_engine *engine = test_engine(1);
  const fovea_linear_pack_params good = pack_params_of(engine, (shape){0, 8, 40}, false);
  fovea_linear_pack_params p = good;
  const float *weight = test_floats(weight_floats(&good));
  float *packed = test_aligned(good.packed_bytes);
  long long bytes = -7;
#define PACK fovea_linear_pack(engine, &p, weight, packed)
#define BYTES fovea_linear_packed_bytes(engine, &p, &bytes)
  for (long long i = 0; i < good.packed_bytes / 4; i++) packed[i] = NAN;
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_packed_bytes(NULL, &p, &bytes));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_packed_bytes(engine, NULL, &bytes));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_packed_bytes(engine, &p, NULL));
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, outputs, 0, BYTES);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, inputs, -1, BYTES);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, dtype, 99, BYTES);
  p = good;
  p.outputs = p.inputs = 0x7fffffff;
  CHECK_STATUS(FOVEA_STATUS_OVERFLOW, BYTES);
  CHECK(bytes == -7, "bytes was written by a call that fails: %lld", bytes);
  p = good;
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_pack(engine, &p, NULL, packed));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_pack(engine, &p, weight, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_linear_pack(engine, &p, weight, packed + 1));
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 4, PACK);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, packed_bytes, good.packed_bytes - 1, PACK);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, output_stride, -1, PACK);
  WITH(good, FOVEA_STATUS_OVERFLOW, input_stride, 1LL << 62, PACK);
  CHECK_UNTOUCHED(packed, good.packed_bytes / 4);
  test_release();
  fovea_engine_destroy(engine);
}

static void should_refuse_misuse_of_linear(void) {
  fovea_engine *engine = test_engine(1);
  const shape s = {8, 8, 40};
  const fovea_linear_pack_params pack = pack_params_of(engine, s, false);
  int *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, test_floats(weight_floats(&pack)), packed));
  const fovea_linear_params good = params_of(s, FOVEA_ACTIVATION_NONE, 0, pack.packed_bytes);
  fovea_linear_params p = good;
  const float *x = test_floats(64), *bias = test_floats(40), *residual = test_floats(320);
  float *out = test_outputs(320);
#define LINEAR fovea_linear(engine, &p, x, packed, bias, residual, out)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear(NULL, &p, x, packed, bias, residual, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear(engine, NULL, x, packed, bias, residual, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear(engine, &p, NULL, packed, bias, residual, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear(engine, &p, x, NULL, bias, residual, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear(engine, &p, x, packed, bias, residual, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_linear(engine, &p, x, packed + 1, bias, residual, out));
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 0, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, rows, -1, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, activation, 3, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, activation, -1, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, reserved, 1, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, packed_bytes, 64, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, x_stride, 7, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, residual_stride, 39, LINEAR);
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, out_stride, 39, LINEAR);
  WITH(good, FOVEA_STATUS_OVERFLOW, x_stride, 1LL << 61, LINEAR);
  WITH(good, FOVEA_STATUS_MISMATCH, inputs, 7, LINEAR);
  WITH(good, FOVEA_STATUS_MISMATCH, outputs, 39, LINEAR);
  p = good;
  const int magic = packed[0];
  packed[0] = 0;
  CHECK_STATUS(FOVEA_STATUS_MISMATCH, LINEAR);
  packed[0] = magic;
  packed[2] *= 2; /* the panel of another instruction set */
  CHECK_STATUS(FOVEA_STATUS_MISMATCH, LINEAR);
  CHECK_UNTOUCHED(out, 320);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse_of_pack();
  should_refuse_misuse_of_linear();
  return test_finish("linear");
}
