#include "cuda/launches.h"

#include <stdlib.h>
#include <string.h>

static int grow(fv_launches *launches) {
  const int capacity = launches->capacity ? 2 * launches->capacity : 64;
  fv_launch *items = aligned_alloc(_Alignof(fv_launch), (size_t)capacity * sizeof *items);
  if (!items) return FOVEA_STATUS_OUT_OF_MEMORY;
  if (launches->count) memcpy(items, launches->items, (size_t)launches->count * sizeof *items);
  free(launches->items);
  launches->items = items;
  launches->capacity = capacity;
  return FOVEA_STATUS_OK;
}

int fv_launches_add(fv_launches *launches, const char *kernel, const int grid[3], const int block[3], int shared_bytes,
                    const void *params, int params_bytes) {
  FV_REQUIRE(fv_check(params_bytes >= 1 && params_bytes <= FV_PARAMS_BYTES));
  if (launches->count == launches->capacity) FV_REQUIRE(grow(launches));
  fv_launch *launch = &launches->items[launches->count++];
  memset(launch, 0, sizeof *launch);
  launch->kernel = kernel;
  memcpy(launch->grid, grid, sizeof launch->grid);
  memcpy(launch->block, block, sizeof launch->block);
  launch->shared_bytes = shared_bytes;
  launch->params_bytes = params_bytes;
  memcpy(launch->params, params, (size_t)params_bytes);
  return FOVEA_STATUS_OK;
}

void fv_launches_free(fv_launches *launches) {
  free(launches->items);
  *launches = (fv_launches){0};
}

static int enqueue(fv_launch *launch, fovea_cuda_device *device, fv_cu_stream stream, fovea_cuda_failure *failure) {
  fv_cu_function function;
  FV_REQUIRE(fv_device_function(device, launch->kernel, launch->shared_bytes, failure, &function));
  void *params[1] = {launch->params};
  const int *grid = launch->grid, *block = launch->block;
  FV_DRIVER_CALL(device, failure, launch->kernel,
                 device->driver->launch_kernel(function, (unsigned)grid[0], (unsigned)grid[1], (unsigned)grid[2],
                                               (unsigned)block[0], (unsigned)block[1], (unsigned)block[2],
                                               (unsigned)launch->shared_bytes, stream, params, NULL));
  return FOVEA_STATUS_OK;
}

int fv_launches_enqueue(const fv_launches *launches, fovea_cuda_device *device, fv_cu_stream stream,
                        fovea_cuda_failure *failure) {
  for (int i = 0; i < launches->count; i++) FV_REQUIRE(enqueue(&launches->items[i], device, stream, failure));
  return FOVEA_STATUS_OK;
}

/* Looks the kernels up, which may load them: a stream that captures does not allow that. */
static int load(const fv_launches *launches, fovea_cuda_device *device, fovea_cuda_failure *failure) {
  for (int i = 0; i < launches->count; i++) {
    fv_cu_function function;
    FV_REQUIRE(fv_device_function(device, launches->items[i].kernel, launches->items[i].shared_bytes, failure,
                                  &function));
  }
  return FOVEA_STATUS_OK;
}

/* A capture that fails is ended all the same: the stream would take no other work. */
static int capture(const fv_launches *launches, fovea_cuda_device *device, fv_cu_stream stream,
                   fovea_cuda_failure *failure, fv_cu_graph *graph) {
  FV_DRIVER_CALL(device, failure, "cuStreamBeginCapture",
                 device->driver->stream_begin_capture(stream, FV_CU_CAPTURE_THREAD_LOCAL));
  int status = fv_launches_enqueue(launches, device, stream, failure);
  const int result = device->driver->stream_end_capture(stream, graph);
  if (result) {
    *graph = NULL;
    if (status == FOVEA_STATUS_OK) status = fv_device_status(device, failure, "cuStreamEndCapture", result);
  }
  return status;
}

int fv_launches_capture(const fv_launches *launches, fovea_cuda_device *device, fv_cu_stream stream,
                        fovea_cuda_failure *failure, fv_cu_graph_exec *graph) {
  *graph = NULL;
  fv_cu_graph captured = NULL;
  FV_REQUIRE(load(launches, device, failure));
  int status = capture(launches, device, stream, failure, &captured);
  if (status == FOVEA_STATUS_OK) {
    const int result = device->driver->graph_instantiate(graph, captured, 0);
    if (result) {
      *graph = NULL;
      status = fv_device_status(device, failure, "cuGraphInstantiate", result);
    }
  }
  if (captured) device->driver->graph_destroy(captured);
  if (status != FOVEA_STATUS_OK) return status;
  /* Else the first launch would bring the graph to the device. */
  const int result = device->driver->graph_upload(*graph, stream);
  if (result == FV_CU_SUCCESS) return FOVEA_STATUS_OK;
  status = fv_device_status(device, failure, "cuGraphUpload", result);
  device->driver->graph_exec_destroy(*graph);
  *graph = NULL;
  return status;
}
