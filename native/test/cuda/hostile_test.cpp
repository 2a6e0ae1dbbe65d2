// Steps and batches that no caller should send: each is refused with its status, and nothing runs.
#include <climits>
#include <functional>

#include "cuda/runtime.h"

using namespace rt;

// ---- programs -------------------------------------------------------------------

struct Case {
  const char *what;
  int status;
  std::function<void(Plan &)> change;
};

// One plan with a step of every op; each case spoils one thing.
struct Everything {
  Plan plan;
  size_t embed, norm, rms, linear, gated, add, multiply, activate, ragged, pool, normalize, softmax, top, gather, append,
      attend, cached, types, relate, biased;
  fovea_cuda_operand x, y, wide, qkv, pooled, matrix, index;

  explicit Everything(Device &device) {
    const auto F32 = FOVEA_DTYPE_F32;
    plan.groups = 1;
    x = plan.tokens(16), y = plan.tokens(16), wide = plan.tokens(32), qkv = plan.tokens(48);
    pooled = plan.sequences(16), matrix = plan.sequences(256), index = plan.sequences(3, FOVEA_CUDA_DTYPE_I32);
    const long long words = device.table(F32, values(1, 20 * 16, 1)), positions = device.table(F32, values(2, 8 * 16, 1));
    const long long vector = device.vector(values(3, 16, 1)), rope = device.table(F32, values(4, 8 * 8, 1));
    const long long square = device.weight(F32, 16, values(5, 16 * 16, 1));
    const long long tall = device.weight(F32, 16, values(6, 32 * 16, 1));
    embed = put(step(FOVEA_CUDA_OP_EMBEDDING, kNone, x, words, positions, vector));
    plan.steps.back().vocabulary = 20;
    plan.steps.back().positions = 8;
    norm = put(step(FOVEA_CUDA_OP_LAYER_NORM, x, x, vector, vector));
    rms = put(step(FOVEA_CUDA_OP_RMS_NORM, x, y, vector));
    linear = put(step(FOVEA_CUDA_OP_LINEAR, x, y, square, vector));
    plan.steps.back().z = y;
    gated = put(step(FOVEA_CUDA_OP_LINEAR, x, y, tall));
    plan.steps.back().gated = 1;
    add = put(step(FOVEA_CUDA_OP_ADD, x, x));
    plan.steps.back().y = y;
    multiply = put(step(FOVEA_CUDA_OP_MULTIPLY, x, y));
    plan.steps.back().y = y;
    activate = put(step(FOVEA_CUDA_OP_ACTIVATE, x, y));
    ragged = put(step(FOVEA_CUDA_OP_RAGGED_MATMUL, x, y));
    plan.steps.back().y = matrix;
    pool = put(step(FOVEA_CUDA_OP_POOL, x, pooled));
    normalize = put(step(FOVEA_CUDA_OP_NORMALIZE, pooled, pooled));
    softmax = put(step(FOVEA_CUDA_OP_LOG_SOFTMAX, pooled, pooled));
    top = put(step(FOVEA_CUDA_OP_TOP_K, pooled, index));
    gather = put(step(FOVEA_CUDA_OP_GATHER, pooled, part(matrix, 0, 3)));
    plan.steps.back().y = index;
    append = put(heads(step(FOVEA_CUDA_OP_CACHE_APPEND, part(qkv, 16, 16), kNone, rope)));
    plan.steps.back().y = part(qkv, 32, 16);
    plan.steps.back().group = 0;
    attend = put(heads(step(FOVEA_CUDA_OP_ATTENTION, part(qkv, 0, 16), y, rope)));
    plan.steps.back().y = part(qkv, 16, 16);
    plan.steps.back().z = part(qkv, 32, 16);
    cached = put(heads(step(FOVEA_CUDA_OP_ATTENTION, part(qkv, 0, 16), y)));
    plan.steps.back().group = 0;
    plan.steps.back().rope = FOVEA_ROPE_NONE;
    types = put(step(FOVEA_CUDA_OP_TOKEN_TYPES, kNone, y, device.vector(std::vector<float>(2 * 16))));
    plan.steps.back().vocabulary = 2;
    const auto distances = plan.tokens(2 * 8);
    relate = put(step(FOVEA_CUDA_OP_RELATIVE_BIAS, kNone, distances, device.vector(std::vector<float>(2 * 3)),
                      device.vector(std::vector<float>(15))));
    plan.steps.back().heads = 2;
    plan.steps.back().buckets = 3;
    biased = put(plan.steps[attend]);
    plan.steps.back().bias = distances;
    plan.outputs = {pooled, index};
  }
  size_t put(fovea_cuda_step s) {
    plan.steps.push_back(s);
    return plan.steps.size() - 1;
  }
  static fovea_cuda_step heads(fovea_cuda_step s) {
    s.heads = s.kv_heads = 2;
    s.head_dim = s.value_dim = 8;
    s.rope = FOVEA_ROPE_HALF;
    s.rope_dim = 8;
    s.rope_positions = 8;
    return s;
  }
};

