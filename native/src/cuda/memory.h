/* Memory of the device, all of which is accounted for, and memory of the host that the device reads and writes. */
#ifndef FOVEA_CUDA_MEMORY_H
#define FOVEA_CUDA_MEMORY_H

#include "cuda/device.h"

/* All but fv_memory_holds want the device's context to be current. */

/* Zeroed device memory, aligned to 256 bytes; address 0 for no bytes. OUT_OF_MEMORY also where the limit is passed. */
int fv_memory_create(fovea_cuda_device *device, long long bytes, int lent, fovea_cuda_failure *failure,
                     fv_cu_address *address);
/* Frees it; false if there is none at this address, lent or not as it says. Not entered: the context is gone, and the
   memory with it. */
int fv_memory_destroy(fovea_cuda_device *device, fv_cu_address address, int lent, int entered);
/* What the device has left, whatever the limit. */
int fv_memory_free_bytes(fovea_cuda_device *device, fovea_cuda_failure *failure, long long *bytes);
/* Whether these bytes lie in one memory that was lent. */
int fv_memory_holds(fovea_cuda_device *device, fv_cu_address address, long long bytes);

/* Pinned memory of the host; null for no bytes. */
int fv_memory_create_pinned(fovea_cuda_device *device, long long bytes, fovea_cuda_failure *failure, void **memory);

/* ---- sizes of layouts ----------------------------------------------------- */

#define FV_ALIGNMENT 256

/* Adds a b c bytes to *end, which stays a multiple of FV_ALIGNMENT. *start: where they begin. False on overflow. */
static inline int fv_reserve(long long *end, long long a, long long b, long long c, long long *start) {
  long long bytes;
  *start = *end;
  return !__builtin_mul_overflow(a, b, &bytes) && !__builtin_mul_overflow(bytes, c, &bytes) &&
         !__builtin_add_overflow(*end, bytes, end) && !__builtin_add_overflow(*end, FV_ALIGNMENT - 1LL, end) &&
         (*end -= *end % FV_ALIGNMENT, 1);
}

#endif
