/* What fovea_cuda_program_create checks of a step: nothing that passes can lead a kernel outside of its memory. */
#include <math.h>

#include "cuda/memory.h"
#include "cuda/plan.h"
#include "cuda/program.h"
#include "../ops/attention/check.h"

typedef fovea_cuda_operand operand;

/* ---- operands ------------------------------------------------------------- */

static int is_none(const operand *o) { return o->rows == FOVEA_CUDA_ROWS_NONE; }

int fv_check_operand(const operand *o, fv_extents extents) {
  FV_REQUIRE(fv_check(o->rows == FOVEA_CUDA_ROWS_TOKENS || o->rows == FOVEA_CUDA_ROWS_SEQUENCES));
  FV_REQUIRE(fv_check(fv_is_dtype(o->dtype) || o->dtype == FOVEA_CUDA_DTYPE_I32));
  FV_REQUIRE(fv_check(o->columns >= 1 && o->first_column >= 0 && o->stride >= 1 && o->reserved == 0));
  FV_REQUIRE(fv_check(o->columns <= o->stride && o->first_column <= o->stride - o->columns));
  const long long elements = o->rows == FOVEA_CUDA_ROWS_TOKENS ? extents.token_elements : extents.sequence_elements;
  return fv_check(o->offset >= 0 && o->stride <= elements && o->offset <= elements - o->stride);
}

/* A matrix of numbers with so many columns, 0 for any. */
static int check_matrix(const operand *o, fv_extents extents, int rows, long long columns) {
  FV_REQUIRE(fv_check_operand(o, extents));
  return fv_check(fv_is_dtype(o->dtype) && o->rows == rows && (columns == 0 || o->columns == columns));
}

static int check_indices(const operand *o, fv_extents extents, int rows) {
  FV_REQUIRE(fv_check_operand(o, extents));
  return fv_check(o->dtype == FOVEA_CUDA_DTYPE_I32 && o->rows == rows);
}

/* Whether two operands have no memory in common. */
static int is_apart(const operand *a, const operand *b) {
  if (is_none(a) || is_none(b) || a->rows != b->rows) return 1;
  if (a->offset + a->stride <= b->offset || b->offset + b->stride <= a->offset) return 1;
  /* Columns of one buffer. */
  return a->offset == b->offset && a->stride == b->stride && a->dtype == b->dtype &&
         (a->first_column + a->columns <= b->first_column || b->first_column + b->columns <= a->first_column);
}

static int is_same(const operand *a, const operand *b) {
  return a->rows == b->rows && a->offset == b->offset && a->stride == b->stride && a->dtype == b->dtype &&
         a->first_column == b->first_column && a->columns == b->columns;
}

/* out is apart from an input, or is the input itself. */
static int check_in_place(const operand *in, const operand *out) {
  return fv_check(is_apart(in, out) || (!is_none(in) && is_same(in, out)));
}

/* Whether x, y, z and out are there, or NONE, as 1 and 0 say. */
static int check_there(const fovea_cuda_step *s, int x, int y, int z, int out) {
  return fv_check(is_none(&s->x) != x && is_none(&s->y) != y && is_none(&s->z) != z && is_none(&s->out) != out);
}

/* ---- constants ------------------------------------------------------------ */

/* rows of row_bytes at constants[index], which is a multiple of 16; 0 if that is allowed. */
static int check_constant(fovea_cuda_device *device, const fovea_cuda_step *s, int index, long long rows,
                          long long row_bytes, int may_be_none) {
  const long long address = s->constants[index];
  if (address == 0) return may_be_none ? FOVEA_STATUS_OK : FOVEA_STATUS_NULL_POINTER;
  FV_REQUIRE(fv_check(address % 16 == 0));
  long long bytes;
  if (__builtin_mul_overflow(rows, row_bytes, &bytes)) return FOVEA_STATUS_OVERFLOW;
  return fv_memory_holds(device, (fv_cu_address)address, bytes) ? FOVEA_STATUS_OK : FOVEA_STATUS_OUT_OF_RANGE;
}

