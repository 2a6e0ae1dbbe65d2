/* Attention and its cache on tensors of the host: brought to the device densely, and the result back. */
#ifndef FOVEA_CUDA_DIRECT_H
#define FOVEA_CUDA_DIRECT_H

#include <stddef.h>

#include "cuda/launches.h"
#include "cuda/memory.h"
#include "../ops/attention/check.h"

struct fovea_cuda_direct {
  fovea_cuda_device *device;
  fv_cu_stream stream;
  fv_cu_address memory, scratch;
  long long memory_bytes, scratch_bytes;
  char *pinned; /* what goes to the device, and then what comes back */
  long long pinned_bytes;
  fv_launches launches;
  atomic_int running;
};

/*
 * A call: memory of the device in three parts, each at a multiple of FV_ALIGNMENT.
 *
 *   | inputs, which come from the host | results, which go to it | what stays |
 */
typedef struct fv_call {
  long long inputs, results, bytes; /* where each part ends */
  fv_target target;
  fovea_cuda_step step;
  fv_operands operands;
} fv_call;

/* Where the offsets and tiles of a batch begin. The batch is the first of the inputs, its counts at 0. */
typedef struct fv_call_batch {
  long long offsets, small_tiles, large_tiles;
} fv_call_batch;

/* Makes a direct attention the caller's thread's, and the device's context current. fv_direct_leave ends both. */
int fv_direct_enter(fovea_cuda_direct *direct, fovea_cuda_failure *failure);
void fv_direct_leave(fovea_cuda_direct *direct);

/* Reserves a batch at the head of the inputs. False on overflow. */
int fv_call_reserve_batch(fv_call *call, fv_tokens tokens, fv_call_batch *batch);
/* Makes the memories of a call, which has its sizes, and fills the batch in. */
int fv_call_begin(fovea_cuda_direct *direct, fv_call *call, fv_call_batch batch, fv_tokens tokens, const int *offsets,
                  fovea_cuda_failure *failure);
/* Plans and runs: the inputs from pinned memory, the launches, the results back to its start. */
int fv_call_run(fovea_cuda_direct *direct, fv_call *call, fovea_cuda_failure *failure);

/* ---- tensors under strides ------------------------------------------------ */

/* [tokens, heads, dim] of elements under a caller's strides, which count elements. */
typedef struct fv_tensor {
  long long sequence, token, head; /* strides; a sequence stride of 0: sequences follow each other */
  int heads, dim, bytes;           /* bytes of an element */
} fv_tensor;

/* Copies a tensor to dense memory. */
void fv_gather(char *dense, const char *tensor, const fv_tensor *shape, int sequences, const int *offsets);
/* Copies dense memory to a tensor, and touches nothing between its rows. */
void fv_scatter(const char *dense, char *tensor, const fv_tensor *shape, int sequences, const int *offsets);
/* Likewise where rows have dim elements in dense memory, and as many as their sequence has keys in the tensor. */
void fv_scatter_weights(const char *dense, char *tensor, const fv_tensor *shape, int sequences, const int *q_offsets,
                        const int *kv_offsets);

/* A mask or bias [sequences, heads, queries, keys]: strides of the first three in elements, 0 where one serves all. */
typedef struct fv_mask {
  long long strides[3]; /* of the caller's */
  long long dense[3];   /* of the device's */
  int heads, bytes;
  int rows; /* 1: it has a row per query token of the batch in place of sequences */
} fv_mask;

/* Copies what there is of a mask: the queries and keys of each sequence; the caller's memory may end there. */
void fv_gather_mask(char *dense, const char *mask, const fv_mask *shape, int sequences, const int *q_offsets,
                    const int *kv_offsets);

#endif
