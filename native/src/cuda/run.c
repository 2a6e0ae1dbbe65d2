/* Runs: a copy to the device, a graph, a copy of each result back. Allocates nothing and takes no lock. */
#include "cuda/execution.h"

/* The rows of a result that a batch has: one copy, or one for each head of a pattern. */
static int fetch(const fovea_cuda_execution *execution, const fv_result *result, long long rows,
                 fovea_cuda_failure *failure) {
  fovea_cuda_device *device = execution->program->device;
  const long long bytes = rows * result->row_bytes;
  if (bytes == 0) return FOVEA_STATUS_OK;
  for (int h = 0; h < result->heads; h++) {
    const long long at = h * execution->max_tokens * result->row_bytes;
    FV_DRIVER_CALL(device, failure, "cuMemcpyDtoHAsync",
                   device->driver->memcpy_dtoh((char *)result->host + at, result->device + (fv_cu_address)at,
                                               (size_t)bytes, execution->stream));
  }
  return FOVEA_STATUS_OK;
}

static int enqueue(const fovea_cuda_execution *execution, const fv_rung *rung, size_t bytes,
                   fovea_cuda_failure *failure) {
  fovea_cuda_device *device = execution->program->device;
  const fv_driver *driver = device->driver;
  const int tokens = execution->staging[FV_COUNT_TOKENS], sequences = execution->staging[FV_COUNT_SEQUENCES];
  FV_DRIVER_CALL(device, failure, "cuMemcpyHtoDAsync",
                 driver->memcpy_htod(execution->batch, execution->staging, bytes, execution->stream));
  FV_DRIVER_CALL(device, failure, "cuGraphLaunch", driver->graph_launch(rung->graph, execution->stream));
  for (int i = 0; i < execution->result_count; i++) {
    const fv_result *result = &execution->results[i];
    FV_REQUIRE(fetch(execution, result, result->rows == FOVEA_CUDA_ROWS_TOKENS ? tokens : sequences, failure));
  }
  return FOVEA_STATUS_OK;
}

static int run(fovea_cuda_execution *execution, int sequences, const int *ids, const int *types, const int *offsets,
               fovea_cuda_failure *failure) {
  fovea_cuda_device *device = execution->program->device;
  FV_REQUIRE(fv_device_check(device, failure));
  const fv_rung *rung;
  size_t bytes;
  FV_REQUIRE(fv_batch_fill(execution, sequences, ids, types, offsets, failure, &rung, &bytes));
  if (sequences == 0) return FOVEA_STATUS_OK;
  FV_REQUIRE(fv_device_enter(device, failure));
  int status = enqueue(execution, rung, bytes, failure);
  /* Also where that failed: what it has put into the stream still uses the memory of the host. */
  const int result = device->driver->stream_synchronize(execution->stream);
  if (result && status == FOVEA_STATUS_OK) status = fv_device_status(device, failure, "cuStreamSynchronize", result);
  fv_device_leave(device);
  return status;
}

int fovea_cuda_run(fovea_cuda_execution *execution, int sequences, const int *ids, const int *types,
                   const int *offsets, fovea_cuda_failure *failure) {
  if (!execution || !offsets) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE_FAILURE(failure);
  if (atomic_exchange(&execution->running, 1)) {
    return fv_fail(failure, FOVEA_STATUS_INVALID_ARGUMENT, "an execution serves one thread at a time");
  }
  const int status = run(execution, sequences, ids, types, offsets, failure);
  atomic_store(&execution->running, 0);
  return status;
}
