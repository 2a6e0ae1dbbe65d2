/* Versions, names, options, the choice of the instruction set, memory, and OpenBLAS before it is loaded. */
#include "cpu_features.h"
#include "harness.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const fovea_engine_options defaults = {
    .struct_size = sizeof defaults, .threads = 1, .spin_micros = -1, .isa = FOVEA_ISA_AUTO};

static void should_name_versions_codes_and_sets(void) {
  CHECK(fovea_abi_version() == FOVEA_ABI_VERSION, "got ABI %d", fovea_abi_version());
  CHECK(strcmp(fovea_version(), "0.1.0") == 0, "got version %s", fovea_version());
  static const char *const statuses[] = {"ok",           "null pointer",  "invalid argument",
                                         "overflow",     "out of range",  "out of memory",
                                         "unsupported",  "mismatch",      "thread"};
  for (int i = FOVEA_STATUS_OK; i <= FOVEA_STATUS_THREAD; i++) {
    CHECK(strcmp(fovea_status_name(i), statuses[i]) == 0, "got %s for status %d", fovea_status_name(i), i);
  }
  CHECK(strcmp(fovea_status_name(-1), "unknown status") == 0, "got %s", fovea_status_name(-1));
  static const char *const sets[] = {"baseline", "avx2",       "avx512",  "avx512vnni",
                                     "neon",     "avx512bf16", "neondot", "neonbf16"};
  for (int i = FOVEA_ISA_BASELINE; i <= FOVEA_ISA_NEONBF16; i++) {
    CHECK(strcmp(fovea_isa_name(i), sets[i]) == 0, "got %s for set %d", fovea_isa_name(i), i);
  }
  CHECK(strcmp(fovea_isa_name(77), "unknown") == 0, "got %s", fovea_isa_name(77));
  CHECK(fovea_isa_available() & 1 << FOVEA_ISA_BASELINE, "got the sets %x without baseline", fovea_isa_available());
}

static int isa_of(const fovea_engine *engine) {
  fovea_engine_info info = {.struct_size = sizeof info};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_describe(engine, &info));
  CHECK(info.linear_row_tile > 0 && info.linear_column_tile > 0, "got a tile of %d rows, %d columns",
        info.linear_row_tile, info.linear_column_tile);
  return info.isa;
}

static void should_take_the_set_that_is_asked_for(void) {
  for (int isa = FOVEA_ISA_BASELINE; isa <= FOVEA_ISA_NEONBF16; isa++) {
    fovea_engine_options options = defaults;
    options.isa = isa;
    fovea_engine *engine = NULL;
    if (fovea_isa_available() >> isa & 1) {
      CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_create(&options, &engine));
      CHECK(isa_of(engine) == isa, "expected %s, got %s", fovea_isa_name(isa), fovea_isa_name(isa_of(engine)));
      CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_destroy(engine));
    } else {
      CHECK_STATUS(FOVEA_STATUS_UNSUPPORTED, fovea_engine_create(&options, &engine));
      CHECK(engine == NULL, "an engine was made for %s", fovea_isa_name(isa));
    }
  }
}

static void should_take_the_set_that_the_environment_names(void) {
  fovea_engine *engine = NULL;
  test_environment("FOVEA_ISA", "baseline");
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_create(&defaults, &engine));
  CHECK(isa_of(engine) == FOVEA_ISA_BASELINE, "got %s", fovea_isa_name(isa_of(engine)));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_destroy(engine));
  test_environment("FOVEA_ISA", ""); /* as if unset: the best, which is the last that is not slow */
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_create(&defaults, &engine));
  const int fast = fovea_isa_available() & ~(fv_has_slow_bf16() ? 1 << FOVEA_ISA_AVX512BF16 : 0);
  CHECK(fast >> isa_of(engine) == 1, "got %s of the sets %x", fovea_isa_name(isa_of(engine)), fast);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_destroy(engine));
  static const char *const absent[] = {"AVX2", "unknown", "sse"};
  for (int i = 0; i < 3; i++) {
    test_environment("FOVEA_ISA", absent[i]);
    CHECK_STATUS(FOVEA_STATUS_UNSUPPORTED, fovea_engine_create(&defaults, &engine));
  }
  test_environment("FOVEA_ISA", NULL);
}

static void should_describe_threads_and_spin(void) {
  fovea_engine_options options = defaults;
  fovea_engine *engine = NULL;
  options.threads = 3;
  options.spin_micros = 7;
  fovea_engine_info info = {.struct_size = sizeof info};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_create(&options, &engine));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_describe(engine, &info));
  CHECK(info.threads == 3 && info.spin_micros == 7, "got %d threads, %d us", info.threads, info.spin_micros);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_destroy(engine));
  options.threads = 0;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_create(&options, &engine));
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_describe(engine, &info));
  CHECK(info.threads >= 1, "got %d threads", info.threads);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_destroy(engine));
}

