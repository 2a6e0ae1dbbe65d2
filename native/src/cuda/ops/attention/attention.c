/* Plans attention: the arguments from a step or from a direct call, which kernels take its sequences, and their grids. */
#include "cuda/ops/attention/attention.h"

#include <string.h>

#include "cuda/ops/planning.h"

/* ---- arguments ----------------------------------------------------------------- */

static int is_half(int dtype) { return dtype == FOVEA_DTYPE_F16 || dtype == FOVEA_DTYPE_BF16; }

static fv_heads heads_of(const fv_view *view, int dim) {
  return (fv_heads){.data = view->data, .token = view->stride, .head = dim};
}

/* What a step of a plan says. */
static void take_step(fv_attention_args *a, const fovea_cuda_step *s, const fv_operands *o) {
  a->heads = s->heads;
  a->kv_heads = s->kv_heads;
  a->head_dim = s->head_dim;
  a->value_dim = s->value_dim;
  a->q_dtype = o->x.dtype;
  a->out_dtype = o->out.dtype;
  a->scale = s->scale;
  a->softcap = s->softcap;
  a->left = s->window_left;
  a->right = s->window_right;
  a->top_left = s->alignment == FOVEA_ALIGN_TOP_LEFT;
  a->rope_layout = s->rope;
  a->rope_dim = s->rope_dim;
  a->rope_positions = s->rope_positions;
  a->q = heads_of(&o->x, s->head_dim);
  a->out = heads_of(&o->out, s->value_dim);
  long long keys = o->x.capacity;
  if (o->group.page_table) {
    a->kv_dtype = o->group.dtype;
    a->kv_offsets = o->group.ends;
    a->page_table = o->group.page_table;
    a->pages_each = o->group.pages_each;
    a->k.data = o->keys;
    a->v.data = o->values;
    keys = (long long)o->group.pages_each * FOVEA_PAGE_KEYS;
  } else {
    a->kv_dtype = o->y.dtype;
    a->kv_offsets = a->batch.offsets;
    a->rope_keys = s->rope != FOVEA_ROPE_NONE;
    a->k = heads_of(&o->y, s->head_dim);
    a->v = heads_of(&o->z, s->value_dim);
  }
  if (o->bias_rows.data) {
    a->bias = o->bias_rows.data;
    a->bias_head = o->bias_rows.columns / s->heads;
    a->bias_query = o->bias_rows.stride;
    a->bias_rows = 1;
  }
  a->weights = (fv_heads){.data = o->weights, .token = keys, .head = o->x.capacity * keys};
}

/* What a direct call says. */
static void take_call(fv_attention_args *a, const fovea_attention_params *d, const fv_operands *o) {
  a->heads = d->heads;
  a->kv_heads = d->kv_heads;
  a->head_dim = d->head_dim;
  a->value_dim = d->value_dim;
  a->q_dtype = d->q_dtype;
  a->kv_dtype = d->kv_dtype;
  a->out_dtype = FOVEA_DTYPE_F32;
  a->scale = d->scale;
  a->softcap = d->softcap;
  a->left = d->window_left;
  a->right = d->window_right;
  a->top_left = d->alignment == FOVEA_ALIGN_TOP_LEFT;
  a->rope_layout = d->rope;
  a->rope_dim = d->rope_dim;
  a->rope_positions = d->rope_positions;
  a->rope_keys = d->rope != FOVEA_ROPE_NONE && d->rope_keys;
  a->kv_offsets = o->group.ends;
  a->page_table = o->group.page_table;
  a->pages_each = d->page_table_stride;
  a->q = (fv_heads){o->x.data, d->q_sequence_stride, d->q_token_stride, d->q_head_stride};
  a->k = (fv_heads){o->keys, d->k_sequence_stride, d->k_token_stride, d->k_head_stride};
  a->v = (fv_heads){o->values, d->v_sequence_stride, d->v_token_stride, d->v_head_stride};
  a->out = (fv_heads){o->out.data, d->out_sequence_stride, d->out_token_stride, d->out_head_stride};
  a->lse = (fv_heads){o->lse, d->lse_sequence_stride, d->lse_token_stride, d->lse_head_stride};
  a->weights = (fv_heads){o->weights, d->weights_sequence_stride, d->weights_token_stride, d->weights_head_stride};
  a->mask = o->mask;
  a->mask_sequence = d->mask_sequence_stride;
  a->mask_head = d->mask_head_stride;
  a->mask_query = d->mask_query_stride;
  a->bias = o->bias;
  a->bias_sequence = d->bias_sequence_stride;
  a->bias_head = d->bias_head_stride;
  a->bias_query = d->bias_query_stride;
  a->bias_rows = d->bias_rows;
}

/* Whether every row of dim elements begins at a multiple of bytes and has whole pieces of as many. */
static int are_whole(const fv_heads *h, int dim, int dtype, int bytes) {
  const long long strides = h->sequence | h->token | h->head | dim;
  return h->data % (unsigned)bytes == 0 && strides * fv_dtype_bytes(dtype) % bytes == 0;
}

