/*
 * Planners for tests in C++: plan.h gives them to C alone. What holds addresses here has the layout that it has there.
 * Used through op_harness.h.
 */
#ifndef FOVEA_TEST_CUDA_OP_PLAN_H
#define FOVEA_TEST_CUDA_OP_PLAN_H

#include "cuda/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In step.op: the planner of ops/attention90 alone, without ops/attention. */
#define OP_ATTENTION90 1000

/* What a planner gets: fv_target and fv_operands in one. */
typedef struct op_problem {
  fovea_cuda_step step;
  int compute_capability, multiprocessors, max_tokens, max_sequences;
  fv_batch batch;
  FV_POINTER(const void) driver; /* the functions of a driver, null without */
  fv_view x, y, z, out, bias_rows;
  fv_group group;
  FV_POINTER(void) keys;
  FV_POINTER(void) values;
  FV_POINTER(const void) mask;
  FV_POINTER(const void) bias;
  FV_POINTER(void) lse;
  FV_POINTER(void) weights;
  const fovea_attention_params *direct;
  const fovea_cache_append_params *direct_append;
} op_problem;

/* A launch as the planner gave it; params are the callee's until the next call of op_plan. */
typedef struct op_launch {
  const char *kernel;
  int grid[3], block[3];
  int shared_bytes;
  int params_bytes;
  const void *params;
} op_launch;

/*
 * Plans with the planner of step.op. scratch: an address for *scratch_bytes, or 0; *scratch_bytes becomes what it
 * wants. Fills launches [capacity] and *count.
 */
int op_plan(const op_problem *problem, unsigned long long scratch, long long *scratch_bytes, op_launch *launches,
            int capacity, int *count);

#ifdef __cplusplus
}
#endif

#endif