/* A vector of floats. */
static int check_vector(fovea_cuda_device *device, const fovea_cuda_step *s, int index, long long width,
                        int may_be_none) {
  return check_constant(device, s, index, width, 4, may_be_none);
}

static int check_no_constants(const fovea_cuda_step *s, int first) {
  for (int i = first; i < 4; i++) FV_REQUIRE(fv_check(s->constants[i] == 0));
  return FOVEA_STATUS_OK;
}

static int is_activation(int activation) {
  return activation >= FOVEA_ACTIVATION_NONE && activation <= FOVEA_ACTIVATION_QUICK_GELU;
}

/* ---- ops ------------------------------------------------------------------ */

static int check_embedding(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  FV_REQUIRE(check_there(s, 0, 0, 0, 1));
  FV_REQUIRE(check_matrix(&s->out, extents, FOVEA_CUDA_ROWS_TOKENS, 0));
  FV_REQUIRE(fv_check(fv_is_dtype(s->weight_dtype) && isfinite(s->scale)));
  FV_REQUIRE(fv_check(s->weight_dtype != FOVEA_DTYPE_F32 || s->out.dtype == FOVEA_DTYPE_F32));
  FV_REQUIRE(fv_check(s->vocabulary >= 1 && s->positions >= 0 && s->first_position >= 0));
  FV_REQUIRE(fv_check(s->first_position <= s->positions));
  FV_REQUIRE(fv_check(s->group >= -1 && s->group < extents.groups));
  FV_REQUIRE(fv_check((s->positions > 0) == (s->constants[1] != 0)));
  const long long width = s->out.columns;
  FV_REQUIRE(check_constant(device, s, 0, s->vocabulary, width * fv_dtype_bytes(s->weight_dtype), 0));
  FV_REQUIRE(check_constant(device, s, 1, s->positions, width * 4, 1));
  FV_REQUIRE(check_vector(device, s, 2, width, 1));
  return check_no_constants(s, 3);
}

static int check_token_types(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  FV_REQUIRE(check_there(s, 0, 0, 0, 1));
  FV_REQUIRE(check_matrix(&s->out, extents, FOVEA_CUDA_ROWS_TOKENS, 0));
  FV_REQUIRE(fv_check(s->vocabulary >= 1));
  FV_REQUIRE(check_constant(device, s, 0, s->vocabulary, (long long)s->out.columns * 4, 0));
  return check_no_constants(s, 1);
}

static int check_norm(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  FV_REQUIRE(check_there(s, 1, 0, 0, 1));
  FV_REQUIRE(check_matrix(&s->x, extents, s->x.rows, 0));
  FV_REQUIRE(check_matrix(&s->out, extents, s->x.rows, s->x.columns));
  FV_REQUIRE(check_in_place(&s->x, &s->out));
  const int scales = s->op == FOVEA_CUDA_OP_LAYER_NORM || s->op == FOVEA_CUDA_OP_RMS_NORM;
  if (!scales) return check_no_constants(s, 0);
  FV_REQUIRE(fv_check(s->epsilon >= 0 && isfinite(s->epsilon)));
  FV_REQUIRE(check_vector(device, s, 0, s->x.columns, 0));
  if (s->op == FOVEA_CUDA_OP_RMS_NORM) return check_no_constants(s, 1);
  FV_REQUIRE(check_vector(device, s, 1, s->x.columns, 1));
  return check_no_constants(s, 2);
}

