/* Plans CACHE_APPEND, a step's or a direct call's. */
#include "cuda/ops/cache/cache.h"

#include <string.h>

#include "cuda/ops/planning.h"

static void take_step(fv_cache_append_args *a, const fovea_cuda_step *s, const fv_operands *o) {
  a->dtype = o->x.dtype;
  a->cache_dtype = o->group.dtype;
  a->kv_heads = s->kv_heads;
  a->head_dim = s->head_dim;
  a->value_dim = s->value_dim;
  a->pages_each = o->group.pages_each;
  a->rope_layout = s->rope;
  a->rope_dim = s->rope_dim;
  a->rope_positions = s->rope_positions;
  a->k_token = o->x.stride;
  a->k_head = s->head_dim;
  a->v_token = o->y.stride;
  a->v_head = s->value_dim;
}

static void take_call(fv_cache_append_args *a, const fovea_cache_append_params *d) {
  a->dtype = d->dtype;
  a->cache_dtype = d->cache_dtype;
  a->kv_heads = d->kv_heads;
  a->head_dim = d->head_dim;
  a->value_dim = d->value_dim;
  a->pages_each = d->page_table_stride;
  a->rope_layout = d->rope;
  a->rope_dim = d->rope_dim;
  a->rope_positions = d->rope_positions;
  a->k_sequence = d->k_sequence_stride;
  a->k_token = d->k_token_stride;
  a->k_head = d->k_head_stride;
  a->v_sequence = d->v_sequence_stride;
  a->v_token = d->v_token_stride;
  a->v_head = d->v_head_stride;
}

int fv_plan_cache_append(const fv_target *target, const fovea_cuda_step *step, const fv_operands *operands,
                         fv_scratch *scratch, fv_launches *launches) {
  (void)scratch;
  fv_cache_append_args a;
  memset(&a, 0, sizeof a);
  if (operands->direct_append) {
    take_call(&a, operands->direct_append);
  } else {
    take_step(&a, step, operands);
  }
  a.batch = target->batch;
  a.lengths = operands->group.lengths;
  a.page_table = operands->group.page_table;
  a.k = operands->x.data;
  a.v = operands->y.data;
  a.k_pages = operands->keys;
  a.v_pages = operands->values;
  a.rope = a.rope_layout == FOVEA_ROPE_NONE ? 0 : (unsigned long long)step->constants[0];
  if (a.kv_heads < 1 || a.head_dim < 1 || a.value_dim < 1 || !fv_is_dtype(a.dtype) || !fv_is_dtype(a.cache_dtype) ||
      !a.lengths || !a.page_table) {
    return FOVEA_STATUS_INVALID_ARGUMENT;
  }
  const int grid[3] = {target->max_tokens, 1, 1}, block[3] = {FV_CACHE_THREADS, 1, 1};
  return fv_launches_add(launches, "fv_cache_append", grid, block, 0, &a, sizeof a);
}
