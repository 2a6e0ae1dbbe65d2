/* What GCC's own library says, where the compiler is GCC. */
#include "cpu_features.h"

#include <stdio.h>

#include "harness.h"

int main(void) {
  CHECK(!fv_feature(""), "an empty name is a feature");
  CHECK(!fv_feature("avx"), "a name that no instruction set needs is a feature");
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CHECK_FEATURE(name)                                                                               \
  CHECK(fv_feature(name) == !!__builtin_cpu_supports(name), "%s: expected %d, got %d", name,              \
        !!__builtin_cpu_supports(name), fv_feature(name))
  __builtin_cpu_init();
  CHECK_FEATURE("fma");
  CHECK_FEATURE("avx2");
  CHECK_FEATURE("avx512f");
  CHECK_FEATURE("avx512dq");
  CHECK_FEATURE("avx512cd");
  CHECK_FEATURE("avx512bw");
  CHECK_FEATURE("avx512vl");
  CHECK_FEATURE("avx512vnni");
  CHECK_FEATURE("avx512bf16");
  CHECK(!fv_has_slow_bf16() || (__builtin_cpu_is("intel") && !__builtin_cpu_is("cooperlake")), "bfloat16 counts as slow here");
  CHECK(fv_has_slow_bf16() || !__builtin_cpu_is("sapphirerapids"), "bfloat16 counts as fast on Sapphire Rapids");
#else
  printf("cpu_features: not compared, the compiler is not GCC for x86-64\n");
#endif
  return test_finish("cpu_features");
}
