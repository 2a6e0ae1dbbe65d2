/* The linear layer's kernel, compiled once per ISA. Contract in linear.h. */
#include "ops/linear/linear.h"

#include "fovea/fovea.h"
#include "simd/dot.h"
#include "simd/math.h"

FV_INLINE fv_f32 activate(int activation, fv_f32 x) {
  switch (activation) {
    case FOVEA_ACTIVATION_GELU_ERF:
      return fv_gelu_erf(x);
    case FOVEA_ACTIVATION_GELU_TANH:
      return fv_gelu_tanh(x);
    case FOVEA_ACTIVATION_RELU:
      return fv_max((fv_f32){0}, x); /* in this order NaN stays */
    case FOVEA_ACTIVATION_SILU:
      return fv_silu(x);
    default:
      return x;
  }
}

/* Bias, activation and residual over one row of a tile, then the store: sum [width], out [width]. */
static void finish_row(int activation, int width, const float *sum, const float *bias, const float *residual,
                       float *out) {
  for (int j = 0; j < width; j += FV_LANES) {
    const int lanes = width - j < FV_LANES ? width - j : FV_LANES;
    fv_f32 value = fv_load(sum + j);
    if (lanes == FV_LANES) {
      if (bias) value += fv_load(bias + j);
      value = activate(activation, value);
      if (residual) value += fv_load(residual + j);
      fv_store(out + j, value);
    } else {
      if (bias) value += fv_load_part(bias + j, lanes);
      value = activate(activation, value);
      if (residual) value += fv_load_part(residual + j, lanes);
      fv_store_part(out + j, value, lanes);
    }
  }
}

/* A block of x in eight bits, on the stack of the thread that multiplies it. */
typedef struct quantized_block {
  long long first; /* its first row; -1: none yet */
  float scales[FV_QUANTIZED_ROWS];
  int32_t starts[FV_QUANTIZED_ROWS];
  int32_t words[FV_QUANTIZED_BYTES / 4] __attribute__((aligned(64))); /* [rows, groups] */
} quantized_block;

static void quantize(const fv_linear_job *job, long long row, int rows, quantized_block *block) {
  const long long groups = fv_dot_groups(job->inputs);
  for (int r = 0; r < rows; r++) {
    fv_quantize_row(job->x + (row + r) * job->x_stride, job->inputs, (fv_dot_element *)(block->words + r * groups),
                    block->scales + r, block->starts + r);
  }
  block->first = row;
}

/* Rows [row, row + rows) against panels [panel, panel + panels). */
typedef struct tile {
  long long row, panel;
  int rows, panels;
  const char *ahead; /* what it fetches meanwhile, step bytes per row of its panels; nothing with step 0 */
  long long step;
} tile;

/* sum [rows, panels * FV_PANEL], the products of a tile. */
static void multiply(const fv_linear_job *job, const quantized_block *block, const tile *t, float *sum) {
  const long long panel_bytes = job->layout.panel_bytes, inputs = job->inputs;
  const int ldc = t->panels * FV_PANEL;
  const char *weights = job->weights + t->panel * panel_bytes;
  const float *x = job->x + t->row * job->x_stride;
  if (block) {
    const long long groups = fv_dot_groups(inputs), at = t->row - block->first;
    fv_dot_tile(t->rows, t->panels, groups, block->words + at * groups, groups, block->scales + at, block->starts + at,
                weights, panel_bytes, sum, ldc, t->ahead, t->step);
  } else if (t->step == 0 && job->dtype == FOVEA_DTYPE_BF16) {
    fv_tile_bf16_row(t->panels, inputs, x, weights, panel_bytes, sum);
  } else if (t->step == 0) {
    fv_tile(t->rows, t->panels, inputs, x, job->x_stride, (const float *)weights, panel_bytes / 4, sum, ldc);
  } else if (job->dtype == FOVEA_DTYPE_BF16) {
    fv_tile_bf16(t->rows, t->panels, inputs, x, job->x_stride, weights, panel_bytes, sum, ldc, t->ahead, t->step);
  } else {
    fv_tile_f32(t->rows, t->panels, inputs, x, job->x_stride, weights, panel_bytes, sum, ldc, t->ahead, t->step);
  }
}

