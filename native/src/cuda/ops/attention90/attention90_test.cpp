// Attention of long sequences on Hopper, against softmax(scale Q K^T) V in double.
#include "cuda/ops/attention90/attention90.h"

#include "cuda/op_harness.h"

namespace {

constexpr int kF16 = FOVEA_DTYPE_F16, kBf16 = FOVEA_DTYPE_BF16;

struct Case {
  int dtype, dim, heads, kv_heads;
  int left = -1, right = -1;
  float softcap = 0;
  int gap = 0; // columns between the rows of the fused product
  int rope = FOVEA_ROPE_NONE, rope_dim = 0;
};

constexpr int kPositions = 400;

// Queries, keys and values side by side, as one product makes them, and the result. What is not filled is NaN.
struct Tensors {
  Case c;
  op::Matrix fused, out, angles;

  Tensors(const Case &c, int capacity)
      : c(c), fused(c.dtype, FOVEA_CUDA_ROWS_TOKENS, capacity, (c.heads + 2 * c.kv_heads) * c.dim,
                    (c.heads + 2 * c.kv_heads) * c.dim + c.gap),
        out(c.dtype, FOVEA_CUDA_ROWS_TOKENS, capacity, c.heads * c.dim, c.heads * c.dim + c.gap),
        angles(FOVEA_DTYPE_F32, 0, kPositions, std::max(c.rope_dim, 2)) {
    for (int r = 0; r < kPositions; r++) {
      for (int i = 0; i < c.rope_dim / 2; i++) {
        const float angle = static_cast<float>(r) / (1 + static_cast<float>(i));
        angles.set(r, i, cosf(angle));
        angles.set(r, c.rope_dim / 2 + i, sinf(angle));
      }
    }
  }

  int key_column(int head) const { return (c.heads + head / (c.heads / c.kv_heads)) * c.dim; }
  int value_column(int head) const { return key_column(head) + c.kv_heads * c.dim; }

  // Element i of the head that begins at a column, turned to its position and rounded.
  double turned(int row, int column, int position, int i) const {
    const double x = fused.get(row, column + i);
    if (c.rope == FOVEA_ROPE_NONE || i >= c.rope_dim) return x;
    const int pairs = c.rope_dim / 2;
    const bool half = c.rope == FOVEA_ROPE_HALF, first = half ? i < pairs : i % 2 == 0;
    const int pair = half ? i % pairs : i / 2, other = half ? (first ? i + pairs : i - pairs) : i ^ 1;
    const double y = fused.get(row, column + other), turn = first ? -y : y;
    return op::round_to(c.dtype, static_cast<float>(x * angles.get(position, pair) +
                                                    turn * angles.get(position, pairs + pair)));
  }

  fv_view columns(int first, int count) const {
    fv_view view = fused.view();
    view.data = static_cast<uint16_t *>(view.data) + first;
    view.columns = count;
    return view;
  }

  op::Problem problem(const op::Batch &batch) const {
    op::Problem problem(OP_ATTENTION90, batch, 90);
    problem.step.heads = c.heads;
    problem.step.kv_heads = c.kv_heads;
    problem.step.head_dim = problem.step.value_dim = c.dim;
    problem.step.window_left = c.left;
    problem.step.window_right = c.right;
    problem.step.softcap = c.softcap;
    problem.step.rope = c.rope;
    problem.step.rope_dim = c.rope_dim;
    problem.step.rope_positions = kPositions;
    problem.step.constants[0] = c.rope == FOVEA_ROPE_NONE ? 0 : angles.address();
    problem.step.scale = 3 / sqrtf(static_cast<float>(c.dim));
    problem.x = columns(0, c.heads * c.dim);
    problem.y = columns(c.heads * c.dim, c.kv_heads * c.dim);
    problem.z = columns((c.heads + c.kv_heads) * c.dim, c.kv_heads * c.dim);
    problem.out = out.view();
    return problem;
  }

