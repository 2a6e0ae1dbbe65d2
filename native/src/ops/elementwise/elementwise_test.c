#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
  int rows, width, gap;
} shape;

static const shape shapes[] = {{0, 5, 0},  {1, 1, 0},  {2, 3, 1},   {3, 4, 0},    {1, 7, 2},    {2, 8, 0},
                               {5, 15, 1}, {3, 16, 0}, {2, 17, 3},  {4, 33, 0},   {3, 384, 1},  {97, 1536, 0}};

static double activate(int activation, double x) {
  switch (activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
      return x / 2 * (1 + erf(x / sqrt(2)));
    case FOVEA_ACTIVATION_GELU_TANH:
      return x / 2 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
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

static fovea_elementwise_params params_of(shape s, int op, int activation) {
  return (fovea_elementwise_params){.struct_size = sizeof(fovea_elementwise_params),
                                    .rows = s.rows,
                                    .width = s.width,
                                    .op = op,
                                    .activation = activation,
                                    .a_stride = s.width + s.gap,
                                    .b_stride = s.width + 2 * s.gap,
                                    .out_stride = s.width + s.gap};
}

static void should_match_reference(fovea_engine *engine, shape s, int op, int activation) {
  const fovea_elementwise_params p = params_of(s, op, activation);
  float *a = test_floats(s.rows * p.a_stride), *out = test_outputs(s.rows * p.out_stride);
  const float *b = op == FOVEA_ELEMENTWISE_ACTIVATE ? NULL : test_floats(s.rows * p.b_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &p, a, b, out));
  const long long count = (long long)s.rows * s.width;
  double *want = calloc((size_t)count + 1, sizeof *want);
  float *dense = calloc((size_t)count + 1, sizeof *dense);
  for (int r = 0; r < s.rows; r++) {
    for (int i = 0; i < s.width; i++) {
      const double x = a[r * p.a_stride + i], y = b ? b[r * p.b_stride + i] : 0;
      want[r * s.width + i] = op == FOVEA_ELEMENTWISE_ADD        ? x + y
                              : op == FOVEA_ELEMENTWISE_MULTIPLY ? activate(activation, x) * y
                                                                 : activate(activation, x);
    }
    memcpy(dense + r * s.width, out + r * p.out_stride, (size_t)s.width * sizeof(float));
    CHECK_UNTOUCHED(out + r * p.out_stride + s.width, s.gap);
  }
  CHECK_CLOSE(dense, want, NULL, count, "%dx%d, op %d of %d, %s", s.rows, s.width, op, activation,
              test_describe(engine));
  if (s.gap == 0) {
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &p, a, b, a));
    CHECK_SAME_BITS(a, out, count, "in place, %s", test_describe(engine));
  }
  free(want);
  free(dense);
  test_release();
}

/* The product of SwiGLU has the bits of its two steps, in whichever buffer it is written. */
static void should_multiply_with_the_bits_of_two_steps_and_in_place(fovea_engine *engine) {
  const shape s = {33, 387, 0};
  const long long count = 33 * 387;
  float *a = test_floats(count), *b = test_floats(count), *step = test_outputs(count), *out = test_outputs(count);
  for (int activation = FOVEA_ACTIVATION_NONE; activation <= FOVEA_ACTIVATION_QUICK_GELU; activation++) {
    const fovea_elementwise_params both = params_of(s, FOVEA_ELEMENTWISE_MULTIPLY, activation);
    const fovea_elementwise_params first = params_of(s, FOVEA_ELEMENTWISE_ACTIVATE, activation);
    const fovea_elementwise_params second = params_of(s, FOVEA_ELEMENTWISE_MULTIPLY, FOVEA_ACTIVATION_NONE);
    test_fill(b, count);
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &both, a, b, out));
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &first, a, NULL, step));
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &second, step, b, step)); /* out is a */
    CHECK_SAME_BITS(out, step, count, "activation %d, %s", activation, test_describe(engine));
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &both, a, b, b)); /* out is b */
    CHECK_SAME_BITS(out, b, count, "activation %d onto b, %s", activation, test_describe(engine));
  }
  const fovea_elementwise_params sum = params_of(s, FOVEA_ELEMENTWISE_ADD, FOVEA_ACTIVATION_NONE);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &sum, a, a, out));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &sum, a, a, a)); /* all three are one */
  CHECK_SAME_BITS(out, a, count, "a + a onto a, %s", test_describe(engine));
  test_release();
}

static void should_keep_a_nan_to_its_element(fovea_engine *engine) {
  enum { WIDTH = 53 };
  float *a = test_floats(WIDTH), *b = test_floats(WIDTH), *out = test_outputs(WIDTH);
  a[3] = b[20] = a[WIDTH - 1] = NAN;
  for (int op = FOVEA_ELEMENTWISE_ADD; op <= FOVEA_ELEMENTWISE_ACTIVATE; op++) {
    const bool takes_b = op != FOVEA_ELEMENTWISE_ACTIVATE;
    const int last = op == FOVEA_ELEMENTWISE_ADD ? FOVEA_ACTIVATION_NONE : FOVEA_ACTIVATION_QUICK_GELU;
    for (int activation = FOVEA_ACTIVATION_NONE; activation <= last; activation++) {
      const fovea_elementwise_params p = params_of((shape){1, WIDTH, 0}, op, activation);
      CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &p, a, takes_b ? b : NULL, out));
      for (int i = 0; i < WIDTH; i++) {
        const bool expected = i == 3 || i == WIDTH - 1 || (takes_b && i == 20);
        CHECK(isnan(out[i]) == expected, "got %g at %d, op %d of %d, %s", out[i], i, op, activation,
              test_describe(engine));
      }
    }
  }
  test_release();
}