static void run_tile(const fv_linear_job *job, const quantized_block *block, const tile *t) {
  /* Of one panel and all rows: panels_at_once takes no more than four panels of one row, or two of two. */
  float sum[FV_TILE_ROWS * FV_PANEL] __attribute__((aligned(64)));
  multiply(job, block, t, sum);
  const int ldc = t->panels * FV_PANEL;
  const long long column = t->panel * FV_PANEL;
  const int width = job->outputs - column < ldc ? (int)(job->outputs - column) : ldc;
  const float *bias = job->bias ? job->bias + column : 0;
  for (int r = 0; r < t->rows; r++) {
    const long long row = t->row + r;
    const float *residual = job->residual ? job->residual + row * job->residual_stride + column : 0;
    finish_row(job->activation, width, sum + r * ldc, bias, residual, job->out + row * job->out_stride + column);
  }
}

/*
 * A row of floats alone reads so much per step that four panels, four streams, come as fast as memory
 * gives them. So do halves where vectors have 16 lanes, and chains of multiply-adds enough to hide their latency.
 * Smaller weights come faster as one stream that is fetched ahead.
 */
static int is_alone(const fv_linear_job *job, int rows) {
  return rows == 1 && (job->dtype == FOVEA_DTYPE_F32 || (FV_LANES == 16 && job->dtype == FOVEA_DTYPE_BF16));
}

/* Few rows take several panels at once, to keep the multiply-add units busy. */
static int panels_at_once(const fv_linear_job *job, int rows) { return is_alone(job, rows) ? 4 : rows <= 2 ? 2 : 1; }

/* Bytes of one step through a panel: a row of floats, or of a group of inputs in eight bits. */
static int row_bytes(int dtype) {
  return dtype == FOVEA_DTYPE_I8 ? FV_PANEL * FV_DOT_GROUP : fv_panel_row_bytes(dtype);
}

/* block: room for a block of x in eight bits, or null where the weights want floats. */
static void run(const fv_linear_job *job, long long first, long long last, quantized_block *block) {
  const long long bytes = row_bytes(job->dtype);
  while (first < last) {
    const long long panel = first % job->panels, row = first / job->panels * job->layout.block_rows;
    const int rows = job->rows - row < job->layout.block_rows ? (int)(job->rows - row) : job->layout.block_rows;
    if (block && block->first != row) quantize(job, row, rows, block);
    /* Tiles of nearly equal height: 8 rows are 4 + 4, not 6 + 2, whose second tile would starve. */
    const int tiles = (rows + FV_TILE_ROWS - 1) / FV_TILE_ROWS;
    const long long left = last - first < job->panels - panel ? last - first : job->panels - panel;
    const int most = panels_at_once(job, rows), taken = left >= most ? most : 1;
    /*
     * The tiles of a block fetch the next panel, a share each. A single tile fetches what it will need itself
     * before long, or, where it takes several panels, the next ones: so memory is read as one stream.
     */
    const long long panel_bytes = job->layout.panel_bytes, steps = panel_bytes / bytes;
    const long long step = is_alone(job, rows) ? 0 : tiles > 1 ? (bytes + tiles - 1) / tiles : taken * bytes;
    const long long behind = tiles == 1 && taken == 1 ? FV_TILE_AHEAD_BYTES : taken * panel_bytes;
    for (int t = 0; t < tiles; t++) {
      const int begin = (int)((long long)rows * t / tiles), end = (int)((long long)rows * (t + 1) / tiles);
      const char *ahead = job->weights + panel * panel_bytes + behind + t * steps * step;
      run_tile(job, block, &(tile){row + begin, panel, end - begin, taken, ahead, step});
    }
    first += taken;
  }
}

static __attribute__((noinline)) void run_quantized(const fv_linear_job *job, long long first, long long last) {
  quantized_block block;
  block.first = -1;
  run(job, first, last, &block);
}

void FV_NAME(linear)(const fv_linear_job *job, long long first, long long last) {
  if (job->dtype == FOVEA_DTYPE_I8) {
    run_quantized(job, first, last);
  } else {
    run(job, first, last, 0);
  }
}
