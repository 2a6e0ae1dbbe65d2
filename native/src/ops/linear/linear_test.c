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
    case FOVEA_ACTIVATION_RELU:
      return x > 0 ? x : 0;
    case FOVEA_ACTIVATION_SILU:
      return x / (1 + exp(-x));
    case FOVEA_ACTIVATION_TANH:
      return tanh(x);
    case FOVEA_ACTIVATION_QUICK_GELU:
      return x / (1 + exp(-1.702 * x));
    default:
      return x;
  }
}

/* x [inputs] and weight [outputs, inputs] as they are multiplied; the products are scaled by scale scales[o]. */
#define DEFINE_REFERENCE(name, real)                                                                              \
  static void name(int inputs, int outputs, int activation, const float *x, float scale, const float *weight,     \
                   const float *scales, const float *bias, const float *residual, real *out) {                    \
    for (int o = 0; o < outputs; o++) {                                                                           \
      real sum = 0;                                                                                               \
      for (int i = 0; i < inputs; i++) sum += (real)x[i] * (real)weight[(long long)o * inputs + i];              \
      sum *= (real)scale * (real)scales[o];                                                                       \
      if (bias) sum += bias[o];                                                                                   \
      sum = (real)activate(activation, sum);                                                                     \
      out[o] = residual ? sum + residual[o] : sum;                                                                \
    }                                                                                                             \
  }
DEFINE_REFERENCE(reference_double, double)
DEFINE_REFERENCE(reference_float, float)

/* To binary16 of a normal size, ties to even: the significand of 11 bits. */
static float round_to_f16(float x) {
  int exponent;
  const double fraction = frexp(x, &exponent);
  return (float)ldexp(rint(ldexp(fraction, 11)), exponent - 11);
}

/* To bfloat16, ties to even: the significand of 8 bits. */
static float round_to_bf16(float x) {
  int exponent;
  const double fraction = frexp(x, &exponent);
  return (float)ldexp(rint(ldexp(fraction, 8)), exponent - 8);
}

/* A row or column in eight bits, as fovea.h defines them: q [count]; returns the scale. */
static float quantize(const float *x, int count, float *q) {
  float peak = 0x1p-100f;
  for (int i = 0; i < count; i++) peak = fmaxf(peak, fabsf(x[i]));
  const float inverse = 127 / peak;
  for (int i = 0; i < count; i++) {
    const float scaled = x[i] * inverse;
    q[i] = rintf(scaled);
  }
  return peak / 127;
}

static int isa_of(const fovea_engine *engine) {
  fovea_engine_info info = {.struct_size = sizeof info};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_describe(engine, &info));
  return info.isa;
}

/* Whether a layer rounds x to bfloat16 too. */
static bool rounds_x(const fovea_engine *engine, int dtype, int inputs) {
  const int isa = isa_of(engine);
  return dtype == FOVEA_DTYPE_BF16 && (isa == FOVEA_ISA_AVX512BF16 || isa == FOVEA_ISA_NEONBF16) &&
         inputs <= FOVEA_LINEAR_BF16_INPUTS;
}

typedef struct shape {
  int rows, inputs, outputs;
} shape;

/* Around the row tiles (6, 12, 14), the panels (8, 16, 32) and their groups (1 row: 4 panels, 2 and 3: 2). */
static const shape shapes[] = {
    {0, 3, 5},     {1, 1, 7},     {1, 7, 128},   {1, 5, 131},  {2, 16, 64},  {2, 3, 65},   {3, 33, 63},  {3, 8, 97},
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
    {true, false, true, false, FOVEA_ACTIVATION_GELU_ERF, 0}, {false, true, true, false, FOVEA_ACTIVATION_RELU, 0},
    {true, true, false, false, FOVEA_ACTIVATION_SILU, 1},
    {true, false, false, false, FOVEA_ACTIVATION_TANH, 1},
    {true, true, false, false, FOVEA_ACTIVATION_QUICK_GELU, 1},
};

static const int dtypes[] = {FOVEA_DTYPE_F32, FOVEA_DTYPE_F16, FOVEA_DTYPE_BF16, FOVEA_DTYPE_I8};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

