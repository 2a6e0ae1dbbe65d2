// CACHE_APPEND, a step's and a direct call's, against products in double.
#include "cuda/op_harness.h"

namespace {

struct Case {
  int dtype, cache_dtype, rope, kv_heads, head_dim, value_dim, rope_dim, gap;
};

constexpr int kColumns = 3; // pages of a sequence

// A cache of four sequences that hold some tokens, and what is appended to it. Pages are numbered backwards.
struct Cache {
  Case c;
  op::Batch batch;
  std::vector<int> held{126, 0, 250, 128}, table;
  op::Matrix k, v, k_pages, v_pages, rope;

  explicit Cache(const Case &c)
      : c(c), batch({5, 0, 3, 1}, 12, 6), k(c.dtype, 0, 12, c.kv_heads * c.head_dim, c.kv_heads * c.head_dim + c.gap),
        v(c.dtype, 0, 12, c.kv_heads * c.value_dim, c.kv_heads * c.value_dim + c.gap),
        k_pages(c.cache_dtype, 0, (4 * kColumns + 1) * c.kv_heads * FOVEA_PAGE_KEYS, c.head_dim),
        v_pages(c.cache_dtype, 0, (4 * kColumns + 1) * c.kv_heads * FOVEA_PAGE_KEYS, c.value_dim),
        rope(FOVEA_DTYPE_F32, 0, 400, c.rope_dim) {
    for (int i = 0; i < 4 * kColumns; i++) table.push_back(4 * kColumns - i);
    k.fill(1, 3), v.fill(2, 3), rope.fill(3);
  }

  op::Problem problem() {
    op::Problem problem(FOVEA_CUDA_OP_CACHE_APPEND, batch);
    problem.step.kv_heads = c.kv_heads;
    problem.step.head_dim = c.head_dim;
    problem.step.value_dim = c.value_dim;
    problem.step.rope = c.rope;
    problem.step.rope_dim = c.rope_dim;
    problem.step.rope_positions = 400;
    problem.step.constants[0] = c.rope ? rope.address() : 0;
    problem.x = k.view();
    problem.y = v.view();
    problem.group = {table.data(), held.data(), nullptr, kColumns, c.cache_dtype};
    problem.keys = k_pages.data();
    problem.values = v_pages.data();
    return problem;
  }