static void refuses_hostile_steps() {
  emulated_reset();
  Device device;
  const Everything e(device);
  const long long some = e.plan.steps[e.rms].constants[0];
  const int bad = FOVEA_STATUS_INVALID_ARGUMENT, out = FOVEA_STATUS_OUT_OF_RANGE, null = FOVEA_STATUS_NULL_POINTER;
#define STEP(name) plan.steps[e.name]
#define CASE(status, ...) {#__VA_ARGS__, status, [&](Plan &plan) { __VA_ARGS__; }}
  const Case cases[] = {
      CASE(FOVEA_STATUS_OK, (void)plan),
      CASE(bad, STEP(add).op = 17), CASE(bad, STEP(add).op = -1), CASE(bad, STEP(add).struct_size = 8),
      CASE(bad, STEP(add).buckets = 1), CASE(bad, STEP(add).bias = e.y),
      // Operands: outside of memory, overflowing, of no type.
      CASE(bad, plan.token_elements = 100), CASE(bad, STEP(add).x.offset = -16),
      CASE(bad, STEP(add).x.offset = LLONG_MAX), CASE(bad, STEP(add).x.offset = LLONG_MAX - 16),
      CASE(bad, STEP(add).x.stride = INT_MAX), CASE(bad, STEP(add).x.stride = 15), CASE(bad, STEP(add).x.stride = 0),
      CASE(bad, STEP(add).x.columns = 0), CASE(bad, STEP(add).x.columns = INT_MAX),
      CASE(bad, STEP(add).x.first_column = 1), CASE(bad, STEP(add).x.first_column = -1),
      CASE(bad, STEP(add).x.first_column = INT_MAX), CASE(bad, STEP(add).x.rows = 2),
      CASE(bad, STEP(add).x.rows = FOVEA_CUDA_ROWS_SEQUENCES), CASE(bad, STEP(add).x.dtype = FOVEA_DTYPE_I8),
      CASE(bad, STEP(add).x.dtype = FOVEA_CUDA_DTYPE_I32), CASE(bad, STEP(add).x.reserved = 1),
      CASE(bad, STEP(add).x = kNone), CASE(bad, STEP(add).y = kNone), CASE(bad, STEP(add).out = kNone),
      CASE(bad, STEP(add).z = e.y), CASE(bad, STEP(add).y.columns = 15),
      // Overlaps: what is not in place must be apart.
      CASE(bad, STEP(add).out.offset += 8), CASE(bad, STEP(norm).out.offset += 4),
      CASE(bad, STEP(linear).out = e.x), CASE(bad, STEP(linear).x = e.y), CASE(bad, STEP(gated).out = e.x),
      CASE(bad, STEP(ragged).out = e.x), CASE(bad, STEP(attend).out = part(e.qkv, 0, 16)),
      CASE(bad, STEP(attend).out = part(e.qkv, 32, 16)), CASE(bad, STEP(gather).out = part(e.pooled, 0, 3)),
      CASE(bad, STEP(activate).out.dtype = FOVEA_DTYPE_F16; STEP(activate).out.offset = e.x.offset),
      CASE(FOVEA_STATUS_OK, STEP(activate).out = e.x), CASE(FOVEA_STATUS_OK, STEP(multiply).out = e.x),
      // Constants: null, misaligned, elsewhere, too short.
      CASE(null, STEP(norm).constants[0] = 0), CASE(FOVEA_STATUS_OK, STEP(norm).constants[1] = 0),
      CASE(null, STEP(linear).constants[0] = 0), CASE(null, STEP(embed).constants[0] = 0),
      CASE(bad, STEP(norm).constants[0] += 4), CASE(out, STEP(norm).constants[0] += 16),
      CASE(out, STEP(norm).constants[0] = 4096), CASE(out, STEP(norm).constants[0] = LLONG_MIN),
      CASE(bad, STEP(add).constants[0] = some), CASE(bad, STEP(norm).constants[2] = some),
      CASE(out, STEP(embed).vocabulary = 21), CASE(out, STEP(embed).vocabulary = INT_MAX),
      CASE(out, STEP(embed).positions = 9), CASE(bad, STEP(embed).positions = 0), CASE(bad, STEP(embed).vocabulary = 0),
      CASE(bad, STEP(embed).first_position = -1), CASE(bad, STEP(embed).first_position = 9), CASE(out, STEP(gated).constants[0] = STEP(linear).constants[0]),
      CASE(out, STEP(attend).rope_positions = 9), CASE(out, STEP(attend).constants[1] = 16),
      // Modes.
      CASE(bad, STEP(linear).activation = 7), CASE(bad, STEP(linear).weight_dtype = FOVEA_DTYPE_I8),
      CASE(bad, STEP(gated).gated = 2), CASE(bad, STEP(gated).z = e.x), CASE(bad, STEP(add).activation = 1),
      CASE(bad, STEP(norm).epsilon = -1), CASE(bad, STEP(norm).epsilon = NAN), CASE(bad, STEP(embed).scale = INFINITY),
      CASE(bad, STEP(ragged).mode = 2), CASE(bad, STEP(ragged).mode = 1), CASE(bad, STEP(pool).mode = 3),
      CASE(bad, STEP(pool).normalize = 2), CASE(bad, STEP(pool).out = e.x), CASE(bad, STEP(top).out.dtype = 0),
      CASE(bad, STEP(top).x = e.matrix; STEP(top).x.columns = 2), CASE(bad, STEP(gather).y.dtype = 0),
      CASE(bad, STEP(linear).x.dtype = FOVEA_DTYPE_F16),
      // Attention and its caches.
      CASE(bad, STEP(append).group = 1), CASE(bad, STEP(append).group = -1), CASE(bad, STEP(append).layer = -1),
      CASE(bad, STEP(append).kv_heads = 0), CASE(bad, STEP(append).head_dim = INT_MAX),
      CASE(bad, STEP(append).y.dtype = FOVEA_DTYPE_F16), CASE(bad, STEP(attend).z.dtype = FOVEA_DTYPE_F16),
      CASE(bad, STEP(attend).kv_heads = 3), CASE(bad, STEP(attend).heads = 0),
      CASE(bad, STEP(attend).heads = INT_MAX; STEP(attend).kv_heads = INT_MAX), CASE(bad, STEP(attend).value_dim = 0),
      CASE(bad, STEP(attend).group = 0), CASE(bad, STEP(attend).group = -2), CASE(bad, STEP(cached).group = -1),
      CASE(bad, STEP(attend).window_left = -2), CASE(bad, STEP(attend).alignment = 2), CASE(bad, STEP(attend).rope = 3),
      CASE(bad, STEP(attend).rope_dim = 7), CASE(bad, STEP(attend).rope_dim = 10),
      CASE(bad, STEP(attend).rope = 0), CASE(bad, STEP(attend).softcap = -1), CASE(bad, STEP(attend).scale = NAN),
      // Types of tokens, and biases.
      CASE(out, STEP(types).vocabulary = 3), CASE(bad, STEP(types).vocabulary = 0), CASE(bad, STEP(types).x = e.x),
      CASE(null, STEP(types).constants[0] = 0), CASE(null, STEP(relate).constants[0] = 0),
      CASE(null, STEP(relate).constants[1] = 0), CASE(out, STEP(relate).buckets = 300), CASE(bad, STEP(relate).buckets = 0),
      CASE(bad, STEP(relate).heads = 0), CASE(bad, STEP(relate).heads = 3), CASE(bad, STEP(relate).x = e.x),
      CASE(bad, STEP(relate).y = e.x), CASE(bad, STEP(relate).out.dtype = FOVEA_DTYPE_F16),
      CASE(bad, STEP(relate).x = part(e.qkv, 0, 6)), CASE(out, STEP(relate).heads = 1),
      CASE(FOVEA_STATUS_OK, STEP(relate).x = part(e.qkv, 0, 6); STEP(relate).constants[0] = 0),
      CASE(bad, STEP(biased).bias.dtype = FOVEA_DTYPE_F16), CASE(bad, STEP(biased).bias.columns = 15),
      CASE(bad, STEP(biased).bias = STEP(biased).out), CASE(bad, STEP(cached).bias = STEP(biased).bias),
      // Outputs.
      CASE(bad, plan.outputs[0].columns = 15), CASE(bad, plan.outputs[0].dtype = FOVEA_DTYPE_F16),
      CASE(bad, plan.outputs[0].rows = FOVEA_CUDA_ROWS_NONE), CASE(bad, plan.outputs[0].offset = 1 << 20),
      CASE(bad, plan.groups = -1), CASE(bad, plan.token_elements = -1),
  };
  for (const Case &c : cases) {
    Plan plan = e.plan;
    c.change(plan);
    fovea_cuda_program *program = nullptr;
    const int status = plan.create(device, &program);
    RT_CHECK(status == c.status, "%s: got \"%s\": %s", c.what, fovea_cuda_status_name(status), failure.message);
    if (status == FOVEA_STATUS_OK) fovea_cuda_program_destroy(program);
  }
}

