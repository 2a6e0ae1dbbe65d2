// ATTENTION of a plan: operands in the columns of a buffer, graphs with room for more than the batch, caches, patterns, and
// sequences shared out between kernels. Against softmax(scale Q K^T) V in double.
#include "cuda/ops/attention/attention.h"

#include "cuda/op_harness.h"

namespace {

constexpr int F32 = FOVEA_DTYPE_F32, F16 = FOVEA_DTYPE_F16, BF16 = FOVEA_DTYPE_BF16;

struct Case {
  int dtype = F32, dim = 32, heads = 2, kv_heads = 1;
  int left = -1, right = -1, rope = 0;
  int cache = -1; // the dtype of pages
  std::vector<int> lengths;
  std::vector<int> held; // tokens in the cache before
  int capability = 80;
  bool explain = false;
  int gap = 0; // elements between the rows of the fused product
};

// Queries, keys and values side by side, as one product makes them; keys and values of all tokens, cached or new.
struct Tensors {
  Case c;
  op::Batch batch;
  int most, columns; // the most keys; pages of a sequence
  op::Matrix fused, out, keys, values, k_pages, v_pages, rope, pattern;
  std::vector<int> table, ends{0};

  explicit Tensors(const Case &c)
      : c(c), batch(c.lengths, op::Batch(c.lengths).tokens + 70, static_cast<int>(c.lengths.size()) + 2), most(longest()),
        columns(most / FOVEA_PAGE_KEYS + 2),
        fused(c.dtype, FOVEA_CUDA_ROWS_TOKENS, batch.max_tokens, (c.heads + 2 * c.kv_heads) * c.dim,
              (c.heads + 2 * c.kv_heads) * c.dim + c.gap),
        out(c.dtype, FOVEA_CUDA_ROWS_TOKENS, batch.max_tokens, c.heads * c.dim, (c.heads + 1) * c.dim),
        keys(F32, 0, batch.sequences * most, c.kv_heads * c.dim), values(F32, 0, batch.sequences * most, c.kv_heads * c.dim),
        k_pages(c.cache < 0 ? F32 : c.cache, 0, rows_of_pages(), c.dim),
        v_pages(c.cache < 0 ? F32 : c.cache, 0, rows_of_pages(), c.dim), rope(F32, 0, most + 1, c.dim),
        pattern(F32, 0, c.explain ? c.heads * batch.max_tokens : 1, c.cache < 0 ? batch.max_tokens : columns * FOVEA_PAGE_KEYS) {
    fused.fill(1, 1, batch.tokens);
    rope.fill(2);
    for (int i = 0; i < batch.sequences * columns; i++) table.push_back(batch.sequences * columns - 1 - i);
    for (int s = 0; s < batch.sequences; s++) {
      ends.push_back(ends.back() + held(s) + c.lengths[s]);
      for (int j = 0; j < held(s) + c.lengths[s]; j++) add_key(s, j);
    }
  }

  int longest() const {
    int longest = 1;
    for (size_t s = 0; s < c.lengths.size(); s++) longest = std::max(longest, c.lengths[s] + held(static_cast<int>(s)));
    return longest;
  }
  int rows_of_pages() const {
    return c.cache < 0 ? 1 : static_cast<int>(c.lengths.size()) * columns * c.kv_heads * FOVEA_PAGE_KEYS;
  }
  int held(int s) const { return c.held.empty() ? 0 : c.held[static_cast<size_t>(s)]; }
  int key_column(int head) const { return (c.heads + head) * c.dim; }
  int value_column(int head) const { return (c.heads + c.kv_heads + head) * c.dim; }

