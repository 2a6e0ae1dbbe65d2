/* Programs: steps are checked, copied, and what they demand of batches is summed up. */
#include "cuda/program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- checks --------------------------------------------------------------- */

static int check_steps(fovea_cuda_device *device, const fovea_cuda_program_options *options,
                       const fovea_cuda_step *steps, fv_extents extents, fovea_cuda_failure *failure) {
  for (int i = 0; i < options->steps; i++) {
    const int status = fv_check_step(device, &steps[i], extents);
    if (status != FOVEA_STATUS_OK) {
      return fv_fail(failure, status, "step %d, of op %d: %s", i, steps[i].op, fovea_cuda_status_name(status));
    }
  }
  return FOVEA_STATUS_OK;
}

/* What comes to the host lies in rows without gaps, so that one copy brings it. */
static int check_outputs(const fovea_cuda_program_options *options, const fovea_cuda_operand *outputs,
                         fv_extents extents, fovea_cuda_failure *failure) {
  for (int i = 0; i < options->outputs; i++) {
    const fovea_cuda_operand *output = &outputs[i];
    int status = fv_check_operand(output, extents);
    if (status == FOVEA_STATUS_OK) {
      status = fv_check(output->stride == output->columns &&
                        (output->dtype == FOVEA_DTYPE_F32 || output->dtype == FOVEA_CUDA_DTYPE_I32));
    }
    if (status != FOVEA_STATUS_OK) {
      return fv_fail(failure, status, "output %d: %s", i, fovea_cuda_status_name(status));
    }
  }
  return FOVEA_STATUS_OK;
}

/* ---- demands on batches --------------------------------------------------- */

static void lower(long long *limit, long long value) {
  if (value < *limit) *limit = value;
}

static void demand_of_embedding(fovea_cuda_program *program, const fovea_cuda_step *step) {
  program->reads_ids = 1;
  if (step->vocabulary < program->vocabulary) program->vocabulary = step->vocabulary;
  if (step->group >= 0) program->groups[step->group].starts = 1;
  if (step->positions == 0) return;
  const long long left = (long long)step->positions - step->first_position;
  lower(step->group >= 0 ? &program->groups[step->group].positions : &program->positions, left);
}

static void demand_of_attention(fovea_cuda_program *program, const fovea_cuda_step *step) {
  program->tiles = 1;
  program->patterns++;
  if (step->bias.rows != FOVEA_CUDA_ROWS_NONE) lower(&program->positions, step->bias.columns / step->heads);
  const int turns = step->rope != FOVEA_ROPE_NONE;
  if (step->group < 0) {
    if (turns) lower(&program->positions, step->rope_positions);
    return;
  }
  fv_group_limits *group = &program->groups[step->group];
  group->attends = 1;
  if (!turns) return;
  if (step->alignment == FOVEA_ALIGN_TOP_LEFT) {
    lower(&program->positions, step->rope_positions);
  } else {
    group->turns_queries = 1;
    lower(&group->keys, step->rope_positions);
  }
}

static void demand_of_append(fovea_cuda_program *program, const fovea_cuda_step *step) {
  fv_group_limits *group = &program->groups[step->group];
  group->appends = 1;
  if (step->rope != FOVEA_ROPE_NONE) lower(&group->positions, step->rope_positions);
}

static void demand_of_types(fovea_cuda_program *program, const fovea_cuda_step *step) {
  if (!program->types || step->vocabulary < program->types) program->types = step->vocabulary;
}

static void sum_up(fovea_cuda_program *program) {
  program->vocabulary = INT_MAX;
  program->positions = INT_MAX;
  for (int i = 0; i < program->group_count; i++) {
    program->groups[i] = (fv_group_limits){.positions = INT_MAX, .keys = INT_MAX};
  }
  for (int i = 0; i < program->step_count; i++) {
    const fovea_cuda_step *step = &program->steps[i];
    if (step->op == FOVEA_CUDA_OP_EMBEDDING) demand_of_embedding(program, step);
    if (step->op == FOVEA_CUDA_OP_ATTENTION) demand_of_attention(program, step);
    if (step->op == FOVEA_CUDA_OP_CACHE_APPEND) demand_of_append(program, step);
    if (step->op == FOVEA_CUDA_OP_RAGGED_MATMUL) program->tiles = 1;
    if (step->op == FOVEA_CUDA_OP_TOKEN_TYPES) demand_of_types(program, step);
    if (step->op == FOVEA_CUDA_OP_RELATIVE_BIAS) lower(&program->positions, step->out.columns / step->heads);
  }
}

/* ---- the ABI -------------------------------------------------------------- */

static void free_program(fovea_cuda_program *program) {
  free(program->steps);
  free(program->outputs);
  free(program->groups);
  free(program);
}

/* A copy of count elements; never null but for want of memory. */
static void *copy_of(const void *elements, int count, size_t bytes) {
  void *copy = malloc(count ? (size_t)count * bytes : 1);
  if (copy && count) memcpy(copy, elements, (size_t)count * bytes);
  return copy;
}

int fovea_cuda_program_create(fovea_cuda_device *device, const fovea_cuda_program_options *options,
                              const fovea_cuda_step *steps, const fovea_cuda_operand *outputs,
                              fovea_cuda_failure *failure, fovea_cuda_program **program) {
  if (!device || !options || !program) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(options->struct_size == (int)sizeof *options));
  FV_REQUIRE_FAILURE(failure);
  FV_REQUIRE(fv_check(options->steps >= 0 && options->outputs >= 0 && options->groups >= 0));
  FV_REQUIRE(fv_check(options->token_elements >= 0 && options->sequence_elements >= 0));
  if ((options->steps && !steps) || (options->outputs && !outputs)) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_device_check(device, failure));
  fovea_cuda_program *made = calloc(1, sizeof *made);
  if (!made) return fv_fail_host_memory(failure);
  /* The copies are checked, not what the caller may still change. */
  made->steps = copy_of(steps, options->steps, sizeof *steps);
  made->outputs = copy_of(outputs, options->outputs, sizeof *outputs);
  made->groups = calloc((size_t)options->groups + 1, sizeof *made->groups);
  made->device = device;
  made->step_count = options->steps;
  made->output_count = options->outputs;
  made->group_count = options->groups;
  made->token_elements = options->token_elements;
  made->sequence_elements = options->sequence_elements;
  const fv_extents extents = {options->token_elements, options->sequence_elements, options->groups};
  int status = made->steps && made->outputs && made->groups ? FOVEA_STATUS_OK : fv_fail_host_memory(failure);
  if (status == FOVEA_STATUS_OK) status = check_steps(device, options, made->steps, extents, failure);
  if (status == FOVEA_STATUS_OK) status = check_outputs(options, made->outputs, extents, failure);
  if (status != FOVEA_STATUS_OK) {
    free_program(made);
    return status;
  }
  sum_up(made);
  atomic_fetch_add(&device->users, 1);
  *program = made;
  return FOVEA_STATUS_OK;
}

int fovea_cuda_program_destroy(fovea_cuda_program *program) {
  if (!program) return FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(atomic_load(&program->executions) == 0));
  atomic_fetch_sub(&program->device->users, 1);
  free_program(program);
  return FOVEA_STATUS_OK;
}
