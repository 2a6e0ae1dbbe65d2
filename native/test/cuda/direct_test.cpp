// Attention and cache append on tensors of the host, held against the C core's own: strides, masks, pages, what may not be
// touched.
#include "cuda/runtime.h"

using namespace rt;

static fovea_engine *engine;

// Memory of the host with more behind it than is used, so that strides may leave gaps.
struct Tensor {
  int dtype;
  std::vector<unsigned char> bytes;

  Tensor(int dtype, unsigned seed, size_t count) : dtype(dtype), bytes(store(dtype, values(seed, count, 1))) {}
};

struct Problem {
  fovea_attention_params p = {};
  std::vector<int> q_offsets, kv_offsets, table;
  std::vector<unsigned char> mask;
  std::vector<float> bias, slopes, rope;
  bool lse = false, weights = false;

  Problem(std::vector<int> queries, std::vector<int> keys, int heads, int kv_heads, int head_dim, int value_dim)
      : q_offsets(offsets_of(queries)), kv_offsets(offsets_of(keys)) {
    p.struct_size = sizeof p;
    p.sequences = static_cast<int>(queries.size());
    p.heads = heads;
    p.kv_heads = kv_heads;
    p.head_dim = head_dim;
    p.value_dim = value_dim;
    p.scale = 1 / std::sqrt(static_cast<float>(head_dim));
    p.window_left = p.window_right = -1;
    // Heads apart from each other, and tokens too.
    p.q_head_stride = head_dim + 3, p.q_token_stride = heads * p.q_head_stride + 5;
    p.k_head_stride = head_dim, p.k_token_stride = kv_heads * head_dim;
    p.v_head_stride = value_dim + 1, p.v_token_stride = kv_heads * p.v_head_stride;
    p.out_head_stride = value_dim + 2, p.out_token_stride = heads * p.out_head_stride + 1;
    p.lse_head_stride = q_offsets.back(), p.lse_token_stride = 1;
    p.weights_token_stride = longest() + 1, p.weights_head_stride = (q_offsets.back() + 1) * p.weights_token_stride;
  }
  int longest() const {
    int most = 0;
    for (size_t s = 0; s + 1 < kv_offsets.size(); s++) most = std::max(most, kv_offsets[s + 1] - kv_offsets[s]);
    return most;
  }
};

// What both give is the same up to tolerance; what neither writes stays as it was.
static void check_same(const std::vector<float> &a, const std::vector<float> &b, double tolerance, const char *what,
                       const char *name) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); i++) {
    if (memcmp(&a[i], &b[i], 4) == 0) continue;
    worst = std::max(worst, std::isfinite(a[i]) && std::isfinite(b[i]) ? std::fabs(double(a[i]) - b[i]) : INFINITY);
  }
  RT_CHECK(worst <= tolerance, "%s: %s is off by %g", what, name, worst);
}

static void attends(fovea_cuda_direct *direct, const char *what, Problem &x, double tolerance) {
  fovea_attention_params &p = x.p;
  const size_t q_count = static_cast<size_t>((x.q_offsets.back() + 1) * p.q_token_stride);
  const size_t rows = p.pages ? static_cast<size_t>(p.pages * p.kv_heads * FOVEA_PAGE_KEYS) : 0;
  const size_t k_count = p.pages ? rows * static_cast<size_t>(p.head_dim)
                                 : static_cast<size_t>((x.kv_offsets.back() + 1) * p.k_token_stride);
  const size_t v_count = p.pages ? rows * static_cast<size_t>(p.value_dim)
                                 : static_cast<size_t>((x.kv_offsets.back() + 1) * p.v_token_stride);
  const Tensor q(p.q_dtype, 1, q_count), k(p.kv_dtype, 2, k_count), v(p.kv_dtype, 3, v_count);
  std::vector<float> out[2], lse[2], weights[2];
  for (int side = 0; side < 2; side++) {
    out[side].assign(static_cast<size_t>((x.q_offsets.back() + 1) * p.out_token_stride), 77);
    lse[side].assign(static_cast<size_t>(p.heads * x.q_offsets.back()) + 1, 77);
    weights[side].assign(static_cast<size_t>(p.heads * p.weights_head_stride) + 1, 77);
    float *const its_lse = x.lse ? lse[side].data() : nullptr, *const its_weights = x.weights ? weights[side].data() : nullptr;
    const auto or_null = [](const auto &list) { return list.empty() ? nullptr : list.data(); };
    if (side == 0) {
      RT_OK(fovea_attention_scratch_bytes(engine, &p, &p.scratch_bytes));
      void *scratch = nullptr;
      const fovea_memory_options options = {sizeof options, 0, p.scratch_bytes};
      RT_OK(fovea_memory_create(&options, &scratch));
      RT_OK(fovea_attention(engine, &p, q.bytes.data(), k.bytes.data(), v.bytes.data(), x.q_offsets.data(),
                            x.kv_offsets.data(), or_null(x.table), or_null(x.mask), or_null(x.bias), or_null(x.slopes),
                            or_null(x.rope), scratch, out[0].data(), its_lse, its_weights));
      fovea_memory_destroy(scratch);
    } else {
      forget();
      RT_OK(fovea_cuda_attention(direct, &p, q.bytes.data(), k.bytes.data(), v.bytes.data(), x.q_offsets.data(),
                                 x.kv_offsets.data(), or_null(x.table), or_null(x.mask), or_null(x.bias),
                                 or_null(x.slopes), or_null(x.rope), &failure, out[1].data(), its_lse, its_weights));
    }
  }
  check_same(out[0], out[1], tolerance, what, "out");
  check_same(lse[0], lse[1], tolerance, what, "lse");
  check_same(weights[0], weights[1], tolerance, what, "weights");
}

