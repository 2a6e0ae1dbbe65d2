#include <stdlib.h>
#include <string.h>

#include "stored.h"

static const int dtypes[] = {FOVEA_DTYPE_F32, FOVEA_DTYPE_F16, FOVEA_DTYPE_BF16, FOVEA_DTYPE_I8};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

/* Which of a weight's values lie next to each other. */
enum { BY_INPUT, BY_OUTPUT, APART, ORDERS };

/* Past two chunks of 64 inputs, with whole blocks or ragged; outputs past two of the widest panels, of 32. */
enum { OUTPUTS = 75, BLOCKED = 160, RAGGED = 141 };

/* Cuts within panels of 8, 16 and 32, at their borders, and twice in one panel. */
static const int cuts[] = {0, 1, 7, 8, 20, 33, 64, OUTPUTS};
enum { PARTS = sizeof cuts / sizeof *cuts - 1 };
static const int orders_of_parts[][PARTS] = {{0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0}, {3, 0, 5, 2, 6, 1, 4}};

static fovea_linear_pack_params params_of(const fovea_engine *engine, int inputs, int dtype, int layout, int order) {
  const long long row = inputs + (test_block(layout) > 1 ? test_block(layout) : 3);
  fovea_linear_pack_params p = {.struct_size = sizeof p,
                                .outputs = OUTPUTS,
                                .inputs = inputs,
                                .dtype = dtype,
                                .layout = layout,
                                .part_outputs = OUTPUTS,
                                .output_stride = order == BY_INPUT ? row : order == BY_OUTPUT ? 1 : 2,
                                .input_stride = order == BY_INPUT ? 1 : order == BY_OUTPUT ? OUTPUTS + 1 : 2 * OUTPUTS};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_packed_bytes(engine, &p, &p.packed_bytes));
  return p;
}

static long long values_of(const fovea_linear_pack_params *p) {
  const long long values = (p->outputs - 1) * p->output_stride + (p->inputs - 1) * p->input_stride + 1;
  const int block = test_block(p->layout);
  return (values + block - 1) / block * block;
}

/* Packs part [first, last) of a weight of any layout; or, widened, of the same one as floats [OUTPUTS, inputs]. */
static void pack_part(fovea_engine *engine, fovea_linear_pack_params p, int first, int last, const test_stored *weight,
                      const float *widened, void *packed) {
  p.first_output = first;
  p.part_outputs = last - first;
  if (widened) {
    p.layout = FOVEA_LAYOUT_F32;
    p.output_stride = p.inputs;
    p.input_stride = 1;
    const float *from = widened + (long long)first * p.inputs;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_linear_pack(engine, &p, from, NULL, NULL, packed));
    return;
  }
  p.scale_stride = weight->scale_stride;
  const char *from = test_stored_at(weight, first * p.output_stride);
  const int scale = first * weight->scale_stride;
  CHECK_STATUS(FOVEA_STATUS_OK,
               fovea_linear_pack(engine, &p, from, weight->scales ? weight->scales + scale : NULL,
                                 weight->zero_points ? weight->zero_points + scale : NULL, packed));
}

static void check_same(fovea_engine *engine, const fovea_linear_pack_params *p, const char *want, const char *got,
                       int order, const char *how) {
  CHECK(memcmp(want, got, (size_t)p->packed_bytes) == 0, "layout %d, order %d, %d inputs packed as type %d %s, %s",
        p->layout, order, p->inputs, p->dtype, how, test_describe(engine));
}

