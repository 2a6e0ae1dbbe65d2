/* Devices: opened, described and closed. */
#include "cuda/device.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/image.h"
#include "cuda/memory.h"

/* ---- the current context -------------------------------------------------- */

/* Whether a result means that the context is of no more use: "the process must be terminated" in cuda.h's words. */
static int ends_context(int result) {
  switch (result) {
    case FV_CU_DEINITIALIZED:
    case FV_CU_ECC_UNCORRECTABLE:
    case FV_CU_NVLINK_UNCORRECTABLE:
    case FV_CU_CONTAINED:
    case FV_CU_ILLEGAL_ADDRESS:
    case FV_CU_LAUNCH_TIMEOUT:
    case FV_CU_CONTEXT_IS_DESTROYED:
    case FV_CU_ASSERT:
    case FV_CU_HARDWARE_STACK_ERROR:
    case FV_CU_ILLEGAL_INSTRUCTION:
    case FV_CU_MISALIGNED_ADDRESS:
    case FV_CU_INVALID_ADDRESS_SPACE:
    case FV_CU_INVALID_PC:
    case FV_CU_LAUNCH_FAILED:
    case FV_CU_TENSOR_MEMORY_LEAK:
    case FV_CU_MPS_CLIENT_TERMINATED:
    case FV_CU_EXTERNAL_DEVICE:
    case FV_CU_UNKNOWN:
      return 1;
    default:
      return 0;
  }
}

int fv_device_status(fovea_cuda_device *device, fovea_cuda_failure *failure, const char *call, int result) {
  int status = FOVEA_CUDA_STATUS_DRIVER_ERROR;
  if (result == FV_CU_OUT_OF_MEMORY) status = FOVEA_STATUS_OUT_OF_MEMORY;
  if (ends_context(result)) {
    int none = 0;
    atomic_compare_exchange_strong(&device->lost, &none, result);
    status = FOVEA_CUDA_STATUS_DEVICE_LOST;
  }
  return fv_fail_driver(device->driver, failure, status, call, result);
}

int fv_device_check(fovea_cuda_device *device, fovea_cuda_failure *failure) {
  const int lost = atomic_load(&device->lost);
  if (lost == 0) return FOVEA_STATUS_OK;
  return fv_fail_driver(device->driver, failure, FOVEA_CUDA_STATUS_DEVICE_LOST, "the device was lost", lost);
}

int fv_device_enter(fovea_cuda_device *device, fovea_cuda_failure *failure) {
  FV_REQUIRE(fv_device_check(device, failure));
  FV_DRIVER_CALL(device, failure, "cuCtxPushCurrent", device->driver->ctx_push(device->context));
  return FOVEA_STATUS_OK;
}

int fv_device_enter_to_free(fovea_cuda_device *device) {
  return device->driver->ctx_push(device->context) == FV_CU_SUCCESS;
}

void fv_device_leave(fovea_cuda_device *device) {
  fv_cu_context context;
  device->driver->ctx_pop(&context);
}

/* ---- kernels -------------------------------------------------------------- */

/* Finds a kernel, or looks it up. Under the lock. */
static int look_up(fovea_cuda_device *device, const char *name, fovea_cuda_failure *failure, fv_function **found) {
  for (int i = 0; i < device->function_count; i++) {
    *found = &device->functions[i];
    if (strcmp((*found)->name, name) == 0) return FOVEA_STATUS_OK;
  }
  if (device->function_count == device->function_capacity) {
    const int capacity = device->function_capacity ? 2 * device->function_capacity : 32;
    fv_function *functions = realloc(device->functions, (size_t)capacity * sizeof *functions);
    if (!functions) return fv_fail_host_memory(failure);
    device->functions = functions;
    device->function_capacity = capacity;
  }
  *found = &device->functions[device->function_count];
  **found = (fv_function){.name = name};
  FV_DRIVER_CALL(device, failure, name,
                 device->driver->module_get_function(&(*found)->function, device->module, name));
  device->function_count++;
  return FOVEA_STATUS_OK;
}