static void attends_like_the_core(fovea_cuda_direct *direct, int dtype, double tolerance) {
  {
    Problem x({3, 0, 70}, {5, 4, 70}, 2, 1, 24, 16);
    x.p.q_dtype = x.p.kv_dtype = dtype;
    x.lse = x.weights = true;
    attends(direct, "ragged", x, tolerance);
    x.p.window_right = 0;
    x.slopes = {0.5f, 0.25f};
    attends(direct, "causal with ALiBi", x, tolerance);
  }
  {
    Problem x({2, 33}, {40, 33}, 2, 2, 16, 16);
    x.p.q_dtype = x.p.kv_dtype = dtype;
    x.p.softcap = 2;
    x.lse = true;
    // One mask for both sequences, which ends with the last key of the last query that either has; rows of 41.
    x.mask.assign(40 + 41, 1);
    x.mask.resize(32 * 41 + 33, 1);
    for (size_t i = 0; i < x.mask.size(); i += 3) x.mask[i] = 0;
    x.p.mask_query_stride = 41;
    attends(direct, "a mask for all", x, tolerance);
    // A bias per sequence and head, one row for all queries.
    x.mask.clear();
    x.bias = values(5, 4 * 40, 1);
    x.bias[7] = -INFINITY;
    x.p.bias_sequence_stride = 80;
    x.p.bias_head_stride = 40;
    attends(direct, "a bias per head", x, tolerance);
    // A bias with a row per query token, in rows of 41, the last as short as its keys.
    x.p.bias_rows = 1;
    x.p.bias_sequence_stride = 0;
    x.p.bias_query_stride = 41;
    x.p.bias_head_stride = 35 * 41;
    x.bias = values(6, 69 * 41 + 33, 1);
    x.bias[3 * 41 + 5] = -INFINITY;
    attends(direct, "a bias per token", x, tolerance);
  }
  {
    Problem x({1, 9, 0}, {200, 9, 130}, 4, 2, 32, 32);
    x.p.q_dtype = x.p.kv_dtype = dtype;
    x.p.window_right = 0;
    x.p.pages = 5;
    x.p.page_table_stride = 3;
    x.table = {4, 1, -7, 0, 99, 99, 2, 3, 99};
    x.p.rope = FOVEA_ROPE_INTERLEAVED;
    x.p.rope_dim = 16;
    x.p.rope_positions = 300;
    x.rope = values(6, 300 * 16, 1);
    x.weights = true;
    attends(direct, "pages and RoPE", x, tolerance);
  }
  Problem x({1}, {1}, 1, 1, 8, 8);
  x.p.q_dtype = x.p.kv_dtype = dtype;
  attends(direct, "one token", x, tolerance);
}

static void refuses(fovea_cuda_direct *direct) {
  Problem x({2, 3}, {2, 3}, 2, 1, 8, 8);
  std::vector<float> data(1000, 1), out(1000, 77);
  const auto call = [&](auto spoil) {
    Problem y = x;
    spoil(y);
    return fovea_cuda_attention(direct, &y.p, data.data(), data.data(), data.data(), y.q_offsets.data(),
                                y.kv_offsets.data(), y.table.empty() ? nullptr : y.table.data(), nullptr, nullptr,
                                nullptr, nullptr, &failure, out.data(), nullptr, nullptr);
  };
  RT_OK(call([](Problem &) {}));
  out.assign(1000, 77);
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, call([](Problem &y) { y.p.struct_size = 0; }));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, call([](Problem &y) { y.p.kv_heads = 3; }));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, call([](Problem &y) { y.p.q_dtype = 7; }));
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, call([](Problem &y) { y.q_offsets[1] = 9; }));
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, call([](Problem &y) { y.q_offsets[0] = 1; }));
  RT_STATUS(FOVEA_STATUS_OVERFLOW, call([](Problem &y) { y.p.q_token_stride = 1ll << 60; }));
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, call([](Problem &y) {
    y.p.pages = 1;
    y.p.page_table_stride = 1;
    y.table = {0, 1};
  }));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_attention(direct, &x.p, nullptr, data.data(), data.data(),
                                                            x.q_offsets.data(), x.kv_offsets.data(), nullptr, nullptr,
                                                            nullptr, nullptr, nullptr, nullptr, out.data(), nullptr,
                                                            nullptr));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_attention(nullptr, &x.p, data.data(), data.data(), data.data(),
                                                            x.q_offsets.data(), x.kv_offsets.data(), nullptr, nullptr,
                                                            nullptr, nullptr, nullptr, nullptr, out.data(), nullptr,
                                                            nullptr));
  for (const float o : out) RT_CHECK(o == 77, "a call that is refused has written");
}

