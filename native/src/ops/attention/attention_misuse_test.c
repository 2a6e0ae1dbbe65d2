/* What fovea_attention refuses, without having written anything. */
#include "ops/attention/attention_problem.h"

static fovea_engine *engine;

static void check_refused(int status, problem p) { CHECK_STATUS(status, run_problem(engine, &p)); }

/* The good call with one place changed. */
#define REFUSE(status, place, value) \
  do {                               \
    problem changed = good;          \
    changed.place = (value);         \
    check_refused(status, changed);  \
  } while (0)

static void should_refuse_bad_pointers(problem good) {
  long long bytes = -7;
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, run_problem(NULL, &good));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_attention_scratch_bytes(engine, NULL, &bytes));
  CHECK_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_attention_scratch_bytes(engine, &good.params, NULL));
  REFUSE(FOVEA_STATUS_NULL_POINTER, q, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, k, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, v, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, q_offsets, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, kv_offsets, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, rope, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, scratch, NULL);
  REFUSE(FOVEA_STATUS_NULL_POINTER, out, NULL);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, q, (char *)good.q + 2);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, lse, (float *)(void *)((char *)good.out + 2));
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, bias, (float *)(void *)((char *)good.bias + 1));
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, scratch, (char *)good.scratch + 4);
}

static void should_refuse_bad_sizes_and_modes(problem good) {
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.struct_size, 8);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.sequences, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.heads, 3);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.kv_heads, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.head_dim, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.value_dim, -8);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.value_dim, 0x7fffffff); /* the scratch is too small for it */
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.q_dtype, 3);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.kv_dtype, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.scale, NAN);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.scale, INFINITY);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.softcap, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.softcap, NAN);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.window_left, -2);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.window_right, -2);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.alignment, 2);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.rope, 3);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.rope_dim, 3);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.rope_dim, 10);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.rope_positions, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.rope_keys, 2);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.pages, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.bias_rows, 2);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.scratch_bytes, good.params.scratch_bytes - 1);
  REFUSE(FOVEA_STATUS_OUT_OF_RANGE, params.rope_positions, 3); /* the longer sequence has 4 keys */
}

static void should_refuse_bad_strides(problem good) {
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.q_token_stride, 7);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.k_head_stride, 7);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.out_head_stride, -8);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.q_sequence_stride, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.lse_head_stride, 0);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.weights_token_stride, 3);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.mask_query_stride, -1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.bias_head_stride, -1);
  REFUSE(FOVEA_STATUS_OVERFLOW, params.v_token_stride, 1LL << 62);
  REFUSE(FOVEA_STATUS_OVERFLOW, params.out_token_stride, 1LL << 61);
  REFUSE(FOVEA_STATUS_OVERFLOW, params.q_sequence_stride, 1LL << 62);
  REFUSE(FOVEA_STATUS_OVERFLOW, params.mask_head_stride, 1LL << 62);
  good.params.bias_rows = 1;
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.bias_sequence_stride, 1); /* the batch's queries are counted through */
  REFUSE(FOVEA_STATUS_OVERFLOW, params.bias_query_stride, 1LL << 59);    /* of 7 queries; not of the longest 4 */
}

static void should_refuse_bad_offsets(problem good) {
  good.q_offsets[0] = 1;
  check_refused(FOVEA_STATUS_OUT_OF_RANGE, good);
  good.q_offsets[0] = 0;
  good.kv_offsets[1] = 8;
  check_refused(FOVEA_STATUS_OUT_OF_RANGE, good);
  good.kv_offsets[1] = 2; /* three queries before two keys: the first has no position */
  check_refused(FOVEA_STATUS_OUT_OF_RANGE, good);
}

static void should_refuse_bad_pages(problem good) {
  REFUSE(FOVEA_STATUS_NULL_POINTER, page_table, NULL);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, params.page_table_stride, 0);
  REFUSE(FOVEA_STATUS_OUT_OF_RANGE, params.pages, 1);
  REFUSE(FOVEA_STATUS_INVALID_ARGUMENT, k, (char *)good.k + 2);
  good.page_table[0] = -1;
  check_refused(FOVEA_STATUS_OUT_OF_RANGE, good);
  good.page_table[0] = good.params.pages;
  check_refused(FOVEA_STATUS_OUT_OF_RANGE, good);
}

int main(void) {
  engine = test_engine(2);
  const batch b = {2, {3, 4}, {3, 4}};
  const geometry g = {4, 2, 8, 8, 0, 0};
  const options full = {.left = -1, .right = -1, .rope = FOVEA_ROPE_HALF, .mask = 1, .bias = 1, .lse = 1, .weights = 1};
  const options paged = {.left = -1, .right = 0, .paged = 1};
  problem good = make_problem(engine, &b, g, full);
  good.params.rope_positions = 4;
  should_refuse_bad_pointers(good);
  should_refuse_bad_sizes_and_modes(good);
  should_refuse_bad_strides(good);
  should_refuse_bad_offsets(good);
  CHECK_UNTOUCHED(good.out, good.out_floats);
  CHECK_UNTOUCHED(good.lse, good.lse_floats);
  CHECK_UNTOUCHED(good.weights, good.weights_floats);
  const problem cached = make_problem(engine, &b, g, paged);
  should_refuse_bad_pages(cached);
  CHECK_UNTOUCHED(cached.out, cached.out_floats);
  test_release();
  fovea_engine_destroy(engine);
  return test_finish("attention misuse");
}