  int row(int s, int token, int head) const {
    const int position = held[s] + token;
    return (table[s * kColumns + position / FOVEA_PAGE_KEYS] * c.kv_heads + head) * FOVEA_PAGE_KEYS +
           position % FOVEA_PAGE_KEYS;
  }
};

double turned(const Cache &x, int s, int token, int head, int e) {
  const Case &c = x.c;
  const int from = x.batch.offsets[s] + token, position = x.held[s] + token, pairs = c.rope_dim / 2;
  const auto key = [&](int i) { return x.k.get(from, head * c.head_dim + i); };
  if (!c.rope || e >= c.rope_dim) return key(e);
  const bool half = c.rope == FOVEA_ROPE_HALF, first = half ? e < pairs : e % 2 == 0;
  const int pair = half ? e % pairs : e / 2, other = half ? (first ? e + pairs : e - pairs) : e ^ 1;
  const double cosine = x.rope.get(position, pair), sine = x.rope.get(position, pairs + pair);
  return key(e) * cosine + (first ? -1 : 1) * key(other) * sine;
}

void erase(op::Matrix &x, int row) {
  memset(static_cast<unsigned char *>(x.data()) + static_cast<size_t>(row) * x.stride * op::size_of(x.dtype), 0xff,
         static_cast<size_t>(x.columns) * op::size_of(x.dtype));
}

void check(Cache &x, const char *what) {
  const Case &c = x.c;
  for (int s = 0; s < 4; s++) {
    for (int token = 0; token < x.batch.lengths[s]; token++) {
      for (int head = 0; head < c.kv_heads; head++) {
        const int row = x.row(s, token, head);
        for (int e = 0; e < c.head_dim; e++) {
          const double got = x.k_pages.get(row, e), want = turned(x, s, token, head, e);
          OP_CHECK(std::fabs(got - want) <= 1e-6 + op::unit_of(c.cache_dtype) * std::fabs(want),
                   "%s: key %d of %d, head %d, element %d is %g, want %g", what, token, s, head, e, got, want);
        }
        for (int e = 0; e < c.value_dim; e++) {
          const float got = x.v_pages.get(row, e);
          const float want = op::round_to(c.cache_dtype, x.v.get(x.batch.offsets[s] + token, head * c.value_dim + e));
          OP_CHECK(got == want, "%s: value %d of %d, head %d, element %d is %g, want %g", what, token, s, head, e, got,
                   want);
        }
        erase(x.k_pages, row), erase(x.v_pages, row);
      }
    }
  }
  OP_CHECK(x.k_pages.untouched(0) && x.v_pages.untouched(0), "%s: other rows of the pages were written", what);
}

void should_append(const Case &c) {
  Cache x(c);
  OP_CHECK(x.problem().run() == FOVEA_STATUS_OK, "refused");
  check(x, "step");
}

// The same by strides of a direct call, heads in front of tokens.
void should_append_with_strides(const Case &c) {
  Cache x(c);
  op::Problem problem = x.problem();
  fovea_cache_append_params p = {};
  p.struct_size = sizeof p;
  p.sequences = 4, p.kv_heads = c.kv_heads, p.head_dim = c.head_dim, p.value_dim = c.value_dim;
  p.dtype = c.dtype, p.cache_dtype = c.cache_dtype;
  p.rope = c.rope, p.rope_dim = c.rope_dim, p.rope_positions = 400;
  p.pages = 4 * kColumns + 1, p.page_table_stride = kColumns;
  p.k_token_stride = x.k.stride, p.k_head_stride = c.head_dim;
  op::Matrix padded(c.dtype, 0, 4 * c.kv_heads * 5, c.value_dim); // [sequences, heads, 5, dim]
  p.v_sequence_stride = c.kv_heads * 5 * c.value_dim, p.v_head_stride = 5 * c.value_dim, p.v_token_stride = c.value_dim;
  for (int s = 0; s < 4; s++) {
    for (int token = 0; token < x.batch.lengths[s]; token++) {
      for (int i = 0; i < c.kv_heads * c.value_dim; i++) {
        padded.set((s * c.kv_heads + i / c.value_dim) * 5 + token, i % c.value_dim,
                   x.v.get(x.batch.offsets[s] + token, i));
      }
    }
  }
  problem.step.kv_heads = problem.step.head_dim = 0; // not read
  problem.x = {}, problem.y = {};
  problem.x.data = x.k.data(), problem.y.data = padded.data();
  problem.direct_append = &p;
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  check(x, "direct");
}

// What is too large for a half type becomes infinity, NaN stays NaN, halfway cases go to the even neighbour.
void should_round_to_nearest_even(int cache_dtype) {
  const float values[] = {65519.99f, 65520,        -1e9f,       3.4e38f, 2.98e-8f,    2.981e-8f,   1.00048828125f, 1.00146484375f,
                          1.00390625f, 1.01171875f, INFINITY, -INFINITY, NAN,       -0.0f,     1e-40f,         6.1e-5f};
  Cache x({FOVEA_DTYPE_F32, cache_dtype, 0, 1, 16, 4, 2, 0});
  for (int i = 0; i < 16; i++) x.k.set(0, i, values[i]);
  x.problem().run();
  for (int i = 0; i < 16; i++) {
    const float got = x.k_pages.get(x.row(0, 0, 0), i), want = op::round_to(cache_dtype, values[i]);
    OP_CHECK(std::isnan(want) ? std::isnan(got) : got == want && std::signbit(got) == std::signbit(want),
             "%g became %g, want %g", values[i], got, want);
  }
}

void run() {
  const int f32 = FOVEA_DTYPE_F32, f16 = FOVEA_DTYPE_F16, bf16 = FOVEA_DTYPE_BF16;
  for (const Case &c : {Case{f32, f32, FOVEA_ROPE_HALF, 2, 20, 7, 12, 0}, Case{bf16, bf16, FOVEA_ROPE_HALF, 3, 64, 64, 64, 8},
                        Case{f16, f32, FOVEA_ROPE_INTERLEAVED, 1, 33, 130, 32, 1},
                        Case{f32, f16, 0, 2, 8, 8, 2, 0}, Case{bf16, f16, FOVEA_ROPE_INTERLEAVED, 2, 6, 1, 6, 3}}) {
    should_append(c);
    should_append_with_strides(c);
  }
  should_round_to_nearest_even(f16);
  should_round_to_nearest_even(bf16);
}

} // namespace

int main() {
  op::each_order(run);
  return op::finish("cache_test");
}
