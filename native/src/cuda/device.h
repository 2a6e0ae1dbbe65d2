/* A GPU: its primary context, the module of kernels, and an account of the memory taken. */
#ifndef FOVEA_CUDA_DEVICE_H
#define FOVEA_CUDA_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cuda/driver.h"
#include "cuda/failure.h"

/* Device memory that was allocated. */
typedef struct fv_allocation {
  fv_cu_address address;
  long long bytes;
  int lent; /* to a caller, by fovea_cuda_memory_create; else an execution's or a direct attention's own */
} fv_allocation;

/* A kernel that was looked up. */
typedef struct fv_function {
  const char *name; /* a static string of a planner */
  fv_cu_function function;
  int shared_bytes; /* of dynamic shared memory that it was allowed */
} fv_function;

struct fovea_cuda_device {
  const fv_driver *driver;
  int number;
  fv_cu_context context;
  fv_cu_module module;
  fv_cu_stream transfers; /* of uploads, downloads and copies */
  int compute_capability, multiprocessors;
  int shared_bytes; /* that a block may have: 99 KB on 8.6 and 8.9, 163 KB on 8.0, 227 KB on 9.0 */
  long long limit;  /* bytes to take at most */
  atomic_int lost;  /* the CUresult that ended the context, 0 while it lives */
  atomic_int users; /* programs, direct attentions and memories lent */

  pthread_mutex_t lock; /* of what follows */
  long long bytes_taken;
  fv_allocation *allocations; /* by address */
  int allocation_count, allocation_capacity;
  fv_function *functions;
  int function_count, function_capacity;
};

/* DEVICE_LOST if the device was. */
int fv_device_check(fovea_cuda_device *device, fovea_cuda_failure *failure);

/*
 * Makes the device's context the current one of this thread, until fv_device_leave gives the thread back the one that it
 * had. DEVICE_LOST, DRIVER_ERROR: nothing to leave then.
 */
int fv_device_enter(fovea_cuda_device *device, fovea_cuda_failure *failure);
/* Likewise to free what there is, whatever has happened to the device. False if there is nothing to leave. */
int fv_device_enter_to_free(fovea_cuda_device *device);
void fv_device_leave(fovea_cuda_device *device);

/* The status of a result of the driver. Remembers that the device was lost. */
int fv_device_status(fovea_cuda_device *device, fovea_cuda_failure *failure, const char *call, int result);

/* Returns from the function with the status of a call of the driver that fails. */
#define FV_DRIVER_CALL(device, failure, name, result)                                          \
  do {                                                                                         \
    const int fv_result = (result);                                                            \
    if (fv_result != FV_CU_SUCCESS) return fv_device_status(device, failure, name, fv_result); \
  } while (0)

/* A kernel by name, ready for launches with so many bytes of dynamic shared memory. UNSUPPORTED if a block has less. */
int fv_device_function(fovea_cuda_device *device, const char *name, int shared_bytes, fovea_cuda_failure *failure,
                       fv_cu_function *function);

#endif
