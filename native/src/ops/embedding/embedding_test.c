#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stored.h"

enum { VOCABULARY = 37, POSITIONS = 70 };

typedef struct inputs {
  fovea_embedding_params params;
  int *ids, *offsets, *starts;
  float *words, *positions, *type, *out;
  int tokens;
} inputs;

/* sequences of lengths[i] tokens; buffers live until test_release. */
static inputs make(int width, int sequences, const int *lengths, int first_position, int gap) {
  inputs in = {.offsets = test_ints(sequences + 1),
               .words = test_floats((long long)VOCABULARY * width),
               .positions = test_floats((long long)POSITIONS * width),
               .type = test_floats(width)};
  in.offsets[0] = 0;
  for (int s = 0; s < sequences; s++) in.offsets[s + 1] = in.tokens += lengths[s];
  in.ids = test_ints(in.tokens);
  for (int t = 0; t < in.tokens; t++) in.ids[t] = test_random(0, VOCABULARY - 1);
  in.out = test_outputs((long long)in.tokens * (width + gap));
  in.starts = test_ints(sequences);
  for (int s = 0; s < sequences; s++) {
    in.starts[s] = test_random(0, POSITIONS - first_position - lengths[s]);
  }
  in.params = (fovea_embedding_params){.struct_size = sizeof in.params,
                                       .sequences = sequences,
                                       .width = width,
                                       .vocabulary = VOCABULARY,
                                       .positions = POSITIONS,
                                       .first_position = first_position,
                                       .scale = 1,
                                       .out_stride = width + gap};
  return in;
}

static int run(fovea_engine *engine, const inputs *in) {
  return fovea_embedding(engine, &in->params, in->ids, in->offsets, in->starts, in->words, NULL, NULL, in->positions,
                         in->type, in->out);
}

/* Sums of three floats in the contract's order are exact to the bit, by a scale that is a power of two. */
static void should_sum_in_order(fovea_engine *engine, const inputs *in) {
  const int width = in->params.width;
  CHECK_STATUS(FOVEA_STATUS_OK, run(engine, in));
  for (int s = 0; s < in->params.sequences; s++) {
    for (int t = in->offsets[s]; t < in->offsets[s + 1]; t++) {
      const float *out = in->out + t * in->params.out_stride;
      for (int i = 0; i < width; i++) {
        const int before = in->params.first_position + (in->starts ? in->starts[s] : 0);
        float want = in->params.scale * in->words[in->ids[t] * width + i];
        if (in->positions) want += in->positions[(before + t - in->offsets[s]) * width + i];
        if (in->type) want += in->type[i];
        CHECK(out[i] == want, "expected %.9g, got %.9g at token %d, column %d of %d, %s", want, out[i], t, i, width,
              test_describe(engine));
      }
      CHECK_UNTOUCHED(out + width, in->params.out_stride - width);
    }
  }
}

/* Words of a layout give the bits of the same words as floats, in pieces and in one. */
static void should_widen_words(fovea_engine *engine, int layout, int scaling, int width, int shift) {
  inputs in = make(width, 3, (int[]){3, 0, 40}, 0, 1);
  const test_stored words = test_store(layout, scaling, VOCABULARY, (long long)VOCABULARY * width, shift);
  for (int r = 0; r < VOCABULARY; r++) {
    for (int i = 0; i < width; i++) in.words[r * width + i] = test_stored_value(&words, r, (long long)r * width + i);
  }
  for (int t = 0; t < VOCABULARY; t++) in.ids[t] = t;
  for (int bare = 0; bare < 2; bare++) {
    if (bare) in.positions = in.type = NULL;
    in.params.scale = bare ? 1 : 1.7f;
    const long long floats = in.tokens * in.params.out_stride;
    float *got = test_outputs(floats);
    CHECK_STATUS(FOVEA_STATUS_OK, run(engine, &in));
    fovea_embedding_params p = in.params;
    p.words_layout = layout;
    p.scale_stride = words.scale_stride;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_embedding(engine, &p, in.ids, in.offsets, in.starts, words.values, words.scales,
                                                  words.zero_points, in.positions, in.type, got));
    CHECK_SAME_BITS(got, in.out, floats, "layout %d, scaling %d, width %d, %s", layout, scaling, width,
                    test_describe(engine));
  }
  test_release();
}

static void should_widen_words_of_any_layout(fovea_engine *engine) {
  static const int widths[] = {1, 7, 32, 33, 256, 300, 384, 512, 544};
  int shift = 0;
  for (int layout = 0; layout < TEST_LAYOUTS; layout++) {
    for (int scaling = 0; scaling < TEST_SCALINGS; scaling++) {
      for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        if (!test_is_scaling(layout, scaling) || widths[w] % test_block(layout)) continue;
        should_widen_words(engine, layout, scaling, widths[w], layout == FOVEA_LAYOUT_F32 ? 4 : shift++ % 8);
      }
    }
  }
}