static int check_linear(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  const int residual = !is_none(&s->z);
  FV_REQUIRE(check_there(s, 1, 0, residual, 1));
  FV_REQUIRE(fv_check(is_activation(s->activation) && fv_is_dtype(s->weight_dtype)));
  FV_REQUIRE(fv_check(s->gated == 0 || (s->gated == 1 && !residual)));
  FV_REQUIRE(check_matrix(&s->x, extents, s->x.rows, 0));
  FV_REQUIRE(check_matrix(&s->out, extents, s->x.rows, 0));
  if (residual) FV_REQUIRE(check_matrix(&s->z, extents, s->x.rows, s->out.columns));
  FV_REQUIRE(fv_check(s->weight_dtype != FOVEA_DTYPE_F32 ||
                      (s->x.dtype == FOVEA_DTYPE_F32 && s->out.dtype == FOVEA_DTYPE_F32 &&
                       (!residual || s->z.dtype == FOVEA_DTYPE_F32))));
  FV_REQUIRE(fv_check(is_apart(&s->x, &s->out)));
  FV_REQUIRE(check_in_place(&s->z, &s->out));
  const long long row = ((long long)s->x.columns * fv_dtype_bytes(s->weight_dtype) + 15) / 16 * 16;
  const long long outputs = (long long)s->out.columns * (1 + s->gated);
  FV_REQUIRE(check_constant(device, s, 0, outputs, row, 0));
  FV_REQUIRE(check_vector(device, s, 1, outputs, 1));
  return check_no_constants(s, 2);
}

static int check_elementwise(const fovea_cuda_step *s, fv_extents extents) {
  const int two = s->op != FOVEA_CUDA_OP_ACTIVATE;
  FV_REQUIRE(check_there(s, 1, two, 0, 1));
  FV_REQUIRE(fv_check(is_activation(s->activation)));
  FV_REQUIRE(fv_check(s->op != FOVEA_CUDA_OP_ADD || s->activation == FOVEA_ACTIVATION_NONE));
  FV_REQUIRE(check_matrix(&s->x, extents, s->x.rows, 0));
  FV_REQUIRE(check_matrix(&s->out, extents, s->x.rows, s->x.columns));
  FV_REQUIRE(check_in_place(&s->x, &s->out));
  if (two) {
    FV_REQUIRE(check_matrix(&s->y, extents, s->x.rows, s->x.columns));
    FV_REQUIRE(check_in_place(&s->y, &s->out));
  }
  return check_no_constants(s, 0);
}

static int check_ragged(const fovea_cuda_step *s, fv_extents extents) {
  FV_REQUIRE(check_there(s, 1, 1, 0, 1));
  FV_REQUIRE(fv_check(s->mode == 0 || s->mode == 1));
  const int tokens = FOVEA_CUDA_ROWS_TOKENS, sequences = FOVEA_CUDA_ROWS_SEQUENCES;
  FV_REQUIRE(check_matrix(&s->x, extents, tokens, 0));
  const operand *per_token = s->mode ? &s->y : &s->out, *per_sequence = s->mode ? &s->out : &s->y;
  FV_REQUIRE(check_matrix(per_token, extents, tokens, 0));
  FV_REQUIRE(check_matrix(per_sequence, extents, sequences, (long long)s->x.columns * per_token->columns));
  FV_REQUIRE(fv_check(is_apart(&s->x, &s->out) && is_apart(&s->y, &s->out)));
  return check_no_constants(s, 0);
}

static int check_pool(const fovea_cuda_step *s, fv_extents extents) {
  FV_REQUIRE(check_there(s, 1, 0, 0, 1));
  FV_REQUIRE(fv_check(s->mode >= FOVEA_POOLING_MEAN && s->mode <= FOVEA_POOLING_LAST));
  FV_REQUIRE(fv_check(s->normalize == 0 || s->normalize == 1));
  FV_REQUIRE(check_matrix(&s->x, extents, FOVEA_CUDA_ROWS_TOKENS, 0));
  FV_REQUIRE(check_matrix(&s->out, extents, FOVEA_CUDA_ROWS_SEQUENCES, s->x.columns));
  return check_no_constants(s, 0);
}

