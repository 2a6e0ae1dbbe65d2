/*
 * What a step becomes on the device: launches of kernels with their parameters. Each op has a folder in ops/, which holds
 * its parameters, its kernels (.cu) and the function here that plans it. The runtime (execution.c) resolves operands to
 * addresses, lets the ops plan, and records the launches in a CUDA graph.
 *
 * C of the host and kernels include this file: an address on the device is a number in C and a pointer in kernels.
 */
#ifndef FOVEA_CUDA_PLAN_H
#define FOVEA_CUDA_PLAN_H

#include "fovea/fovea_cuda.h"

#ifdef __cplusplus
#define FV_POINTER(type) type *
#else
#define FV_POINTER(type) unsigned long long
#endif

/* A matrix on the device. */
typedef struct fv_view {
  FV_POINTER(void) data; /* the first element; null if there is no matrix */
  long long stride;      /* elements from one row to the next */
  int dtype;             /* FOVEA_DTYPE_F32, F16, BF16 or FOVEA_CUDA_DTYPE_I32 */
  int columns;
  int rows;     /* FOVEA_CUDA_ROWS_*: whose count bounds the rows of a batch */
  int capacity; /* rows that there is memory for */
} fv_view;

/* Queries of a tile of attention. */
#define FV_TILE_SMALL 64
#define FV_TILE_LARGE 128

/*
 * Who attends: ops/attention to every sequence, unless ops/attention90 serves the step. Then ops/attention keeps the
 * sequences of at most so many keys, and attention90 takes the others. Each has lists of tiles, or a part of one, that are
 * its own alone.
 */
#define FV_SHORT_KEYS 128
/* Sequences of at most so many queries are sentences, for which there are kernels of their own. */
#define FV_SHORT_QUERIES 32

/* What counts[] holds. FOVEA_CUDA_ROWS_* index the first two. */
#define FV_COUNT_TOKENS 0
#define FV_COUNT_SEQUENCES 1
#define FV_COUNT_SMALL_TILES 2
#define FV_COUNT_LARGE_TILES 3
/* Small tiles come in this order: of sequences of more than FV_SHORT_KEYS queries, of more than FV_SHORT_QUERIES, others. */
#define FV_COUNT_LONG_TILES 4   /* the first */
#define FV_COUNT_MIDDLE_TILES 5 /* the first and the second */
#define FV_COUNTS 6

/*
 * A batch on the device. Kernels read its sizes from there, so that one graph serves every batch up to the capacity of
 * the graph: a block that finds nothing to do ends at once.
 */
typedef struct fv_batch {
  FV_POINTER(const int) counts;      /* [FV_COUNTS] */
  FV_POINTER(const int) ids;         /* [tokens] */
  FV_POINTER(const int) offsets;     /* [sequences + 1] */
  FV_POINTER(const int) small_tiles; /* [tiles, 2]: a sequence and the first of FV_TILE_SMALL of its queries, counted
                                        from its start; the last tiles of a sequence first */
  FV_POINTER(const int) large_tiles; /* likewise of FV_TILE_LARGE, of the sequences that attention90 may take: those of
                                        more than FV_SHORT_KEYS queries. So batches of short texts cost it nothing */
  FV_POINTER(const int) types;       /* [tokens], for TOKEN_TYPES */
} fv_batch;

/* A group of caches on the device, as fovea_cuda_cache_group has it. */
typedef struct fv_group {
  FV_POINTER(const int) page_table; /* [sequences, pages_each] */
  FV_POINTER(const int) lengths;    /* [sequences] */
  FV_POINTER(const int) ends;       /* [sequences + 1] */
  int pages_each;
  int dtype; /* FOVEA_DTYPE_* of the pages */
} fv_group;

#ifndef __cplusplus

typedef struct fv_driver fv_driver;

/* Bytes of an element of FOVEA_DTYPE_F32, F16, BF16 or FOVEA_CUDA_DTYPE_I32. */
static inline int fv_dtype_bytes(int dtype) { return dtype == FOVEA_DTYPE_F16 || dtype == FOVEA_DTYPE_BF16 ? 2 : 4; }

/* The most tiles of so many queries that a batch of these sizes has. */
static inline long long fv_most_tiles(long long tokens, long long sequences, int tile) {
  return tokens / tile + (sequences < tokens ? sequences : tokens);
}

