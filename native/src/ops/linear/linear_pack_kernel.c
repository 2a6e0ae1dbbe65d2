/* The layout of packed weights and the kernel that packs them, compiled once per ISA. Contract in linear.h. */
#include "fovea/fovea.h"
#include "ops/linear/linear.h"
#include "ops/linear/part.h"
#include "simd/block.h"
#include "simd/dot.h"
#include "simd/half.h"
#include "simd/pairs.h"
#include "simd/transpose.h"

fv_layout_kernel FV_FLOATS(layout);
fv_stored_read_kernel FV_FLOATS(stored_read);
fv_linear_pack_kernel FV_BYTES(linear_pack_blocks);

/* A block of x of this many bytes leaves half of a common L2 to the panels. */
#define BLOCK_BYTES (192 * 1024)

/* A block of x is in eight bits, and all of a block's sums are kept. */
static fv_linear_layout block_layout(int dtype, int inputs) {
  const long long row_bytes = fv_chunks(inputs) * FV_CHUNK_WORDS * 4, rows = FV_NARROW_BYTES / row_bytes;
  return (fv_linear_layout){.panel_bytes = fv_form_bytes(fv_form_of(dtype), inputs) * FV_PANEL,
                            .rounded_row_bytes = row_bytes,
                            .rounded_block_rows = FV_CELL_ROWS,
                            .block_rows = (int)(rows < FV_CELL_ROWS ? rows : FV_CELL_ROWS)};
}

fv_linear_layout FV_NAME(linear_layout)(int dtype, int inputs) {
  if (fv_is_block(dtype)) return block_layout(dtype, inputs);
  fv_linear_layout layout = {0};
  long long row_bytes = (long long)inputs * (long long)sizeof(float), block_bytes = BLOCK_BYTES;
  switch (dtype) {
    case FOVEA_DTYPE_BF16:
      layout.panel_bytes = row_bytes * FV_LANES;
      if (fv_is_paired(dtype, inputs)) {
        layout.panel_bytes = fv_pairs(inputs) * FV_PANEL * 4;
        row_bytes = fv_pairs(inputs) * 4;
        block_bytes = FV_NARROW_BYTES;
      }
      break;
    case FOVEA_DTYPE_F16:
      layout.panel_bytes = row_bytes * FV_LANES;
      break;
    case FOVEA_DTYPE_I8:
      layout.panel_bytes = FV_PANEL * ((long long)sizeof(float) + fv_dot_groups(inputs) * FV_DOT_GROUP);
      row_bytes = fv_dot_groups(inputs) * 4;
      block_bytes = FV_NARROW_BYTES;
      break;
    default:
      layout.panel_bytes = row_bytes * FV_PANEL;
      break;
  }
  long long rows = block_bytes / row_bytes;
  const bool narrow = dtype == FOVEA_DTYPE_I8 || fv_is_paired(dtype, inputs);
  if (narrow && rows > FV_NARROW_ROWS) rows = FV_NARROW_ROWS;
  if (!narrow && rows < FV_TILE_ROWS) rows = FV_TILE_ROWS;
  layout.block_rows = (int)rows;
  if (narrow) {
    layout.rounded_row_bytes = row_bytes + (long long)(sizeof(float) + sizeof(int32_t)); /* with its scale and start */
    layout.rounded_block_rows = layout.block_rows;
  }
  return layout;
}

/* Inputs of a panel that are floats at a time: they fit the nearest cache, and are whole blocks of any layout. */
enum { CHUNK = 64 };

/* Whether a run of the weight's bytes is one of floats already. */
static bool is_float(const fv_stored *weight) { return weight->layout == FV_FLOATS(layout)(FOVEA_LAYOUT_F32); }

static bool is_whole(const fv_part *of) { return of->low == 0 && of->end == FV_PANEL; }

/* rows: FV_PANEL rows of count floats of any alignment, row_bytes apart; chunk [count][FV_PANEL] is turned. */
static void turn(const char *rows, long long row_bytes, int count, float *chunk) {
  const int whole = count / FV_LANES * FV_LANES;
  for (int v = 0; v < FV_PANEL_VECTORS; v++) {
    const char *from = rows + v * FV_LANES * row_bytes;
    for (int i = 0; i < whole; i += FV_LANES) {
      fv_f32 square[FV_LANES];
      FV_UNROLL for (int j = 0; j < FV_LANES; j++) memcpy(&square[j], from + j * row_bytes + i * 4LL, sizeof square[j]);
      fv_transpose(square);
      FV_UNROLL for (int j = 0; j < FV_LANES; j++) fv_store(chunk + (i + j) * FV_PANEL + v * FV_LANES, square[j]);
    }
  }
  for (int i = whole; i < count; i++) {
    for (int j = 0; j < FV_PANEL; j++) memcpy(chunk + i * FV_PANEL + j, rows + j * row_bytes + i * 4LL, sizeof *chunk);
  }
}

