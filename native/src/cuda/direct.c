/* Direct attention: memory that grows, and the way of a call to the device and back. */
#include "cuda/direct.h"

#include <stdlib.h>
#include <string.h>

#include "cuda/execution.h"

/* ---- memory --------------------------------------------------------------- */

/* Memory grows by whole pieces of this size. */
enum { PIECE = 1 << 20 };

static int grow_device(fovea_cuda_direct *direct, long long bytes, fv_cu_address *memory, long long *capacity,
                       fovea_cuda_failure *failure) {
  if (bytes <= *capacity) return FOVEA_STATUS_OK;
  const long long rounded = bytes / PIECE * PIECE + PIECE;
  if (*memory) fv_memory_destroy(direct->device, *memory, 0, 1);
  *memory = 0;
  *capacity = 0;
  FV_REQUIRE(fv_memory_create(direct->device, rounded, 0, failure, memory));
  *capacity = rounded;
  return FOVEA_STATUS_OK;
}

static int grow_pinned(fovea_cuda_direct *direct, long long bytes, fovea_cuda_failure *failure) {
  if (bytes <= direct->pinned_bytes) return FOVEA_STATUS_OK;
  const long long rounded = bytes / PIECE * PIECE + PIECE;
  if (direct->pinned) direct->device->driver->mem_free_host(direct->pinned);
  direct->pinned = NULL;
  direct->pinned_bytes = 0;
  void *memory;
  FV_REQUIRE(fv_memory_create_pinned(direct->device, rounded, failure, &memory));
  direct->pinned = memory;
  direct->pinned_bytes = rounded;
  return FOVEA_STATUS_OK;
}

/* ---- a call --------------------------------------------------------------- */

int fv_call_reserve_batch(fv_call *call, fv_tokens tokens, fv_call_batch *batch) {
  long long counts;
  const long long all = tokens.all, sequences = tokens.sequences;
  return fv_reserve(&call->inputs, FV_COUNTS, sizeof(int), 1, &counts) &&
         fv_reserve(&call->inputs, sequences + 1, sizeof(int), 1, &batch->offsets) &&
         fv_reserve(&call->inputs, fv_most_tiles(all, sequences, FV_TILE_SMALL), 2 * sizeof(int), 1,
                    &batch->small_tiles) &&
         fv_reserve(&call->inputs, fv_most_tiles(all, sequences, FV_TILE_LARGE), 2 * sizeof(int), 1,
                    &batch->large_tiles);
}

int fv_call_begin(fovea_cuda_direct *direct, fv_call *call, fv_call_batch batch, fv_tokens tokens, const int *offsets,
                  fovea_cuda_failure *failure) {
  const long long results = call->results - call->inputs;
  FV_REQUIRE(grow_device(direct, call->bytes, &direct->memory, &direct->memory_bytes, failure));
  FV_REQUIRE(grow_pinned(direct, call->inputs > results ? call->inputs : results, failure));
  int *counts = (int *)direct->pinned;
  counts[FV_COUNT_TOKENS] = tokens.all;
  counts[FV_COUNT_SEQUENCES] = tokens.sequences;
  fv_batch_tiles(tokens.sequences, offsets, counts, (int *)(direct->pinned + batch.small_tiles),
                 (int *)(direct->pinned + batch.large_tiles));
  memcpy(direct->pinned + batch.offsets, offsets, ((size_t)tokens.sequences + 1) * sizeof *offsets);
  const fovea_cuda_device *device = direct->device;
  const fv_cu_address memory = direct->memory;
  call->target = (fv_target){.driver = device->driver,
                             .compute_capability = device->compute_capability,
                             .multiprocessors = device->multiprocessors,
                             .max_tokens = tokens.all,
                             .max_sequences = tokens.sequences,
                             .batch = {.counts = memory,
                                       .offsets = memory + (fv_cu_address)batch.offsets,
                                       .small_tiles = memory + (fv_cu_address)batch.small_tiles,
                                       .large_tiles = memory + (fv_cu_address)batch.large_tiles}};
  return FOVEA_STATUS_OK;
}

