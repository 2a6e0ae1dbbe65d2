/* Executions: all memory that a run needs is made here, and every graph. */
#include "cuda/execution.h"

#include <stdlib.h>
#include <string.h>

#include "cuda/memory.h"
#include "../ops/attention/check.h"

/* ---- groups --------------------------------------------------------------- */

static int check_group(const fovea_cuda_cache_group *group) {
  FV_REQUIRE(fv_check(group->struct_size == (int)sizeof *group));
  FV_REQUIRE(fv_check(fv_is_dtype(group->dtype)));
  FV_REQUIRE(fv_check(group->sequences >= 1 && group->pages_each >= 1 && group->pages >= 1 && group->layers >= 0));
  if (group->layers && !group->layer) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check_pointer(group->page_table));
  FV_REQUIRE(fv_check_pointer(group->lengths));
  return fv_check_pointer(group->ends);
}

/* Copies the groups and their layers, and checks the copies. */
static int take_groups(fovea_cuda_execution *execution, const fovea_cuda_cache_group *groups,
                       fovea_cuda_failure *failure) {
  const int count = execution->program->group_count;
  execution->groups = calloc((size_t)count + 1, sizeof *groups);
  if (!execution->groups) return fv_fail_host_memory(failure);
  for (int i = 0; i < count; i++) {
    fovea_cuda_cache_group group = groups[i];
    const int status = check_group(&group);
    if (status != FOVEA_STATUS_OK) return fv_fail(failure, status, "group %d: %s", i, fovea_cuda_status_name(status));
    fovea_cuda_cache_layer *layers = calloc((size_t)group.layers + 1, sizeof *layers);
    if (!layers) return fv_fail_host_memory(failure);
    if (group.layers) memcpy(layers, group.layer, (size_t)group.layers * sizeof *layers);
    group.layer = layers;
    execution->groups[i] = group;
  }
  return fv_execution_check_layers(execution, failure);
}

/* ---- results -------------------------------------------------------------- */

static int list_results(fovea_cuda_execution *execution, fovea_cuda_failure *failure) {
  const fovea_cuda_program *program = execution->program;
  execution->result_count = program->output_count + (execution->explain ? program->patterns : 0);
  execution->results = calloc((size_t)execution->result_count + 1, sizeof *execution->results);
  if (!execution->results) return fv_fail_host_memory(failure);
  for (int i = 0; i < program->output_count; i++) {
    const fovea_cuda_operand *output = &program->outputs[i];
    execution->results[i] =
        (fv_result){.rows = output->rows, .heads = 1, .row_bytes = (long long)output->columns * 4};
  }
  fv_result *pattern = execution->results + program->output_count;
  for (int i = 0; i < program->step_count && execution->explain; i++) {
    const fovea_cuda_step *step = &program->steps[i];
    if (step->op != FOVEA_CUDA_OP_ATTENTION) continue;
    *pattern++ = (fv_result){.rows = FOVEA_CUDA_ROWS_TOKENS,
                             .heads = step->heads,
                             .row_bytes = fv_execution_pattern_keys(execution, step) * 4};
  }
  return FOVEA_STATUS_OK;
}

static long long rows_of(const fovea_cuda_execution *execution, const fv_result *result) {
  return result->rows == FOVEA_CUDA_ROWS_TOKENS ? execution->max_tokens : execution->max_sequences;
}

/* ---- memory --------------------------------------------------------------- */

/* Makes two memories, of the device and of the host, and says where in them everything lies. */
static int make_memory(fovea_cuda_execution *execution, fovea_cuda_failure *failure) {
  const fovea_cuda_program *program = execution->program;
  const int outputs = program->output_count;
  long long device_bytes = 0, host_bytes = 0, of_tokens, of_sequences, batch = 0, staging, start = 0;
  const long long ints = execution->rungs[0].layout.ints;
  int fits = fv_reserve(&device_bytes, program->token_elements, execution->token_rows, 4, &of_tokens) &&
             fv_reserve(&device_bytes, program->sequence_elements, execution->sequence_rows, 4, &of_sequences) &&
             fv_reserve(&device_bytes, ints, 4, 1, &batch) && fv_reserve(&host_bytes, ints, 4, 1, &staging);
  for (int i = 0; i < execution->result_count; i++) {
    fv_result *result = &execution->results[i];
    const long long rows = rows_of(execution, result) * result->heads;
    fits = fits && fv_reserve(&host_bytes, rows, result->row_bytes, 1, &start);
    result->host = (void *)(uintptr_t)start;
    if (i < outputs) continue;
    fits = fits && fv_reserve(&device_bytes, rows, result->row_bytes, 1, &start);
    result->device = (fv_cu_address)start;
  }
  if (!fits) return fv_fail(failure, FOVEA_STATUS_OVERFLOW, "sizes of the execution overflow");
  fovea_cuda_device *device = program->device;
  FV_REQUIRE(fv_memory_create(device, device_bytes, 0, failure, &execution->memory));
  FV_REQUIRE(fv_memory_create_pinned(device, host_bytes, failure, &execution->pinned));
  execution->values = execution->memory;
  execution->batch = execution->memory + (fv_cu_address)batch;
  execution->staging = execution->pinned;
  for (int i = 0; i < execution->result_count; i++) {
    fv_result *result = &execution->results[i];
    result->host = (char *)execution->pinned + (uintptr_t)result->host;
    result->device = i < outputs ? fv_execution_view(execution, &program->outputs[i]).data
                                 : execution->memory + result->device;
  }
  return FOVEA_STATUS_OK;
}

/* ---- graphs --------------------------------------------------------------- */

