/* What a call that fails tells its caller. */
#ifndef FOVEA_CUDA_FAILURE_H
#define FOVEA_CUDA_FAILURE_H

#include "cuda/driver.h"
#include "validate.h"

/* The check of an entry's failure, which may be null. */
#define FV_REQUIRE_FAILURE(failure) \
  FV_REQUIRE(fv_check(!(failure) || (failure)->struct_size == (int)sizeof *(failure)))

/* Fills *failure, if there is one, with a line as printf makes it. Returns status. */
__attribute__((format(printf, 3, 4))) int fv_fail(fovea_cuda_failure *failure, int status, const char *format, ...);

/* Likewise OUT_OF_MEMORY of the host. */
int fv_fail_host_memory(fovea_cuda_failure *failure);

/* Likewise with what the driver says to the result of a call: "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY, out of memory". */
int fv_fail_driver(const fv_driver *driver, fovea_cuda_failure *failure, int status, const char *call, int result);

#endif