/* The rows of the weight lie in one piece, or no run of it does: read each, then turn them. */
static void read_rows(const fv_linear_pack_job *job, const fv_part *of, long long input, int count, float *chunk) {
  const fv_stored *weight = &job->weight;
  if (is_float(weight) && job->input_stride == 1 && of->low == 0 && of->high == FV_PANEL) {
    turn(weight->values + (of->row * job->output_stride + input) * 4, job->output_stride * 4, count, chunk);
    return;
  }
  float rows[FV_PANEL][CHUNK];
  memset(rows, 0, (size_t)of->low * sizeof *rows);
  for (int j = of->low; j < of->high; j++) {
    const long long row = of->row + j - of->low;
    FV_FLOATS(stored_read)(weight, row, row * job->output_stride + input * job->input_stride, job->input_stride, count,
                         rows[j]);
  }
  memset(rows + of->high, 0, (size_t)(FV_PANEL - of->high) * sizeof *rows);
  turn((const char *)rows, sizeof *rows, count, chunk);
}

/* The columns of the weight lie in one piece: a run of it is a row of the panel. */
static void read_columns(const fv_linear_pack_job *job, const fv_part *of, long long input, int count, float *chunk) {
  const fv_stored *weight = &job->weight;
  const int width = of->high - of->low;
  if (width < FV_PANEL) memset(chunk, 0, (size_t)count * FV_PANEL * sizeof *chunk);
  for (int i = 0; i < count; i++) {
    const long long at = of->row + (input + i) * job->input_stride;
    float *row = chunk + i * FV_PANEL;
    if (is_float(weight) && width == FV_PANEL) {
      memcpy(row, weight->values + at * 4, FV_PANEL * sizeof *row);
    } else {
      weight->layout->read(weight->values, at, 1, width, row + of->low);
    }
  }
  if (!weight->layout->scaled) return;
  float scales[FV_PANEL] = {0}, zeros[FV_PANEL] = {0};
  for (int j = 0; j < width; j++) {
    scales[of->low + j] = fv_stored_scale(weight, of->row + j);
    zeros[of->low + j] = fv_stored_zero(weight, of->row + j);
  }
  for (float *row = chunk; row < chunk + count * FV_PANEL; row += FV_PANEL) {
    for (int j = 0; j < FV_PANEL; j++) row[j] = scales[j] * (row[j] - zeros[j]);
  }
}

/* Inputs [input, input + count) of a panel, count at most CHUNK: chunk [count][FV_PANEL], 0 where there is no value. */
static void read_chunk(const fv_linear_pack_job *job, const fv_part *of, long long input, int count, float *chunk) {
  if (job->output_stride == 1 && job->input_stride != 1) {
    read_columns(job, of, input, count, chunk);
  } else {
    read_rows(job, of, input, count, chunk);
  }
}

static int chunk_of(const fv_linear_pack_job *job, long long input) {
  return job->inputs - input < CHUNK ? (int)(job->inputs - input) : CHUNK;
}

static void pack_f32(const fv_linear_pack_job *job, const fv_part *of, float *to) {
  float chunk[CHUNK * FV_PANEL];
  for (long long input = 0; input < job->inputs; input += CHUNK) {
    const int count = chunk_of(job, input);
    float *at = to + input * FV_PANEL;
    if (is_whole(of)) {
      read_chunk(job, of, input, count, at);
      continue;
    }
    read_chunk(job, of, input, count, chunk);
    for (int i = 0; i < count * FV_PANEL; i += FV_PANEL) {
      memcpy(at + i + of->low, chunk + i + of->low, (size_t)(of->end - of->low) * sizeof *at);
    }
  }
}

static void pack_bf16(const fv_linear_pack_job *job, const fv_part *of, uint32_t *to) {
  float chunk[CHUNK * FV_PANEL];
  for (long long input = 0; input < job->inputs; input += CHUNK) {
    const int count = chunk_of(job, input);
    read_chunk(job, of, input, count, chunk);
    for (int i = 0; i < count; i++, to += FV_LANES) {
      const float *row = chunk + i * FV_PANEL;
      if (is_whole(of)) {
        for (int j = 0; j < FV_LANES; j++) to[j] = fv_to_bf16(row[j]) | (uint32_t)fv_to_bf16(row[j + FV_LANES]) << 16;
        continue;
      }
      for (int j = of->low; j < of->end; j++) {
        const int shift = j / FV_LANES * 16;
        uint32_t *word = to + j % FV_LANES;
        *word = (*word & ~(0xffffu << shift)) | (uint32_t)fv_to_bf16(row[j]) << shift;
      }
    }
  }
}

static void pack_f16(const fv_linear_pack_job *job, const fv_part *of, uint16_t *to) {
  float chunk[CHUNK * FV_PANEL];
  for (long long input = 0; input < job->inputs; input += CHUNK) {
    const int count = chunk_of(job, input);
    read_chunk(job, of, input, count, chunk);
    for (int i = 0; i < count; i++, to += FV_PANEL) {
      uint16_t halves[FV_PANEL];
      for (int v = 0; v < FV_PANEL_VECTORS; v++) fv_store_f16(halves + v * FV_LANES, fv_load(chunk + i * FV_PANEL + v * FV_LANES));
      memcpy(to + of->low, halves + of->low, (size_t)(of->end - of->low) * sizeof *to);
    }
  }
}

