#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int lengths[] = {1, 0, 2, 7, 0, 128, 3, 512, 1, 0};
enum { SEQUENCES = sizeof lengths / sizeof *lengths };

/* One sequence in the type that the name says; the float form is the naive one. */
#define DEFINE_REFERENCE(name, real)                                                                          \
  static void name(const float *x, long long stride, int tokens, int width, int mode, int normalize, real *out) { \
    real squares = 0;                                                                                         \
    for (int i = 0; i < width; i++) {                                                                         \
      real sum = 0;                                                                                           \
      for (int t = 0; t < tokens; t++) sum += x[t * stride + i];                                              \
      if (tokens == 0) {                                                                                      \
        out[i] = 0;                                                                                           \
      } else if (mode == FOVEA_POOLING_MEAN) {                                                                \
        out[i] = sum / (real)tokens;                                                                          \
      } else {                                                                                                \
        out[i] = x[(mode == FOVEA_POOLING_CLS ? 0 : tokens - 1) * stride + i];                                \
      }                                                                                                       \
      squares += out[i] * out[i];                                                                             \
    }                                                                                                         \
    const real norm = (real)fmax(sqrt((double)squares), 1e-12);                                               \
    for (int i = 0; i < width && normalize; i++) out[i] /= norm;                                              \
  }
DEFINE_REFERENCE(reference_double, double)
DEFINE_REFERENCE(reference_float, float)

static fovea_pool_params params_of(int sequences, int width, int mode, int normalize, int gap) {
  return (fovea_pool_params){.struct_size = sizeof(fovea_pool_params),
                             .sequences = sequences,
                             .width = width,
                             .mode = mode,
                             .normalize = normalize,
                             .x_stride = width + gap,
                             .out_stride = width + 2 * gap};
}

static int *offsets_of(int sequences) {
  int *offsets = test_ints(sequences + 1);
  offsets[0] = 0;
  for (int s = 0; s < sequences; s++) offsets[s + 1] = offsets[s] + lengths[s];
  return offsets;
}

static void should_match_reference(fovea_engine *engine, int sequences, int width, int mode, int normalize, int gap) {
  const fovea_pool_params p = params_of(sequences, width, mode, normalize, gap);
  const int *offsets = offsets_of(sequences);
  const float *x = test_floats(offsets[sequences] * p.x_stride);
  float *out = test_outputs(sequences * p.out_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_pool(engine, &p, x, offsets, out));
  double *want = malloc((size_t)width * sizeof *want);
  float *naive = malloc((size_t)width * sizeof *naive);
  for (int s = 0; s < sequences; s++) {
    const float *tokens = x + offsets[s] * p.x_stride;
    reference_double(tokens, p.x_stride, lengths[s], width, mode, normalize, want);
    reference_float(tokens, p.x_stride, lengths[s], width, mode, normalize, naive);
    CHECK_CLOSE(out + s * p.out_stride, want, naive, width, "sequence %d of %d tokens, width %d, mode %d, norm %d, %s",
                s, lengths[s], width, mode, normalize, test_describe(engine));
    CHECK_UNTOUCHED(out + s * p.out_stride + width, 2 * gap);
  }
  free(want);
  free(naive);
  test_release();
}

static void should_normalize_zeros_to_zeros(fovea_engine *engine) {
  const fovea_pool_params p = params_of(4, 19, FOVEA_POOLING_MEAN, 1, 0);
  const int *offsets = offsets_of(4);
  float *x = test_floats(offsets[4] * 19), *out = test_outputs(4 * 19);
  memset(x, 0, (size_t)offsets[4] * 19 * sizeof *x);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_pool(engine, &p, x, offsets, out));
  for (int i = 0; i < 4 * 19; i++) CHECK(out[i] == 0, "got %g at %d, %s", out[i], i, test_describe(engine));
  test_release();
}