/* A bound on windows, so that keys and windows add up in an int. */
static int bounded(int window) { return window > 1 << 30 ? 1 << 30 : window; }

/* What follows from the rest. */
static void complete(fv_attention_args *a) {
  a->group = a->heads / a->kv_heads;
  a->left = bounded(a->left);
  a->right = bounded(a->right);
  if (a->rope_layout == FOVEA_ROPE_NONE) a->rope = 0;
  if (!a->rope) a->rope_keys = 0;
  if (a->page_table) {
    a->k.sequence = a->k.token = a->k.head = 0;
    a->v.sequence = a->v.token = a->v.head = 0;
  }
  a->q_vectors = are_whole(&a->q, a->head_dim, a->q_dtype, 16);
  a->k_vectors = are_whole(&a->k, a->head_dim, a->kv_dtype, 16);
  a->v_vectors = are_whole(&a->v, a->value_dim, a->kv_dtype, 16);
  a->out_pairs = are_whole(&a->out, 2, a->out_dtype, 2 * fv_dtype_bytes(a->out_dtype));
  /* A product that is capped, added to or, by a scale <= 0, turned round is scaled before its maximum is taken. */
  a->scaled = a->softcap > 0 || a->bias || a->slopes || !(a->scale > 0x1p-60f && a->scale < 0x1p60f);
}

static int check(const fv_attention_args *a) {
  FV_REQUIRE(fv_check(a->heads >= 1 && a->kv_heads >= 1 && a->heads % a->kv_heads == 0));
  FV_REQUIRE(fv_check(a->head_dim >= 1 && a->value_dim >= 1));
  return fv_check(fv_is_dtype(a->q_dtype) && fv_is_dtype(a->kv_dtype) && fv_is_dtype(a->out_dtype));
}

/* ---- kernels ------------------------------------------------------------------- */

typedef struct planning {
  const fv_target *target;
  fv_attention_args *args;
  fv_launches *launches;
} planning;

static int add(const planning *x, const char *kernel, long long blocks, int y, int z, int threads, int shared_bytes) {
  if (blocks > 0x7fffffff || y > 65535 || z > 65535) return FOVEA_STATUS_UNSUPPORTED;
  const int grid[3] = {(int)blocks, y, z}, block[3] = {threads, 1, 1};
  return fv_launches_add(x->launches, kernel, grid, block, shared_bytes, x->args, sizeof *x->args);
}

/* Blocks for so many heads, or groups of heads, of all tiles of FV_TILE_SMALL queries that a batch may have; of those as
   many as the device can have at once, which then take several each. */
static long long tile_blocks(const planning *x, int heads, int blocks_each) {
  const fv_target *target = x->target;
  const long long all = fv_most_tiles(target->max_tokens, target->max_sequences, FV_TILE_SMALL) * heads;
  const long long most = (long long)target->multiprocessors * blocks_each;
  return all < most ? all : most;
}

/* Whether tensor cores serve: one half type. Pages in single precision hold what half types were, turned; of a direct
   call they hold what the caller gave, which is not rounded. */
static int serves_half(const fv_attention_args *a, int direct) {
  return is_half(a->q_dtype) && (a->kv_dtype == a->q_dtype || (a->kv_dtype == FOVEA_DTYPE_F32 && !direct)) &&
         a->head_dim <= 256 && a->value_dim <= 256;
}

typedef struct half_kernels {
  int dim;
  int blocks;             /* of a multiprocessor at once */
  const char *any, *plain; /* plain: leaves out what others do not need, and copies rows as they are; the same bits */
  const char *sentences;  /* short.cu's, beside plain, or null */
} half_kernels;

#define FV_HALF_NAMES(type, dim) "fv_attention_" type "_" dim "_any", "fv_attention_" type "_" dim "_plain"

static int plan_half(const planning *x, int cached) {
  static const half_kernels kernels[2][4] = {
      {{32, 3, FV_HALF_NAMES("f16", "32"), "fv_attention_f16_32_short"},
       {64, 3, FV_HALF_NAMES("f16", "64"), "fv_attention_f16_64_short"},
       {128, 2, FV_HALF_NAMES("f16", "128"), 0},
       {256, 1, FV_HALF_NAMES("f16", "256"), 0}},
      {{32, 3, FV_HALF_NAMES("bf16", "32"), "fv_attention_bf16_32_short"},
       {64, 3, FV_HALF_NAMES("bf16", "64"), "fv_attention_bf16_64_short"},
       {128, 2, FV_HALF_NAMES("bf16", "128"), 0},
       {256, 1, FV_HALF_NAMES("bf16", "256"), 0}}};
  fv_attention_args *a = x->args;
  const half_kernels *k = kernels[a->q_dtype == FOVEA_DTYPE_BF16];
  while (k->dim < a->head_dim || k->dim < a->value_dim) k++;
  const int plain = a->kv_dtype == a->q_dtype && a->head_dim == k->dim && a->value_dim == k->dim && a->q_vectors &&
                    a->k_vectors && a->v_vectors && !a->rope_keys && !a->scaled && !a->mask;
  a->short_elsewhere = plain && !cached && !a->rope && k->sentences;
  const int status = add(x, plain ? k->plain : k->any, tile_blocks(x, a->heads, k->blocks), 1, 1, FV_ATTENTION_THREADS,
                         FV_HALF_BYTES(k->dim));
  if (status || !a->short_elsewhere) return status;
  return add(x, k->sentences, tile_blocks(x, (a->heads + 1) / 2, 2 * k->blocks), 1, 1, FV_ATTENTION_THREADS,
             FV_HALF_BYTES(k->dim));
}

