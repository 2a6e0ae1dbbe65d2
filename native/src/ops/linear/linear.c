/* fovea_linear and its packing: checks, then the kernel over blocks of rows and panels. */
#include "engine.h"
#include "ops/linear/linear.h"
#include "scratch.h"
#include "validate.h"

static int panel_of(const fovea_engine *engine) { return engine->kernels->linear_column_tile; }

static long long panels_of(const fovea_engine *engine, int outputs) {
  return ((long long)outputs + panel_of(engine) - 1) / panel_of(engine);
}

/* Whether weights may be packed so: as one of the types, or as a layout of blocks. */
static bool is_stored(const fovea_engine *engine, int dtype, int inputs) {
  if (dtype == FOVEA_DTYPE_F32 || dtype == FOVEA_DTYPE_BF16 || dtype == FOVEA_DTYPE_F16) return true;
  if (dtype == FOVEA_DTYPE_I8) return inputs <= FOVEA_LINEAR_I8_INPUTS;
  const fv_layout *layout = engine->kernels->layout(dtype);
  return layout && layout->block_values > 1 && inputs % layout->block_values == 0 &&
         inputs <= FOVEA_LINEAR_BLOCK_INPUTS;
}

/* *bytes of header and panels. */
static int check_packed_bytes(const fovea_engine *engine, int outputs, int inputs, int dtype, long long *bytes) {
  FV_REQUIRE(fv_check(outputs >= 1 && inputs >= 1 && is_stored(engine, dtype, inputs)));
  const long long panel_bytes = engine->kernels->linear_layout(dtype, inputs).panel_bytes;
  const bool overflows = __builtin_mul_overflow(panels_of(engine, outputs), panel_bytes, bytes) ||
                         __builtin_add_overflow(*bytes, (long long)sizeof(fv_packed_header), bytes);
  return overflows ? FOVEA_STATUS_OVERFLOW : FOVEA_STATUS_OK;
}

int fovea_linear_packed_bytes(const fovea_engine *engine, const fovea_linear_pack_params *params, long long *bytes) {
  FV_REQUIRE_PARAMS(engine, params);
  if (!bytes) return FOVEA_STATUS_NULL_POINTER;
  long long needed;
  FV_REQUIRE(check_packed_bytes(engine, params->outputs, params->inputs, params->dtype, &needed));
  *bytes = needed;
  return FOVEA_STATUS_OK;
}

static int check_packed(const void *packed, long long bytes, long long needed) {
  if (!packed) return FOVEA_STATUS_NULL_POINTER;
  return fv_check(fv_is_aligned(packed, 64) && bytes >= needed);
}

static int check_part(const fovea_linear_pack_params *p, const fv_stored *weight) {
  FV_REQUIRE(fv_check_stored(weight));
  FV_REQUIRE(fv_check(p->first_output >= 0 && p->part_outputs >= 1 && p->first_output <= p->outputs - p->part_outputs));
  FV_REQUIRE(fv_check(p->output_stride >= 0 && p->input_stride >= 0));
  const int block = weight->layout->block_values;
  if (block > 1) {
    FV_REQUIRE(fv_check(p->input_stride == 1 && p->inputs % block == 0 && p->output_stride % block == 0));
  }
  const bool overflows = fv_overflows(p->part_outputs, p->output_stride, p->inputs, p->input_stride);
  return overflows ? FOVEA_STATUS_OVERFLOW : FOVEA_STATUS_OK;
}

typedef struct pack_context {
  fv_linear_pack_kernel *kernel;
  long long first_panel;
  fv_linear_pack_job job;
} pack_context;

static void pack_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const pack_context *pack = context;
  pack->kernel(&pack->job, pack->first_panel + begin, pack->first_panel + end);
}

int fovea_linear_pack(fovea_engine *engine, const fovea_linear_pack_params *params, const void *weight,
                      const float *scales, const int *zero_points, void *packed) {
  FV_REQUIRE_PARAMS(engine, params);
  long long needed;
  FV_REQUIRE(check_packed_bytes(engine, params->outputs, params->inputs, params->dtype, &needed));
  const fv_stored stored = {engine->kernels->layout(params->layout), weight, scales, zero_points,
                            params->scale_stride};
  FV_REQUIRE(check_part(params, &stored));
  FV_REQUIRE(check_packed(packed, params->packed_bytes, needed));
  fv_packed_header *header = packed;
  *header = (fv_packed_header){.magic = FV_PACKED_MAGIC,
                               .dtype = params->dtype,
                               .isa = engine->kernels->isa,
                               .outputs = params->outputs,
                               .inputs = params->inputs};
  pack_context pack = {engine->kernels->linear_pack,
                       params->first_output / panel_of(engine),
                       {.dtype = params->dtype,
                        .outputs = params->outputs,
                        .inputs = params->inputs,
                        .first_output = params->first_output,
                        .part_outputs = params->part_outputs,
                        .output_stride = params->output_stride,
                        .input_stride = params->input_stride,
                        .weight = stored,
                        .panels = (char *)(header + 1),
                        .panel_bytes = engine->kernels->linear_layout(params->dtype, params->inputs).panel_bytes}};
  const long long panels = panels_of(engine, params->first_output + params->part_outputs) - pack.first_panel;
  fv_parallel(engine, panels, 1, pack_slice, &pack);
  return FOVEA_STATUS_OK;
}