/* What every kernel may have without being allowed. */
enum { SHARED_BYTES_OF_ALL = 48 * 1024 };

static int allow(fovea_cuda_device *device, fv_function *function, int shared_bytes, fovea_cuda_failure *failure) {
  if (shared_bytes <= SHARED_BYTES_OF_ALL || shared_bytes <= function->shared_bytes) return FOVEA_STATUS_OK;
  if (shared_bytes > device->shared_bytes) {
    return fv_fail(failure, FOVEA_STATUS_UNSUPPORTED, "%s needs %d bytes of shared memory, a block has %d",
                   function->name, shared_bytes, device->shared_bytes);
  }
  FV_DRIVER_CALL(device, failure, "cuFuncSetAttribute",
                 device->driver->func_set_attribute(function->function, FV_CU_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                                    shared_bytes));
  function->shared_bytes = shared_bytes;
  return FOVEA_STATUS_OK;
}

int fv_device_function(fovea_cuda_device *device, const char *name, int shared_bytes, fovea_cuda_failure *failure,
                       fv_cu_function *function) {
  fv_function *found = NULL;
  pthread_mutex_lock(&device->lock);
  int status = look_up(device, name, failure, &found);
  if (status == FOVEA_STATUS_OK) status = allow(device, found, shared_bytes, failure);
  if (status == FOVEA_STATUS_OK) *function = found->function;
  pthread_mutex_unlock(&device->lock);
  return status;
}

/* ---- open and close ------------------------------------------------------- */

static int read_attribute(fovea_cuda_device *device, int attribute, fovea_cuda_failure *failure, int *value) {
  FV_DRIVER_CALL(device, failure, "cuDeviceGetAttribute",
                 device->driver->device_get_attribute(value, attribute, device->number));
  return FOVEA_STATUS_OK;
}

static int find_device(fovea_cuda_device *device, int ordinal, fovea_cuda_failure *failure) {
  int count;
  FV_DRIVER_CALL(device, failure, "cuDeviceGetCount", device->driver->device_get_count(&count));
  if (ordinal >= count) {
    return fv_fail(failure, FOVEA_CUDA_STATUS_NO_DEVICE, "there is no GPU %d; the driver finds %d", ordinal, count);
  }
  FV_DRIVER_CALL(device, failure, "cuDeviceGet", device->driver->device_get(&device->number, ordinal));
  int major, minor;
  FV_REQUIRE(read_attribute(device, FV_CU_COMPUTE_CAPABILITY_MAJOR, failure, &major));
  FV_REQUIRE(read_attribute(device, FV_CU_COMPUTE_CAPABILITY_MINOR, failure, &minor));
  FV_REQUIRE(read_attribute(device, FV_CU_MULTIPROCESSOR_COUNT, failure, &device->multiprocessors));
  FV_REQUIRE(read_attribute(device, FV_CU_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, failure, &device->shared_bytes));
  device->compute_capability = 10 * major + minor;
  if (device->compute_capability >= 80) return FOVEA_STATUS_OK;
  return fv_fail(failure, FOVEA_CUDA_STATUS_UNSUPPORTED_DEVICE,
                 "GPU %d has compute capability %d.%d; 8.0 or newer is needed", ordinal, major, minor);
}

static int load_kernels(fovea_cuda_device *device, fovea_cuda_failure *failure) {
  const int result = device->driver->module_load(&device->module, fv_cuda_image, 0, NULL, NULL);
  const char *call = "cuModuleLoadDataEx";
  if (result == FV_CU_UNSUPPORTED_PTX_VERSION || result == FV_CU_CALL_REQUIRES_NEWER_DRIVER) {
    return fv_fail_driver(device->driver, failure, FOVEA_CUDA_STATUS_DRIVER_TOO_OLD, call, result);
  }
  if (result == FV_CU_NO_BINARY_FOR_GPU) {
    return fv_fail_driver(device->driver, failure, FOVEA_CUDA_STATUS_UNSUPPORTED_DEVICE, call, result);
  }
  FV_DRIVER_CALL(device, failure, call, result);
  return FOVEA_STATUS_OK;
}