  // As CACHE_APPEND writes them: keys of a cache are turned and rounded.
  void add_key(int s, int j) {
    for (int i = 0; i < c.kv_heads * c.dim; i++) {
      const int head = i / c.dim, e = i % c.dim, fresh = j - held(s);
      const auto key = [&](int column) {
        return fresh < 0 ? op::round_to(c.dtype, op::value(5, s * 4096 + j, head * c.dim + column))
                         : fused.get(batch.offsets[s] + fresh, key_column(head) + column);
      };
      float value = fresh < 0 ? op::round_to(c.dtype, op::value(6, s * 4096 + j, i))
                                    : fused.get(batch.offsets[s] + fresh, value_column(head) + e);
      const int pairs = c.dim / 2;
      float k = key(e);
      if (c.rope) {
        k = k * rope.get(j, e % pairs) + (e < pairs ? -1 : 1) * key(e < pairs ? e + pairs : e - pairs) * rope.get(j, pairs + e % pairs);
      }
      if (c.cache >= 0) {
        const int row = (table[s * columns + j / FOVEA_PAGE_KEYS] * c.kv_heads + head) * FOVEA_PAGE_KEYS + j % FOVEA_PAGE_KEYS;
        k_pages.set(row, e, k), v_pages.set(row, e, value);
        k = op::round_to(c.cache, k), value = op::round_to(c.cache, value);
      }
      keys.set(s * most + j, i, k), values.set(s * most + j, i, value);
    }
  }

  fv_view columns_of(int first, int count) const {
    fv_view view = fused.view();
    view.data = static_cast<unsigned char *>(view.data) + first * op::size_of(c.dtype);
    view.columns = count;
    return view;
  }

  op::Problem problem() {
    op::Problem problem(FOVEA_CUDA_OP_ATTENTION, batch, c.capability);
    problem.multiprocessors = 1; // so that blocks take several tiles
    problem.step.heads = c.heads;
    problem.step.kv_heads = c.kv_heads;
    problem.step.head_dim = problem.step.value_dim = c.dim;
    problem.step.window_left = c.left;
    problem.step.window_right = c.right;
    problem.step.scale = 3 / sqrtf(static_cast<float>(c.dim));
    problem.step.rope = c.rope;
    problem.step.rope_dim = c.dim;
    problem.step.rope_positions = most + 1;
    problem.step.constants[0] = c.rope ? rope.address() : 0;
    problem.x = columns_of(0, c.heads * c.dim);
    problem.out = out.view();
    if (c.explain) problem.weights = pattern.data();
    if (c.cache < 0) {
      problem.y = columns_of(key_column(0), c.kv_heads * c.dim);
      problem.z = columns_of(value_column(0), c.kv_heads * c.dim);
    } else {
      problem.step.group = problem.step.layer = 0;
      problem.group = {table.data(), nullptr, ends.data(), columns, c.cache};
      problem.keys = k_pages.data();
      problem.values = v_pages.data();
    }
    return problem;
  }

  double query(int row, int head, int position, int e) const {
    const auto x = [&](int i) { return static_cast<double>(fused.get(row, head * c.dim + i)); };
    const int pairs = c.dim / 2;
    if (!c.rope) return x(e);
    return x(e) * rope.get(position, e % pairs) + (e < pairs ? -1 : 1) * x(e < pairs ? e + pairs : e - pairs) * rope.get(position, pairs + e % pairs);
  }

