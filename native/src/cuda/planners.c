/* Which op is planned by what. */
#include "cuda/launches.h"

fv_planner *fv_planner_of(int op) {
  static fv_planner *const planners[] = {
      [FOVEA_CUDA_OP_EMBEDDING] = fv_plan_embedding,     [FOVEA_CUDA_OP_LAYER_NORM] = fv_plan_norm,
      [FOVEA_CUDA_OP_RMS_NORM] = fv_plan_norm,           [FOVEA_CUDA_OP_LINEAR] = fv_plan_linear,
      [FOVEA_CUDA_OP_ADD] = fv_plan_elementwise,         [FOVEA_CUDA_OP_MULTIPLY] = fv_plan_elementwise,
      [FOVEA_CUDA_OP_ACTIVATE] = fv_plan_elementwise,    [FOVEA_CUDA_OP_NORMALIZE] = fv_plan_norm,
      [FOVEA_CUDA_OP_RAGGED_MATMUL] = fv_plan_ragged,    [FOVEA_CUDA_OP_CACHE_APPEND] = fv_plan_cache_append,
      [FOVEA_CUDA_OP_ATTENTION] = fv_plan_attention,     [FOVEA_CUDA_OP_POOL] = fv_plan_pool,
      [FOVEA_CUDA_OP_LOG_SOFTMAX] = fv_plan_logits,      [FOVEA_CUDA_OP_TOP_K] = fv_plan_logits,
      [FOVEA_CUDA_OP_GATHER] = fv_plan_logits,           [FOVEA_CUDA_OP_TOKEN_TYPES] = fv_plan_token_types,
      [FOVEA_CUDA_OP_RELATIVE_BIAS] = fv_plan_relative,
  };
  return op >= 0 && op < (int)(sizeof planners / sizeof *planners) ? planners[op] : NULL;
}
