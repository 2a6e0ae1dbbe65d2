/* Making, describing and destroying an engine. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "cpu_features.h"
#include "scratch.h"

enum { MAX_THREADS = 1024, MAX_SPIN_MICROS = 1000000, DEFAULT_SPIN_MICROS = 50, ISA_CODES = 32 };

/* The best table that runs here: the last of cmake/isa.cmake whose instructions are worth it. */
static const fv_kernels *best_kernels(void) {
  for (int isa = ISA_CODES - 1; isa > 0; isa--) {
    const fv_kernels *kernels = fv_kernels_find(isa);
    if (kernels && !(isa == FOVEA_ISA_AVX512BF16 && fv_has_slow_bf16())) return kernels;
  }
  return fv_kernels_find(FOVEA_ISA_BASELINE);
}

static const fv_kernels *kernels_named(const char *name) {
  for (int isa = 0; isa < ISA_CODES; isa++) {
    if (strcmp(name, fovea_isa_name(isa)) == 0) return fv_kernels_find(isa);
  }
  return NULL;
}

static const fv_kernels *choose_kernels(int isa) {
  if (isa != FOVEA_ISA_AUTO) return fv_kernels_find(isa);
  const char *name = getenv("FOVEA_ISA");
  return name && *name ? kernels_named(name) : best_kernels();
}

/* Spinning helps only while every thread has a processor to itself. */
static int default_spin(int threads, int cpus) { return threads > cpus ? 0 : DEFAULT_SPIN_MICROS; }

static int check_options(const fovea_engine_options *options) {
  if (options->struct_size != (int)sizeof *options) return FOVEA_STATUS_INVALID_ARGUMENT;
  if (options->threads < 0 || options->threads > MAX_THREADS) return FOVEA_STATUS_INVALID_ARGUMENT;
  if (options->spin_micros < -1 || options->spin_micros > MAX_SPIN_MICROS) return FOVEA_STATUS_INVALID_ARGUMENT;
  if (options->isa < FOVEA_ISA_AUTO || options->isa > FOVEA_ISA_NEONBF16) return FOVEA_STATUS_INVALID_ARGUMENT;
  return FOVEA_STATUS_OK;
}

int fovea_engine_create(const fovea_engine_options *options, fovea_engine **engine) {
  if (!options || !engine) return FOVEA_STATUS_NULL_POINTER;
  const int invalid = check_options(options);
  if (invalid) return invalid;
  const fv_kernels *kernels = choose_kernels(options->isa);
  if (!kernels) return FOVEA_STATUS_UNSUPPORTED;

  fovea_engine *made = calloc(1, sizeof *made);
  if (!made) return FOVEA_STATUS_OUT_OF_MEMORY;
  const int cpus = fv_cpu_count();
  made->threads = options->threads > 0 ? options->threads : cpus < MAX_THREADS ? cpus : MAX_THREADS;
  made->spin_micros = options->spin_micros >= 0 ? options->spin_micros : default_spin(made->threads, cpus);
  made->kernels = kernels;
  if (made->threads > 1) {
    const int refused = fv_pool_create(made->threads, made->spin_micros, &made->pool);
    if (refused) {
      free(made);
      return refused;
    }
  }
  *engine = made;
  return FOVEA_STATUS_OK;
}

int fovea_engine_describe(const fovea_engine *engine, fovea_engine_info *info) {
  if (!engine || !info) return FOVEA_STATUS_NULL_POINTER;
  if (info->struct_size != (int)sizeof *info) return FOVEA_STATUS_INVALID_ARGUMENT;
  info->threads = engine->threads;
  info->spin_micros = engine->spin_micros;
  info->isa = engine->kernels->isa;
  info->linear_row_tile = engine->kernels->linear_row_tile;
  info->linear_column_tile = engine->kernels->linear_column_tile;
  return FOVEA_STATUS_OK;
}

int fovea_engine_destroy(fovea_engine *engine) {
  if (!engine) return FOVEA_STATUS_NULL_POINTER;
  if (engine->pool) fv_pool_destroy(engine->pool);
  fv_scratch_free(engine);
  free(engine);
  return FOVEA_STATUS_OK;
}
