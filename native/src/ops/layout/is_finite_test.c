#include <limits.h>
#include <math.h>

#include "stored.h"

enum { LONGEST = 4 * 2048 + 256 };

static int ask(const fovea_engine *engine, int layout, const char *values, long long count) {
  const fovea_is_finite_params p = {sizeof p, layout, count};
  int finite = -1;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_is_finite(engine, &p, values, &finite));
  return finite;
}

/* What numbers say, of all counts around a chunk of the kernel; halves have NaN and infinity among them. */
static void should_see_what_the_values_say(const fovea_engine *engine) {
  for (int layout = 0; layout < TEST_LAYOUTS; layout++) {
    const test_stored weight = test_store(layout, TEST_NO_SCALES, 1, LONGEST, 1);
    const int block = weight.block_values;
    for (long long first = 0; first < LONGEST; first += 2048 / 4) {
      for (long long count = 0; count <= LONGEST - first; count += count < 3 * block ? block : 2048 - 2 * block) {
        int finite = 1;
        for (long long i = first; i < first + count; i++) finite &= isfinite(weight.numbers[i]) != 0;
        CHECK(ask(engine, layout, test_stored_at(&weight, first), count) == finite, "%lld of layout %d from %lld, %s",
              count, layout, first, test_describe(engine));
      }
    }
    test_release();
  }
}

static void should_find_one_anywhere(const fovea_engine *engine) {
  static const float bad[] = {INFINITY, -INFINITY, NAN};
  enum { COUNT = 2048 + 37 };
  float *x = test_floats(COUNT);
  CHECK(ask(engine, FOVEA_LAYOUT_F32, (char *)x, COUNT) == 1, "%s", test_describe(engine));
  for (int i = 0; i < COUNT; i += i < 70 || i > COUNT - 70 ? 1 : 61) {
    const float before = x[i];
    x[i] = bad[i % 3];
    CHECK(ask(engine, FOVEA_LAYOUT_F32, (char *)x, COUNT) == 0, "%g at %d, %s", x[i], i, test_describe(engine));
    CHECK(ask(engine, FOVEA_LAYOUT_F32, (char *)x, i) == 1, "before %d, %s", i, test_describe(engine));
    x[i] = i % 2 ? 0x1.fffffep127f : -0x1.fffffep127f;
    CHECK(ask(engine, FOVEA_LAYOUT_F32, (char *)x, COUNT) == 1, "the largest at %d, %s", i, test_describe(engine));
    x[i] = before;
  }
  test_release();
}

static void should_refuse_what_makes_no_sense(const fovea_engine *engine) {
  const float x[256] = {0};
  int finite = 7;
  fovea_is_finite_params p = {sizeof p, FOVEA_LAYOUT_F32, 256};
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_is_finite(NULL, &p, x, &finite));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_is_finite(engine, NULL, x, &finite));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_is_finite(engine, &p, NULL, &finite));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_is_finite(engine, &p, x, NULL));
  p.values = -1;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_is_finite(engine, &p, x, &finite));
  p.values = LLONG_MAX;
  CHECK_STATUS(FOVEA_STATUS_OVERFLOW, fovea_is_finite(engine, &p, x, &finite));
  p = (fovea_is_finite_params){sizeof p, FOVEA_LAYOUT_Q8_0, 33};
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_is_finite(engine, &p, x, &finite));
  p = (fovea_is_finite_params){sizeof p, TEST_LAYOUTS, 32};
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_is_finite(engine, &p, x, &finite));
  p = (fovea_is_finite_params){sizeof p - 1, FOVEA_LAYOUT_F32, 32};
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_is_finite(engine, &p, x, &finite));
  CHECK(finite == 7, "a refused call has written %d", finite);
}

static void on_engine(fovea_engine *engine) {
  should_see_what_the_values_say(engine);
  should_find_one_anywhere(engine);
  should_refuse_what_makes_no_sense(engine);
}

int main(void) {
  test_each_engine(on_engine);
  return test_finish("is_finite");
}
