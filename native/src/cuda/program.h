/* Programs: steps that were checked, and what they demand of a batch. */
#ifndef FOVEA_CUDA_PROGRAM_H
#define FOVEA_CUDA_PROGRAM_H

#include "cuda/device.h"

/* What the steps demand of a sequence and its cache in one group. Lengths count tokens. */
typedef struct fv_group_limits {
  int appends, attends, starts; /* whether a step appends, attends, embeds behind what the caches hold */
  long long positions;          /* length before the run + tokens of the run, at most */
  long long keys;               /* tokens with those of the run, at most */
  int turns_queries;            /* by their keys' positions: there are as many keys as queries at least */
} fv_group_limits;

struct fovea_cuda_program {
  fovea_cuda_device *device;
  int step_count, output_count, group_count;
  fovea_cuda_step *steps;
  fovea_cuda_operand *outputs;
  fv_group_limits *groups; /* [group_count] */
  long long token_elements, sequence_elements;
  int reads_ids;
  int tiles;           /* whether a step reads tiles of queries: an attention, or a product of activations */
  int patterns;        /* attentions that may keep their pattern */
  int vocabulary;      /* ids are below it */
  int types;           /* types of tokens are below it; 0 where none are read */
  long long positions; /* tokens of a sequence at most, where none were before */
  atomic_int executions;
};

/* Slots per row of the memory of an execution, and groups. */
typedef struct fv_extents {
  long long token_elements, sequence_elements;
  int groups;
} fv_extents;

/* Whether a step may be planned: its fields in their ranges, its operands in memory and apart, its constants lent. */
int fv_check_step(fovea_cuda_device *device, const fovea_cuda_step *step, fv_extents extents);
/* Whether an operand lies in the memory of an execution. */
int fv_check_operand(const fovea_cuda_operand *operand, fv_extents extents);

#endif