/* That the weights are this engine's, of the shape asked for, and all there. */
static int check_header(const fovea_engine *engine, const fovea_linear_params *p, const fv_packed_header *header) {
  FV_REQUIRE(check_packed(header, p->packed_bytes, sizeof *header));
  const bool matches = header->magic == FV_PACKED_MAGIC && header->isa == engine->kernels->isa &&
                       header->outputs == p->outputs && header->inputs == p->inputs &&
                       is_stored(engine, header->dtype, header->inputs);
  if (!matches) return FOVEA_STATUS_MISMATCH;
  long long needed;
  FV_REQUIRE(check_packed_bytes(engine, header->outputs, header->inputs, header->dtype, &needed));
  return fv_check(p->packed_bytes >= needed);
}

static int check_linear(const fovea_engine *engine, const fovea_linear_params *p, const float *x,
                        const fv_packed_header *header, const float *bias, const float *residual, const float *out) {
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->activation >= FOVEA_ACTIVATION_NONE && p->activation <= FOVEA_ACTIVATION_QUICK_GELU));
  FV_REQUIRE(fv_check(p->reserved == 0));
  FV_REQUIRE(fv_check(p->outputs >= 1 && p->inputs >= 1));
  FV_REQUIRE(check_header(engine, p, header));
  FV_REQUIRE(fv_check_matrix(x, p->rows, p->inputs, p->x_stride));
  if (bias) FV_REQUIRE(fv_check_pointer(bias));
  if (residual) FV_REQUIRE(fv_check_matrix(residual, p->rows, p->outputs, p->residual_stride));
  FV_REQUIRE(fv_check_matrix(out, p->rows, p->outputs, p->out_stride));
  return fv_check(residual != out || p->residual_stride == p->out_stride);
}

typedef struct linear_context {
  fv_linear_kernel *kernel;
  fv_linear_round_kernel *round;
  fv_linear_job job;
} linear_context;

static void linear_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const linear_context *linear = context;
  linear->kernel(&linear->job, begin, end);
}

/* The loop over blocks of rows and their panels. */
typedef struct cut {
  int block_rows;
  long long items, grain;
} cut;

/*
 * The cut into blocks of at most most rows, all of nearly equal height: every block streams all weights, so a last one
 * of few rows would cost as much as all others.
 */
static cut cut_rows(const fovea_engine *engine, const fovea_linear_params *p, int most) {
  const long long blocks = ((long long)p->rows + most - 1) / most;
  const int rows = blocks > 0 ? (int)((p->rows + blocks - 1) / blocks) : 1;
  return (cut){rows, blocks * panels_of(engine, p->outputs),
               fv_grain_of_products((long long)rows * panel_of(engine) * p->inputs)};
}

static void round_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const linear_context *linear = context;
  linear->round(&linear->job, begin, end);
}

/*
 * Memory for all rows of x in fewer bits. Null where weights want floats, where a thread that computes alone has room on
 * its stack, and where there is no memory: then every piece of the loop rounds its blocks for itself, with the same bits.
 */
static fv_scratch *take_rounded(fovea_engine *engine, const fv_linear_layout *layout, int rows, bool shared) {
  const long long row_bytes = layout->rounded_row_bytes;
  const bool pays = shared || (rows > layout->block_rows && layout->rounded_block_rows > layout->block_rows);
  if (row_bytes == 0 || !pays) return NULL;
  long long bytes;
  return __builtin_mul_overflow(row_bytes, (long long)rows, &bytes) ? NULL : fv_scratch_take(engine, bytes);
}

int fovea_linear(fovea_engine *engine, const fovea_linear_params *params, const float *x, const void *packed,
                 const float *bias, const float *residual, float *out) {
  const fv_packed_header *header = packed;
  FV_REQUIRE(check_linear(engine, params, x, header, bias, residual, out));
  fv_linear_layout layout = engine->kernels->linear_layout(header->dtype, params->inputs);
  cut loop = cut_rows(engine, params, layout.block_rows);
  fv_scratch *scratch = take_rounded(engine, &layout, params->rows, fv_is_shared(engine, loop.items, loop.grain));
  if (scratch) loop = cut_rows(engine, params, layout.rounded_block_rows);
  layout.block_rows = loop.block_rows;
  linear_context linear = {engine->kernels->linear,
                           engine->kernels->linear_round,
                           {.dtype = header->dtype,
                            .rows = params->rows,
                            .inputs = params->inputs,
                            .outputs = params->outputs,
                            .activation = params->activation,
                            .panels = (int)panels_of(engine, params->outputs),
                            .layout = layout,
                            .x_stride = params->x_stride,
                            .residual_stride = params->residual_stride,
                            .out_stride = params->out_stride,
                            .weights = (const char *)(header + 1),
                            .x = x,
                            .bias = bias,
                            .residual = residual,
                            .out = out,
                            .rounded = scratch ? fv_scratch_memory(scratch) : NULL}};
  if (scratch) fv_parallel(engine, params->rows, fv_grain(params->inputs), round_slice, &linear);
  fv_parallel(engine, loop.items, loop.grain, linear_slice, &linear);
  fv_scratch_give(engine, scratch);
  return FOVEA_STATUS_OK;
}