static int check_choice(const fovea_cuda_step *s, fv_extents extents) {
  const int gathers = s->op == FOVEA_CUDA_OP_GATHER;
  FV_REQUIRE(check_there(s, 1, gathers, 0, 1));
  FV_REQUIRE(check_matrix(&s->x, extents, s->x.rows, 0));
  if (gathers) {
    FV_REQUIRE(check_indices(&s->y, extents, s->x.rows));
    FV_REQUIRE(check_matrix(&s->out, extents, s->x.rows, s->y.columns));
  } else {
    FV_REQUIRE(check_indices(&s->out, extents, s->x.rows));
    FV_REQUIRE(fv_check(s->out.columns <= s->x.columns));
  }
  FV_REQUIRE(fv_check(is_apart(&s->x, &s->out) && is_apart(&s->y, &s->out)));
  return check_no_constants(s, 0);
}

/* ---- attention and its cache ---------------------------------------------- */

static int check_rope(fovea_cuda_device *device, const fovea_cuda_step *s) {
  FV_REQUIRE(fv_check(s->rope >= FOVEA_ROPE_NONE && s->rope <= FOVEA_ROPE_HALF));
  if (s->rope == FOVEA_ROPE_NONE) return fv_check(s->constants[0] == 0);
  FV_REQUIRE(fv_check(s->rope_dim >= 2 && s->rope_dim % 2 == 0 && s->rope_dim <= s->head_dim));
  FV_REQUIRE(fv_check(s->rope_positions >= 1));
  return check_constant(device, s, 0, s->rope_positions, (long long)s->rope_dim * 4, 0);
}

static int check_heads(const fovea_cuda_step *s) {
  FV_REQUIRE(fv_check(s->kv_heads >= 1 && s->head_dim >= 1 && s->value_dim >= 1));
  return fv_check(s->group == -1 || s->layer >= 0);
}

static int check_append(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  FV_REQUIRE(check_there(s, 1, 1, 0, 0));
  FV_REQUIRE(check_heads(s));
  FV_REQUIRE(fv_check(s->group >= 0 && s->group < extents.groups));
  FV_REQUIRE(check_matrix(&s->x, extents, FOVEA_CUDA_ROWS_TOKENS, (long long)s->kv_heads * s->head_dim));
  FV_REQUIRE(check_matrix(&s->y, extents, FOVEA_CUDA_ROWS_TOKENS, (long long)s->kv_heads * s->value_dim));
  FV_REQUIRE(fv_check(s->x.dtype == s->y.dtype));
  FV_REQUIRE(check_rope(device, s));
  return check_no_constants(s, 1);
}

/* A matrix of F32 with a row per token and as many columns for each head; *keys: how many. */
static int check_bias(const operand *o, fv_extents extents, int heads, int *keys) {
  FV_REQUIRE(check_matrix(o, extents, FOVEA_CUDA_ROWS_TOKENS, 0));
  *keys = o->columns / heads;
  return fv_check(o->dtype == FOVEA_DTYPE_F32 && o->columns % heads == 0);
}

static int check_attention(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  const int own = s->group == -1, tokens = FOVEA_CUDA_ROWS_TOKENS;
  FV_REQUIRE(check_there(s, 1, own, own, 1));
  FV_REQUIRE(check_heads(s));
  FV_REQUIRE(fv_check(s->group >= -1 && s->group < extents.groups));
  FV_REQUIRE(fv_check(s->heads >= 1 && s->heads % s->kv_heads == 0));
  FV_REQUIRE(fv_check(isfinite(s->scale) && s->softcap >= 0 && isfinite(s->softcap)));
  FV_REQUIRE(fv_check(s->window_left >= -1 && s->window_right >= -1));
  FV_REQUIRE(fv_check(s->alignment == FOVEA_ALIGN_BOTTOM_RIGHT || s->alignment == FOVEA_ALIGN_TOP_LEFT));
  FV_REQUIRE(check_matrix(&s->x, extents, tokens, (long long)s->heads * s->head_dim));
  FV_REQUIRE(check_matrix(&s->out, extents, tokens, (long long)s->heads * s->value_dim));
  if (own) {
    FV_REQUIRE(check_matrix(&s->y, extents, tokens, (long long)s->kv_heads * s->head_dim));
    FV_REQUIRE(check_matrix(&s->z, extents, tokens, (long long)s->kv_heads * s->value_dim));
    FV_REQUIRE(fv_check(s->y.dtype == s->z.dtype));
  }
  FV_REQUIRE(fv_check(is_apart(&s->x, &s->out) && is_apart(&s->y, &s->out) && is_apart(&s->z, &s->out)));
  if (!is_none(&s->bias)) {
    int keys;
    FV_REQUIRE(check_bias(&s->bias, extents, s->heads, &keys));
    FV_REQUIRE(fv_check(own && is_apart(&s->bias, &s->out)));
  }
  FV_REQUIRE(check_rope(device, s));
  FV_REQUIRE(check_vector(device, s, 1, s->heads, 1));
  return check_no_constants(s, 2);
}