static int plan_exact(const planning *x) {
  const int dim = x->args->value_dim, columns = dim <= 32 ? 32 : dim <= 64 ? 64 : 128;
  const char *kernel = columns == 32 ? "fv_attention_exact_32" : columns == 64 ? "fv_attention_exact_64"
                                                                              : "fv_attention_exact_128";
  return add(x, kernel, tile_blocks(x, x->args->heads, 2), (dim + columns - 1) / columns, 1, FV_EXACT_THREADS,
             FV_EXACT_FLOATS(columns) * (int)sizeof(float));
}

/* Queries of one head, or of up to FV_SPLIT_HEADS, that a block of split.cu keeps. */
static int split_heads(const fv_attention_args *a) { return a->group == 1 ? 1 : FV_SPLIT_HEADS; }

static long long split_bytes(const fv_attention_args *a) {
  return ((long long)FV_SPLIT_FLOATS + (long long)split_heads(a) * a->head_dim) * (long long)sizeof(float);
}

/* Whether sequences of one query are split.cu's: over caches and in direct calls, where their keys may be many. It reads
   keys in vectors and does not turn them. */
static int serves_split(const fv_attention_args *a, int direct) {
  return (a->page_table || direct) && !a->rope_keys && a->k_vectors && a->v_vectors && split_bytes(a) <= 96 * 1024;
}

static int plan_split(const planning *x, fv_scratch *scratch) {
  static const char *const kernels[3][2] = {{"fv_attention_split_f32_1", "fv_attention_split_f32_8"},
                                            {"fv_attention_split_f16_1", "fv_attention_split_f16_8"},
                                            {"fv_attention_split_bf16_1", "fv_attention_split_bf16_8"}};
  fv_attention_args *a = x->args;
  const int sequences = x->target->max_sequences, heads = split_heads(a), batches = (a->group + heads - 1) / heads;
  a->most_splits = a->page_table && a->pages_each < FV_MOST_SPLITS ? a->pages_each : FV_MOST_SPLITS;
  const long long bytes =
      (long long)sequences * a->heads * a->most_splits * (a->value_dim + 2) * (long long)sizeof(float);
  if (bytes > scratch->bytes) scratch->bytes = bytes;
  a->parts = scratch->address;
  const int width = 32 * 16 / fv_dtype_bytes(a->kv_dtype);
  const int status = add(x, kernels[a->kv_dtype][heads > 1], (long long)sequences * a->most_splits,
                         a->kv_heads * batches, (a->value_dim + width - 1) / width, FV_ATTENTION_THREADS,
                         (int)split_bytes(a));
  return status ? status
                : add(x, "fv_attention_combine", (long long)sequences * a->heads, 1, 1, FV_ATTENTION_THREADS, 0);
}

int fv_plan_attention(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                      fv_scratch *scratch, fv_launches *launches) {
  const int direct = operands->direct != 0;
  fv_attention_args a;
  memset(&a, 0, sizeof a);
  a.batch = target->batch;
  a.rope = (unsigned long long)step->constants[0];
  a.slopes = (unsigned long long)step->constants[1];
  if (direct) {
    take_call(&a, operands->direct, operands);
  } else {
    take_step(&a, step, operands);
  }
  int status = check(&a);
  if (status) return status;
  complete(&a);
  const planning x = {target, &a, launches};
  const int half = serves_half(&a, direct);
  a.splits = serves_split(&a, direct);
  if (half && target->compute_capability == 90) {
    status = fv_plan_attention90(target, step, operands, scratch, launches);
    if (status && status != FOVEA_STATUS_UNSUPPORTED) return status;
    a.long_elsewhere = !status;
  }
  if (a.splits && (status = plan_split(&x, scratch))) return status;
  if ((status = half ? plan_half(&x, a.kv_offsets != a.batch.offsets) : plan_exact(&x))) return status;
  if (!a.weights.data) return FOVEA_STATUS_OK;
  return add(&x, "fv_attention_pattern", tile_blocks(&x, a.heads, 8), 1, 1, FV_ATTENTION_THREADS, 0);
}