static fovea_linear_pack_params pack_params_of(const fovea_engine *engine, shape s, int dtype, bool transposed) {
  fovea_linear_pack_params p = {.struct_size = sizeof p,
                                .outputs = s.outputs,
                                .inputs = s.inputs,
                                .dtype = dtype,
                                .layout = FOVEA_LAYOUT_F32,
                                .part_outputs = s.outputs,
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

/* weight [outputs, inputs] without strides and as it is stored: integers and scales, or rounded values and ones. */
static void store(const fovea_linear_pack_params *p, const float *weight, float *stored, float *scales) {
  float *column = calloc((size_t)p->inputs, sizeof *column);
  for (int o = 0; o < p->outputs; o++) {
    float *to = stored + (long long)o * p->inputs;
    for (int i = 0; i < p->inputs; i++) column[i] = weight[o * p->output_stride + i * p->input_stride];
    scales[o] = p->dtype == FOVEA_DTYPE_I8 ? quantize(column, p->inputs, to) : 1;
    if (p->dtype == FOVEA_DTYPE_F32) memcpy(to, column, (size_t)p->inputs * sizeof *to);
    for (int i = 0; p->dtype == FOVEA_DTYPE_F16 && i < p->inputs; i++) to[i] = round_to_f16(column[i]);
    for (int i = 0; p->dtype == FOVEA_DTYPE_BF16 && i < p->inputs; i++) to[i] = round_to_bf16(column[i]);
  }
  free(column);
}

static void should_match_reference(fovea_engine *engine, shape s, int dtype, options with) {
  const fovea_linear_pack_params pack = pack_params_of(engine, s, dtype, with.transposed);
  const float *weight = test_floats(weight_floats(&pack));
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));

  const fovea_linear_params p = params_of(s, with.activation, with.gap, pack.packed_bytes);
  const long long floats = s.rows * p.out_stride, count = (long long)s.rows * s.outputs;
  const float *x = test_floats(s.rows * p.x_stride), *bias = with.bias ? test_floats(s.outputs) : NULL;
  const float *residual = with.residual ? test_floats(floats) : NULL;
  float *out = test_outputs(floats);
  if (with.in_place && floats > 0) memcpy(out, residual, (size_t)floats * sizeof(float));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, bias, with.in_place ? out : residual, out));

  float *stored = calloc((size_t)s.outputs * (size_t)s.inputs, sizeof *stored);
  float *scales = calloc((size_t)s.outputs, sizeof *scales), *q = calloc((size_t)s.inputs, sizeof *q);
  store(&pack, weight, stored, scales);
  double *want = calloc((size_t)count + 1, sizeof *want);
  float *naive = calloc((size_t)count + 1, sizeof *naive), *dense = calloc((size_t)count + 1, sizeof *dense);
  for (int r = 0; r < s.rows; r++) {
    const float *row = x + r * p.x_stride, *add = residual ? residual + r * p.out_stride : NULL;
    const long long at = (long long)r * s.outputs;
    const float scale = dtype == FOVEA_DTYPE_I8 ? quantize(row, s.inputs, q) : 1;
    for (int i = 0; rounds_x(engine, dtype, s.inputs) && i < s.inputs; i++) q[i] = round_to_bf16(row[i]);
    if (dtype == FOVEA_DTYPE_I8 || rounds_x(engine, dtype, s.inputs)) row = q;
    reference_double(s.inputs, s.outputs, with.activation, row, scale, stored, scales, bias, add, want + at);
    reference_float(s.inputs, s.outputs, with.activation, row, scale, stored, scales, bias, add, naive + at);
    memcpy(dense + at, out + r * p.out_stride, (size_t)s.outputs * sizeof(float));
    if (!with.in_place) CHECK_UNTOUCHED(out + r * p.out_stride + s.outputs, with.gap);
  }
  CHECK_CLOSE(dense, want, naive, count, "%dx%dx%d of type %d, activation %d, %s", s.rows, s.inputs, s.outputs, dtype,
              with.activation, test_describe(engine));
  free(stored);
  free(scales);
  free(q);
  free(want);
  free(naive);
  free(dense);
  test_release();
}

