/*
 * LINEAR with half weights on Hopper, by wgmma: the formulas of ops/linear, and its epilogue. x and W have one half type;
 * rows of both begin at multiples of 16 bytes, as TMA wants it, else ops/linear has them.
 *
 * A block has one group of threads that brings tiles of x and W by TMA, and two groups that compute. They take turns: one
 * multiplies a tile while the other brings the tile before to its end. In the widest kernel both have halves of the rows
 * of one tile. Blocks stay: each takes every n-th tile.
 *
 * Every element of x W^T is one chain of wgmma over 16 inputs each in the order of the inputs, whatever the tile's shape.
 * So the tile may be chosen by what a graph has room for, and a row has the same bits in any company.
 */
#ifndef FOVEA_CUDA_LINEAR90_H
#define FOVEA_CUDA_LINEAR90_H

#include "cuda/ops/linear/linear.h"
#include "cuda/plan.h"
#include "cuda/tensor_map.h"

/* Three groups of threads. */
#define FV_LINEAR90_THREADS 384

/* Inputs of a stage: 128 bytes. */
#define FV_LINEAR90_DEPTH 64

/* Tiles: 64s of rows of a group, rows of W, stages, groups that share a tile. */
#define FV_LINEAR90_WIDE 1, 256, 4, 2
#define FV_LINEAR90_LARGE 2, 128, 6, 1
#define FV_LINEAR90_MEDIUM 1, 128, 8, 1
#define FV_LINEAR90_SMALL 1, 32, 12, 1

/* Sums of a warp on their way to the epilogue: 16 rows of up to 64 columns, in bytes of a block. */
#define FV_LINEAR90_COLUMNS(outputs) ((outputs) < 64 ? (outputs) : 64)
#define FV_LINEAR90_SUMS(outputs) (8 * 16 * 4 * FV_LINEAR90_COLUMNS(outputs))

/* Stages, sums, barriers. */
#define FV_LINEAR90_SHARED(rows, outputs, stages) \
  ((stages) * 128 * ((rows) + (outputs)) + FV_LINEAR90_SUMS(outputs) + 256)

typedef struct fv_linear90_params {
  fv_tensor_map x; /* [capacity, inputs], a copy brings [rows of a tile, FV_LINEAR90_DEPTH] */
  fv_tensor_map w; /* [outputs, inputs], likewise */
  fv_linear_params linear;
} fv_linear90_params;

#endif
