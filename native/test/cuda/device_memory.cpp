// Managed memory in place of the host's, and the driver that gives it.
#include "cuda/device_memory.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

constexpr size_t kPoolBytes = size_t{1} << 30;
constexpr size_t kAlignment = 256;
constexpr int kClasses = 64;

unsigned char *pool = nullptr;
size_t used = 0;
struct Free {
  Free *next;
};
Free *free_lists[kClasses];
bool opening = false;

// The least power of two that holds a number of bytes.
int class_of(size_t bytes) {
  int order = 8;
  while ((size_t{1} << order) < bytes) order++;
  return order;
}

void open_pool() {
  opening = true;
  int device;
  void *context;
  uintptr_t address = 0;
  driver_check(reinterpret_cast<int (*)(unsigned)>(driver_function("cuInit"))(0), "cuInit");
  driver_check(reinterpret_cast<int (*)(int *, int)>(driver_function("cuDeviceGet"))(&device, 0), "cuDeviceGet");
  driver_check(reinterpret_cast<int (*)(void **, int)>(driver_function("cuDevicePrimaryCtxRetain"))(&context, device),
               "cuDevicePrimaryCtxRetain");
  driver_check(reinterpret_cast<int (*)(void *)>(driver_function("cuCtxPushCurrent_v2"))(context), "cuCtxPushCurrent");
  driver_check(reinterpret_cast<int (*)(uintptr_t *, size_t, unsigned)>(driver_function("cuMemAllocManaged"))(
                   &address, kPoolBytes, 1),
               "cuMemAllocManaged");
  pool = reinterpret_cast<unsigned char *>(address);
  opening = false;
}

void *allocate(size_t bytes) {
  if (pool == nullptr && !opening) open_pool();
  if (opening) return malloc(bytes); // by the driver itself
  const int order = class_of(bytes);
  if (Free *found = free_lists[order]) {
    free_lists[order] = found->next;
    return found;
  }
  const size_t size = size_t{1} << order;
  if (used + size > kPoolBytes) {
    fprintf(stderr, "the tests' %zu bytes of managed memory are used up\n", kPoolBytes);
    exit(1);
  }
  void *memory = pool + used;
  used += size;
  static_assert(kAlignment == 256, "the least class");
  return memory;
}

}  // namespace

void *driver_function(const char *name) {
  static void *driver = nullptr;
  if (driver == nullptr) {
    const char *path = getenv("FOVEA_CUDA_DRIVER");
    driver = dlopen(path ? path : "libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
    if (driver == nullptr) {
      fprintf(stderr, "%s\n", dlerror());
      exit(1);
    }
  }
  void *function = dlsym(driver, name);
  if (function == nullptr) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return function;
}

void driver_check(int result, const char *what) {
  if (result == 0) return;
  const char *text = "an unknown error";
  reinterpret_cast<int (*)(int, const char **)>(driver_function("cuGetErrorString"))(result, &text);
  fprintf(stderr, "%s: %d, %s\n", what, result, text);
  exit(1);
}

// Sizes are not known to every delete, so a block tells its class in front of it.
void *operator new(size_t bytes) {
  unsigned char *block = static_cast<unsigned char *>(allocate(bytes + kAlignment));
  if (block == nullptr) throw std::bad_alloc();
  *reinterpret_cast<size_t *>(block) = bytes + kAlignment;
  return block + kAlignment;
}
void *operator new[](size_t bytes) { return operator new(bytes); }
void operator delete(void *memory) noexcept {
  if (memory == nullptr) return;
  unsigned char *block = static_cast<unsigned char *>(memory) - kAlignment;
  if (block < pool || block >= pool + kPoolBytes) {
    free(block);
    return;
  }
  const int order = class_of(*reinterpret_cast<size_t *>(block));
  Free *entry = reinterpret_cast<Free *>(block);
  entry->next = free_lists[order];
  free_lists[order] = entry;
}
void operator delete[](void *memory) noexcept { operator delete(memory); }
void operator delete(void *memory, size_t) noexcept { operator delete(memory); }
void operator delete[](void *memory, size_t) noexcept { operator delete(memory); }
