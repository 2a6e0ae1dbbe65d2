/* fovea_embedding: checks, then the kernel over tokens. */
#include "ops/embedding/embedding.h"

#include "engine.h"
#include "validate.h"

/* That what a sequence had before and has now, behind first_position, are rows of the position table. */
static int check_positions(const fovea_embedding_params *p, const int *offsets, const int *starts) {
  if (p->first_position > p->positions) return FOVEA_STATUS_OUT_OF_RANGE;
  for (int s = 0; s < p->sequences; s++) {
    const int left = p->positions - p->first_position, start = starts ? starts[s] : 0;
    if (start > left || offsets[s + 1] - offsets[s] > left - start) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

static int check_starts(const fovea_embedding_params *p, const int *starts) {
  for (int s = 0; starts && s < p->sequences; s++) {
    if (starts[s] < 0) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

static int check_ids(const fovea_embedding_params *p, const int *ids, int tokens) {
  for (int t = 0; t < tokens; t++) {
    if (ids[t] < 0 || ids[t] >= p->vocabulary) return FOVEA_STATUS_OUT_OF_RANGE;
  }
  return FOVEA_STATUS_OK;
}

static int check_words(const fovea_embedding_params *p, const fv_stored *words) {
  FV_REQUIRE(fv_check_stored(words));
  FV_REQUIRE(fv_check(p->words_layout != FOVEA_LAYOUT_F32 || fv_is_aligned(words->values, 4)));
  FV_REQUIRE(fv_check(p->width % words->layout->block_values == 0));
  return fv_overflows(p->vocabulary, p->width, 1, 0) ? FOVEA_STATUS_OVERFLOW : FOVEA_STATUS_OK;
}

static int check(const fovea_embedding_params *p, const int *ids, const int *offsets, const int *starts,
                 const fv_stored *words, const float *position_table, const float *type,
                 const float *out) {
  FV_REQUIRE(fv_check(p->sequences >= 0 && p->width >= 1 && p->vocabulary >= 0));
  FV_REQUIRE(fv_check(p->positions >= 0 && p->first_position >= 0 && p->reserved == 0));
  FV_REQUIRE(fv_check(p->scale - p->scale == 0)); /* false for NaN and the infinities */
  FV_REQUIRE(fv_check_pointer(ids));
  FV_REQUIRE(fv_check_pointer(offsets));
  FV_REQUIRE(check_words(p, words));
  if (position_table) FV_REQUIRE(fv_check_matrix(position_table, p->positions, p->width, p->width));
  FV_REQUIRE(fv_check(fv_is_aligned(type, 4) && fv_is_aligned(starts, 4)));
  FV_REQUIRE(fv_check_offsets(p->sequences, offsets));
  const int tokens = offsets[p->sequences];
  FV_REQUIRE(fv_check_matrix(out, tokens, p->width, p->out_stride));
  FV_REQUIRE(check_starts(p, starts));
  if (position_table) FV_REQUIRE(check_positions(p, offsets, starts));
  return check_ids(p, ids, tokens);
}

typedef struct embedding_context {
  fv_embedding_kernel *kernel;
  fv_embedding_job job;
} embedding_context;

static void embedding_slice(void *context, long long begin, long long end, int worker) {
  (void)worker;
  const embedding_context *embedding = context;
  embedding->kernel(&embedding->job, begin, end);
}

int fovea_embedding(fovea_engine *engine, const fovea_embedding_params *params, const int *ids, const int *offsets,
                    const int *starts, const void *words, const float *words_scales, const int *words_zero_points,
                    const float *position_table, const float *type, float *out) {
  FV_REQUIRE_PARAMS(engine, params);
  const fv_stored stored = {engine->kernels->layout(params->words_layout), words, words_scales, words_zero_points,
                            params->scale_stride};
  FV_REQUIRE(check(params, ids, offsets, starts, &stored, position_table, type, out));
  const long long width = params->width;
  embedding_context embedding = {
      engine->kernels->embedding,
      {.sequences = params->sequences,
       .width = params->width,
       .ids = ids,
       .offsets = offsets,
       .starts = starts,
       .scale = params->scale,
       .words = stored,
       .floats = params->words_layout == FOVEA_LAYOUT_F32 ? words : NULL,
       .positions = position_table ? position_table + params->first_position * width : 0,
       .type = type,
       .out_stride = params->out_stride,
       .out = out}};
  fv_parallel(engine, offsets[params->sequences], fv_grain(width), embedding_slice, &embedding);
  return FOVEA_STATUS_OK;
}
