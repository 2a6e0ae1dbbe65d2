// EMBEDDING against sums in double.
#include "cuda/ops/embedding/embedding.h"

#include "cuda/op_harness.h"

namespace {

constexpr int VOCABULARY = 11, POSITIONS = 40, FIRST = 2;

struct Case {
  int words_dtype, out_dtype, width, gap;
  bool positions, type, starts;
};

struct Tables {
  op::Matrix words, positions, type;

  explicit Tables(const Case &c)
      : words(c.words_dtype, 0, VOCABULARY, c.width), positions(FOVEA_DTYPE_F32, 0, POSITIONS, c.width),
        type(FOVEA_DTYPE_F32, 0, 1, c.width) {
    words.fill(1), positions.fill(2), type.fill(3);
  }
};

op::Problem problem_of(const Case &c, const op::Batch &batch, const Tables &tables, const int *starts,
                       const op::Matrix &out) {
  op::Problem problem(FOVEA_CUDA_OP_EMBEDDING, batch);
  problem.step.weight_dtype = c.words_dtype;
  problem.step.vocabulary = VOCABULARY;
  problem.step.positions = POSITIONS;
  problem.step.first_position = FIRST;
  problem.step.scale = 1.5f;
  problem.step.constants[0] = tables.words.address();
  problem.step.constants[1] = c.positions ? tables.positions.address() : 0;
  problem.step.constants[2] = c.type ? tables.type.address() : 0;
  problem.step.group = c.starts ? 0 : -1;
  problem.group.lengths = starts;
  problem.out = out.view();
  return problem;
}

void name_tokens(op::Batch &batch, int first) {
  for (int t = 0; t < batch.tokens; t++) batch.ids[t] = (first + t) * 7 % VOCABULARY;
}

void should_match_reference(const Case &c) {
  op::Batch batch({3, 0, 5, 1, 0}, 14, 7);
  name_tokens(batch, 0);
  const std::vector<int> starts = {4, 9, 0, 37, 3};
  const Tables tables(c);
  op::Matrix out(c.out_dtype, FOVEA_CUDA_ROWS_TOKENS, 14, c.width, c.width + c.gap);
  op::Problem problem = problem_of(c, batch, tables, starts.data(), out);
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  const auto want = [&](int t, int i) {
    int s = 0;
    while (batch.offsets[s + 1] <= t) s++;
    const int position = FIRST + t - batch.offsets[s] + (c.starts ? starts[s] : 0);
    return 1.5 * tables.words.get(batch.ids[t], i) + (c.positions ? tables.positions.get(position, i) : 0) +
           (c.type ? tables.type.get(0, i) : 0);
  };
  OP_CHECK_CLOSE(out, batch.tokens, want, 5e-7, 0, "embedding");
}

void should_give_a_sequence_the_same_bits(const Case &c) {
  op::Batch batch({2, 6, 1}), alone({6});
  name_tokens(batch, 0), name_tokens(alone, 2);
  const Tables tables(c);
  op::Matrix out(c.out_dtype, 0, 9, c.width), one(c.out_dtype, 0, 6, c.width);
  problem_of(c, batch, tables, nullptr, out).run();
  problem_of(c, alone, tables, nullptr, one).run();
  for (int t = 0; t < 6; t++) OP_CHECK_SAME_BITS(out, t + 2, one, t, "embedding");
}

// The runtime refuses them; should they come, nothing outside the tables is read.
void should_write_nan_for_what_is_outside_the_tables() {
  const Case c = {FOVEA_DTYPE_F32, FOVEA_DTYPE_F32, 5, 0, true, false, true};
  op::Batch batch({4, 1});
  name_tokens(batch, 0);
  batch.ids[1] = VOCABULARY, batch.ids[2] = -1;
  const std::vector<int> starts = {0, POSITIONS - FIRST};
  const Tables tables(c);
  op::Matrix out(c.out_dtype, 0, 5, c.width);
  problem_of(c, batch, tables, starts.data(), out).run();
  for (int t = 0; t < 5; t++) {
    for (int i = 0; i < c.width; i++) {
      OP_CHECK(std::isnan(out.get(t, i)) == (t == 1 || t == 2 || t == 4), "token %d is %g", t, out.get(t, i));
    }
  }
}

void run() {
  const int f32 = FOVEA_DTYPE_F32, f16 = FOVEA_DTYPE_F16, bf16 = FOVEA_DTYPE_BF16;
  for (const Case &c : {Case{f32, f32, 1, 0, true, true, false}, Case{f16, f16, 7, 1, true, false, true},
                        Case{bf16, bf16, 384, 0, true, true, true}, Case{f32, f32, 260, 4, false, true, false},
                        Case{bf16, f32, 264, 3, false, false, true}, Case{f16, bf16, 33, 0, true, true, false}}) {
    should_match_reference(c);
  }
  should_give_a_sequence_the_same_bits({bf16, bf16, 40, 0, true, true, false});
  should_write_nan_for_what_is_outside_the_tables();
}

}  // namespace

int main() {
  op::each_order(run);
  return op::finish("embedding_test");
}
