/* Executions: memory, a stream, and the steps of a program as graphs. */
#ifndef FOVEA_CUDA_EXECUTION_H
#define FOVEA_CUDA_EXECUTION_H

#include "cuda/launches.h"
#include "cuda/program.h"

/*
 * A batch as one copy brings it to the device: ints, whose parts begin at multiples of 4.
 *
 *   | counts | offsets | small tiles | large tiles | of each group lengths, ends, page table | types | ids |
 *
 * Each rung of an execution has a layout of its own, which a small batch fills; ids are the last, so that the copy ends
 * with those that there are.
 */
typedef struct fv_group_layout {
  long long lengths, ends, page_table;
} fv_group_layout;

typedef struct fv_batch_layout {
  long long offsets, small_tiles, large_tiles, types, ids;
  long long ints; /* in all */
  fv_group_layout *groups;
} fv_batch_layout;

/* A graph for batches of up to these sizes. */
typedef struct fv_rung {
  int max_tokens, max_sequences;
  fv_batch_layout layout;
  fv_cu_graph_exec graph;
} fv_rung;

/* Memory of the device that comes to the host after a run. */
typedef struct fv_result {
  fv_cu_address device;
  void *host;
  int rows;            /* FOVEA_CUDA_ROWS_* */
  int heads;           /* blocks of max_tokens rows; 1 but for patterns */
  long long row_bytes;
} fv_result;

/* 2^31 / 8^8 is 128. */
#define FV_RUNGS 9

struct fovea_cuda_execution {
  fovea_cuda_program *program;
  int max_tokens, max_sequences, explain;
  /* Operands of tokens lie in memory for so many rows: each then begins at a multiple of 256 bytes. */
  long long token_rows, sequence_rows; /* those of sequences at one of 16 */
  fovea_cuda_cache_group *groups;      /* with layers of their own */
  fv_rung rungs[FV_RUNGS];             /* the largest first */
  int rung_count;
  fv_result *results; /* outputs, then patterns */
  int result_count;
  fv_cu_address memory, scratch;
  fv_cu_address values, batch; /* in memory */
  void *pinned;
  int *staging; /* in pinned */
  fv_cu_stream stream;
  atomic_int running;
};

/* The sizes of the graphs and of what a batch takes in each. OUT_OF_MEMORY, OVERFLOW. */
int fv_batch_plan(fovea_cuda_execution *execution);
void fv_batch_free(fovea_cuda_execution *execution);

/* The rung's batch and group on the device. */
fv_batch fv_batch_on_device(const fovea_cuda_execution *execution, const fv_rung *rung);
fv_group fv_group_on_device(const fovea_cuda_execution *execution, const fv_rung *rung, int group);

/*
 * Copies a batch to where the device's copy is taken from, and checks the copy, which nobody else can change.
 * *rung: the least that it fits. *bytes: of the copy.
 */
int fv_batch_fill(const fovea_cuda_execution *execution, int sequences, const int *ids, const int *types,
                  const int *offsets, fovea_cuda_failure *failure, const fv_rung **rung, size_t *bytes);

/* Fills the lists of tiles as fv_batch has them, and their counts. */
void fv_batch_tiles(int sequences, const int *offsets, int *counts, int *small_tiles, int *large_tiles);

/* Plans all steps for one rung: appends launches, raises scratch. */
int fv_execution_plan(const fovea_cuda_execution *execution, const fv_rung *rung, fv_scratch *scratch,
                      fv_launches *launches, fovea_cuda_failure *failure);
/* Where an operand lies on the device. */
fv_view fv_execution_view(const fovea_cuda_execution *execution, const fovea_cuda_operand *operand);
/* Whether all layers that steps use are pages of the device. */
int fv_execution_check_layers(const fovea_cuda_execution *execution, fovea_cuda_failure *failure);
/* Keys that an attention's pattern has a column for. */
long long fv_execution_pattern_keys(const fovea_cuda_execution *execution, const fovea_cuda_step *step);

#endif
