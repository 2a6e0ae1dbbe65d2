/* Weights that are packed in blocks, as their files have them: against double, alone, in parts, and misused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stored.h"

/* Around the row tiles (6, 12, 14) and the panels (8, 16, 32); inputs are multiples of the largest block. */
typedef struct shape {
  int rows, inputs, outputs;
} shape;
static const shape shapes[] = {{0, 256, 5},  {1, 256, 1},   {1, 512, 33},  {1, 2048, 130}, {2, 256, 64}, {3, 768, 31},
                               {6, 256, 8},  {7, 512, 9},   {12, 256, 16}, {13, 256, 17},  {14, 512, 32}, {15, 256, 7},
                               {29, 512, 40}, {130, 256, 5}, {50, 2816, 35}};

static fovea_linear_pack_params pack_params_of(const fovea_engine *engine, shape s, int layout) {
  fovea_linear_pack_params p = {.struct_size = sizeof p,
                                .outputs = s.outputs,
                                .inputs = s.inputs,
                                .dtype = layout,
                                .layout = layout,
                                .part_outputs = s.outputs,
                                .output_stride = s.inputs + 256,
                                .input_stride = 1};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_packed_bytes(engine, &p, &p.packed_bytes));
  return p;
}

static fovea_linear_params params_of(shape s, int gap, long long packed_bytes) {
  return (fovea_linear_params){.struct_size = sizeof(fovea_linear_params),
                               .rows = s.rows,
                               .inputs = s.inputs,
                               .outputs = s.outputs,
                               .packed_bytes = packed_bytes,
                               .x_stride = s.inputs + gap,
                               .residual_stride = s.outputs + gap,
                               .out_stride = s.outputs + gap};
}

static test_stored store(const fovea_linear_pack_params *p) {
  return test_store(p->layout, TEST_NO_SCALES, p->outputs, p->outputs * p->output_stride, 1);
}

static void *pack(fovea_engine *engine, const fovea_linear_pack_params *p, const test_stored *weight) {
  void *packed = test_aligned(p->packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, p, weight->values, NULL, NULL, packed));
  return packed;
}

/* A row of x in eight bits, 32 at a time, as fovea.h defines it: rounded [count] are the values, steps [count] the scales. */
static void round_cells(const float *x, int count, double *rounded, double *steps) {
  for (int i = 0; i < count; i++) {
    float peak = 0x1p-100f;
    for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) peak = fmaxf(peak, fabsf(x[j]));
    const float inverse = 127 / peak, scaled = x[i] * inverse;
    steps[i] = peak / 127;
    rounded[i] = rintf(scaled) * steps[i];
  }
}

/* Against the values of the weight and the rounded x in double, and within the bound of fovea.h of x itself. */
static void should_match_double(fovea_engine *engine, shape s, int layout, float size) {
  const fovea_linear_pack_params p = pack_params_of(engine, s, layout);
  const test_stored weight = store(&p);
  void *packed = pack(engine, &p, &weight);
  const fovea_linear_params q = params_of(s, 3, p.packed_bytes);
  float *x = test_floats(s.rows * q.x_stride), *out = test_outputs(s.rows * q.out_stride);
  for (long long i = 0; i < s.rows * q.x_stride; i++) x[i] *= size;
  for (int i = 0; s.rows > 1 && i < s.inputs; i++) x[q.x_stride + i] = i < 32 ? 0 : -size; /* the largest sums */
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, packed, NULL, NULL, out));
  double *rounded = calloc((size_t)s.inputs, sizeof *rounded), *steps = calloc((size_t)s.inputs, sizeof *steps);
  long long wrong = 0, far = 0;
  for (int r = 0; r < s.rows; r++) {
    const float *row = x + r * q.x_stride;
    round_cells(row, s.inputs, rounded, steps);
    for (int o = 0; o < s.outputs; o++) {
      const float *w = weight.numbers + o * p.output_stride;
      double want = 0, floats = 0, near = 0, sizes = 0, peak = 0;
      for (int i = 0; i < s.inputs; i++) {
        want += rounded[i] * w[i];
        floats += (double)row[i] * w[i];
        near += fabs(w[i]) * steps[i] / 2;
        sizes += fabs(rounded[i]);
        peak = fmax(peak, fabs(w[i]));
      }
      const double got = out[r * q.out_stride + o], roundings = sizes * peak * 0x1p-22 * (4 + s.inputs / 64);
      wrong += !(fabs(got - want) <= roundings);
      far += !(fabs(got - floats) <= near * (1 + 0x1p-20) + roundings);
    }
    CHECK_UNTOUCHED(out + r * q.out_stride + s.outputs, 3);
  }
  CHECK(wrong == 0, "%lld outputs of %dx%dx%d in layout %d, %s", wrong, s.rows, s.inputs, s.outputs, layout,
        test_describe(engine));
  CHECK(far == 0, "%lld outputs of %dx%dx%d in layout %d from floats, %s", far, s.rows, s.inputs, s.outputs, layout,
        test_describe(engine));
  free(rounded);
  free(steps);
  test_release();
}

