/* Operands of steps as the device has them, and what ops plan with them. */
#include "cuda/execution.h"
#include "cuda/memory.h"

fv_view fv_execution_view(const fovea_cuda_execution *execution, const fovea_cuda_operand *operand) {
  if (operand->rows == FOVEA_CUDA_ROWS_NONE) return (fv_view){.rows = FOVEA_CUDA_ROWS_NONE};
  const int of_tokens = operand->rows == FOVEA_CUDA_ROWS_TOKENS;
  long long slots = operand->offset * (of_tokens ? execution->token_rows : execution->sequence_rows);
  if (!of_tokens) slots += execution->program->token_elements * execution->token_rows;
  const long long columns = (long long)operand->first_column * fv_dtype_bytes(operand->dtype);
  return (fv_view){.data = execution->values + (fv_cu_address)(4 * slots + columns),
                   .stride = operand->stride,
                   .dtype = operand->dtype,
                   .columns = operand->columns,
                   .rows = operand->rows,
                   .capacity = of_tokens ? execution->max_tokens : execution->max_sequences};
}

long long fv_execution_pattern_keys(const fovea_cuda_execution *execution, const fovea_cuda_step *step) {
  if (step->group < 0) return execution->max_tokens;
  return (long long)execution->groups[step->group].pages_each * FOVEA_PAGE_KEYS;
}

/* ---- layers of caches ----------------------------------------------------- */

static int uses_layer(const fovea_cuda_step *step) {
  return step->op == FOVEA_CUDA_OP_CACHE_APPEND || (step->op == FOVEA_CUDA_OP_ATTENTION && step->group >= 0);
}

/* Pages of so many columns a head, at an address that the caller has from this device. */
static int check_pages(fovea_cuda_device *device, const fovea_cuda_cache_group *group, const fovea_cuda_step *step,
                       int dim, long long address) {
  long long bytes;
  if (__builtin_mul_overflow((long long)group->pages * step->kv_heads,
                             (long long)FOVEA_PAGE_KEYS * dim * fv_dtype_bytes(group->dtype), &bytes)) {
    return FOVEA_STATUS_OVERFLOW;
  }
  FV_REQUIRE(fv_check(address % 16 == 0));
  return fv_memory_holds(device, (fv_cu_address)address, bytes) ? FOVEA_STATUS_OK : FOVEA_STATUS_OUT_OF_RANGE;
}

static int check_layer(const fovea_cuda_execution *execution, const fovea_cuda_step *step) {
  const fovea_cuda_cache_group *group = &execution->groups[step->group];
  FV_REQUIRE(fv_check(step->layer < group->layers));
  const fovea_cuda_cache_layer *layer = &group->layer[step->layer];
  fovea_cuda_device *device = execution->program->device;
  FV_REQUIRE(check_pages(device, group, step, step->head_dim, layer->keys));
  return check_pages(device, group, step, step->value_dim, layer->values);
}

int fv_execution_check_layers(const fovea_cuda_execution *execution, fovea_cuda_failure *failure) {
  for (int i = 0; i < execution->program->step_count; i++) {
    const fovea_cuda_step *step = &execution->program->steps[i];
    if (!uses_layer(step)) continue;
    const int status = check_layer(execution, step);
    if (status != FOVEA_STATUS_OK) {
      return fv_fail(failure, status, "step %d: layer %d of group %d: %s", i, step->layer, step->group,
                     fovea_cuda_status_name(status));
    }
  }
  return FOVEA_STATUS_OK;
}

/* ---- plans ---------------------------------------------------------------- */

static fv_operands operands_of(const fovea_cuda_execution *execution, const fv_rung *rung,
                               const fovea_cuda_step *step) {
  fv_operands operands = {.x = fv_execution_view(execution, &step->x),
                          .y = fv_execution_view(execution, &step->y),
                          .z = fv_execution_view(execution, &step->z),
                          .out = fv_execution_view(execution, &step->out),
                          .bias_rows = fv_execution_view(execution, &step->bias)};
  const int starts = step->op == FOVEA_CUDA_OP_EMBEDDING && step->group >= 0;
  if (uses_layer(step) || starts) operands.group = fv_group_on_device(execution, rung, step->group);
  if (uses_layer(step)) {
    const fovea_cuda_cache_layer *layer = &execution->groups[step->group].layer[step->layer];
    operands.keys = (fv_cu_address)layer->keys;
    operands.values = (fv_cu_address)layer->values;
  }
  return operands;
}

int fv_execution_plan(const fovea_cuda_execution *execution, const fv_rung *rung, fv_scratch *scratch,
                      fv_launches *launches, fovea_cuda_failure *failure) {
  const fovea_cuda_program *program = execution->program;
  const fovea_cuda_device *device = program->device;
  const fv_target target = {.driver = device->driver,
                            .compute_capability = device->compute_capability,
                            .multiprocessors = device->multiprocessors,
                            .max_tokens = rung->max_tokens,
                            .max_sequences = rung->max_sequences,
                            .batch = fv_batch_on_device(execution, rung)};
  const fv_result *pattern = execution->results + program->output_count;
  for (int i = 0; i < program->step_count; i++) {
    const fovea_cuda_step *step = &program->steps[i];
    fv_operands operands = operands_of(execution, rung, step);
    if (execution->explain && step->op == FOVEA_CUDA_OP_ATTENTION) operands.weights = pattern++->device;
    const int status = fv_planner_of(step->op)(&target, step, &operands, scratch, launches);
    if (status != FOVEA_STATUS_OK) {
      return fv_fail(failure, status, "step %d, of op %d: %s", i, step->op, fovea_cuda_status_name(status));
    }
  }
  return FOVEA_STATUS_OK;
}
