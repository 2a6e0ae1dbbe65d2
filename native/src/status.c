/* The library's version and the names of its status codes. */
#include "fovea/fovea.h"

int fovea_abi_version(void) { return FOVEA_ABI_VERSION; }

const char *fovea_version(void) { return FV_VERSION; }

const char *fovea_status_name(int status) {
  switch (status) {
    case FOVEA_STATUS_OK:
      return "ok";
    case FOVEA_STATUS_NULL_POINTER:
      return "null pointer";
    case FOVEA_STATUS_INVALID_ARGUMENT:
      return "invalid argument";
    case FOVEA_STATUS_OVERFLOW:
      return "overflow";
    case FOVEA_STATUS_OUT_OF_RANGE:
      return "out of range";
    case FOVEA_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case FOVEA_STATUS_UNSUPPORTED:
      return "unsupported";
    case FOVEA_STATUS_MISMATCH:
      return "mismatch";
    case FOVEA_STATUS_THREAD:
      return "thread";
    default:
      return "unknown status";
  }
}
