// Whole plans under emulation, held against a reference in double: an encoder on ragged batches, a decoder with caches.
#include "cuda/models.h"
#include "cuda/reference.h"

using namespace rt;

static const char *name_of(int dtype) {
  return dtype == FOVEA_DTYPE_F32 ? "F32" : dtype == FOVEA_DTYPE_F16 ? "F16" : "BF16";
}

// ---- encoder --------------------------------------------------------------------

// Vectors of length 1: errors of single precision, or some units of the half type averaged over the tokens.
static double tolerance_of(int dtype) {
  return dtype == FOVEA_DTYPE_F32 ? 1e-6 : dtype == FOVEA_DTYPE_F16 ? 5e-4 : 4e-3;
}

static std::vector<float> encode(Execution &execution, const std::vector<int> &ids, const std::vector<int> &offsets,
                                 int width, const std::vector<int> &types = {}) {
  forget();
  RT_OK(execution.run(ids, offsets, types));
  const float *out = execution.output();
  return {out, out + (offsets.size() - 1) * static_cast<size_t>(width)};
}

using Model = Plan(Device &, int, const Sizes &);

static void encodes(int compute, int dtype, const Sizes &n, const std::vector<std::vector<int>> &batches,
                    Model *model = encoder, int types_of = 1) {
  emulated_reset();
  emulated_set(EMULATED_COMPUTE_CAPABILITY, compute);
  Device device;
  const Plan plan = model(device, dtype, n);
  Program program(device, plan);
  Execution execution(program, 300, 5), alone(program, 150, 1);
  const auto width = static_cast<size_t>(n.width);
  for (const auto &lengths : batches) {
    emulated_set(EMULATED_ORDER, static_cast<int>(lengths.size()) % 4);
    const auto offsets = offsets_of(lengths);
    const auto ids = some_ids(9, static_cast<size_t>(offsets.back()), n.vocabulary);
    const auto types = some_ids(8, static_cast<size_t>(offsets.back()), types_of);
    const auto got = encode(execution, ids, offsets, n.width, types);
    const Reference reference(device, plan, ids, offsets, types);
    double worst = 0;
    for (size_t i = 0; i < got.size(); i++) {
      const double expected = reference.get(plan.outputs[0], static_cast<int>(i / width), static_cast<int>(i % width));
      worst = std::max(worst, distance(got[i], expected));
    }
    RT_CHECK(worst <= tolerance_of(dtype), "sm_%d, %s, %zu texts of %d ...: off by %g", compute, name_of(dtype),
             lengths.size(), lengths[0], worst);
    for (size_t s = 0; s < lengths.size(); s++) {
      const std::vector<int> its(ids.begin() + offsets[s], ids.begin() + offsets[s + 1]);
      const std::vector<int> its_types(types.begin() + offsets[s], types.begin() + offsets[s + 1]);
      const auto single = encode(alone, its, {0, lengths[s]}, n.width, its_types);
      RT_CHECK(memcmp(single.data(), &got[s * width], width * sizeof(float)) == 0,
               "sm_%d, %s: text %zu of %zu has other bits alone", compute, name_of(dtype), s, lengths.size());
    }
  }
}

// Steps that neither model has, and outputs of tokens, of sequences and of indices.
static void runs_the_other_ops() {
  emulated_reset();
  Device device;
  Sizes n;
  n.width = 24;
  const Plan plan = others(device, n);
  Program program(device, plan);
  Execution execution(program, 300, 5);
  for (const auto &lengths : std::vector<std::vector<int>>{{150, 0, 3}, {1}, {64, 65, 2, 1, 9}}) {
    const auto offsets = offsets_of(lengths);
    const auto ids = some_ids(9, static_cast<size_t>(offsets.back()), n.vocabulary);
    forget();
    RT_OK(execution.run(ids, offsets));
    const Reference reference(device, plan, ids, offsets);
    const int *best = execution.output<int>(1);
    double worst = 0;
    for (int s = 0; s < static_cast<int>(lengths.size()); s++) {
      for (int i = 0; i < 3; i++) {
        worst = std::max(worst, distance(execution.output()[3 * s + i], reference.get(plan.outputs[0], s, i)));
        const double index = reference.get(plan.outputs[1], s, i);
        RT_CHECK(best[3 * s + i] == index, "sequence %d: %d in place of %g", s, best[3 * s + i], index);
      }
    }
    for (int t = 0; t < offsets.back(); t++) {
      for (int c = 0; c < n.width; c++) {
        worst = std::max(worst, distance(execution.output(2)[t * n.width + c], reference.get(plan.outputs[2], t, c)));
      }
    }
    RT_CHECK(worst < 3e-6, "%zu sequences of %d ... tokens: off by %g", lengths.size(), lengths[0], worst);
  }
}