static void should_pack_the_bits_of_the_widened_weight(fovea_engine *engine, int layout, int scaling, int order,
                                                       int inputs, int shift) {
  fovea_linear_pack_params p = params_of(engine, inputs, FOVEA_DTYPE_F32, layout, order);
  const test_stored weight = test_store(layout, scaling, OUTPUTS, values_of(&p), shift);
  float *widened = test_floats((long long)OUTPUTS * inputs);
  for (int o = 0; o < OUTPUTS; o++) {
    for (int i = 0; i < inputs; i++) {
      widened[o * inputs + i] = test_stored_value(&weight, o, o * p.output_stride + i * p.input_stride);
    }
  }
  for (int d = 0; d < DTYPES; d++) {
    p = params_of(engine, inputs, dtypes[d], layout, order);
    char *want = test_aligned(p.packed_bytes), *got = test_aligned(p.packed_bytes);
    memset(want, 0, (size_t)p.packed_bytes);
    pack_part(engine, p, 0, OUTPUTS, &weight, widened, want);
    memset(got, 0xa5, (size_t)p.packed_bytes); /* a whole weight leaves no byte as it was */
    pack_part(engine, p, 0, OUTPUTS, &weight, NULL, got);
    check_same(engine, &p, want, got, order, "whole");
    for (int k = 0; k < 3; k++) {
      memset(got, 0, (size_t)p.packed_bytes);
      for (int n = 0; n < PARTS; n++) {
        const int part = orders_of_parts[k][n];
        pack_part(engine, p, cuts[part], cuts[part + 1], &weight, k == 2 && n % 2 ? widened : NULL, got);
      }
      check_same(engine, &p, want, got, order, k == 2 ? "in parts of two layouts" : "in parts");
    }
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  int shift = 0;
  for (int layout = 0; layout < TEST_LAYOUTS; layout++) {
    for (int scaling = 0; scaling < TEST_SCALINGS; scaling++) {
      if (!test_is_scaling(layout, scaling)) continue;
      for (int order = 0; order < ORDERS; order++) {
        for (int odd = 0; odd < 4; odd++) {
          const int block = test_block(layout);
          if (block > 1 && order != BY_INPUT) continue;
          const int inputs = block == 256 ? 512 : block > 1 || odd % 2 ? BLOCKED : RAGGED;
          should_pack_the_bits_of_the_widened_weight(engine, layout, scaling, order, inputs, shift++ % 8);
        }
      }
    }
  }
}

/* The panels of F32 against the weight itself, as linear.h draws them. */
static void should_lay_panels_out_as_drawn(fovea_engine *engine) {
  const fovea_linear_pack_params p = params_of(engine, RAGGED, FOVEA_DTYPE_F32, FOVEA_LAYOUT_F16, BY_OUTPUT);
  const test_stored weight = test_store(FOVEA_LAYOUT_F16, TEST_NO_SCALES, OUTPUTS, values_of(&p), 1);
  int *packed = test_aligned(p.packed_bytes);
  pack_part(engine, p, 0, OUTPUTS, &weight, NULL, packed);
  CHECK(packed[1] == p.dtype && packed[3] == OUTPUTS && packed[4] == RAGGED, "header of type %d, %d by %d", packed[1],
        packed[3], packed[4]);
  const long long columns = (p.packed_bytes - 64) / (4 * RAGGED);
  fovea_engine_info info = {.struct_size = sizeof info};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_describe(engine, &info));
  const int width = info.linear_column_tile;
  for (int o = 0; o < columns; o++) {
    for (int i = 0; i < RAGGED; i++) {
      const float want = o < OUTPUTS ? test_stored_value(&weight, o, o + i * p.input_stride) : 0;
      const int *got = packed + 16 + (long long)(o / width * RAGGED + i) * width + o % width;
      CHECK(memcmp(got, &want, sizeof want) == 0, "expected %g, got bits %x at output %d, input %d, %s", want,
            (unsigned)*got, o, i, test_describe(engine));
    }
  }
  test_release();
}