/* A layer of BF16 gives the bits of an F32 layer of the rounded weights, if x is not rounded. */
static void should_widen_bf16_exactly(fovea_engine *engine, shape s) {
  if (rounds_x(engine, FOVEA_DTYPE_BF16, s.inputs)) return;
  const fovea_linear_pack_params half = pack_params_of(engine, s, FOVEA_DTYPE_BF16, false);
  fovea_linear_pack_params whole = pack_params_of(engine, s, FOVEA_DTYPE_F32, false);
  whole.output_stride = s.inputs;
  float *weight = test_floats(weight_floats(&half)), *scales = test_floats(s.outputs);
  float *rounded = test_floats((long long)s.outputs * s.inputs);
  const float ties[] = {1 + 0x1p-8f, 1 + 3 * 0x1p-8f, -1 - 0x1p-8f, 0x1.fffffep127f, INFINITY, 0x1p-133f, -0.0f};
  for (int i = 0; i < 7 && i < s.inputs; i++) weight[i] = ties[i];
  store(&half, weight, rounded, scales);
  void *half_packed = test_aligned(half.packed_bytes), *whole_packed = test_aligned(whole.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &half, weight, NULL, NULL, half_packed));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &whole, rounded, NULL, NULL, whole_packed));
  const fovea_linear_params p = params_of(s, FOVEA_ACTIVATION_NONE, 0, half.packed_bytes);
  fovea_linear_params q = p;
  q.packed_bytes = whole.packed_bytes;
  const float *x = test_floats(s.rows * p.x_stride), *bias = test_floats(s.outputs);
  float *out = test_outputs(s.rows * p.out_stride), *want = test_outputs(s.rows * p.out_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, half_packed, bias, NULL, out));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, whole_packed, bias, NULL, want));
  CHECK_SAME_BITS(out, want, s.rows * p.out_stride, "%dx%dx%d, %s", s.rows, s.inputs, s.outputs, test_describe(engine));
  test_release();
}

/* Where x is rounded, it gives the bits of the x that is rounded before, and is as near floats as fovea.h says. */
static void should_round_x_to_bf16(fovea_engine *engine, shape s) {
  const fovea_linear_pack_params pack = pack_params_of(engine, s, FOVEA_DTYPE_BF16, false);
  const float *weight = test_floats(weight_floats(&pack));
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
  const fovea_linear_params p = params_of(s, FOVEA_ACTIVATION_NONE, 0, pack.packed_bytes);
  const long long values = s.rows * p.x_stride, count = s.rows * p.out_stride;
  float *x = test_floats(values), *rounded = test_floats(values), *out = test_outputs(count), *same = test_outputs(count);
  const float ties[] = {1 + 0x1p-8f, 1 + 3 * 0x1p-8f, -1 - 0x1p-8f, -0.0f, 0x1.01p-100f};
  for (int i = 0; i < 5 && i < values; i++) x[i] = ties[i];
  for (long long i = 0; i < values; i++) rounded[i] = round_to_bf16(x[i]);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, NULL, NULL, out));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, rounded, packed, NULL, NULL, same));
  if (rounds_x(engine, FOVEA_DTYPE_BF16, s.inputs)) {
    CHECK_SAME_BITS(out, same, count, "%dx%dx%d, %s", s.rows, s.inputs, s.outputs, test_describe(engine));
  }
  long long far = 0;
  for (long long at = 0; at < count; at++) {
    double exact = 0, size = 0;
    for (int i = 0; i < s.inputs; i++) {
      const double w = round_to_bf16(weight[at % s.outputs * pack.output_stride + i]);
      const double product = x[at / s.outputs * p.x_stride + i] * w;
      exact += product;
      size += fabs(product);
    }
    far += !(fabs(out[at] - exact) <= 0x1p-8 * (1 + s.inputs * 0x1p-15) * size);
  }
  CHECK(far == 0, "%lld outputs of %dx%dx%d, %s", far, s.rows, s.inputs, s.outputs, test_describe(engine));
  test_release();
}