static Plan by_table(Device &device, int dtype, const Sizes &n) { return relative(device, dtype, n, false); }

static Plan by_tokens(Device &device, int dtype, const Sizes &n) { return relative(device, dtype, n, true); }

// What a batch of such a model must be.
static void refuses_types_and_lengths() {
  emulated_reset();
  Device device;
  Sizes n;
  n.positions = 8;
  const Plan plan = by_table(device, FOVEA_DTYPE_F32, n);
  Program program(device, plan);
  Execution execution(program, 40, 3);
  const std::vector<int> ids(40, 1);
  RT_OK(execution.run(ids, {0, 8}));
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, execution.run(ids, {0, 9}));  // buckets for eight keys
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, execution.run(ids, {0, 2}, {0, 3}));
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, execution.run(ids, {0, 2}, {-1, 0}));
  const auto all = encode(execution, ids, {0, 5}, n.width, std::vector<int>(5, 0));
  RT_CHECK(all == encode(execution, ids, {0, 5}, n.width), "no types are not types of 0");
}

static void explains() {
  emulated_reset();
  Device device;
  Sizes n;
  const Plan plan = encoder(device, FOVEA_DTYPE_F16, n);
  Program program(device, plan);
  Execution execution(program, 40, 3, nullptr, 1), plain(program, 40, 3);
  const std::vector<int> offsets = {0, 7, 7, 30}, ids = some_ids(3, 30, n.vocabulary);
  const auto got = encode(execution, ids, offsets, n.width);
  RT_CHECK(got == encode(plain, ids, offsets, n.width), "explaining changes the result");
  for (int i = 0; i < n.layers; i++) {
    float *pattern = nullptr;
    RT_OK(fovea_cuda_execution_pattern(execution.handle, i, &pattern));
    for (int h = 0; h < n.heads; h++) {
      for (size_t s = 0; s + 1 < offsets.size(); s++) {
        for (int t = offsets[s]; t < offsets[s + 1]; t++) {
          double sum = 0;
          for (int j = 0; j < offsets[s + 1] - offsets[s]; j++) sum += pattern[(h * 40 + t) * 40 + j];
          RT_CHECK(std::fabs(sum - 1) < 1e-3, "layer %d, head %d, token %d: weights sum up to %g", i, h, t, sum);
        }
      }
    }
  }
  float *pattern;
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_execution_pattern(execution.handle, n.layers, &pattern));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_execution_pattern(plain.handle, 0, &pattern));
}

// ---- decoder --------------------------------------------------------------------

// Caches of two sequences, whose pages lie in no order.
struct Caches {
  int table[6] = {4, 1, 3, 0, 5, 2}, lengths[2] = {0, 0}, ends[3] = {0, 0, 0};
  std::vector<fovea_cuda_cache_layer> layers;
  fovea_cuda_cache_group group = {};

  Caches(Device &device, int dtype, const Sizes &n) {
    const size_t bytes = 6u * static_cast<size_t>(n.kv_heads * FOVEA_PAGE_KEYS * n.head_dim() * bytes_of(dtype));
    for (int i = 0; i < n.layers; i++) layers.push_back({device.memory(bytes), device.memory(bytes)});
    group = {sizeof group, dtype, 2, 3, 6, n.layers, layers.data(), table, lengths, ends};
  }
  // Runs as a cache set does: ends before, lengths after.
  int run(Execution &execution, const std::vector<int> &ids, const std::vector<int> &offsets) {
    const int sequences = static_cast<int>(offsets.size()) - 1;
    for (int s = 0; s < 2; s++) {
      const int more = s < sequences ? offsets[static_cast<size_t>(s) + 1] - offsets[static_cast<size_t>(s)] : 0;
      ends[s + 1] = ends[s] + lengths[s] + more;
    }
    forget();
    const int status = execution.run(ids, offsets);
    for (int s = 0; s < sequences && status == FOVEA_STATUS_OK; s++) {
      lengths[s] += offsets[static_cast<size_t>(s) + 1] - offsets[static_cast<size_t>(s)];
    }
    return status;
  }
};

