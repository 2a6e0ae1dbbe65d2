/* The library's version and the names of its status codes. */
#include "fovea/fovea_cuda.h"

int fovea_cuda_abi_version(void) { return FOVEA_CUDA_ABI_VERSION; }

const char *fovea_cuda_status_name(int status) {
  switch (status) {
    case FOVEA_CUDA_STATUS_NO_DRIVER:
      return "no driver";
    case FOVEA_CUDA_STATUS_DRIVER_TOO_OLD:
      return "driver too old";
    case FOVEA_CUDA_STATUS_NO_DEVICE:
      return "no device";
    case FOVEA_CUDA_STATUS_UNSUPPORTED_DEVICE:
      return "unsupported device";
    case FOVEA_CUDA_STATUS_DRIVER_ERROR:
      return "driver error";
    case FOVEA_CUDA_STATUS_DEVICE_LOST:
      return "device lost";
    default:
      return fovea_status_name(status);
  }
}