  // Weights of the keys of a sequence, 0 where masked.
  std::vector<double> weights(int s, int i, int head) const {
    const int all = held(s) + c.lengths[s], diagonal = held(s) + i, kv = head / (c.heads / c.kv_heads);
    std::vector<double> w(static_cast<size_t>(all), 0.0);
    const int low = c.left < 0 ? 0 : std::max(diagonal - c.left, 0);
    const int high = c.right < 0 ? all : std::min(diagonal + c.right + 1, all);
    double sum = 0;
    for (int j = low; j < high; j++) {
      double score = 0;
      for (int e = 0; e < c.dim; e++) score += query(batch.offsets[s] + i, head, diagonal, e) * keys.get(s * most + j, kv * c.dim + e);
      sum += w[static_cast<size_t>(j)] = std::exp(score * 3 / std::sqrt(c.dim));
    }
    for (double &x : w) x /= sum;
    return w;
  }
};

void check_row(const Tensors &t, int s, int i, int head, const char *what) {
  const Case &c = t.c;
  const int row = t.batch.offsets[s] + i, kv = head / (c.heads / c.kv_heads);
  const std::vector<double> w = t.weights(s, i, head);
  const double tolerance = c.dtype == F32 ? 1e-5 : (c.rope ? 4 : 2) * op::unit_of(c.dtype);
  for (int e = 0; e < c.dim; e++) {
    double want = 0;
    for (size_t j = 0; j < w.size(); j++) want += w[j] * t.values.get(s * t.most + static_cast<int>(j), kv * c.dim + e);
    const double got = t.out.get(row, head * c.dim + e);
    OP_CHECK(std::fabs(got - want) <= tolerance, "%s, %s: sequence %d, query %d, head %d, element %d is %g, want %g",
             what, op::name_of(c.dtype), s, i, head, e, got, want);
  }
  if (!c.explain) return;
  for (int j = 0; j < t.pattern.columns; j++) {
    const double got = t.pattern.get(head * t.batch.max_tokens + row, j);
    if (j >= static_cast<int>(w.size())) {
      OP_CHECK(std::isnan(got), "%s: weight %d behind the keys was written", what, j);
    } else {
      OP_CHECK(std::fabs(got - w[static_cast<size_t>(j)]) <= 1e-5, "%s: weight %d of query %d is %g, want %g", what, j, i,
               got, w[static_cast<size_t>(j)]);
    }
  }
}

void should_match_reference(const Case &c, const char *kernels) {
  Tensors t(c);
  op::Problem problem = t.problem();
  const int status = problem.run();
  OP_CHECK(status == FOVEA_STATUS_OK, "%s: status %d", kernels, status);
  OP_CHECK(problem.kernels() == kernels, "%s ran, want %s", problem.kernels().c_str(), kernels);
  for (int s = 0; s < t.batch.sequences; s++) {
    for (int i = 0; i < c.lengths[s]; i += i + 5 < c.lengths[s] && i % 64 < 60 && c.lengths[s] > 20 ? 5 : 1) {
      for (int head = 0; head < c.heads; head++) check_row(t, s, i, head, kernels);
    }
  }
  OP_CHECK(t.out.untouched(t.batch.tokens), "%s: bytes around the rows were written", kernels);
}

// Encoders: keys and values of the batch itself.
void encoders() {
  Case c;
  c.lengths = {20, 0, 1, 130, 65};
  c.explain = true;
  should_match_reference(c, "fv_attention_exact_32 fv_attention_pattern");
  c.rope = FOVEA_ROPE_HALF, c.dim = 80, c.explain = false;
  should_match_reference(c, "fv_attention_exact_128");
  c.dtype = BF16;
  should_match_reference(c, "fv_attention_bf16_128_any");
  c.rope = 0, c.dim = 32;
  should_match_reference(c, "fv_attention_bf16_32_plain fv_attention_bf16_32_short");
  c.dim = 128, c.dtype = F16, c.right = 0;
  should_match_reference(c, "fv_attention_f16_128_plain");
  c.dim = 64, c.left = c.right = 20, c.rope = FOVEA_ROPE_HALF, c.explain = true;
  should_match_reference(c, "fv_attention_f16_64_any fv_attention_pattern");
}

// Rows that do not begin at multiples of 16 bytes go another way, to the same bits; short sequences as well.
void should_give_the_same_bits_by_any_kernel(Case c, float poison) {
  Case other = c;
  other.gap = 1;
  Tensors x(c), y(other);
  if (poison != 0) {
    for (Tensors *t : {&x, &y}) t->fused.set(t->batch.offsets[2] + 3, t->value_column(0) + 5, poison);
  }
  op::Problem a = x.problem(), b = y.problem();
  a.run(), b.run();
  OP_CHECK(a.kernels() != b.kernels(), "%s both times", a.kernels().c_str());
  for (int r = 0; r < x.batch.tokens; r++) OP_CHECK_SAME_BITS(x.out, r, y.out, r, a.kernels().c_str());
}

// Sentences, whose queries see all keys or not; some hold NaN or infinity.
void sentences() {
  for (int dtype : {F16, BF16}) {
    Case c;
    c.dtype = dtype, c.dim = dtype == F16 ? 32 : 64;
    c.heads = 3, c.kv_heads = 3;
    c.lengths = {1, 15, 16, 17, 0, 31, 32, 33, 64, 8};
    const std::string name = std::string("fv_attention_") + op::name_of(dtype) + "_" + std::to_string(c.dim);
    should_match_reference(c, (name + "_plain " + name + "_short").c_str());
    should_give_the_same_bits_by_any_kernel(c, 0);
    c.right = 0, c.left = 9;
    should_match_reference(c, (name + "_plain " + name + "_short").c_str());
    for (float poison : {0.0f, NAN, -INFINITY}) should_give_the_same_bits_by_any_kernel(c, poison);
  }
}

// On Hopper the longer sequences are attention90's, where it serves.
void hopper() {
  Case c;
  c.capability = 90, c.dtype = BF16, c.dim = 64;
  c.lengths = {20, 129, 128, 200};
  should_match_reference(c, "fv_attention90_bf16_64_full fv_attention_bf16_64_plain fv_attention_bf16_64_short");
  c.dim = 32;
  should_match_reference(c, "fv_attention_bf16_32_plain fv_attention_bf16_32_short");
}

// Decoders: prefill in parts and tokens one by one, over pages of any type.
void decoders(int dtype, int cache, const char *kernels) {
  Case c;
  c.dtype = dtype, c.cache = cache, c.dim = 64, c.heads = 6, c.kv_heads = 2, c.right = 0, c.rope = FOVEA_ROPE_HALF;
  c.lengths = {1, 5, 1, 66}, c.held = {300, 124, 0, 10};
  should_match_reference(c, kernels);
}

void patterns_over_caches() {
  Case c;
  c.cache = BF16, c.dtype = BF16, c.dim = 64, c.right = 0, c.left = 100, c.explain = true;
  c.lengths = {1, 5}, c.held = {300, 2};
  should_match_reference(c, "fv_attention_split_bf16_8 fv_attention_combine fv_attention_bf16_64_plain fv_attention_pattern");
}

// Many keys, so that a range has several pages; and every query head its own keys.
void many_keys() {
  Case c;
  c.cache = F16, c.dtype = F16, c.dim = 32, c.heads = c.kv_heads = 1, c.right = 0;
  c.lengths = {1}, c.held = {FV_MOST_SPLITS * FOVEA_PAGE_KEYS + 100};
  should_match_reference(c, "fv_attention_split_f16_1 fv_attention_combine fv_attention_f16_32_plain");
}

void run() {
  encoders();
  sentences();
  hopper();
  decoders(F32, F32, "fv_attention_split_f32_8 fv_attention_combine fv_attention_exact_64");
  decoders(F32, BF16, "fv_attention_split_bf16_8 fv_attention_combine fv_attention_exact_64");
  decoders(BF16, F32, "fv_attention_split_f32_8 fv_attention_combine fv_attention_bf16_64_any");
  decoders(BF16, BF16, "fv_attention_split_bf16_8 fv_attention_combine fv_attention_bf16_64_plain");
  decoders(BF16, F16, "fv_attention_split_f16_8 fv_attention_combine fv_attention_exact_64");
  decoders(F16, F16, "fv_attention_split_f16_8 fv_attention_combine fv_attention_f16_64_plain");
  patterns_over_caches();
  many_keys();
}

} // namespace

int main() {
  op::each_order(run);
  return op::finish("attention_step_test");
}