/* Plans twice: the first time tells how much scratch the launches need. */
static int make_graphs(fovea_cuda_execution *execution, fv_launches *launches, fovea_cuda_failure *failure) {
  fovea_cuda_device *device = execution->program->device;
  fv_scratch scratch = {0};
  for (int i = 0; i < execution->rung_count; i++) {
    FV_REQUIRE(fv_execution_plan(execution, &execution->rungs[i], &scratch, launches, failure));
    fv_launches_clear(launches);
  }
  FV_REQUIRE(fv_memory_create(device, scratch.bytes, 0, failure, &execution->scratch));
  scratch.address = execution->scratch;
  for (int i = 0; i < execution->rung_count; i++) {
    fv_rung *rung = &execution->rungs[i];
    FV_REQUIRE(fv_execution_plan(execution, rung, &scratch, launches, failure));
    FV_REQUIRE(fv_launches_capture(launches, device, execution->stream, failure, &rung->graph));
    fv_launches_clear(launches);
  }
  FV_DRIVER_CALL(device, failure, "cuStreamSynchronize", device->driver->stream_synchronize(execution->stream));
  return FOVEA_STATUS_OK;
}

/* What needs the context to be current. */
static int make(fovea_cuda_execution *execution, fovea_cuda_failure *failure) {
  fovea_cuda_device *device = execution->program->device;
  FV_REQUIRE(make_memory(execution, failure));
  FV_DRIVER_CALL(device, failure, "cuStreamCreate",
                 device->driver->stream_create(&execution->stream, FV_CU_STREAM_NON_BLOCKING));
  fv_launches launches = {0};
  const int status = make_graphs(execution, &launches, failure);
  fv_launches_free(&launches);
  return status;
}

/* ---- the ABI -------------------------------------------------------------- */

/* Frees what there is of an execution. The device's functions do nothing harmful where the device was lost. */
static void free_execution(fovea_cuda_execution *execution) {
  fovea_cuda_device *device = execution->program->device;
  const fv_driver *driver = device->driver;
  const int entered = fv_device_enter_to_free(device);
  for (int i = 0; entered && i < execution->rung_count; i++) {
    if (execution->rungs[i].graph) driver->graph_exec_destroy(execution->rungs[i].graph);
  }
  if (entered && execution->stream) driver->stream_destroy(execution->stream);
  if (entered && execution->pinned) driver->mem_free_host(execution->pinned);
  if (execution->scratch) fv_memory_destroy(device, execution->scratch, 0, entered);
  if (execution->memory) fv_memory_destroy(device, execution->memory, 0, entered);
  if (entered) fv_device_leave(device);
  fv_batch_free(execution);
  for (int i = 0; execution->groups && i < execution->program->group_count; i++) {
    free((void *)execution->groups[i].layer);
  }
  free(execution->groups);
  free(execution->results);
  free(execution);
}

static int build(fovea_cuda_execution *execution, const fovea_cuda_cache_group *groups, fovea_cuda_failure *failure) {
  FV_REQUIRE(take_groups(execution, groups, failure));
  const int status = fv_batch_plan(execution);
  if (status != FOVEA_STATUS_OK) {
    return fv_fail(failure, status, "the memory of a batch: %s", fovea_cuda_status_name(status));
  }
  FV_REQUIRE(list_results(execution, failure));
  fovea_cuda_device *device = execution->program->device;
  FV_REQUIRE(fv_device_enter(device, failure));
  const int made = make(execution, failure);
  fv_device_leave(device);
  return made;
}

int fovea_cuda_execution_create(fovea_cuda_program *program, const fovea_cuda_execution_options *options,
                                const fovea_cuda_cache_group *groups, fovea_cuda_failure *failure,
                                fovea_cuda_execution **execution) {
  if (!program || !options || !execution || (program->group_count && !groups)) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(options->struct_size == (int)sizeof *options));
  FV_REQUIRE_FAILURE(failure);
  FV_REQUIRE(fv_check(options->max_tokens >= 1 && options->max_sequences >= 1));
  FV_REQUIRE(fv_check(options->explain == 0 || options->explain == 1));
  FV_REQUIRE(fv_device_check(program->device, failure));
  fovea_cuda_execution *made = calloc(1, sizeof *made);
  if (!made) return fv_fail_host_memory(failure);
  made->program = program;
  made->max_tokens = options->max_tokens;
  made->max_sequences = options->max_sequences;
  made->explain = options->explain;
  made->token_rows = (options->max_tokens + 63LL) / 64 * 64;
  made->sequence_rows = (options->max_sequences + 3LL) / 4 * 4;
  const int status = build(made, groups, failure);
  if (status != FOVEA_STATUS_OK) {
    free_execution(made);
    return status;
  }
  atomic_fetch_add(&program->executions, 1);
  *execution = made;
  return FOVEA_STATUS_OK;
}

int fovea_cuda_execution_destroy(fovea_cuda_execution *execution) {
  if (!execution) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(atomic_exchange(&execution->running, 1) == 0));
  fovea_cuda_program *program = execution->program;
  free_execution(execution);
  atomic_fetch_sub(&program->executions, 1);
  return FOVEA_STATUS_OK;
}

int fovea_cuda_execution_output(fovea_cuda_execution *execution, int index, void **memory) {
  if (!execution || !memory) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(index >= 0 && index < execution->program->output_count));
  *memory = execution->results[index].host;
  return FOVEA_STATUS_OK;
}

int fovea_cuda_execution_pattern(fovea_cuda_execution *execution, int index, float **memory) {
  if (!execution || !memory) return FOVEA_STATUS_NULL_POINTER;
  const int outputs = execution->program->output_count;
  FV_REQUIRE(fv_check(index >= 0 && index < execution->result_count - outputs));
  *memory = execution->results[outputs + index].host;
  return FOVEA_STATUS_OK;
}