// ---- executions and batches -----------------------------------------------------

static void refuses_hostile_groups() {
  emulated_reset();
  Device device;
  Everything e(device);
  e.plan.steps = {e.plan.steps[e.append], e.plan.steps[e.cached]};
  Program program(device, e.plan);
  const size_t page = 2 * FOVEA_PAGE_KEYS * 8 * 4;
  fovea_cuda_cache_layer layers[2] = {{0, 0}, {device.memory(page), device.memory(page)}};
  const int table[2] = {0, 0}, lengths[2] = {0, 0}, ends[3] = {0, 0, 0};
  const fovea_cuda_cache_group good = {sizeof good, 0, 2, 1, 1, 2, layers, table, lengths, ends};
  const auto create = [&](const std::function<void(fovea_cuda_cache_group &, fovea_cuda_execution_options &)> &spoil) {
    fovea_cuda_cache_group group = good;
    fovea_cuda_execution_options options = {sizeof options, 8, 2, 0};
    spoil(group, options);
    fovea_cuda_execution *execution = nullptr;
    const int status = fovea_cuda_execution_create(program.handle, &options, &group, &failure, &execution);
    if (status == FOVEA_STATUS_OK) fovea_cuda_execution_destroy(execution);
    return status;
  };
#define SPOIL(status, change) RT_STATUS(status, create([&](auto &group, auto &options) { (void)group, (void)options, (void)(change); }))
  const int bad = FOVEA_STATUS_INVALID_ARGUMENT, out = FOVEA_STATUS_OUT_OF_RANGE;
  SPOIL(out, 0);  // layer 0 has no pages
  layers[0] = layers[1];
  SPOIL(FOVEA_STATUS_OK, 0);
  SPOIL(bad, group.layers = 0);
  SPOIL(out, group.pages = 2);
  SPOIL(out, group.pages = INT_MAX);
  SPOIL(bad, group.pages = 0);
  SPOIL(bad, group.dtype = 3);
  SPOIL(bad, group.sequences = 0);
  SPOIL(bad, group.pages_each = -1);
  SPOIL(bad, group.struct_size = 0);
  SPOIL(FOVEA_STATUS_NULL_POINTER, group.layer = nullptr);
  SPOIL(FOVEA_STATUS_NULL_POINTER, group.ends = nullptr);
  SPOIL(FOVEA_STATUS_OVERFLOW, (group.sequences = INT_MAX, group.pages_each = INT_MAX, options.max_sequences = INT_MAX));
  SPOIL(bad, options.max_tokens = 0);
  SPOIL(bad, options.max_sequences = -1);
  SPOIL(bad, options.explain = 2);
  SPOIL(FOVEA_STATUS_OUT_OF_MEMORY, options.max_tokens = 100 << 20);
  layers[0].keys++;
  SPOIL(bad, 0);
}

