// launches.c for tests of ops: what a planner appends runs at once under emulation.
#include <cstdio>

#include "cuda/launch.h"
#include "cuda/plan.h"

extern "C" int fv_launches_add(void *, const char *kernel, const int grid[3], const int threads[3], int shared_bytes,
                               const void *params, int params_bytes) {
  const emulated::Kernel *k = emulated::find(kernel);
  if (k == nullptr || k->params_bytes != static_cast<size_t>(params_bytes)) {
    emulated::fail("launch of %s with %d bytes of parameters", kernel, params_bytes);
  }
  const auto size = [](const int v[3]) {
    return dim3(static_cast<unsigned>(v[0]), static_cast<unsigned>(v[1]), static_cast<unsigned>(v[2]));
  };
  emulated::launch(*k, size(grid), size(threads), shared_bytes, params);
  return 0;
}
