/* Opens the driver and looks its functions up. */
#include "cuda/driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/failure.h"
#include "cuda/image.h"

static const char system_driver[] = "libcuda.so.1";

/* Drivers that are open, the last first. */
static fv_driver *drivers;
static pthread_mutex_t drivers_lock = PTHREAD_MUTEX_INITIALIZER;

/* ISO C has no conversion from an object's address to a function's; POSIX has the representation. */
static void find(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
}

/* The version of CUDA that the driver speaks, before anything else is asked of it. */
static int check_version(fv_driver *driver, void *library, fovea_cuda_failure *failure) {
  int (*get_version)(int *version);
  find(library, "cuDriverGetVersion", &get_version);
  if (!get_version) {
    return fv_fail(failure, FOVEA_CUDA_STATUS_NO_DRIVER, "%s: it has no function cuDriverGetVersion", driver->path);
  }
  const int result = get_version(&driver->version);
  if (result) {
    fv_fail(failure, FOVEA_CUDA_STATUS_NO_DRIVER, "%s: cuDriverGetVersion fails with %d", driver->path, result);
    if (failure) failure->driver_code = result;
    return FOVEA_CUDA_STATUS_NO_DRIVER;
  }
  if (driver->version >= fv_cuda_image_version) return FOVEA_STATUS_OK;
  return fv_fail(failure, FOVEA_CUDA_STATUS_DRIVER_TOO_OLD, "%s speaks CUDA %d.%d; CUDA %d.%d or newer is needed",
                 driver->path, driver->version / 1000, driver->version % 1000 / 10, fv_cuda_image_version / 1000,
                 fv_cuda_image_version % 1000 / 10);
}

static int find_functions(fv_driver *driver, void *library, fovea_cuda_failure *failure) {
#define FV_DRIVER_FIND(field, name, parameters)                                                             \
  find(library, #name, &driver->field);                                                                     \
  if (!driver->field) {                                                                                     \
    return fv_fail(failure, FOVEA_CUDA_STATUS_NO_DRIVER, "%s: it has no function " #name, driver->path); \
  }
  FV_DRIVER_FUNCTIONS(FV_DRIVER_FIND)
#undef FV_DRIVER_FIND
  return FOVEA_STATUS_OK;
}

static int initialise(const fv_driver *driver, fovea_cuda_failure *failure) {
  const int result = driver->init(0);
  if (result == FV_CU_SUCCESS) return FOVEA_STATUS_OK;
  const int status = result == FV_CU_NO_DEVICE      ? FOVEA_CUDA_STATUS_NO_DEVICE
                     : result == FV_CU_STUB_LIBRARY ? FOVEA_CUDA_STATUS_NO_DRIVER
                                                    : FOVEA_CUDA_STATUS_DRIVER_ERROR;
  return fv_fail_driver(driver, failure, status, "cuInit", result);
}

/* Opens a driver that is not open yet. */
static int open_driver(const char *path, fovea_cuda_failure *failure, fv_driver **opened) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return fv_fail(failure, FOVEA_CUDA_STATUS_NO_DRIVER, "%s", reason ? reason : path);
  }
  fv_driver *driver = calloc(1, sizeof *driver);
  if (driver) driver->path = malloc(strlen(path) + 1);
  int status = driver && driver->path ? FOVEA_STATUS_OK : fv_fail_host_memory(failure);
  if (status == FOVEA_STATUS_OK) strcpy(driver->path, path);
  if (status == FOVEA_STATUS_OK) status = check_version(driver, library, failure);
  if (status == FOVEA_STATUS_OK) status = find_functions(driver, library, failure);
  if (status == FOVEA_STATUS_OK) status = initialise(driver, failure);
  if (status == FOVEA_STATUS_OK) {
    *opened = driver;
    return FOVEA_STATUS_OK;
  }
  if (driver) free(driver->path);
  free(driver);
  dlclose(library);
  return status;
}

int fv_driver_open(const char *path, fovea_cuda_failure *failure, const fv_driver **driver) {
  if (!path) path = system_driver;
  int status = FOVEA_STATUS_OK;
  pthread_mutex_lock(&drivers_lock);
  fv_driver *found = drivers;
  while (found && strcmp(found->path, path) != 0) found = found->next;
  if (!found) {
    status = open_driver(path, failure, &found);
    if (status == FOVEA_STATUS_OK) {
      found->next = drivers;
      drivers = found;
    }
  }
  pthread_mutex_unlock(&drivers_lock);
  *driver = found;
  return status;
}

int fv_driver_tensor_map(const fv_driver *driver, int data_type, unsigned long long address, int rank,
                         const uint64_t *sizes, const uint64_t *strides, const uint32_t *box, int swizzle,
                         fv_tensor_map *map) {
  static const uint32_t every[5] = {1, 1, 1, 1, 1};
  const int type = data_type == FOVEA_DTYPE_F16    ? FV_TENSOR_MAP_FLOAT16
                   : data_type == FOVEA_DTYPE_BF16 ? FV_TENSOR_MAP_BFLOAT16
                                                   : FV_TENSOR_MAP_FLOAT32;
  return driver->tensor_map_encode_tiled(map, type, (uint32_t)rank, (void *)(uintptr_t)address, sizes, strides, box,
                                         every, FV_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
                                         FV_TENSOR_MAP_L2_PROMOTION_256B, FV_TENSOR_MAP_OOB_FILL_ZERO) == FV_CU_SUCCESS;
}