/* Products of I8 are the integers of the definition, scaled once, and as near those of floats as fovea.h says. */
static void should_multiply_i8_exactly(fovea_engine *engine, shape s, float size) {
  const fovea_linear_pack_params pack = pack_params_of(engine, s, FOVEA_DTYPE_I8, true);
  float *weight = test_floats(weight_floats(&pack));
  const fovea_linear_params p = params_of(s, FOVEA_ACTIVATION_NONE, 0, pack.packed_bytes);
  float *x = test_floats(s.rows * p.x_stride), *out = test_outputs(s.rows * p.out_stride);
  for (long long i = 0; i < s.rows * p.x_stride; i++) x[i] *= size;
  for (int i = 0; s.rows > 0 && i < s.inputs; i++) x[i] = weight[i * pack.input_stride] = -1; /* the largest sum */
  for (int i = 0; s.rows > 1 && i < s.inputs; i++) x[p.x_stride + i] = 0;
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, NULL, NULL, out));
  float *stored = calloc((size_t)s.outputs * (size_t)s.inputs, sizeof *stored);
  float *scales = calloc((size_t)s.outputs, sizeof *scales), *q = calloc((size_t)s.inputs, sizeof *q);
  store(&pack, weight, stored, scales);
  long long wrong = 0, far = 0;
  for (int r = 0; r < s.rows; r++) {
    const float *row = x + r * p.x_stride, scale = quantize(row, s.inputs, q);
    for (int o = 0; o < s.outputs; o++) {
      long long sum = 0;
      double exact = 0, bound = 0;
      for (int i = 0; i < s.inputs; i++) {
        const float w = weight[o + i * pack.input_stride];
        sum += (long long)q[i] * (long long)stored[(long long)o * s.inputs + i];
        exact += (double)row[i] * w;
        bound += (fabs(row[i]) * scales[o] + fabs(w) * scale) / 2 + (double)scale * scales[o] / 4;
      }
      const float got = out[r * p.out_stride + o], factor = scale * scales[o];
      wrong += got != (float)sum * factor;
      far += !(fabs(got - exact) <= bound * 1.0001);
    }
  }
  CHECK(wrong == 0, "%lld products of %dx%dx%d, %s", wrong, s.rows, s.inputs, s.outputs, test_describe(engine));
  CHECK(far == 0, "%lld outputs of %dx%dx%d, %s", far, s.rows, s.inputs, s.outputs, test_describe(engine));
  free(stored);
  free(scales);
  free(q);
  test_release();
}

static void should_give_a_row_the_same_bits_in_any_company(fovea_engine *engine, int dtype, shape s) {
  const fovea_linear_pack_params pack = pack_params_of(engine, s, dtype, true);
  const float *weight = test_floats(weight_floats(&pack)), *bias = test_floats(s.outputs);
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
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

static void should_keep_a_nan_to_its_row(fovea_engine *engine, int dtype, float stray) {
  const shape s = {9, 20, 37};
  const fovea_linear_pack_params pack = pack_params_of(engine, s, dtype, true);
  const float *weight = test_floats(weight_floats(&pack));
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
  const fovea_linear_params p = params_of(s, FOVEA_ACTIVATION_NONE, 0, pack.packed_bytes);
  float *x = test_floats(s.rows * p.x_stride), *out = test_outputs(s.rows * p.out_stride);
  for (int i = 0; i < s.inputs; i++) {
    memset(x + 2 * p.x_stride, 0, (size_t)s.inputs * sizeof *x);
    const float before = x[4 * p.x_stride + i];
    x[4 * p.x_stride + i] = stray;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, NULL, NULL, out));
    for (int j = 0; j < s.rows * s.outputs; j++) {
      CHECK(isfinite(out[j]) == (j / s.outputs != 4), "got %g at %d, %g only in row 4", out[j], j, stray);
      CHECK(j / s.outputs != 2 || out[j] == 0, "got %g at %d of a row of zeros", out[j], j);
    }
    x[4 * p.x_stride + i] = before;
  }
  test_release();
}

