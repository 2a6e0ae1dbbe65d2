/* fovea_cache_append: checks, then the kernel over new tokens. */
#include "engine.h"
#include "ops/attention/check.h"
#include "ops/cache/cache.h"

typedef struct append_loop {
  fv_cache_append_kernel *kernel;
  const fv_cache_append_job *job;
} append_loop;

static void append_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const append_loop *loop = context;
  loop->kernel(loop->job, begin, end);
}

int fovea_cache_append(fovea_engine *engine, const fovea_cache_append_params *params, const void *k, const void *v,
                       const int *offsets, const int *lengths, const int *page_table, const float *rope_table,
                       void *k_pages, void *v_pages) {
  const fv_cache_append_job job = {.params = params,
                                   .k = k,
                                   .v = v,
                                   .offsets = offsets,
                                   .lengths = lengths,
                                   .page_table = page_table,
                                   .rope_table = rope_table,
                                   .k_pages = k_pages,
                                   .v_pages = v_pages};
  FV_REQUIRE_PARAMS(engine, params);
  FV_REQUIRE(fv_check_cache_append(&job));
  append_loop loop = {engine->kernels->cache_append, &job};
  const long long token = (long long)params->kv_heads * ((long long)params->head_dim + params->value_dim);
  fv_parallel(engine, offsets[params->sequences], fv_grain(token), append_slice, &loop);
  return FOVEA_STATUS_OK;
}