/* Pairs of inputs, where the ISA multiplies those. */
static void pack_pairs(const fv_linear_pack_job *job, const fv_part *of, uint32_t *to) {
  float chunk[(CHUNK + 1) * FV_PANEL];
  for (long long input = 0; input < job->inputs; input += CHUNK) {
    const int count = chunk_of(job, input);
    read_chunk(job, of, input, count, chunk);
    memset(chunk + count * FV_PANEL, 0, FV_PANEL * sizeof *chunk);
    for (int i = 0; i < count; i += 2, to += FV_PANEL) {
      const float *row = chunk + i * FV_PANEL;
      for (int j = of->low; j < of->end; j++) to[j] = fv_pair(row[j], row[j + FV_PANEL]);
    }
  }
}

/* The scales of a panel's columns, [FV_PANEL], and their inverses. */
static void measure_i8(const fv_linear_pack_job *job, const fv_part *of, float *scales, fv_f32 *inverses) {
  float chunk[CHUNK * FV_PANEL];
  fv_range ranges[FV_PANEL_VECTORS] = {0};
  for (long long input = 0; input < job->inputs; input += CHUNK) {
    const int count = chunk_of(job, input);
    read_chunk(job, of, input, count, chunk);
    for (int i = 0; i < count; i++) {
      for (int v = 0; v < FV_PANEL_VECTORS; v++) {
        fv_range_add(&ranges[v], fv_load(chunk + i * FV_PANEL + v * FV_LANES));
      }
    }
  }
  for (int v = 0; v < FV_PANEL_VECTORS; v++) {
    const fv_f32 peak = fv_max(ranges[v].peak, fv_set(FV_SMALLEST_PEAK)) + ranges[v].stray;
    fv_store(scales + v * FV_LANES, peak / 127);
    inverses[v] = 127 / peak;
  }
}

/* Columns [low, end) of one input, [FV_PANEL] of which begin at row. */
FV_INLINE void put_i8(const float *row, const fv_f32 *inverses, int low, int end, char *group) {
  int32_t rounded[FV_PANEL];
  for (int v = 0; v < FV_PANEL_VECTORS; v++) {
    const fv_i32 lanes = fv_round(fv_load(row + v * FV_LANES) * inverses[v]);
    memcpy(rounded + v * FV_LANES, &lanes, sizeof lanes);
  }
  for (int j = low; j < end; j++) group[j * FV_DOT_GROUP] = (char)(rounded[j] + FV_DOT_OFFSET);
}

static void pack_i8(const fv_linear_pack_job *job, const fv_part *of, char *panel) {
  float chunk[CHUNK * FV_PANEL], scales[FV_PANEL];
  fv_f32 inverses[FV_PANEL_VECTORS];
  measure_i8(job, of, scales, inverses);
  memcpy(panel + of->low * sizeof *scales, scales + of->low, (size_t)(of->end - of->low) * sizeof *scales);
  char *to = panel + sizeof scales;
  long long i = 0;
  for (; i < job->inputs; i++) {
    if (i % CHUNK == 0) read_chunk(job, of, i, chunk_of(job, i), chunk);
    const float *row = chunk + i % CHUNK * FV_PANEL;
    char *group = to + i / FV_DOT_GROUP * FV_DOT_GROUP * FV_PANEL + i % FV_DOT_GROUP;
    if (is_whole(of)) {
      put_i8(row, inverses, 0, FV_PANEL, group);
    } else {
      put_i8(row, inverses, of->low, of->end, group);
    }
  }
  for (; i % FV_DOT_GROUP != 0; i++) {
    char *group = to + i / FV_DOT_GROUP * FV_DOT_GROUP * FV_PANEL + i % FV_DOT_GROUP;
    for (int j = of->low; j < of->end; j++) group[j * FV_DOT_GROUP] = (char)FV_DOT_OFFSET;
  }
}

void FV_NAME(linear_pack)(const fv_linear_pack_job *job, long long first, long long last) {
  if (fv_is_block(job->dtype)) {
    FV_BYTES(linear_pack_blocks)(job, first, last);
    return;
  }
  for (long long p = first; p < last; p++) {
    const fv_part of = fv_part_of(job, p);
    char *panel = job->panels + p * job->panel_bytes;
    switch (job->dtype) {
      case FOVEA_DTYPE_BF16:
        (fv_is_paired(job->dtype, job->inputs) ? pack_pairs : pack_bf16)(job, &of, (uint32_t *)panel);
        break;
      case FOVEA_DTYPE_F16:
        pack_f16(job, &of, (uint16_t *)panel);
        break;
      case FOVEA_DTYPE_I8:
        pack_i8(job, &of, panel);
        break;
      default:
        pack_f32(job, &of, (float *)panel);
        break;
    }
  }
}