/* NaN in a weight reaches the outputs of its row alone. */
static void should_keep_a_nan_to_its_output(fovea_engine *engine, int dtype) {
  const shape s = {3, 20, 37};
  const fovea_linear_pack_params pack = pack_params_of(engine, s, dtype, false);
  float *weight = test_floats(weight_floats(&pack));
  weight[21 * pack.output_stride + 19] = NAN;
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
  const fovea_linear_params p = params_of(s, FOVEA_ACTIVATION_NONE, 0, pack.packed_bytes);
  const float *x = test_floats(s.rows * p.x_stride);
  float *out = test_outputs(s.rows * p.out_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &p, x, packed, NULL, NULL, out));
  for (int j = 0; j < s.rows * s.outputs; j++) {
    CHECK(isnan(out[j]) == (j % s.outputs == 21), "got %g at %d, NaN only in output 21", out[j], j);
  }
  test_release();
}

static void should_keep_a_nan_through_an_activation(fovea_engine *engine, int activation) {
  const shape s = {9, 20, 37};
  const fovea_linear_pack_params pack = pack_params_of(engine, s, FOVEA_DTYPE_F32, true);
  const float *weight = test_floats(weight_floats(&pack));
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
  const fovea_linear_params p = params_of(s, activation, 0, pack.packed_bytes);
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
      for (int d = 0; d < DTYPES; d++) should_match_reference(engine, shapes[i], dtypes[d], variants[v]);
    }
    should_widen_bf16_exactly(engine, shapes[i]);
    should_round_x_to_bf16(engine, shapes[i]);
    should_multiply_i8_exactly(engine, shapes[i], 1);
    should_multiply_i8_exactly(engine, shapes[i], 0x1p-90f);
  }
  should_widen_bf16_exactly(engine, (shape){3, FOVEA_LINEAR_BF16_INPUTS + 1, 5});
  should_round_x_to_bf16(engine, (shape){5, FOVEA_LINEAR_BF16_INPUTS, 5});
  should_round_x_to_bf16(engine, (shape){300, 2, 70});
  /* Blocks of few rows, down to one; and a block of the most rows. */
  should_multiply_i8_exactly(engine, (shape){7, 9000, 33}, 1);
  should_multiply_i8_exactly(engine, (shape){3, FOVEA_LINEAR_I8_INPUTS, 5}, 1);
  should_multiply_i8_exactly(engine, (shape){300, 2, 70}, 100);
  for (int d = 0; d < DTYPES; d++) {
    should_give_a_row_the_same_bits_in_any_company(engine, dtypes[d], (shape){67, 301, 203});
    should_keep_a_nan_to_its_row(engine, dtypes[d], NAN);
    should_keep_a_nan_to_its_row(engine, dtypes[d], -INFINITY);
    should_keep_a_nan_to_its_output(engine, dtypes[d]);
  }
  should_give_a_row_the_same_bits_in_any_company(engine, FOVEA_DTYPE_I8, (shape){9, 9001, 69});
  for (int activation = FOVEA_ACTIVATION_NONE; activation <= FOVEA_ACTIVATION_QUICK_GELU; activation++) {
    should_keep_a_nan_through_an_activation(engine, activation);
  }
}

#define WITH(good, status, field, value, call) \
  do {                                         \
    p = (good);                                \
    p.field = (value);                         \
    CHECK_STATUS(status, call);                \
  } while (0)

static void should_refuse_misuse_of_linear(int dtype) {
  fovea_engine *engine = test_engine(1);
  const shape s = {8, 8, 40};
  const fovea_linear_pack_params pack = pack_params_of(engine, s, dtype, false);
  int *packed = test_aligned(pack.packed_bytes);
  const float *weight = test_floats(weight_floats(&pack));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
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
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, activation, 7, LINEAR);
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
  packed[2] += 1; /* another instruction set */
  CHECK_STATUS(FOVEA_STATUS_MISMATCH, LINEAR);
  packed[2] -= 1;
  packed[1] = FOVEA_LAYOUT_U8; /* as which nothing is packed */
  CHECK_STATUS(FOVEA_STATUS_MISMATCH, LINEAR);
  packed[1] = dtype;
  WITH(good, FOVEA_STATUS_INVALID_ARGUMENT, packed_bytes, good.packed_bytes - 1, LINEAR);
  CHECK_UNTOUCHED(out, 320);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  for (int d = 0; d < DTYPES; d++) should_refuse_misuse_of_linear(dtypes[d]);
  return test_finish("linear");
}