static void decodes(int compute, int dtype, double tolerance, int cache_dtype) {
  emulated_reset();
  emulated_set(EMULATED_COMPUTE_CAPABILITY, compute);
  Device device;
  Sizes n;
  n.width = 128;
  n.heads = 4;
  n.positions = 300;
  const Plan plan = decoder(device, dtype, n);
  Program program(device, plan);
  Caches caches(device, cache_dtype, n), of_one(device, cache_dtype, n);
  Execution execution(program, 200, 2, &caches.group), single(program, 140, 1, &of_one.group);
  std::vector<int> texts[2];
  // Prompts, single tokens past the border of a page, none for one of the two, several at once.
  const int rounds[][2] = {{126, 20}, {1, 1}, {1, 1}, {1, 1}, {0, 1}, {5, 3}, {1, 0}};
  unsigned seed = 50;
  for (const auto &round : rounds) {
    emulated_set(EMULATED_ORDER, static_cast<int>(seed % 2));
    std::vector<int> ids, whole;
    for (int s = 0; s < 2; s++) {
      const auto more = some_ids(seed++, static_cast<size_t>(round[s]), n.vocabulary);
      ids.insert(ids.end(), more.begin(), more.end());
      texts[s].insert(texts[s].end(), more.begin(), more.end());
      whole.insert(whole.end(), texts[s].begin(), texts[s].end());
    }
    const std::vector<int> offsets = {0, round[0], round[0] + round[1]};
    const std::vector<int> ends = {0, static_cast<int>(texts[0].size()), static_cast<int>(whole.size())};
    RT_OK(caches.run(execution, ids, offsets));
    const Reference reference(device, plan, whole, ends);
    const float *got = execution.output();
    double worst = 0;
    for (size_t s = 0; s < 2; s++) {
      for (int t = 1; t <= round[s]; t++) {
        for (int c = 0; c < n.vocabulary; c++) {
          const float x = got[(offsets[s + 1] - t) * n.vocabulary + c];
          worst = std::max(worst, distance(x, reference.get(plan.outputs[0], ends[s + 1] - t, c)));
        }
      }
    }
    RT_CHECK(worst < tolerance, "sm_%d, %s, tokens %d and %d: off by %g", compute, name_of(dtype), round[0], round[1],
             worst);
    // The first sequence has the same bits without the second.
    const std::vector<int> first(ids.begin(), ids.begin() + round[0]);
    RT_OK(of_one.run(single, first, {0, round[0]}));
    RT_CHECK(memcmp(single.output(), got, static_cast<size_t>(round[0] * n.vocabulary) * sizeof(float)) == 0,
             "sm_%d, %s, %d tokens: other bits alone", compute, name_of(dtype), round[0]);
  }
}

int main() {
  const std::vector<std::vector<int>> ragged = {{7}, {64, 65}, {129, 0, 20}, {1, 2, 3, 4}, {17, 16, 1, 0, 150}};
  Sizes wide;
  wide.width = 128;
  wide.inner = 192;
  for (const int compute : {80, 90}) {
    encodes(compute, FOVEA_DTYPE_F32, Sizes(), {{64, 65}, {17, 16, 1, 0, 50}, {32, 128, 33}});
    encodes(compute, FOVEA_DTYPE_F16, wide, ragged);
    encodes(compute, FOVEA_DTYPE_BF16, Sizes(), ragged);
    decodes(compute, FOVEA_DTYPE_F32, 1e-5, FOVEA_DTYPE_F32);
    decodes(compute, FOVEA_DTYPE_F16, 1e-2, FOVEA_DTYPE_F16);
    decodes(compute, FOVEA_DTYPE_BF16, 6e-2, FOVEA_DTYPE_BF16);
  }
  for (const int compute : {80, 90}) {
    for (const int dtype : {FOVEA_DTYPE_F32, FOVEA_DTYPE_F16, FOVEA_DTYPE_BF16}) {
      encodes(compute, dtype, wide, {{64, 65}, {17, 16, 1, 0, 150}}, by_table, 3);
      encodes(compute, dtype, Sizes(), {{64, 65}, {129, 0, 20}}, by_tokens, 3);
    }
  }
  runs_the_other_ops();
  refuses_types_and_lengths();
  explains();
  RT_CHECK(nothing_lives(), "something is left behind");
  return finish("plan_test");
}