/* What needs the context to be current. */
static int prepare(fovea_cuda_device *device, fovea_cuda_failure *failure) {
  FV_REQUIRE(fv_device_enter(device, failure));
  int status = load_kernels(device, failure);
  if (status == FOVEA_STATUS_OK) {
    const int result = device->driver->stream_create(&device->transfers, FV_CU_STREAM_NON_BLOCKING);
    if (result) status = fv_device_status(device, failure, "cuStreamCreate", result);
  }
  fv_device_leave(device);
  return status;
}

static void free_device(fovea_cuda_device *device) {
  if (device->context) {
    if (fv_device_enter_to_free(device)) {
      if (device->transfers) device->driver->stream_destroy(device->transfers);
      if (device->module) device->driver->module_unload(device->module);
      fv_device_leave(device);
    }
    device->driver->primary_ctx_release(device->number);
  }
  pthread_mutex_destroy(&device->lock);
  free(device->allocations);
  free(device->functions);
  free(device);
}

int fovea_cuda_device_open(const fovea_cuda_device_options *options, const char *driver, fovea_cuda_failure *failure,
                           fovea_cuda_device **device) {
  if (!options || !device) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(options->struct_size == (int)sizeof *options));
  FV_REQUIRE_FAILURE(failure);
  FV_REQUIRE(fv_check(options->device >= 0 && options->memory_bytes >= 0));
  const fv_driver *opened;
  FV_REQUIRE(fv_driver_open(driver, failure, &opened));
  fovea_cuda_device *made = calloc(1, sizeof *made);
  if (!made) return fv_fail_host_memory(failure);
  made->driver = opened;
  made->limit = options->memory_bytes ? options->memory_bytes : LLONG_MAX;
  pthread_mutex_init(&made->lock, NULL);
  int status = find_device(made, options->device, failure);
  if (status == FOVEA_STATUS_OK) {
    const int result = opened->primary_ctx_retain(&made->context, made->number);
    if (result) {
      made->context = NULL;
      status = fv_device_status(made, failure, "cuDevicePrimaryCtxRetain", result);
    }
  }
  if (status == FOVEA_STATUS_OK) status = prepare(made, failure);
  if (status == FOVEA_STATUS_OK) {
    *device = made;
  } else {
    free_device(made);
  }
  return status;
}

int fovea_cuda_device_describe(fovea_cuda_device *device, fovea_cuda_failure *failure, fovea_cuda_device_info *info) {
  if (!device || !info) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(info->struct_size == (int)sizeof *info));
  FV_REQUIRE_FAILURE(failure);
  fovea_cuda_device_info filled = {.struct_size = info->struct_size,
                                   .driver_version = device->driver->version,
                                   .compute_capability = device->compute_capability,
                                   .multiprocessors = device->multiprocessors};
  FV_REQUIRE(fv_device_check(device, failure));
  FV_DRIVER_CALL(device, failure, "cuDeviceGetName",
                 device->driver->device_get_name(filled.name, sizeof filled.name, device->number));
  filled.name[sizeof filled.name - 1] = 0;
  size_t total;
  FV_DRIVER_CALL(device, failure, "cuDeviceTotalMem", device->driver->device_total_mem(&total, device->number));
  filled.bytes_total = (long long)total;
  FV_REQUIRE(fv_device_enter(device, failure));
  const int status = fv_memory_free_bytes(device, failure, &filled.bytes_free);
  fv_device_leave(device);
  FV_REQUIRE(status);
  pthread_mutex_lock(&device->lock);
  filled.bytes_taken = device->bytes_taken;
  pthread_mutex_unlock(&device->lock);
  *info = filled;
  return FOVEA_STATUS_OK;
}

int fovea_cuda_device_close(fovea_cuda_device *device) {
  if (!device) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(atomic_load(&device->users) == 0));
  free_device(device);
  return FOVEA_STATUS_OK;
}
