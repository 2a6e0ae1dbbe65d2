/* fovea_linear and its packing: checks, then the kernel over blocks of rows and panels. */
#include "engine.h"
#include "ops/linear/linear.h"
#include "validate.h"

/* A block of x of this many bytes leaves half of a common L2 to the panels. */
#define BLOCK_BYTES (192 * 1024)

static int panel_of(const fovea_engine *engine) { return engine->kernels->linear_column_tile; }

static long long panels_of(const fovea_engine *engine, int outputs) {
  return ((long long)outputs + panel_of(engine) - 1) / panel_of(engine);
}

/* *bytes of header and panels. */
static int check_packed_bytes(const fovea_engine *engine, int outputs, int inputs, int dtype, long long *bytes) {
  FV_REQUIRE(fv_check(outputs >= 1 && inputs >= 1 && dtype == FOVEA_DTYPE_F32));
  long long floats;
  const bool overflows = __builtin_mul_overflow(panels_of(engine, outputs) * panel_of(engine), inputs, &floats) ||
                         __builtin_mul_overflow(floats, (long long)sizeof(float), bytes) ||
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

typedef struct pack_context {
  fv_linear_pack_kernel *kernel;
  fv_linear_pack_job job;
} pack_context;

static void pack_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const pack_context *pack = context;
  pack->kernel(&pack->job, begin, end);
}

int fovea_linear_pack(fovea_engine *engine, const fovea_linear_pack_params *params, const float *weight,
                      void *packed) {
  FV_REQUIRE_PARAMS(engine, params);
  long long needed;
  FV_REQUIRE(check_packed_bytes(engine, params->outputs, params->inputs, params->dtype, &needed));
  FV_REQUIRE(fv_check_pointer(weight));
  FV_REQUIRE(fv_check(params->output_stride >= 0 && params->input_stride >= 0));
  FV_REQUIRE(check_packed(packed, params->packed_bytes, needed));
  if (fv_overflows(params->outputs, params->output_stride, params->inputs, params->input_stride)) {
    return FOVEA_STATUS_OVERFLOW;
  }
  fv_packed_header *header = packed;
  *header = (fv_packed_header){.magic = FV_PACKED_MAGIC,
                               .dtype = params->dtype,
                               .panel = panel_of(engine),
                               .outputs = params->outputs,
                               .inputs = params->inputs};
  pack_context pack = {engine->kernels->linear_pack,
                       {params->outputs, params->inputs, params->output_stride, params->input_stride, weight,
                        (float *)(header + 1)}};
  fv_parallel(engine, panels_of(engine, params->outputs), 1, pack_slice, &pack);
  return FOVEA_STATUS_OK;
}

static int check_linear(const fovea_engine *engine, const fovea_linear_params *p, const float *x,
                        const fv_packed_header *header, const float *bias, const float *residual, const float *out) {
  FV_REQUIRE_PARAMS(engine, p);
  FV_REQUIRE(fv_check(p->activation >= FOVEA_ACTIVATION_NONE && p->activation <= FOVEA_ACTIVATION_GELU_TANH));
  FV_REQUIRE(fv_check(p->reserved == 0));
  long long needed;
  FV_REQUIRE(check_packed_bytes(engine, p->outputs, p->inputs, FOVEA_DTYPE_F32, &needed));
  FV_REQUIRE(check_packed(header, p->packed_bytes, needed));
  FV_REQUIRE(fv_check_matrix(x, p->rows, p->inputs, p->x_stride));
  if (bias) FV_REQUIRE(fv_check_pointer(bias));
  if (residual) FV_REQUIRE(fv_check_matrix(residual, p->rows, p->outputs, p->residual_stride));
  FV_REQUIRE(fv_check_matrix(out, p->rows, p->outputs, p->out_stride));
  FV_REQUIRE(fv_check(residual != out || p->residual_stride == p->out_stride));
  const bool matches = header->magic == FV_PACKED_MAGIC && header->dtype == FOVEA_DTYPE_F32 &&
                       header->panel == panel_of(engine) && header->outputs == p->outputs &&
                       header->inputs == p->inputs;
  return matches ? FOVEA_STATUS_OK : FOVEA_STATUS_MISMATCH;
}

typedef struct linear_context {
  fv_linear_kernel *kernel;
  fv_linear_job job;
} linear_context;

static void linear_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const linear_context *linear = context;
  linear->kernel(&linear->job, begin, end);
}

/* A multiple of the row tile whose rows of x fill BLOCK_BYTES. */
static int block_rows(const fovea_engine *engine, int inputs) {
  const int tile = engine->kernels->linear_row_tile;
  const long long tiles = BLOCK_BYTES / ((long long)inputs * (long long)sizeof(float) * tile);
  return tiles < 1 ? tile : (int)tiles * tile;
}

int fovea_linear(fovea_engine *engine, const fovea_linear_params *params, const float *x, const void *packed,
                 const float *bias, const float *residual, float *out) {
  const fv_packed_header *header = packed;
  FV_REQUIRE(check_linear(engine, params, x, header, bias, residual, out));
  const int rows = block_rows(engine, params->inputs);
  const long long blocks = ((long long)params->rows + rows - 1) / rows, panels = panels_of(engine, params->outputs);
  linear_context linear = {engine->kernels->linear,
                           {.rows = params->rows,
                            .inputs = params->inputs,
                            .outputs = params->outputs,
                            .activation = params->activation,
                            .block_rows = rows,
                            .panels = (int)panels,
                            .x_stride = params->x_stride,
                            .residual_stride = params->residual_stride,
                            .out_stride = params->out_stride,
                            .x = x,
                            .weights = (const float *)(header + 1),
                            .bias = bias,
                            .residual = residual,
                            .out = out}};
  const long long item_work =
      (long long)(params->rows < rows ? params->rows : rows) * panel_of(engine) * params->inputs;
  fv_parallel(engine, blocks * panels, fv_grain_of_products(item_work), linear_slice, &linear);
  return FOVEA_STATUS_OK;
}
