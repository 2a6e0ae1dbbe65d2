/* Plans attention90: what it serves, its maps and its grid. */
#include "cuda/ops/attention90/attention90.h"

#include "cuda/driver.h"
#include "cuda/ops/attention90/turn.h"

#define LOG2_E 1.44269504f

/* Kernels by the dimension of a head. */
typedef struct kernels {
  int dim, full_keys, window_keys, full_bytes, window_bytes;
  const char *names[2][3]; /* of BF16 and F16: all keys, a window, a softcap */
} kernels;

#define NAMES(type, dim)                                                                       \
  {                                                                                            \
    "fv_attention90_" type "_" #dim "_full", "fv_attention90_" type "_" #dim "_window",        \
        "fv_attention90_" type "_" #dim "_softcap"                                             \
  }
#define KERNELS(dim)                                                                           \
  {                                                                                            \
    dim, FV_ATTENTION90_FULL_KEYS(dim), FV_ATTENTION90_WINDOW_KEYS(dim),                       \
        FV_ATTENTION90_SHARED(dim, FV_ATTENTION90_FULL_KEYS(dim)),                             \
        FV_ATTENTION90_SHARED(dim, FV_ATTENTION90_WINDOW_KEYS(dim)), {                         \
      NAMES("bf16", dim), NAMES("f16", dim)                                                    \
    }                                                                                          \
  }

static const kernels table[] = {KERNELS(64), KERNELS(96), KERNELS(128), KERNELS(256)};

static const kernels *find(int dim) {
  for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
    if (table[i].dim == dim) return &table[i];
  }
  return 0;
}

/* Whether every head of every row begins at a multiple of 16 bytes. */
static int is_aligned(const fv_view *view) { return view->data % 16 == 0 && view->stride % 8 == 0; }

static int is_within(float x) { return x > 0x1p-60f && x < 0x1p60f; }

static int is_served(const fv_target *target, const fovea_cuda_step *step, const fv_operands *o) {
  const int dtype = o->x.dtype;
  if (target->compute_capability != 90 || o->direct || o->group.page_table || o->bias_rows.data) return 0;
  if (dtype != FOVEA_DTYPE_F16 && dtype != FOVEA_DTYPE_BF16) return 0;
  if (o->y.dtype != dtype || o->z.dtype != dtype || o->out.dtype != dtype) return 0;
  if (step->constants[1] || step->value_dim != step->head_dim) return 0;
  if (step->rope != FOVEA_ROPE_NONE && (!step->constants[0] || step->rope_dim % 4 != 0)) return 0;
  if (!find(step->head_dim)) return 0;
  if (step->softcap > 0 ? !is_within(step->softcap) || !(step->scale > -0x1p60f && step->scale < 0x1p60f)
                        : !is_within(step->scale)) {
    return 0;
  }
  return is_aligned(&o->x) && is_aligned(&o->y) && is_aligned(&o->z) && is_aligned(&o->out);
}

/* Rows of heads of dim elements; a copy brings 64 elements of one head of some rows. */
static int map_heads(const fv_target *target, const fv_view *view, int heads, int dim, int rows, fv_tensor_map *map) {
  const uint64_t sizes[3] = {(uint64_t)dim, (uint64_t)heads, (uint64_t)view->capacity};
  const uint64_t strides[2] = {(uint64_t)dim * 2, (uint64_t)view->stride * 2};
  const uint32_t box[3] = {64, 1, (uint32_t)rows};
  return fv_driver_tensor_map(target->driver, view->dtype, view->data, 3, sizes, strides, box,
                              FV_TENSOR_MAP_SWIZZLE_128B, map);
}

/* Keys that a query sees on one side. */
static int bounded(int window) { return window < 0 || window > FV_ATTENTION90_ALL ? FV_ATTENTION90_ALL : window; }

/* The most tiles in the list of a batch. */
static int most_tiles(const fv_target *target) {
  if (target->max_tokens <= FV_SHORT_KEYS) return 0;
  const int sequences = target->max_tokens / (FV_SHORT_KEYS + 1);
  return target->max_tokens / FV_TILE_LARGE + (sequences < target->max_sequences ? sequences : target->max_sequences);
}

