/* Device memory and its account; copies between host and device. */
#include "cuda/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- the account: allocations by address ---------------------------------- */

/* The number of allocations that begin at address or before. Under the lock. */
static int count_to(const fovea_cuda_device *device, fv_cu_address address) {
  int low = 0, high = device->allocation_count;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    if (device->allocations[middle].address <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Takes bytes from the limit. Under the lock. */
static int take(fovea_cuda_device *device, long long bytes, fovea_cuda_failure *failure) {
  const long long left = device->limit - device->bytes_taken;
  if (bytes > left) {
    fv_fail(failure, FOVEA_STATUS_OUT_OF_MEMORY, "%lld bytes of device memory are needed, %lld of a limit of %lld are left",
            bytes, left, device->limit);
    if (failure) {
      failure->bytes_needed = bytes;
      failure->bytes_free = left;
    }
    return FOVEA_STATUS_OUT_OF_MEMORY;
  }
  device->bytes_taken += bytes;
  return FOVEA_STATUS_OK;
}

/* Enters an allocation. Under the lock. */
static int record(fovea_cuda_device *device, fv_allocation allocation, fovea_cuda_failure *failure) {
  if (device->allocation_count == device->allocation_capacity) {
    const int capacity = device->allocation_capacity ? 2 * device->allocation_capacity : 64;
    fv_allocation *allocations = realloc(device->allocations, (size_t)capacity * sizeof *allocations);
    if (!allocations) return fv_fail_host_memory(failure);
    device->allocations = allocations;
    device->allocation_capacity = capacity;
  }
  const int at = count_to(device, allocation.address);
  memmove(&device->allocations[at + 1], &device->allocations[at],
          (size_t)(device->allocation_count - at) * sizeof allocation);
  device->allocations[at] = allocation;
  device->allocation_count++;
  return FOVEA_STATUS_OK;
}

/* ---- device memory -------------------------------------------------------- */

int fv_memory_free_bytes(fovea_cuda_device *device, fovea_cuda_failure *failure, long long *bytes) {
  size_t left, total;
  FV_DRIVER_CALL(device, failure, "cuMemGetInfo", device->driver->mem_get_info(&left, &total));
  *bytes = (long long)left;
  return FOVEA_STATUS_OK;
}

/* Tells how much was wanted and how much the device has left. */
static int fail_for_want(fovea_cuda_device *device, long long bytes, int result, fovea_cuda_failure *failure) {
  const int status = fv_device_status(device, failure, "cuMemAlloc", result);
  if (status != FOVEA_STATUS_OUT_OF_MEMORY) return status;
  size_t left = 0, total = 0;
  device->driver->mem_get_info(&left, &total);
  pthread_mutex_lock(&device->lock);
  const long long of_limit = device->limit - device->bytes_taken;
  pthread_mutex_unlock(&device->lock);
  const long long least = (long long)left < of_limit ? (long long)left : of_limit;
  fv_fail(failure, status, "%lld bytes of device memory are needed, %lld are free", bytes, least);
  if (failure) {
    failure->driver_code = result;
    failure->bytes_needed = bytes;
    failure->bytes_free = least;
  }
  return status;
}

static int clear(fovea_cuda_device *device, fv_cu_address address, long long bytes, fovea_cuda_failure *failure) {
  FV_DRIVER_CALL(device, failure, "cuMemsetD8Async",
                 device->driver->memset_d8(address, 0, (size_t)bytes, device->transfers));
  FV_DRIVER_CALL(device, failure, "cuStreamSynchronize", device->driver->stream_synchronize(device->transfers));
  return FOVEA_STATUS_OK;
}

int fv_memory_create(fovea_cuda_device *device, long long bytes, int lent, fovea_cuda_failure *failure,
                     fv_cu_address *address) {
  *address = 0;
  if (bytes == 0) return FOVEA_STATUS_OK;
  pthread_mutex_lock(&device->lock);
  int status = take(device, bytes, failure);
  pthread_mutex_unlock(&device->lock);
  FV_REQUIRE(status);
  fv_cu_address made = 0;
  const int result = device->driver->mem_alloc(&made, (size_t)bytes);
  if (result == FV_CU_SUCCESS) status = clear(device, made, bytes, failure);
  pthread_mutex_lock(&device->lock);
  if (result == FV_CU_SUCCESS && status == FOVEA_STATUS_OK) {
    status = record(device, (fv_allocation){made, bytes, lent}, failure);
  }
  if (result != FV_CU_SUCCESS || status != FOVEA_STATUS_OK) device->bytes_taken -= bytes;
  pthread_mutex_unlock(&device->lock);
  if (result != FV_CU_SUCCESS) return fail_for_want(device, bytes, result, failure);
  if (status != FOVEA_STATUS_OK) {
    device->driver->mem_free(made);
    return status;
  }
  *address = made;
  return FOVEA_STATUS_OK;
}

int fv_memory_destroy(fovea_cuda_device *device, fv_cu_address address, int lent, int entered) {
  pthread_mutex_lock(&device->lock);
  const int at = count_to(device, address) - 1;
  fv_allocation *found = at >= 0 ? &device->allocations[at] : NULL;
  const int there = found && found->address == address && found->lent == lent;
  if (there) {
    device->bytes_taken -= found->bytes;
    device->allocation_count--;
    memmove(found, found + 1, (size_t)(device->allocation_count - at) * sizeof *found);
  }
  pthread_mutex_unlock(&device->lock);
  if (there && entered) device->driver->mem_free(address);
  return there;
}

int fv_memory_holds(fovea_cuda_device *device, fv_cu_address address, long long bytes) {
  pthread_mutex_lock(&device->lock);
  const int at = count_to(device, address) - 1;
  int holds = 0;
  if (at >= 0 && bytes >= 0) {
    const fv_allocation *found = &device->allocations[at];
    const unsigned long long before = address - found->address;
    holds = found->lent && before <= (unsigned long long)found->bytes &&
            (unsigned long long)bytes <= (unsigned long long)found->bytes - before;
  }
  pthread_mutex_unlock(&device->lock);
  return holds;
}

int fv_memory_create_pinned(fovea_cuda_device *device, long long bytes, fovea_cuda_failure *failure, void **memory) {
  *memory = NULL;
  if (bytes == 0) return FOVEA_STATUS_OK;
  void *made = NULL;
  const int result = device->driver->mem_host_alloc(&made, (size_t)bytes, 0);
  if (result == FV_CU_OUT_OF_MEMORY) {
    fv_fail(failure, FOVEA_STATUS_OUT_OF_MEMORY, "the host has no %lld bytes of pinned memory", bytes);
    if (failure) failure->driver_code = result;
    return FOVEA_STATUS_OUT_OF_MEMORY;
  }
  FV_DRIVER_CALL(device, failure, "cuMemHostAlloc", result);
  *memory = memset(made, 0, (size_t)bytes);
  return FOVEA_STATUS_OK;
}

/* ---- the ABI -------------------------------------------------------------- */

int fovea_cuda_memory_create(fovea_cuda_device *device, long long bytes, fovea_cuda_failure *failure,
                             long long *address) {
  if (!device || !address) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE_FAILURE(failure);
  FV_REQUIRE(fv_check(bytes >= 0));
  FV_REQUIRE(fv_device_enter(device, failure));
  fv_cu_address made;
  const int status = fv_memory_create(device, bytes, 1, failure, &made);
  fv_device_leave(device);
  FV_REQUIRE(status);
  if (made) atomic_fetch_add(&device->users, 1);
  *address = (long long)made;
  return FOVEA_STATUS_OK;
}

int fovea_cuda_memory_destroy(fovea_cuda_device *device, long long address) {
  if (!device) return FOVEA_STATUS_NULL_POINTER;
  if (address == 0) return FOVEA_STATUS_OK;
  const int entered = fv_device_enter_to_free(device);
  const int there = fv_memory_destroy(device, (fv_cu_address)address, 1, entered);
  if (entered) fv_device_leave(device);
  if (there) atomic_fetch_sub(&device->users, 1);
  return fv_check(there);
}

/* Waits for a transfer whose call gave result, and leaves the device. */
static int finish(fovea_cuda_device *device, const char *call, int result, fovea_cuda_failure *failure) {
  int status = FOVEA_STATUS_OK;
  if (result) status = fv_device_status(device, failure, call, result);
  const int waited = device->driver->stream_synchronize(device->transfers);
  if (waited && status == FOVEA_STATUS_OK) status = fv_device_status(device, failure, "cuStreamSynchronize", waited);
  fv_device_leave(device);
  return status;
}

/* The checks of a transfer to and from places of the device that are not 0. */
static int check_transfer(fovea_cuda_device *device, long long target, long long source, long long bytes,
                          fovea_cuda_failure *failure) {
  FV_REQUIRE_FAILURE(failure);
  FV_REQUIRE(fv_check(bytes >= 0));
  FV_REQUIRE(fv_device_check(device, failure));
  if (bytes == 0) return FOVEA_STATUS_OK;
  if ((target && !fv_memory_holds(device, (fv_cu_address)target, bytes)) ||
      (source && !fv_memory_holds(device, (fv_cu_address)source, bytes))) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "%lld bytes do not lie in memory of the device", bytes);
  }
  return FOVEA_STATUS_OK;
}