/* Plans, a second time where launches need more scratch than there was. */
static int plan_call(fovea_cuda_direct *direct, fv_call *call, fovea_cuda_failure *failure) {
  fv_planner *plan = fv_planner_of(call->step.op);
  for (;;) {
    fv_scratch scratch = {direct->scratch, 0};
    fv_launches_clear(&direct->launches);
    const int status = plan(&call->target, &call->step, &call->operands, &scratch, &direct->launches);
    if (status != FOVEA_STATUS_OK) return fv_fail(failure, status, "the call: %s", fovea_cuda_status_name(status));
    if (scratch.bytes <= direct->scratch_bytes) return FOVEA_STATUS_OK;
    FV_REQUIRE(grow_device(direct, scratch.bytes, &direct->scratch, &direct->scratch_bytes, failure));
  }
}

static int enqueue(fovea_cuda_direct *direct, const fv_call *call, fovea_cuda_failure *failure) {
  fovea_cuda_device *device = direct->device;
  FV_DRIVER_CALL(device, failure, "cuMemcpyHtoDAsync",
                 device->driver->memcpy_htod(direct->memory, direct->pinned, (size_t)call->inputs, direct->stream));
  FV_REQUIRE(fv_launches_enqueue(&direct->launches, device, direct->stream, failure));
  FV_DRIVER_CALL(device, failure, "cuMemcpyDtoHAsync",
                 device->driver->memcpy_dtoh(direct->pinned, direct->memory + (fv_cu_address)call->inputs,
                                             (size_t)(call->results - call->inputs), direct->stream));
  return FOVEA_STATUS_OK;
}

int fv_call_run(fovea_cuda_direct *direct, fv_call *call, fovea_cuda_failure *failure) {
  FV_REQUIRE(plan_call(direct, call, failure));
  int status = enqueue(direct, call, failure);
  const int result = direct->device->driver->stream_synchronize(direct->stream);
  if (result && status == FOVEA_STATUS_OK) {
    status = fv_device_status(direct->device, failure, "cuStreamSynchronize", result);
  }
  return status;
}

int fv_direct_enter(fovea_cuda_direct *direct, fovea_cuda_failure *failure) {
  if (atomic_exchange(&direct->running, 1)) {
    return fv_fail(failure, FOVEA_STATUS_INVALID_ARGUMENT, "a direct attention serves one thread at a time");
  }
  const int status = fv_device_enter(direct->device, failure);
  if (status != FOVEA_STATUS_OK) atomic_store(&direct->running, 0);
  return status;
}

void fv_direct_leave(fovea_cuda_direct *direct) {
  fv_device_leave(direct->device);
  atomic_store(&direct->running, 0);
}

/* ---- the ABI -------------------------------------------------------------- */

int fovea_cuda_direct_create(fovea_cuda_device *device, fovea_cuda_failure *failure, fovea_cuda_direct **direct) {
  if (!device || !direct) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE_FAILURE(failure);
  fovea_cuda_direct *made = calloc(1, sizeof *made);
  if (!made) return fv_fail_host_memory(failure);
  made->device = device;
  int status = fv_device_enter(device, failure);
  if (status == FOVEA_STATUS_OK) {
    const int result = device->driver->stream_create(&made->stream, FV_CU_STREAM_NON_BLOCKING);
    if (result) status = fv_device_status(device, failure, "cuStreamCreate", result);
    fv_device_leave(device);
  }
  if (status != FOVEA_STATUS_OK) {
    free(made);
    return status;
  }
  atomic_fetch_add(&device->users, 1);
  *direct = made;
  return FOVEA_STATUS_OK;
}

int fovea_cuda_direct_destroy(fovea_cuda_direct *direct) {
  if (!direct) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(atomic_exchange(&direct->running, 1) == 0));
  fovea_cuda_device *device = direct->device;
  const int entered = fv_device_enter_to_free(device);
  if (entered) device->driver->stream_destroy(direct->stream);
  if (entered && direct->pinned) device->driver->mem_free_host(direct->pinned);
  if (direct->scratch) fv_memory_destroy(device, direct->scratch, 0, entered);
  if (direct->memory) fv_memory_destroy(device, direct->memory, 0, entered);
  if (entered) fv_device_leave(device);
  fv_launches_free(&direct->launches);
  atomic_fetch_sub(&device->users, 1);
  free(direct);
  return FOVEA_STATUS_OK;
}