/* ---- relative bias ---------------------------------------------------------- */

static int check_relative(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  const int by_query = !is_none(&s->x), by_key = !is_none(&s->y);
  FV_REQUIRE(check_there(s, by_query, by_key, 0, 1));
  FV_REQUIRE(fv_check(s->heads >= 1 && s->buckets >= 1));
  const long long columns = (long long)s->heads * s->buckets;
  FV_REQUIRE(fv_check(columns <= INT_MAX));
  int keys;
  FV_REQUIRE(check_bias(&s->out, extents, s->heads, &keys));
  if (by_query) FV_REQUIRE(check_matrix(&s->x, extents, FOVEA_CUDA_ROWS_TOKENS, columns));
  if (by_key) FV_REQUIRE(check_matrix(&s->y, extents, FOVEA_CUDA_ROWS_TOKENS, columns));
  FV_REQUIRE(fv_check(is_apart(&s->x, &s->out) && is_apart(&s->y, &s->out)));
  FV_REQUIRE(fv_check(!by_query || s->constants[0] == 0));
  FV_REQUIRE(check_vector(device, s, 0, columns, by_query));
  FV_REQUIRE(check_vector(device, s, 1, 2LL * keys - 1, 0));
  return check_no_constants(s, 2);
}

int fv_check_step(fovea_cuda_device *device, const fovea_cuda_step *s, fv_extents extents) {
  FV_REQUIRE(fv_check(s->struct_size == (int)sizeof *s));
  FV_REQUIRE(fv_check(s->op == FOVEA_CUDA_OP_RELATIVE_BIAS || s->buckets == 0));
  FV_REQUIRE(fv_check(s->op == FOVEA_CUDA_OP_ATTENTION || is_none(&s->bias)));
  switch (s->op) {
    case FOVEA_CUDA_OP_EMBEDDING:
      return check_embedding(device, s, extents);
    case FOVEA_CUDA_OP_TOKEN_TYPES:
      return check_token_types(device, s, extents);
    case FOVEA_CUDA_OP_RELATIVE_BIAS:
      return check_relative(device, s, extents);
    case FOVEA_CUDA_OP_LAYER_NORM:
    case FOVEA_CUDA_OP_RMS_NORM:
    case FOVEA_CUDA_OP_NORMALIZE:
    case FOVEA_CUDA_OP_LOG_SOFTMAX:
      return check_norm(device, s, extents);
    case FOVEA_CUDA_OP_LINEAR:
      return check_linear(device, s, extents);
    case FOVEA_CUDA_OP_ADD:
    case FOVEA_CUDA_OP_MULTIPLY:
    case FOVEA_CUDA_OP_ACTIVATE:
      return check_elementwise(s, extents);
    case FOVEA_CUDA_OP_RAGGED_MATMUL:
      return check_ragged(s, extents);
    case FOVEA_CUDA_OP_CACHE_APPEND:
      return check_append(device, s, extents);
    case FOVEA_CUDA_OP_ATTENTION:
      return check_attention(device, s, extents);
    case FOVEA_CUDA_OP_POOL:
      return check_pool(s, extents);
    case FOVEA_CUDA_OP_TOP_K:
    case FOVEA_CUDA_OP_GATHER:
      return check_choice(s, extents);
    default:
      return FOVEA_STATUS_INVALID_ARGUMENT;
  }
}