/* Unfused as fused: the activation of a layer's output has the bits of the layer's own. */
static void should_have_the_bits_of_linear(fovea_engine *engine) {
  enum { WIDTH = 37 };
  float *x = test_floats(WIDTH), *weight = test_floats(WIDTH * WIDTH), *plain = test_outputs(WIDTH);
  float *fused = test_outputs(WIDTH), *unfused = test_outputs(WIDTH);
  fovea_linear_pack_params pack = {.struct_size = sizeof pack,
                                   .outputs = WIDTH,
                                   .inputs = WIDTH,
                                   .part_outputs = WIDTH,
                                   .output_stride = WIDTH,
                                   .input_stride = 1};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_packed_bytes(engine, &pack, &pack.packed_bytes));
  void *packed = test_aligned(pack.packed_bytes);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &pack, weight, NULL, NULL, packed));
  fovea_linear_params linear = {.struct_size = sizeof linear,
                                .rows = 1,
                                .inputs = WIDTH,
                                .outputs = WIDTH,
                                .packed_bytes = pack.packed_bytes,
                                .x_stride = WIDTH,
                                .out_stride = WIDTH};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &linear, x, packed, NULL, NULL, plain));
  for (int activation = FOVEA_ACTIVATION_NONE; activation <= FOVEA_ACTIVATION_QUICK_GELU; activation++) {
    linear.activation = activation;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear(engine, &linear, x, packed, NULL, NULL, fused));
    const fovea_elementwise_params p = params_of((shape){1, WIDTH, 0}, FOVEA_ELEMENTWISE_ACTIVATE, activation);
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_elementwise(engine, &p, plain, NULL, unfused));
    CHECK_SAME_BITS(fused, unfused, WIDTH, "activation %d, %s", activation, test_describe(engine));
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    should_match_reference(engine, shapes[i], FOVEA_ELEMENTWISE_ADD, FOVEA_ACTIVATION_NONE);
    for (int activation = FOVEA_ACTIVATION_NONE; activation <= FOVEA_ACTIVATION_QUICK_GELU; activation++) {
      should_match_reference(engine, shapes[i], FOVEA_ELEMENTWISE_MULTIPLY, activation);
      should_match_reference(engine, shapes[i], FOVEA_ELEMENTWISE_ACTIVATE, activation);
    }
  }
  should_multiply_with_the_bits_of_two_steps_and_in_place(engine);
  should_keep_a_nan_to_its_element(engine);
  should_have_the_bits_of_linear(engine);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  float *a = test_floats(64), *b = test_floats(64), *out = test_outputs(64);
  const fovea_elementwise_params good =
      params_of((shape){8, 8, 0}, FOVEA_ELEMENTWISE_MULTIPLY, FOVEA_ACTIVATION_SILU);
  fovea_elementwise_params p = good;
#define CALL_WITH(status, field, value)                                \
  do {                                                                 \
    p = good;                                                          \
    p.field = (value);                                                 \
    CHECK_STATUS(status, fovea_elementwise(engine, &p, a, b, out));    \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_elementwise(NULL, &good, a, b, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_elementwise(engine, NULL, a, b, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_elementwise(engine, &good, NULL, b, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_elementwise(engine, &good, a, NULL, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_elementwise(engine, &good, a, b, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_elementwise(engine, &good, (const float *)((const char *)a + 2), b, out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT,
               fovea_elementwise(engine, &good, a, (const float *)((const char *)b + 1), out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_elementwise(engine, &good, a, b, (float *)((char *)out + 3)));
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 4);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, rows, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, width, 0);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, op, 3);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, op, -1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, op, FOVEA_ELEMENTWISE_ADD); /* with an activation */
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, op, FOVEA_ELEMENTWISE_ACTIVATE); /* with b */
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, activation, 99);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, reserved, 1);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, a_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, b_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, out_stride, 7);
  CALL_WITH(FOVEA_STATUS_INVALID_ARGUMENT, b_stride, -8);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, a_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, b_stride, 1LL << 62);
  CALL_WITH(FOVEA_STATUS_OVERFLOW, out_stride, 1LL << 60);
  p = params_of((shape){2, 8, 0}, FOVEA_ELEMENTWISE_ADD, FOVEA_ACTIVATION_NONE);
  p.a_stride = p.b_stride = 9; /* in place with another stride */
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_elementwise(engine, &p, out, b, out));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_elementwise(engine, &p, a, out, out));
  CHECK_UNTOUCHED(out, 64);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("elementwise");
}
