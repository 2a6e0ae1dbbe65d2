/* Plans linear90: what it serves, which tile, its maps and its grid. */
#include "cuda/ops/linear90/linear90.h"

#include "cuda/driver.h"
#include "cuda/ops/planning.h"

typedef struct tile {
  const char *name[2]; /* of BF16 and F16 */
  int rows, outputs, shared_bytes;
} tile;

static tile tile_of(const char *bf16, const char *f16, int blocks, int outputs, int stages, int sharers) {
  const int rows = 64 * blocks * sharers;
  return (tile){{bf16, f16}, rows, outputs, FV_LINEAR90_SHARED(rows, outputs, stages)};
}

#define TILE(name, shape) tile_of("fv_linear90_bf16_" name, "fv_linear90_f16_" name, shape)

static long long blocks_of(const tile *t, int rows, int outputs) {
  return (long long)fv_blocks(rows, t->rows) * fv_blocks(outputs, t->outputs);
}

/* The largest tile of which there are enough to keep the device busy. All give the same bits. */
static tile choose(const fv_target *target, int rows, int inputs, int outputs) {
  const tile wide = TILE("wide", FV_LINEAR90_WIDE), large = TILE("large", FV_LINEAR90_LARGE);
  const tile medium = TILE("medium", FV_LINEAR90_MEDIUM);
  const int busy = target->multiprocessors;
  /* Two halves share a tile: less to bring, but nothing is multiplied while sums are brought to their end. */
  const int waste = outputs % wide.outputs != 0 && outputs < 8 * wide.outputs;
  if (inputs >= 1024 && !waste && blocks_of(&wide, rows, outputs) >= 2 * busy) return wide;
  if (blocks_of(&large, rows, outputs) >= busy) return large;
  return 2 * blocks_of(&medium, rows, outputs) >= busy ? medium : TILE("small", FV_LINEAR90_SMALL);
}

/* Rows of width elements; a copy brings FV_LINEAR90_DEPTH elements of some rows. */
static int map_rows(const fv_target *target, int dtype, unsigned long long data, int width, int count, long long stride,
                    int rows, fv_tensor_map *map) {
  const uint64_t sizes[2] = {(uint64_t)width, (uint64_t)count}, strides[1] = {(uint64_t)stride * 2};
  const uint32_t box[2] = {FV_LINEAR90_DEPTH, (uint32_t)rows};
  return fv_driver_tensor_map(target->driver, dtype, data, 2, sizes, strides, box, FV_TENSOR_MAP_SWIZZLE_128B, map);
}

int fv_plan_linear90(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                     fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  const fv_view *x = &operands->x;
  const int dtype = step->weight_dtype;
  if (target->compute_capability != 90 || (dtype != FOVEA_DTYPE_F16 && dtype != FOVEA_DTYPE_BF16) ||
      x->dtype != dtype || x->data % 16 != 0 || x->stride % 8 != 0 || step->constants[0] % 16 != 0) {
    return FOVEA_STATUS_UNSUPPORTED;
  }
  fv_linear90_params params = {.linear = fv_linear_params_of(target, step, operands)};
  const int inputs = params.linear.inputs, outputs = params.linear.outputs, rows = fv_most_rows(target, x);
  const tile t = choose(target, rows, inputs, outputs);
  if (!map_rows(target, dtype, x->data, inputs, x->capacity, x->stride, t.rows, &params.x) ||
      !map_rows(target, dtype, params.linear.weight, inputs, outputs, params.linear.weight_stride, t.outputs,
                &params.w)) {
    return FOVEA_STATUS_UNSUPPORTED;
  }
  const long long most = blocks_of(&t, rows, outputs);
  const int grid[3] = {most < target->multiprocessors ? (int)most : target->multiprocessors, 1, 1};
  return fv_launches_add(launches, t.name[dtype == FOVEA_DTYPE_F16], grid, (int[]){FV_LINEAR90_THREADS, 1, 1},
                         t.shared_bytes, &params, sizeof params);
}