  // The row of a query of a head, of the sequence that begins at a row.
  std::vector<double> reference(const op::Problem &problem, int begin, int length, int query, int head) const {
    const int low = c.left < 0 ? 0 : std::max(query - c.left, 0);
    const int high = c.right < 0 ? length : std::min(query + c.right + 1, length);
    std::vector<double> scores, sums(static_cast<size_t>(c.dim), 0.0);
    double peak = -INFINITY, total = 0;
    for (int k = low; k < high; k++) {
      double s = 0;
      for (int i = 0; i < c.dim; i++) {
        s += turned(begin + query, head * c.dim, query, i) * turned(begin + k, key_column(head), k, i);
      }
      s *= problem.step.scale;
      if (c.softcap > 0) s = c.softcap * std::tanh(s / c.softcap);
      scores.push_back(s);
      peak = std::isnan(s) ? s : std::max(peak, s);
    }
    for (double &s : scores) total += s = std::exp(s - peak);
    for (int k = low; k < high; k++) {
      for (int i = 0; i < c.dim; i++) {
        sums[static_cast<size_t>(i)] += scores[static_cast<size_t>(k - low)] / total *
                                        fused.get(begin + k, value_column(head) + i);
      }
    }
    return sums;
  }
};

// Long sequences have their rows; nothing of the others or of what lies around is written.
void check(const Tensors &t, const op::Problem &problem, const op::Batch &batch, int every, const char *what) {
  const Case &c = t.c;
  const double unit = op::unit_of(c.dtype);
  for (int s = 0; s < batch.sequences; s++) {
    const int begin = batch.offsets[s], length = batch.lengths[s];
    for (int q = 0; q < length; q++) {
      if (length <= FV_SHORT_KEYS) {
        OP_CHECK(std::isnan(t.out.get(begin + q, 0)), "%s: query %d of %d keys was written", what, q, length);
        continue;
      }
      if (q % every != 0 && q % 64 != 63 && q != length - 1) continue;
      for (int h = 0; h < c.heads; h++) {
        const std::vector<double> want = t.reference(problem, begin, length, q, h);
        for (int i = 0; i < c.dim; i++) {
          const double x = t.out.get(begin + q, h * c.dim + i), y = want[static_cast<size_t>(i)];
          const bool good = std::isnan(y) ? std::isnan(x) : std::isinf(y) ? x == y : std::fabs(x - y) <= 2 * unit;
          if (!OP_CHECK(good, "%s: dim %d, sequence %d of %d, query %d, head %d: element %d is %g, want %g", what, c.dim,
                        s, length, q, h, i, x, y)) {
            return;
          }
        }
      }
    }
  }
  OP_CHECK(t.out.untouched(batch.tokens), "%s: bytes around the rows were written", what);
}

void should_match_reference(const Case &c, const std::vector<int> &lengths) {
  const op::Batch batch(lengths, op::Batch(lengths).tokens + 40, static_cast<int>(lengths.size()) + 2);
  Tensors t(c, batch.max_tokens);
  t.fused.fill(1, 1, batch.tokens);
  op::Problem problem = t.problem(batch);
  problem.multiprocessors = 2; // blocks go on to other items
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "dim %d was refused", c.dim);
  check(t, problem, batch, 17, problem.kernels().c_str());
}

// A sequence alone, elsewhere in memory and by another number of blocks, among neighbours of NaN.
void should_give_a_sequence_the_same_bits(const Case &c, int length) {
  const op::Batch batch({150, length, 131}, 700, 5), alone({length});
  Tensors t(c, batch.max_tokens), one(c, length);
  for (int r = 150; r < 150 + length; r++) {
    for (int i = 0; i < t.fused.columns; i++) t.fused.set(r, i, op::value(1, r, i));
  }
  one.fused.fill(1, 1, length, 150);
  op::Problem many = t.problem(batch), single = one.problem(alone);
  many.multiprocessors = 3;
  single.multiprocessors = 1;
  OP_CHECK(many.run() == FOVEA_STATUS_OK && single.run() == FOVEA_STATUS_OK, "refused");
  for (int r = 0; r < length; r++) OP_CHECK_SAME_BITS(t.out, 150 + r, one.out, r, many.kernels().c_str());
  check(one, single, alone, 40, "alone");
}