static void appends_like_the_core(fovea_cuda_direct *direct, int dtype, int cache_dtype) {
  fovea_cache_append_params p = {};
  p.struct_size = sizeof p;
  p.sequences = 3;
  p.kv_heads = 2;
  p.head_dim = 12;
  p.value_dim = 8;
  p.dtype = dtype;
  p.cache_dtype = cache_dtype;
  p.rope = FOVEA_ROPE_HALF;
  p.rope_dim = 8;
  p.rope_positions = 300;
  p.pages = 6;
  p.page_table_stride = 3;
  p.k_head_stride = 13, p.k_token_stride = 31;
  p.v_head_stride = 8, p.v_token_stride = 16;
  const std::vector<int> offsets = {0, 5, 5, 140}, lengths = {126, 3, 0}, table = {5, 0, 77, -1, -1, -1, 2, 3, 99};
  const Tensor k(dtype, 1, 141 * 31), v(dtype, 2, 141 * 16);
  const auto rope = values(3, 300 * 8, 1);
  std::vector<unsigned char> pages[2][2];
  for (int side = 0; side < 2; side++) {
    pages[side][0] = Tensor(cache_dtype, 4, 6 * 2 * FOVEA_PAGE_KEYS * 12).bytes;
    pages[side][1] = Tensor(cache_dtype, 5, 6 * 2 * FOVEA_PAGE_KEYS * 8).bytes;
  }
  RT_OK(fovea_cache_append(engine, &p, k.bytes.data(), v.bytes.data(), offsets.data(), lengths.data(), table.data(),
                           rope.data(), pages[0][0].data(), pages[0][1].data()));
  forget();
  RT_OK(fovea_cuda_cache_append(direct, &p, k.bytes.data(), v.bytes.data(), offsets.data(), lengths.data(), table.data(),
                                rope.data(), &failure, pages[1][0].data(), pages[1][1].data()));
  RT_CHECK(pages[0][1] == pages[1][1], "values are not those of the core");
  // Turned keys may round otherwise; what was not appended has the same bytes.
  size_t different = 0;
  double worst = 0;
  for (size_t i = 0; i < pages[0][0].size() / static_cast<size_t>(bytes_of(cache_dtype)); i++) {
    float a, b;
    if (bytes_of(cache_dtype) == 4) {
      memcpy(&a, &pages[0][0][4 * i], 4), memcpy(&b, &pages[1][0][4 * i], 4);
    } else {
      uint16_t bits[2];
      memcpy(&bits[0], &pages[0][0][2 * i], 2), memcpy(&bits[1], &pages[1][0][2 * i], 2);
      a = from_half(cache_dtype, bits[0]), b = from_half(cache_dtype, bits[1]);
    }
    different += a != b;
    worst = std::max(worst, distance(b, a));
  }
  const double unit = cache_dtype == FOVEA_DTYPE_F32 ? 3e-7 : cache_dtype == FOVEA_DTYPE_F16 ? 1e-3 : 8e-3;
  RT_CHECK(worst <= unit && different <= 140 * 2 * 8, "keys are off by %g, %zu of them differ", worst, different);
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, [&] {
    std::vector<int> wrong = table;
    wrong[1] = 6;
    return fovea_cuda_cache_append(direct, &p, k.bytes.data(), v.bytes.data(), offsets.data(), lengths.data(),
                                   wrong.data(), rope.data(), &failure, pages[1][0].data(), pages[1][1].data());
  }());
}

int main() {
  const fovea_engine_options options = {sizeof options, 1, -1, FOVEA_ISA_AUTO};
  RT_OK(fovea_engine_create(&options, &engine));
  for (const int compute : {80, 90}) {
    emulated_reset();
    emulated_set(EMULATED_COMPUTE_CAPABILITY, compute);
    Device device;
    fovea_cuda_direct *direct = nullptr;
    RT_OK(fovea_cuda_direct_create(device.handle, &failure, &direct));
    attends_like_the_core(direct, FOVEA_DTYPE_F32, 2e-6);
    emulated_set(EMULATED_ORDER, 1);
    attends_like_the_core(direct, FOVEA_DTYPE_F16, 2e-3);
    attends_like_the_core(direct, FOVEA_DTYPE_BF16, 1e-2);
    refuses(direct);
    appends_like_the_core(direct, FOVEA_DTYPE_F32, FOVEA_DTYPE_F32);
    appends_like_the_core(direct, FOVEA_DTYPE_F32, FOVEA_DTYPE_F16);
    appends_like_the_core(direct, FOVEA_DTYPE_BF16, FOVEA_DTYPE_BF16);
    RT_OK(fovea_cuda_direct_destroy(direct));
  }
  RT_OK(fovea_engine_destroy(engine));
  RT_CHECK(nothing_lives(), "something is left behind");
  return finish("direct_test");
}
