// Runs the launches of tests of ops on a device instead of under the emulation: with it, and with device_memory.cpp, a test
// becomes one for hardware. The driver is the one that FOVEA_CUDA_DRIVER names.
#include <cstdio>
#include <cstdlib>

#include "cuda/device_memory.h"
#include "cuda/op_harness.h"
#include "cuda/tensor_map.h"

extern "C" const unsigned char fv_cuda_image[];

namespace {

void *module() {
  static void *loaded = nullptr;
  if (loaded == nullptr) {
    using Load = int (*)(void **, const void *, unsigned, int *, void **);
    driver_check(reinterpret_cast<Load>(driver_function("cuModuleLoadDataEx"))(&loaded, fv_cuda_image, 0, nullptr,
                                                                               nullptr),
                 "cuModuleLoadDataEx");
  }
  return loaded;
}

void launch(const op_launch &l) {
  void *function = nullptr;
  using Get = int (*)(void **, void *, const char *);
  driver_check(reinterpret_cast<Get>(driver_function("cuModuleGetFunction"))(&function, module(), l.kernel), l.kernel);
  using Set = int (*)(void *, int, int);
  const int max_dynamic_shared_bytes = 8;
  driver_check(reinterpret_cast<Set>(driver_function("cuFuncSetAttribute"))(function, max_dynamic_shared_bytes,
                                                                            l.shared_bytes),
               l.kernel);
  void *params[] = {const_cast<void *>(l.params)};
  using Launch = int (*)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **,
                         void **);
  const auto u = [](int n) { return static_cast<unsigned>(n); };
  driver_check(reinterpret_cast<Launch>(driver_function("cuLaunchKernel"))(
                   function, u(l.grid[0]), u(l.grid[1]), u(l.grid[2]), u(l.block[0]), u(l.block[1]), u(l.block[2]),
                   u(l.shared_bytes), nullptr, params, nullptr),
               l.kernel);
  driver_check(reinterpret_cast<int (*)()>(driver_function("cuCtxSynchronize"))(), l.kernel);
}

const bool installed = [] {
  op::device_launch = launch;
  return true;
}();

}  // namespace

// driver.c's maps, on this driver.
extern "C" int fv_driver_tensor_map(const void *, int dtype, unsigned long long address, int rank,
                                    const uint64_t *sizes, const uint64_t *strides, const uint32_t *box, int swizzle,
                                    fv_tensor_map *map) {
  static const uint32_t every[5] = {1, 1, 1, 1, 1};
  const int type = dtype == FOVEA_DTYPE_F16 ? 6 : dtype == FOVEA_DTYPE_BF16 ? 9 : 7;
  const int promotion_256b = 3;
  using Encode = int (*)(fv_tensor_map *, int, uint32_t, void *, const uint64_t *, const uint64_t *, const uint32_t *,
                         const uint32_t *, int, int, int, int);
  return reinterpret_cast<Encode>(driver_function("cuTensorMapEncodeTiled"))(
             map, type, static_cast<unsigned>(rank), reinterpret_cast<void *>(static_cast<uintptr_t>(address)), sizes,
             strides, box, every, 0, swizzle, promotion_256b, 0) == 0;
}