int fovea_cuda_upload(fovea_cuda_device *device, long long target, const void *source, long long bytes,
                      fovea_cuda_failure *failure) {
  if (!device || (bytes && (!target || !source))) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(check_transfer(device, target, 0, bytes, failure));
  if (bytes == 0) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_device_enter(device, failure));
  return finish(device, "cuMemcpyHtoDAsync",
                device->driver->memcpy_htod((fv_cu_address)target, source, (size_t)bytes, device->transfers), failure);
}

int fovea_cuda_download(fovea_cuda_device *device, long long source, long long bytes, fovea_cuda_failure *failure,
                        void *target) {
  if (!device || (bytes && (!target || !source))) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(check_transfer(device, 0, source, bytes, failure));
  if (bytes == 0) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_device_enter(device, failure));
  return finish(device, "cuMemcpyDtoHAsync",
                device->driver->memcpy_dtoh(target, (fv_cu_address)source, (size_t)bytes, device->transfers), failure);
}

int fovea_cuda_copy(fovea_cuda_device *device, long long target, long long source, long long bytes,
                    fovea_cuda_failure *failure) {
  if (!device || (bytes && (!target || !source))) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(check_transfer(device, target, source, bytes, failure));
  if (bytes == 0) return FOVEA_STATUS_OK;
  const long long apart = target > source ? target - source : source - target;
  FV_REQUIRE(fv_check(apart >= bytes));
  FV_REQUIRE(fv_device_enter(device, failure));
  return finish(device, "cuMemcpyDtoDAsync",
                device->driver->memcpy_dtod((fv_cu_address)target, (fv_cu_address)source, (size_t)bytes,
                                            device->transfers),
                failure);
}