#define WITH(status, field, value) \
  do {                             \
    p = good;                      \
    p.field = (value);             \
    CHECK_STATUS(status, PACK);    \
  } while (0)

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  const fovea_linear_pack_params good = params_of(engine, RAGGED, FOVEA_DTYPE_F32, FOVEA_LAYOUT_F32, BY_INPUT);
  fovea_linear_pack_params p = good;
  const float *weight = test_floats(values_of(&good));
  const float *scales = NULL;
  const int *zeros = NULL;
  float *packed = test_aligned(good.packed_bytes);
  long long bytes = -7;
#define PACK fovea_linear_pack(engine, &p, weight, scales, zeros, packed)
#define BYTES fovea_linear_packed_bytes(engine, &p, &bytes)
#define BYTES_WITH(status, field, value) \
  do {                                   \
    p = good;                            \
    p.field = (value);                   \
    CHECK_STATUS(status, BYTES);         \
  } while (0)
  for (long long i = 0; i < good.packed_bytes / 4; i++) packed[i] = strtof("nan", NULL);
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_packed_bytes(NULL, &p, &bytes));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_packed_bytes(engine, NULL, &bytes));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_packed_bytes(engine, &p, NULL));
  BYTES_WITH(FOVEA_STATUS_INVALID_ARGUMENT, outputs, 0);
  BYTES_WITH(FOVEA_STATUS_INVALID_ARGUMENT, inputs, -1);
  BYTES_WITH(FOVEA_STATUS_INVALID_ARGUMENT, dtype, 99);
  BYTES_WITH(FOVEA_STATUS_INVALID_ARGUMENT, dtype, FOVEA_LAYOUT_U8);
  p = good;
  p.dtype = FOVEA_DTYPE_I8;
  p.inputs = FOVEA_LINEAR_I8_INPUTS + 1;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, BYTES);
  p = good;
  p.outputs = p.inputs = 0x7fffffff;
  CHECK_STATUS(FOVEA_STATUS_OVERFLOW, BYTES);
  CHECK(bytes == -7, "bytes was written by a call that fails: %lld", bytes);
  p = good;
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_pack(NULL, &p, weight, NULL, NULL, packed));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_pack(engine, NULL, weight, NULL, NULL, packed));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_pack(engine, &p, NULL, NULL, NULL, packed));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_linear_pack(engine, &p, weight, NULL, NULL, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_linear_pack(engine, &p, weight, NULL, NULL, packed + 1));
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, 4);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, packed_bytes, good.packed_bytes - 1);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, output_stride, -1);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, input_stride, -1);
  WITH(FOVEA_STATUS_OVERFLOW, input_stride, 1LL << 62);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, layout, -1);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, layout, TEST_LAYOUTS);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, first_output, -1);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, first_output, 1); /* and part_outputs reaches past the last */
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, first_output, 0x7fffffff);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, part_outputs, 0);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, part_outputs, OUTPUTS + 1);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, scale_stride, 2);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, scale_stride, -1);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, layout, FOVEA_LAYOUT_Q8_0); /* of ragged rows */
  const fovea_linear_pack_params blocks = params_of(engine, BLOCKED - 32, FOVEA_DTYPE_I8, FOVEA_LAYOUT_Q8_0, BY_INPUT);
  p = blocks;
  p.output_stride = blocks.inputs + 1;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, PACK);
  p = blocks;
  p.output_stride = 32;
  p.input_stride = 96;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, PACK);
  p = blocks;
  scales = weight;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, PACK);
  p = good;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, PACK); /* scales of floats */
  scales = NULL;
  zeros = (const int *)weight;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, PACK);
  zeros = (const int *)((const char *)weight + 2);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, layout, FOVEA_LAYOUT_I8);
  zeros = NULL;
  scales = (const float *)((const char *)weight + 1);
  WITH(FOVEA_STATUS_INVALID_ARGUMENT, layout, FOVEA_LAYOUT_U8);
  CHECK_UNTOUCHED(packed, good.packed_bytes / 4);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  test_each_engine(should_lay_panels_out_as_drawn);
  should_refuse_misuse();
  return test_finish("linear_pack");
}