static void on_engine(fovea_engine *engine) {
  static const int widths[] = {1, 3, 4, 7, 8, 15, 16, 17, 33, 384};
  static const int lengths[] = {0, 3, 1, 0, 0, 65, 2, 17, 60, 64, 0};
  enum { SEQUENCES = sizeof lengths / sizeof *lengths };
  for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
    inputs in = make(widths[w], SEQUENCES, lengths, w % 2 ? 2 : 0, (int)w % 3);
    should_sum_in_order(engine, &in);
    in.params.scale = 4;
    should_sum_in_order(engine, &in);
    in.starts = NULL;
    should_sum_in_order(engine, &in);
    in.type = NULL;
    should_sum_in_order(engine, &in);
    in.positions = NULL;
    should_sum_in_order(engine, &in);
    test_release();
  }
  inputs none = make(5, 0, lengths, 0, 0);
  should_sum_in_order(engine, &none);
  inputs whole = make(9, 1, (int[]){POSITIONS - 2}, 2, 0);
  should_sum_in_order(engine, &whole);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = test_engine(2);
  const inputs good = make(8, 2, (int[]){3, 5}, 1, 0);
  for (int s = 0; s < 2; s++) good.starts[s] = 0;
  inputs in = good;
#define CHECK_WITH(status, field, value)         \
  do {                                           \
    in = good;                                   \
    in.field = (value);                          \
    CHECK_STATUS(status, run(engine, &in));      \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, run(NULL, &good));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER,
               fovea_embedding(engine, NULL, in.ids, in.offsets, in.starts, in.words, NULL, NULL, in.positions,
                               in.type, in.out));
  CHECK_WITH(FOVEA_STATUS_NULL_POINTER, ids, NULL);
  CHECK_WITH(FOVEA_STATUS_NULL_POINTER, offsets, NULL);
  CHECK_WITH(FOVEA_STATUS_NULL_POINTER, words, NULL);
  CHECK_WITH(FOVEA_STATUS_NULL_POINTER, out, NULL);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, type, (float *)((char *)good.type + 1));
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, ids, (int *)((char *)good.ids + 2));
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.struct_size, 0);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.sequences, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.width, 0);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.vocabulary, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.positions, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.first_position, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.out_stride, 7);
  CHECK_WITH(FOVEA_STATUS_OVERFLOW, params.out_stride, 1LL << 61);
  CHECK_WITH(FOVEA_STATUS_OUT_OF_RANGE, params.positions, 5); /* the longer sequence needs 1 + 5 */
  CHECK_WITH(FOVEA_STATUS_OUT_OF_RANGE, params.first_position, 0x7fffffff);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.scale, NAN);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.scale, INFINITY);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.reserved, 1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.words_layout, -1);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.words_layout, TEST_LAYOUTS);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.words_layout, FOVEA_LAYOUT_Q8_0); /* of width 8 */
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, params.scale_stride, 2);
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, words, (float *)((char *)good.words + 1));
  const float *scales = good.type;
  in = good;
#define SCALED(scales, zeros)                                                                                     \
  fovea_embedding(engine, &in.params, in.ids, in.offsets, in.starts, in.words, scales, zeros, in.positions, in.type, \
                  in.out)
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, SCALED(scales, NULL)); /* of floats */
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, SCALED(NULL, in.ids));
  in.params.words_layout = FOVEA_LAYOUT_I8;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, SCALED((const float *)((const char *)scales + 2), NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, SCALED(scales, (const int *)((const char *)in.ids + 1)));
  CHECK_WITH(FOVEA_STATUS_INVALID_ARGUMENT, starts, (int *)((char *)good.starts + 2));
  static const int bad_starts[] = {-1, POSITIONS - 1 - 5 + 1, 0x7fffffff, -0x7fffffff - 1};
  for (int i = 0; i < 4; i++) {
    good.starts[1] = bad_starts[i];
    CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, run(engine, &good));
  }
  good.starts[1] = 0;
  static const int bad_ids[] = {-1, VOCABULARY, 0x7fffffff, -0x7fffffff - 1};
  for (int i = 0; i < 4; i++) {
    const int before = good.ids[7];
    good.ids[7] = bad_ids[i];
    CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, run(engine, &good));
    good.ids[7] = before;
  }
  good.offsets[0] = 1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, run(engine, &good));
  good.offsets[0] = 0;
  good.offsets[1] = 9; /* 0, 9, 8 */
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, run(engine, &good));
  good.offsets[1] = -1;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_RANGE, run(engine, &good));
  CHECK_UNTOUCHED(good.out, 8 * 8);
  test_release();
  fovea_engine_destroy(engine);
}

int main(void) {
  test_each_engine(on_engine);
  test_each_engine(should_widen_words_of_any_layout);
  should_refuse_misuse();
  return test_finish("embedding");
}