// NaN and infinity reach the queries that attend to them, and no other.
void should_keep_masked_values_away(Case c) {
  const op::Batch batch({270});
  Tensors t(c, 270);
  t.fused.fill(1);
  for (int i = 0; i < c.dim; i++) t.fused.set(200, t.key_column(0) + i, NAN); // a key
  t.fused.set(150, t.value_column(0) + 3, INFINITY);
  t.fused.set(40, t.value_column(0) + 5, NAN);
  t.fused.set(100, 7, NAN); // a query
  op::Problem problem = t.problem(batch);
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  check(t, problem, batch, 5, "NaN");
}

void should_refuse_the_rest() {
  const Case c = {kBf16, 64, 2, 1};
  const op::Batch batch({200});
  const Tensors t(c, 200);
  const auto refuses = [&](const char *what, auto change) {
    op::Problem problem = t.problem(batch);
    change(problem);
    OP_CHECK(problem.plan() == FOVEA_STATUS_UNSUPPORTED, "%s was not refused", what);
  };
  refuses("an older GPU", [](op::Problem &p) { p.compute_capability = 80; });
  refuses("a newer GPU", [](op::Problem &p) { p.compute_capability = 100; });
  refuses("head_dim 32", [](op::Problem &p) { p.step.head_dim = p.step.value_dim = 32; });
  refuses("another value_dim", [](op::Problem &p) { p.step.value_dim = 128; });
  refuses("an odd RoPE", [](op::Problem &p) {
    p.step.rope = FOVEA_ROPE_HALF;
    p.step.rope_dim = 30;
    p.step.constants[0] = 256;
  });
  refuses("ALiBi", [](op::Problem &p) { p.step.constants[1] = 256; });
  refuses("scale 0", [](op::Problem &p) { p.step.scale = 0; });
  refuses("F32", [](op::Problem &p) { p.out.dtype = FOVEA_DTYPE_F32; });
  refuses("an odd stride", [](op::Problem &p) { p.y.stride++; });
  refuses("an odd address", [](op::Problem &p) { p.z.data = static_cast<uint16_t *>(p.z.data) + 1; });
}

void run() {
  should_match_reference({kBf16, 64, 2, 1, -1, -1, 0, 8}, {0, 1, 129, 128, 200, 385});
  should_match_reference({kF16, 64, 2, 2, -1, 0}, {256, 127, 257});
  should_match_reference({kF16, 64, 1, 1, 0, -1}, {300});
  should_match_reference({kBf16, 64, 2, 1, 30, 10}, {420});
  should_match_reference({kF16, 96, 1, 1}, {255});
  should_match_reference({kBf16, 96, 1, 1, 5, 0}, {140});
  should_match_reference({kF16, 128, 2, 1, -1, -1, 0, 16}, {353, 130});
  should_match_reference({kBf16, 128, 2, 2, -1, 0}, {400, 64, 129});
  should_match_reference({kBf16, 128, 1, 1, -1, 0, 2}, {200});
  should_match_reference({kF16, 64, 1, 1, -1, -1, 1}, {150});
  should_match_reference({kBf16, 256, 1, 1}, {161});
  should_match_reference({kF16, 256, 1, 1, -1, 0}, {140});
  should_match_reference({kBf16, 64, 2, 1, -1, -1, 0, 8, FOVEA_ROPE_HALF, 64}, {300, 20, 131});
  should_match_reference({kF16, 64, 1, 1, 40, 40, 0, 0, FOVEA_ROPE_INTERLEAVED, 24}, {150});
  should_give_a_sequence_the_same_bits({kBf16, 64, 1, 1}, 210);
  should_give_a_sequence_the_same_bits({kF16, 64, 1, 1, 60, 60, 0, 0, FOVEA_ROPE_HALF, 32}, 150);
  should_give_a_sequence_the_same_bits({kF16, 64, 2, 1, -1, 0}, 300);
  should_keep_masked_values_away({kBf16, 64, 1, 1, -1, 0});
  should_keep_masked_values_away({kBf16, 64, 1, 1, 20, 40, 3});
  should_keep_masked_values_away({kBf16, 64, 1, 1});
  should_refuse_the_rest();
}

} // namespace

int main() {
  op::each_order(run);
  return op::finish("attention90_test");
}