/* What a planner may ask of the device and of the capacity of the graph that it plans for. */
typedef struct fv_target {
  const fv_driver *driver; /* for tensor maps */
  int compute_capability;  /* 10 major + minor; kernels for Hopper run on 90 alone */
  int multiprocessors;
  int max_tokens;   /* that this graph serves; memory may hold more */
  int max_sequences;
  fv_batch batch;
} fv_target;

/*
 * The operands of a step.
 *
 * A direct call has no operands in the memory of an execution. Of its views the op reads data alone; sizes, dtypes and
 * strides are those of the call's params, and of the step it reads op and the constants that ATTENTION or CACHE_APPEND
 * has. target->batch holds the batch as that of an execution: offsets are q_offsets, or offsets of the new tokens, and
 * counts and tiles are filled from them.
 *
 *   attention      x q, out out; keys k, values v: tensors, or pages if params->pages; group.ends kv_offsets, the other
 *                  fields of the group not read but page_table, null without pages
 *   cache append   x k, y v; keys and values the pages; group.lengths, group.page_table
 */
typedef struct fv_operands {
  fv_view x, y, z, out;
  fv_view bias_rows;                    /* of ATTENTION in a plan; data 0 where there is no bias */
  fv_group group;                       /* of CACHE_APPEND, ATTENTION and EMBEDDING with a group; all 0 without one */
  unsigned long long keys, values;      /* pages of the layer */
  unsigned long long mask, bias;        /* of direct attention: addresses or 0, and their strides, as */
  unsigned long long lse, weights;      /* fovea_attention has them; weights also when a step keeps its pattern, F32 */
                                        /* [heads, x.capacity, keys], keys x.capacity or that of a cache's pages */
  const fovea_attention_params *direct; /* null for a step of a plan, */
  const fovea_cache_append_params *direct_append; /* as is this */
} fv_operands;

/* Memory of the device that launches may overwrite; one for all steps of an execution, which run one after another. */
typedef struct fv_scratch {
  unsigned long long address; /* 0 in the first pass, whose launches are thrown away */
  long long bytes;            /* the most that a planner asked for; planners raise it */
} fv_scratch;

#define FV_PARAMS_BYTES 1024

/* A launch: what cuLaunchKernel takes. Every kernel has one parameter, a struct by value. */
typedef struct fv_launch {
  const char *kernel; /* its extern "C" name; a static string */
  int grid[3];
  int block[3];
  int shared_bytes; /* dynamic */
  int params_bytes;
  _Alignas(64) unsigned char params[FV_PARAMS_BYTES];
} fv_launch;

typedef struct fv_launches fv_launches;

/* Appends a launch with a copy of *params. OUT_OF_MEMORY, or INVALID_ARGUMENT if params do not fit. launches.c */
int fv_launches_add(fv_launches *launches, const char *kernel, const int grid[3], const int block[3],
                    int shared_bytes, const void *params, int params_bytes);

/* Plans of the ops: append launches, raise scratch->bytes to what they need. UNSUPPORTED for what no kernel computes. */
typedef int fv_planner(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                       fv_scratch *scratch, fv_launches *launches);

fv_planner fv_plan_embedding;    /* ops/embedding */
fv_planner fv_plan_token_types;  /* likewise */
fv_planner fv_plan_relative;     /* ops/relative: RELATIVE_BIAS */
fv_planner fv_plan_norm;         /* ops/norm: LAYER_NORM, RMS_NORM, NORMALIZE */
fv_planner fv_plan_elementwise;  /* ops/elementwise: ADD, MULTIPLY, ACTIVATE */
fv_planner fv_plan_logits;       /* ops/logits: LOG_SOFTMAX, TOP_K, GATHER */
fv_planner fv_plan_pool;         /* ops/pool */
fv_planner fv_plan_ragged;       /* ops/ragged: RAGGED_MATMUL */
fv_planner fv_plan_linear;       /* ops/linear; asks linear90 first on Hopper */
fv_planner fv_plan_linear90;     /* ops/linear90: UNSUPPORTED where its rules of alignment do not hold */
fv_planner fv_plan_cache_append; /* ops/cache */
fv_planner fv_plan_attention;    /* ops/attention; asks attention90 first on Hopper */
fv_planner fv_plan_attention90;  /* ops/attention90: UNSUPPORTED for what it does not compute */

#endif

#endif
