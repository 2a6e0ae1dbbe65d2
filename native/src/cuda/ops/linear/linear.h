/*
 * LINEAR: out = activation(x W^T + bias) + residual, or, gated, out = activation(x gate) * (x up).
 *
 * F32 weights: every element of x W^T is one chain of exact FMAs in the order of the inputs. Half weights: every
 * element is one chain of mma.m16n8k16 in the order of the inputs. A tile's shape changes neither, so that the tile may
 * be chosen by what a graph has room for, and a row has the same bits in any company.
 *
 * Tiles of rows of x and rows of W stream through a ring of stages in shared memory by cp.async; what lies past the
 * last input, row or output arrives as 0. An epilogue of its own reads the sums from shared memory in chunks of 8
 * columns.
 */
#ifndef FOVEA_CUDA_LINEAR_H
#define FOVEA_CUDA_LINEAR_H

#include "cuda/plan.h"

typedef struct fv_linear_params {
  FV_POINTER(const int) rows;
  FV_POINTER(const void) weight; /* [outputs, inputs], rows of weight_stride elements, aligned to 16 bytes */
  FV_POINTER(const float) bias;  /* [outputs] or null */
  fv_view x;                     /* [rows, inputs]; 16-byte rows of the weight's type, but for the loose kernels */
  fv_view residual;              /* as out, data null if there is none; may be out itself */
  fv_view out;                   /* [rows, outputs], or half as many columns when gated */
  long long weight_stride;
  int inputs;
  int outputs; /* rows of W */
  int activation;
  int gated;
} fv_linear_params;

#ifndef __cplusplus
/* Those of a step. linear.c */
fv_linear_params fv_linear_params_of(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands);
#endif

/* Tiles of half weights: rows of x, rows of W, inputs of a stage, stages, warps down and across. */
#define FV_LINEAR_LARGE 128, 128, 32, 4, 2, 2
#define FV_LINEAR_MEDIUM 64, 64, 64, 3, 2, 2
#define FV_LINEAR_SMALL 16, 32, 64, 6, 1, 4

/* Tiles of F32 weights: rows of x, rows of W, inputs of a stage, stages, rows and columns of a thread. */
#define FV_LINEAR_FLOAT_LARGE 128, 128, 16, 3, 8, 8
#define FV_LINEAR_FLOAT_MEDIUM 64, 64, 32, 3, 4, 4
#define FV_LINEAR_FLOAT_SMALL 8, 16, 64, 4, 1, 1

/* Floats between the rows of a stage beside its inputs: 4 keep eight rows apart in banks. */
#define FV_LINEAR_FLOAT_GAP 4

#endif