/* Turns queries and keys into scratch memory; *q and *k are theirs after it. */
static int plan_turn(const fv_target *target, const fovea_cuda_step *step, int tiles, fv_view *q, fv_view *k,
                     fv_scratch *scratch, fv_launches *launches) {
  const int stride = (step->heads + step->kv_heads) * step->head_dim;
  const long long bytes = (long long)target->max_tokens * stride * 2;
  if (bytes > scratch->bytes) scratch->bytes = bytes;
  const fv_turn_params params = {.batch = target->batch,
                                 .queries = q->data,
                                 .keys = k->data,
                                 .out = scratch->address,
                                 .table = (unsigned long long)step->constants[0],
                                 .query_stride = q->stride,
                                 .key_stride = k->stride,
                                 .heads = step->heads,
                                 .kv_heads = step->kv_heads,
                                 .dim = step->head_dim,
                                 .positions = step->rope_positions,
                                 .rope_dim = step->rope_dim,
                                 .interleaved = step->rope == FOVEA_ROPE_INTERLEAVED,
                                 .bf16 = q->dtype == FOVEA_DTYPE_BF16};
  if (scratch->address) {
    q->data = scratch->address;
    k->data = scratch->address + (unsigned long long)step->heads * (unsigned)step->head_dim * 2;
    q->stride = k->stride = stride;
    q->capacity = k->capacity = target->max_tokens;
  }
  return fv_launches_add(launches, "fv_attention90_turn", (int[]){tiles, 1, 1}, (int[]){FV_TURN_THREADS, 1, 1}, 0,
                         &params, sizeof params);
}

/* Maps of queries, keys and values. 0 if the driver refuses. */
static int map_all(const fv_target *target, const fovea_cuda_step *step, const fv_view *q, const fv_view *k,
                   const fv_view *v, int keys, fv_attention90_params *params) {
  const int dim = step->head_dim;
  return map_heads(target, q, step->heads, dim, FV_TILE_LARGE, &params->q) &&
         map_heads(target, k, step->kv_heads, dim, keys, &params->k) &&
         map_heads(target, v, step->kv_heads, dim, keys, &params->v);
}

int fv_plan_attention90(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                        fv_scratch *scratch, fv_launches *launches) {
  if (!is_served(target, step, operands)) return FOVEA_STATUS_UNSUPPORTED;
  const kernels *kernel = find(step->head_dim);
  const int softcap = step->softcap > 0, full = !softcap && step->window_left < 0 && step->window_right < 0;
  const int keys = full ? kernel->full_keys : kernel->window_keys, tiles = most_tiles(target);
  fv_view q = operands->x, k = operands->y;
  const fv_view *v = &operands->z;
  fv_attention90_params params = {
      .batch = target->batch,
      .values = v->data,
      .out = operands->out.data,
      .value_stride = v->stride,
      .out_stride = operands->out.stride,
      .heads = step->heads,
      .group = step->heads / step->kv_heads,
      .left = bounded(step->window_left),
      .right = bounded(step->window_right),
      .unit = (softcap ? step->softcap : step->scale) * LOG2_E,
      .slope = softcap ? 2 * LOG2_E * step->scale / step->softcap : 0,
  };
  /* Asked before anything is launched. */
  if (!map_all(target, step, &q, &k, v, keys, &params)) return FOVEA_STATUS_UNSUPPORTED;
  if (tiles == 0) return FOVEA_STATUS_OK;
  if (step->rope != FOVEA_ROPE_NONE) {
    const int status = plan_turn(target, step, tiles, &q, &k, scratch, launches);
    if (status) return status;
    if (!map_all(target, step, &q, &k, v, keys, &params)) return FOVEA_CUDA_STATUS_DRIVER_ERROR;
  }
  params.queries = q.data;
  params.keys = k.data;
  params.query_stride = q.stride;
  params.key_stride = k.stride;
  const long long most = (long long)tiles * step->heads;
  const int grid[3] = {most < target->multiprocessors ? (int)most : target->multiprocessors, 1, 1};
  return fv_launches_add(launches, kernel->names[q.dtype == FOVEA_DTYPE_F16][softcap ? 2 : !full], grid,
                         (int[]){FV_ATTENTION90_THREADS, 1, 1}, full ? kernel->full_bytes : kernel->window_bytes,
                         &params, sizeof params);
}