static void should_keep_a_nan_to_its_sequence(fovea_engine *engine) {
  const fovea_pool_params p = params_of(4, 19, FOVEA_POOLING_MEAN, 1, 0);
  const int *offsets = offsets_of(4);
  float *x = test_floats(offsets[4] * 19), *out = test_outputs(4 * 19);
  x[offsets[2] * 19 + 18] = NAN;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_pool(engine, &p, x, offsets, out));
  for (int i = 0; i < 4 * 19; i++) {
    CHECK(isnan(out[i]) == (i / 19 == 2), "got %g at %d, NaN only in sequence 2, %s", out[i], i,
          test_describe(engine));
  }
  test_release();
}

static void should_give_a_sequence_the_same_bits_when_alone(fovea_engine *engine) {
  const fovea_pool_params p = params_of(SEQUENCES, 387, FOVEA_POOLING_MEAN, 1, 0);
  fovea_pool_params single = p;
  single.sequences = 1;
  const int *offsets = offsets_of(SEQUENCES);
  const float *x = test_floats(offsets[SEQUENCES] * p.x_stride);
  float *out = test_outputs(SEQUENCES * p.out_stride), *alone = test_outputs(p.out_stride);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_pool(engine, &p, x, offsets, out));
  for (int s = 0; s < SEQUENCES; s++) {
    const int own[] = {0, lengths[s]};
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_pool(engine, &single, x + offsets[s] * p.x_stride, own, alone));
    CHECK_SAME_BITS(alone, out + s * p.out_stride, p.width, "sequence %d alone, %s", s, test_describe(engine));
  }
  test_release();
}

static void on_engine(fovea_engine *engine) {
  static const int widths[] = {1, 3, 4, 9, 16, 31, 64, 65, 128, 384};
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
    for (int mode = FOVEA_POOLING_MEAN; mode <= FOVEA_POOLING_LAST; mode++) {
      should_match_reference(engine, SEQUENCES, widths[w], mode, 0, (int)w % 3);
      should_match_reference(engine, SEQUENCES, widths[w], mode, 1, (int)w % 3);
    }
  }
  should_match_reference(engine, 0, 5, FOVEA_POOLING_MEAN, 1, 0);
  should_normalize_zeros_to_zeros(engine);
  should_keep_a_nan_to_its_sequence(engine);
  should_give_a_sequence_the_same_bits_when_alone(engine);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(1);
  const fovea_pool_params good = params_of(4, 8, FOVEA_POOLING_MEAN, 1, 0);
  fovea_pool_params p = good;
  int *offsets = offsets_of(4);
  const float *x = test_floats(offsets[4] * 8);
  float *out = test_outputs(4 * 8);
#define CHECK_WITH(status, field, value)                              \
  do {                                                                \
    p = good;                                                         \
    p.field = (value);                                                \
    CHECK_STATUS(status, fovea_pool(engine, &p, x, offsets, out));    \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_pool(NULL, &good, x, offsets, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_pool(engine, NULL, x, offsets, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_pool(engine, &good, NULL, offsets, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_pool(engine, &good, x, NULL, out));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_pool(engine, &good, x, offsets, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_pool(engine, &good, x, offsets, (float *)((char *)out + 1)));
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, struct_size, (int)sizeof p + 8);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, sequences, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, width, 0);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, mode, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, mode, 3);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, normalize, 2);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, reserved, 1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, x_stride, 7);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, out_stride, -1);
  CHECK_WITH(FOVEA_STATUS_OVERFLOW, x_stride, 1LL << 62);
  CHECK_WITH(FOVEA_STATUS_OVERFLOW, out_stride, 1LL << 62);
  offsets[0] = 1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_pool(engine, &good, x, offsets, out));
  offsets[0] = 0;
  offsets[3] = offsets[4] + 1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_pool(engine, &good, x, offsets, out));
  CHECK_UNTOUCHED(out, 4 * 8);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  should_refuse_misuse();
  return test_finish("pooling");
}