static void refuses_hostile_batches() {
  emulated_reset();
  Device device;
  Everything e(device);
  e.plan.steps = {e.plan.steps[e.embed], e.plan.steps[e.append], e.plan.steps[e.cached], e.plan.steps[e.pool]};
  e.plan.outputs = {e.pooled};
  Program program(device, e.plan);
  const size_t page = 2 * FOVEA_PAGE_KEYS * 8 * 4;
  const fovea_cuda_cache_layer layer = {device.memory(3 * page), device.memory(3 * page)};
  int table[4] = {0, -1, 2, 1}, lengths[2] = {0, 3}, ends[3] = {0, 2, 8};
  const fovea_cuda_cache_group group = {sizeof group, 0, 2, 2, 3, 1, &layer, table, lengths, ends};
  Execution execution(program, 100, 3, &group);
  const std::vector<int> ids(100, 19);
  const int out = FOVEA_STATUS_OUT_OF_RANGE;
  RT_OK(execution.run(ids, {0, 2, 5}));
  const auto launched = emulated_get(EMULATED_GRAPH_LAUNCHES);
  RT_STATUS(out, execution.run(ids, {1, 2, 5}));
  RT_STATUS(out, execution.run(ids, {0, 3, 2}));
  RT_STATUS(out, execution.run(ids, {0, 9, 5}));
  RT_STATUS(out, execution.run(ids, {0, -1, 5}));
  RT_STATUS(out, execution.run(ids, {0, 101}));
  RT_STATUS(out, execution.run(ids, {0, INT_MAX}));
  RT_STATUS(out, execution.run(ids, {0, INT_MIN}));
  RT_STATUS(out, execution.run(ids, {0, 1, 2, 3, 4}));
  RT_STATUS(out, execution.run(ids, {0, 1, 2, 3}));  // caches for two
  RT_STATUS(out, execution.run(ids, {0, 9}));        // positions for eight
  RT_STATUS(out, execution.run({0, 20, 0}, {0, 3}));
  RT_STATUS(out, execution.run({0, -1, 0}, {0, 3}));
  const int offsets[] = {0, 2, 5};
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_run(execution.handle, 2, nullptr, nullptr, offsets, &failure));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_run(execution.handle, 2, ids.data(), nullptr, nullptr, &failure));
  RT_STATUS(out, fovea_cuda_run(execution.handle, -1, ids.data(), nullptr, offsets, &failure));
  const auto spoiled = [&](int &place, int value) {
    const int kept = place;
    place = value;
    const int status = execution.run(ids, {0, 2, 5});
    place = kept;
    return status;
  };
  RT_STATUS(out, spoiled(table[0], 3));
  RT_STATUS(out, spoiled(table[2], -1));
  RT_OK(spoiled(table[1], 77));  // no key is there
  RT_STATUS(out, spoiled(lengths[1], -1));
  RT_STATUS(out, spoiled(lengths[1], 6));        // RoPE has 8 positions
  RT_STATUS(out, spoiled(lengths[0], INT_MAX));
  RT_STATUS(out, spoiled(ends[2], 1));           // fewer than none
  RT_STATUS(out, spoiled(ends[2], 2 + 257));     // more than two pages
  RT_STATUS(out, spoiled(ends[2], INT_MIN));
  RT_STATUS(out, spoiled(ends[1], 129));         // a page that is not there
  RT_CHECK(emulated_get(EMULATED_GRAPH_LAUNCHES) == launched + 1, "a batch that is refused has run");
}

int main() {
  refuses_hostile_steps();
  refuses_hostile_groups();
  refuses_hostile_batches();
  RT_CHECK(nothing_lives(), "something is left behind");
  return finish("hostile_test");
}
