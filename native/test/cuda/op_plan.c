#include "cuda/op_plan.h"

#include <stdint.h>
#include <string.h>

/* A test links the planners that it needs. */
#define WEAK(name) extern __attribute__((weak)) fv_planner name
WEAK(fv_plan_embedding);
WEAK(fv_plan_token_types);
WEAK(fv_plan_relative);
WEAK(fv_plan_norm);
WEAK(fv_plan_elementwise);
WEAK(fv_plan_logits);
WEAK(fv_plan_pool);
WEAK(fv_plan_ragged);
WEAK(fv_plan_linear);
WEAK(fv_plan_cache_append);
WEAK(fv_plan_attention);
WEAK(fv_plan_attention90);

static fv_planner *planner_of(int op) {
  switch (op) {
    case FOVEA_CUDA_OP_EMBEDDING:
      return fv_plan_embedding;
    case FOVEA_CUDA_OP_TOKEN_TYPES:
      return fv_plan_token_types;
    case FOVEA_CUDA_OP_RELATIVE_BIAS:
      return fv_plan_relative;
    case FOVEA_CUDA_OP_LAYER_NORM:
    case FOVEA_CUDA_OP_RMS_NORM:
    case FOVEA_CUDA_OP_NORMALIZE:
      return fv_plan_norm;
    case FOVEA_CUDA_OP_LINEAR:
      return fv_plan_linear;
    case FOVEA_CUDA_OP_ADD:
    case FOVEA_CUDA_OP_MULTIPLY:
    case FOVEA_CUDA_OP_ACTIVATE:
      return fv_plan_elementwise;
    case FOVEA_CUDA_OP_RAGGED_MATMUL:
      return fv_plan_ragged;
    case FOVEA_CUDA_OP_CACHE_APPEND:
      return fv_plan_cache_append;
    case FOVEA_CUDA_OP_ATTENTION:
      return fv_plan_attention;
    case OP_ATTENTION90:
      return fv_plan_attention90;
    case FOVEA_CUDA_OP_POOL:
      return fv_plan_pool;
    case FOVEA_CUDA_OP_LOG_SOFTMAX:
    case FOVEA_CUDA_OP_TOP_K:
    case FOVEA_CUDA_OP_GATHER:
      return fv_plan_logits;
    default:
      return NULL;
  }
}

enum { MOST_LAUNCHES = 16 };

static fv_launch planned[MOST_LAUNCHES];
static int planned_count;

/* launches.c for tests. */
int fv_launches_add(fv_launches *launches, const char *kernel, const int grid[3], const int block[3],
                    int shared_bytes, const void *params, int params_bytes) {
  (void)launches;
  if (params_bytes > FV_PARAMS_BYTES || planned_count == MOST_LAUNCHES) return FOVEA_STATUS_INVALID_ARGUMENT;
  fv_launch *launch = &planned[planned_count++];
  launch->kernel = kernel;
  memcpy(launch->grid, grid, sizeof launch->grid);
  memcpy(launch->block, block, sizeof launch->block);
  launch->shared_bytes = shared_bytes;
  launch->params_bytes = params_bytes;
  memcpy(launch->params, params, (size_t)params_bytes);
  return FOVEA_STATUS_OK;
}

int op_plan(const op_problem *problem, unsigned long long scratch, long long *scratch_bytes, op_launch *launches,
            int capacity, int *count) {
  fv_planner *planner = planner_of(problem->step.op);
  if (!planner) return FOVEA_STATUS_UNSUPPORTED;
  const fv_target target = {.driver = (const fv_driver *)(uintptr_t)problem->driver,
                            .compute_capability = problem->compute_capability,
                            .multiprocessors = problem->multiprocessors,
                            .max_tokens = problem->max_tokens,
                            .max_sequences = problem->max_sequences,
                            .batch = problem->batch};
  const fv_operands operands = {.x = problem->x,
                                .y = problem->y,
                                .z = problem->z,
                                .out = problem->out,
                                .bias_rows = problem->bias_rows,
                                .group = problem->group,
                                .keys = problem->keys,
                                .values = problem->values,
                                .mask = problem->mask,
                                .bias = problem->bias,
                                .lse = problem->lse,
                                .weights = problem->weights,
                                .direct = problem->direct,
                                .direct_append = problem->direct_append};
  fv_scratch memory = {scratch, *scratch_bytes};
  planned_count = 0;
  const int status = planner(&target, &problem->step, &operands, &memory, NULL);
  *scratch_bytes = memory.bytes;
  *count = 0;
  for (int i = 0; i < planned_count && i < capacity; i++) {
    const fv_launch *l = &planned[i];
    launches[(*count)++] = (op_launch){l->kernel,
                                       {l->grid[0], l->grid[1], l->grid[2]},
                                       {l->block[0], l->block[1], l->block[2]},
                                       l->shared_bytes,
                                       l->params_bytes,
                                       l->params};
  }
  return status;
}
