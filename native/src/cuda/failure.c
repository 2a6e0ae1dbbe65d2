#include "cuda/failure.h"

#include <stdarg.h>
#include <stdio.h>

int fv_fail(fovea_cuda_failure *failure, int status, const char *format, ...) {
  if (!failure) return status;
  failure->driver_code = 0;
  failure->bytes_needed = 0;
  failure->bytes_free = 0;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->message, sizeof failure->message, format, arguments);
  va_end(arguments);
  return status;
}

int fv_fail_host_memory(fovea_cuda_failure *failure) {
  return fv_fail(failure, FOVEA_STATUS_OUT_OF_MEMORY, "the host is out of memory");
}

int fv_fail_driver(const fv_driver *driver, fovea_cuda_failure *failure, int status, const char *call, int result) {
  const char *name = NULL, *text = NULL;
  driver->get_error_name(result, &name);
  driver->get_error_string(result, &text);
  fv_fail(failure, status, "%s: %s, %s", call, name ? name : "unknown error", text ? text : "no description");
  if (failure) failure->driver_code = result;
  return status;
}