/* Bias, activation and residual, in place, come after the same sums. */
static void should_finish_as_other_weights(fovea_engine *engine, int layout) {
  const shape s = {9, 256, 45};
  const fovea_linear_pack_params p = pack_params_of(engine, s, layout);
  const test_stored weight = store(&p);
  void *packed = pack(engine, &p, &weight);
  fovea_linear_params q = params_of(s, 2, p.packed_bytes);
  const long long count = s.rows * q.out_stride;
  const float *x = test_floats(s.rows * q.x_stride), *bias = test_floats(s.outputs), *residual = test_floats(count);
  float *sums = test_outputs(count), *out = test_outputs(count);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, packed, NULL, NULL, sums));
  memcpy(out, residual, (size_t)count * sizeof *out);
  q.activation = FOVEA_ACTIVATION_RELU;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, packed, bias, out, out));
  for (int i = 0; i < s.rows * s.outputs; i++) {
    const long long at = i / s.outputs * q.out_stride + i % s.outputs;
    const float sum = sums[at] + bias[i % s.outputs], want = (sum > 0 ? sum : 0) + residual[at];
    CHECK(out[at] == want, "expected %g, got %g at %d of layout %d, %s", want, out[at], i, layout, test_describe(engine));
  }
  test_release();
}

static void should_give_a_row_the_same_bits_in_any_company(fovea_engine *engine, int layout, shape s) {
  const fovea_linear_pack_params p = pack_params_of(engine, s, layout);
  const test_stored weight = store(&p);
  void *packed = pack(engine, &p, &weight);
  fovea_linear_params q = params_of(s, 0, p.packed_bytes);
  const float *x = test_floats(s.rows * q.x_stride);
  float *out = test_outputs(s.rows * q.out_stride), *part = test_outputs(s.rows * q.out_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, packed, NULL, NULL, out));
  for (int rows = 1; rows < s.rows; rows += rows < 16 ? 1 : 7) {
    const int first = test_random(0, s.rows - rows);
    q.rows = rows;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x + first * q.x_stride, packed, NULL, NULL, part));
    CHECK_SAME_BITS(part, out + first * q.out_stride, rows * q.out_stride, "rows %d to %d of layout %d alone, %s", first,
                    first + rows, layout, test_describe(engine));
  }
  test_release();
}

static void should_keep_a_nan_to_its_row(fovea_engine *engine, int layout, float stray) {
  const shape s = {5, 256, 37};
  const fovea_linear_pack_params p = pack_params_of(engine, s, layout);
  const test_stored weight = store(&p);
  void *packed = pack(engine, &p, &weight);
  const fovea_linear_params q = params_of(s, 0, p.packed_bytes);
  float *x = test_floats(s.rows * q.x_stride), *out = test_outputs(s.rows * q.out_stride);
  for (int i = 0; i < s.inputs; i += 37) {
    const float before = x[2 * q.x_stride + i];
    x[2 * q.x_stride + i] = stray;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, packed, NULL, NULL, out));
    for (int j = 0; j < s.rows * s.outputs; j++) {
      CHECK(isfinite(out[j]) == (j / s.outputs != 2), "got %g at %d, %g only in row 2", out[j], j, stray);
    }
    x[2 * q.x_stride + i] = before;
  }
  test_release();
}

/* In parts, in an order of their own, and over any bytes: as in one piece. */
static void should_pack_parts_as_the_whole(fovea_engine *engine, int layout) {
  const int cuts[] = {0, 1, 7, 8, 20, 33, 64, 75};
  const shape s = {0, 512, 75};
  fovea_linear_pack_params p = pack_params_of(engine, s, layout);
  const test_stored weight = store(&p);
  char *whole = test_aligned(p.packed_bytes), *parts = test_aligned(p.packed_bytes);
  memset(whole, 0xa5, (size_t)p.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &p, weight.values, NULL, NULL, whole));
  memset(parts, 0, (size_t)p.packed_bytes);
  for (int n = 0; n < 7; n++) {
    const int part = n * 3 % 7;
    p.first_output = cuts[part];
    p.part_outputs = cuts[part + 1] - cuts[part];
    const char *from = test_stored_at(&weight, cuts[part] * p.output_stride);
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &p, from, NULL, NULL, parts));
  }
  CHECK(memcmp(whole, parts, (size_t)p.packed_bytes) == 0, "layout %d in parts, %s", layout, test_describe(engine));
  test_release();
}

/* Packed weights take as many bytes as stored ones, and one more for each 32 at most. */
static void should_take_the_bytes_of_the_blocks(fovea_engine *engine, int layout) {
  const fovea_linear_pack_params p = pack_params_of(engine, (shape){1, 512, 96}, layout);
  const test_stored weight = store(&p);
  const long long stored = 96 * 512LL / weight.block_values * weight.block_bytes;
  CHECK(p.packed_bytes >= stored && p.packed_bytes <= stored + 96 * 16 + 64, "%lld bytes of layout %d became %lld", stored,
        layout, p.packed_bytes);
  test_release();
}

