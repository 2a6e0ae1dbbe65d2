/* Calls by number: each number has its function, with the arguments in their order. */
#include "harness.h"

#define NONE NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL

/* Every function that takes a pointer refuses to have none. */
static void should_have_a_function_for_each_number(void) {
  CHECK(fovea_call(FOVEA_CALL_ABI_VERSION, NONE, NONE) == FOVEA_ABI_VERSION, "got another version");
  CHECK(fovea_call(FOVEA_CALL_ISA_AVAILABLE, NONE, NONE) == fovea_isa_available(), "got other sets");
  for (int function = FOVEA_CALL_ENGINE_CREATE; function <= FOVEA_CALL_POOL; function++) {
    const int status = fovea_call(function, NONE, NONE);
    CHECK(status == FOVEA_STATUS_NULL_POINTER, "expected a null pointer of function %d, got status %d", function, status);
  }
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_call(FOVEA_CALL_POOL + 1, NONE, NONE));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_call(-1, NONE, NONE));
}

static void should_give_the_bits_of_the_function(fovea_engine *engine) {
  fovea_layer_norm_params p = {
      .struct_size = sizeof p, .rows = 3, .width = 19, .epsilon = 1e-5f, .x_stride = 19, .out_stride = 19};
  float *x = test_floats(3 * 19), *gamma = test_floats(19), *beta = test_floats(19);
  float *expected = test_outputs(3 * 19), *actual = test_outputs(3 * 19);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_layer_norm(engine, &p, x, gamma, beta, expected));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_call(FOVEA_CALL_LAYER_NORM, engine, &p, x, gamma, beta, actual, NULL, NULL, NONE));
  CHECK_SAME_BITS(actual, expected, 3 * 19, "%s", test_describe(engine));
  test_release();
}

int main(void) {
  should_have_a_function_for_each_number();
  test_each_engine(should_give_the_bits_of_the_function);
  return test_finish("call");
}