static void should_start_no_thread_for_one(void) {
  const int first = test_threads();
  fovea_engine *engine = test_engine(2);
  /* A sanitizer starts a thread of its own beside the first one of the process. */
  const int threads = first == 0 ? 0 : test_threads() - 1;
  CHECK(threads == first || threads == first + 1, "expected 1 more than %d threads, got %d", first, threads + 1);
  fovea_engine_destroy(engine);
  test_threads_settled(threads);
  engine = test_engine(1);
  CHECK(test_threads() == threads, "expected %d threads, got %d", threads, test_threads());
  fovea_engine_destroy(engine);
  engine = test_engine(4);
  CHECK(test_threads() == threads + 3 || threads == 0, "expected 3 more than %d threads, got %d", threads,
        test_threads());
  fovea_engine_destroy(engine);
  const int left = test_threads_settled(threads);
  CHECK(left == threads, "expected %d threads, got %d", threads, left);
}

static void should_refuse_misuse(void) {
  fovea_engine *engine = NULL;
  fovea_engine_options options;
#define CHECK_WITH(field, value)                                                        \
  do {                                                                                  \
    options = defaults;                                                                 \
    options.field = (value);                                                            \
    CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_engine_create(&options, &engine)); \
  } while (0)
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_engine_create(NULL, &engine));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_engine_create(&defaults, NULL));
  CHECK_WITH(struct_size, 0);
  CHECK_WITH(struct_size, 1 << 20);
  CHECK_WITH(threads, -1);
  CHECK_WITH(threads, 1025);
  CHECK_WITH(spin_micros, -2);
  CHECK_WITH(spin_micros, 1000001);
  CHECK_WITH(isa, -2);
  CHECK_WITH(isa, FOVEA_ISA_NEONBF16 + 1);
  CHECK(engine == NULL, "an engine was made");
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_engine_destroy(NULL));
  engine = test_engine(1);
  fovea_engine_info info = {.struct_size = sizeof info - 4};
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_engine_describe(engine, &info));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_engine_describe(engine, NULL));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_engine_describe(NULL, &info));
  fovea_engine_destroy(engine);
}

static void should_make_zeroed_memory(void) {
  static const long long sizes[] = {0, 1, 64, 100000, 2 << 20, 5000001};
  for (int i = 0; i < 6; i++) {
    const fovea_memory_options options = {.struct_size = sizeof options, .bytes = sizes[i]};
    void *memory = NULL;
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_memory_create(&options, &memory));
    CHECK((uintptr_t)memory % 64 == 0, "got %p for %lld bytes", memory, sizes[i]);
    char *bytes = memory;
    for (long long at = 0; at < sizes[i]; at++) {
      CHECK(bytes[at] == 0, "got %d at byte %lld of %lld", bytes[at], at, sizes[i]);
      bytes[at] = 1;
    }
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_memory_destroy(memory));
  }
}

static void should_refuse_misuse_of_memory(void) {
  fovea_memory_options options = {.struct_size = sizeof options, .bytes = 64};
  void *memory = NULL;
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_memory_create(NULL, &memory));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_memory_create(&options, NULL));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_memory_destroy(NULL));
  options.bytes = -1;
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_memory_create(&options, &memory));
  options.bytes = 1LL << 62;
  CHECK_STATUS(FOVEA_STATUS_OUT_OF_MEMORY, fovea_memory_create(&options, &memory));
  options = (fovea_memory_options){.struct_size = 4, .bytes = 64};
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_memory_create(&options, &memory));
  options = (fovea_memory_options){.struct_size = sizeof options, .reserved = 1};
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_memory_create(&options, &memory));
  CHECK(memory == NULL, "a call that fails wrote %p", memory);
}

static void should_refuse_what_is_not_openblas(void) {
  char text[8] = "before";
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_blas_load(NULL));
  CHECK_STATUS(FOVEA_STATUS_UNSUPPORTED, fovea_blas_load("/nowhere/libopenblas.so"));
  CHECK_STATUS(FOVEA_STATUS_UNSUPPORTED, fovea_blas_load(__FILE__));
  CHECK_STATUS(FOVEA_STATUS_UNSUPPORTED, fovea_blas_load(FV_LIBRARY)); /* a library, without BLAS */
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_blas_describe(8, NULL));
  CHECK_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_blas_describe(0, text));
  CHECK(strcmp(text, "before") == 0, "a call that fails wrote %s", text);
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_blas_describe(8, text));
  CHECK(text[0] == 0, "got the description %s before OpenBLAS is loaded", text);
}

int main(void) {
  should_start_no_thread_for_one();
  should_name_versions_codes_and_sets();
  should_take_the_set_that_is_asked_for();
  should_take_the_set_that_the_environment_names();
  should_describe_threads_and_spin();
  should_refuse_misuse();
  should_make_zeroed_memory();
  should_refuse_misuse_of_memory();
  should_refuse_what_is_not_openblas();
  return test_finish("engine");
}