/* Rounding values of a normal distribution to blocks loses about what the bits must. */
static void should_round_to_blocks(fovea_engine *engine, int layout) {
  static const double most[] = {[FOVEA_LAYOUT_Q8_0] = 0.006, [FOVEA_LAYOUT_Q4_0] = 0.1,   [FOVEA_LAYOUT_Q4_1] = 0.1,
                                [FOVEA_LAYOUT_Q5_0] = 0.05,  [FOVEA_LAYOUT_Q5_1] = 0.05,  [FOVEA_LAYOUT_Q4_K] = 0.08,
                                [FOVEA_LAYOUT_Q5_K] = 0.04,  [FOVEA_LAYOUT_Q6_K] = 0.022, [FOVEA_LAYOUT_Q2_K] = 0.33,
                                [FOVEA_LAYOUT_Q3_K] = 0.18,  [FOVEA_LAYOUT_IQ4_NL] = 0.09};
  const shape s = {256, 256, 40};
  fovea_linear_pack_params p = pack_params_of(engine, s, layout);
  p.layout = FOVEA_LAYOUT_F32;
  p.output_stride = 1;
  p.input_stride = s.outputs;
  float *weight = test_floats(s.inputs * s.outputs);
  for (int i = 0; i < s.inputs * s.outputs; i++) { /* near a normal distribution */
    float sum = 0;
    for (int k = 0; k < 12; k++) sum += (float)test_random(-1000, 1000) / 2000;
    weight[i] = sum;
  }
  void *packed = test_aligned(p.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &p, weight, NULL, NULL, packed));
  float *x = test_floats(s.rows * s.inputs), *out = test_outputs(s.rows * s.outputs);
  for (int i = 0; i < s.rows * s.inputs; i++) x[i] = i / s.inputs == i % s.inputs ? 127 : 0; /* rounding keeps it */
  const fovea_linear_params q = params_of(s, 0, p.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, packed, NULL, NULL, out));
  double error = 0, size = 0;
  for (int i = 0; i < s.inputs * s.outputs; i++) {
    error += pow(out[i] / 127 - weight[i], 2);
    size += pow(weight[i], 2);
  }
  CHECK(sqrt(error / size) < most[layout], "layout %d loses %g of a weight, %s", layout, sqrt(error / size), test_describe(engine));
  weight[7] = NAN;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &p, weight, NULL, NULL, packed));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &q, x, packed, NULL, NULL, out));
  for (int i = 0; i < s.outputs; i++) CHECK(isnan(out[i]) == (i == 7), "got %g at %d, NaN only in output 7", out[i], i);
  test_release();
}

static void should_refuse_what_is_no_block(fovea_engine *engine, int layout) {
  fovea_linear_pack_params p = pack_params_of(engine, (shape){1, 512, 3}, layout);
  const test_stored weight = store(&p);
  float *packed = test_aligned(p.packed_bytes);
  for (long long i = 0; i < p.packed_bytes / 4; i++) packed[i] = NAN;
  const int block = test_block(layout);
  p.inputs = block / 2;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_linear_packed_bytes(engine, &p, &p.packed_bytes));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_linear_pack(engine, &p, weight.values, NULL, NULL, packed));
  p.inputs = FOVEA_LINEAR_BLOCK_INPUTS + 256;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_linear_packed_bytes(engine, &p, &p.packed_bytes));
  p.inputs = 512;
  p.packed_bytes--;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_linear_pack(engine, &p, weight.values, NULL, NULL, packed));
  CHECK_UNTOUCHED(packed, p.packed_bytes / 4);
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (int layout = FOVEA_LAYOUT_Q8_0; layout < TEST_LAYOUTS; layout++) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) should_match_double(engine, shapes[i], layout, 1);
    should_match_double(engine, (shape){4, 256, 33}, layout, 0x1p-90f);
    if (test_block(layout) == 32) should_match_double(engine, (shape){3, 96, 33}, layout, 10);
    should_match_double(engine, (shape){2, FOVEA_LINEAR_BLOCK_INPUTS, 1}, layout, 1);
    should_finish_as_other_weights(engine, layout);
    should_give_a_row_the_same_bits_in_any_company(engine, layout, (shape){40, 768, 67});
    should_keep_a_nan_to_its_row(engine, layout, NAN);
    should_keep_a_nan_to_its_row(engine, layout, INFINITY);
    should_pack_parts_as_the_whole(engine, layout);
    should_take_the_bytes_of_the_blocks(engine, layout);
    should_round_to_blocks(engine, layout);
    should_refuse_what_is_no_block(engine, layout);
  }
}

int main(void) {
  test_each_engine(on_engine);
  return test_finish("linear_block");
}
