// driver.c's maps for tests of ops, which have no driver.
#include "cuda/tensor_maps.h"
#include "fovea/fovea.h"

extern "C" int fv_driver_tensor_map(const void *, int dtype, unsigned long long address, int rank,
                                    const uint64_t *sizes, const uint64_t *strides, const uint32_t *box, int swizzle,
                                    fv_tensor_map *map) {
  static const uint32_t every[5] = {1, 1, 1, 1, 1};
  const int type = dtype == FOVEA_DTYPE_F16 ? 6 : dtype == FOVEA_DTYPE_BF16 ? 9 : 7;
  return emulated::encode_tensor_map(map, type, static_cast<unsigned>(rank),
                                     reinterpret_cast<void *>(static_cast<uintptr_t>(address)), sizes, strides, box,
                                     every, 0, swizzle, 3, 0) == 0;
}
