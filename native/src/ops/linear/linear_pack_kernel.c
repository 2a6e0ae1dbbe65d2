/* The layout of packed weights and the kernel that packs them, compiled once per ISA. Contract in linear.h. */
#include "fovea/fovea.h"
#include "ops/linear/linear.h"
#include "simd/dot.h"
#include "simd/half.h"

/* A block of x of this many bytes leaves half of a common L2 to the panels. */
#define BLOCK_BYTES (192 * 1024)

fv_linear_layout FV_NAME(linear_layout)(int dtype, int inputs) {
  fv_linear_layout layout;
  long long row_bytes = (long long)inputs * (long long)sizeof(float), block_bytes = BLOCK_BYTES;
  switch (dtype) {
    case FOVEA_DTYPE_BF16:
      layout.panel_bytes = row_bytes * FV_LANES;
      break;
    case FOVEA_DTYPE_I8:
      layout.panel_bytes = FV_PANEL * ((long long)sizeof(float) + fv_dot_groups(inputs) * FV_DOT_GROUP);
      row_bytes = fv_dot_groups(inputs) * 4;
      block_bytes = FV_QUANTIZED_BYTES;
      break;
    default:
      layout.panel_bytes = row_bytes * FV_PANEL;
      break;
  }
  long long rows = block_bytes / row_bytes;
  if (dtype == FOVEA_DTYPE_I8 && rows > FV_QUANTIZED_ROWS) rows = FV_QUANTIZED_ROWS;
  if (dtype != FOVEA_DTYPE_I8 && rows < FV_TILE_ROWS) rows = FV_TILE_ROWS;
  layout.block_rows = (int)rows;
  return layout;
}

/* Input i of columns [column, column + FV_PANEL), those from width on 0: row [FV_PANEL]. */
static void read_row(const fv_linear_pack_job *job, long long column, int width, long long i, float *row) {
  const long long stride = job->output_stride * (long long)sizeof(float);
  const char *from = job->weight + column * stride + i * job->input_stride * (long long)sizeof(float);
  if (job->output_stride == 1 && width == FV_PANEL) {
    memcpy(row, from, FV_PANEL * sizeof(float));
  } else {
    for (int j = 0; j < width; j++) memcpy(row + j, from + j * stride, sizeof(float));
    for (int j = width; j < FV_PANEL; j++) row[j] = 0;
  }
}

static void pack_f32(const fv_linear_pack_job *job, long long column, int width, float *to) {
  for (long long i = 0; i < job->inputs; i++) read_row(job, column, width, i, to + i * FV_PANEL);
}

static void pack_bf16(const fv_linear_pack_job *job, long long column, int width, uint32_t *to) {
  float row[FV_PANEL];
  for (long long i = 0; i < job->inputs; i++, to += FV_LANES) {
    read_row(job, column, width, i, row);
    for (int j = 0; j < FV_LANES; j++) to[j] = fv_to_bf16(row[j]) | (uint32_t)fv_to_bf16(row[j + FV_LANES]) << 16;
  }
}

static void pack_i8(const fv_linear_pack_job *job, long long column, int width, char *panel) {
  float row[FV_PANEL], *scales = (float *)panel;
  fv_range ranges[FV_PANEL_VECTORS] = {0};
  for (long long i = 0; i < job->inputs; i++) {
    read_row(job, column, width, i, row);
    for (int v = 0; v < FV_PANEL_VECTORS; v++) fv_range_add(&ranges[v], fv_load(row + v * FV_LANES));
  }
  fv_f32 inverses[FV_PANEL_VECTORS];
  for (int v = 0; v < FV_PANEL_VECTORS; v++) {
    const fv_f32 peak = fv_max(ranges[v].peak, fv_set(FV_SMALLEST_PEAK)) + ranges[v].stray;
    fv_store(scales + v * FV_LANES, peak / 127);
    inverses[v] = 127 / peak;
  }
  char *to = panel + FV_PANEL * sizeof(float);
  const long long padded = fv_dot_groups(job->inputs) * FV_DOT_GROUP;
  for (long long i = 0; i < padded; i++) {
    int32_t rounded[FV_PANEL] = {0};
    if (i < job->inputs) {
      read_row(job, column, width, i, row);
      for (int v = 0; v < FV_PANEL_VECTORS; v++) {
        const fv_i32 lanes = fv_round(fv_load(row + v * FV_LANES) * inverses[v]);
        memcpy(rounded + v * FV_LANES, &lanes, sizeof lanes);
      }
    }
    char *group = to + i / FV_DOT_GROUP * FV_DOT_GROUP * FV_PANEL + i % FV_DOT_GROUP;
    for (int j = 0; j < FV_PANEL; j++) group[j * FV_DOT_GROUP] = (char)(rounded[j] + FV_DOT_OFFSET);
  }
}

void FV_NAME(linear_pack)(const fv_linear_pack_job *job, long long first, long long last) {
  for (long long p = first; p < last; p++) {
    const long long column = p * FV_PANEL;
    const int width = job->outputs - column < FV_PANEL ? (int)(job->outputs - column) : FV_PANEL;
    char *panel = job->panels + p * job->panel_bytes;
    switch (job->dtype) {
      case FOVEA_DTYPE_BF16:
        pack_bf16(job, column, width, (uint32_t *)panel);
        break;
      case FOVEA_DTYPE_I8:
        pack_i8(job, column, width, panel);
        break;
      default:
        pack_f32(job, column, width, (float *)panel);
        break;
    }
  }
}
