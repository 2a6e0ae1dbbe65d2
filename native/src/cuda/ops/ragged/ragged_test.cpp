// RAGGED_MATMUL against sums in double.
#include "cuda/ops/ragged/ragged.h"

#include "cuda/op_harness.h"

namespace {

struct Case {
  int a_dtype, b_dtype, out_dtype, k, n, gap, transposed;
};

int a_rows(const Case &) { return FOVEA_CUDA_ROWS_TOKENS; }
int b_rows(const Case &c) { return c.transposed ? FOVEA_CUDA_ROWS_TOKENS : FOVEA_CUDA_ROWS_SEQUENCES; }
int out_rows(const Case &c) { return c.transposed ? FOVEA_CUDA_ROWS_SEQUENCES : FOVEA_CUDA_ROWS_TOKENS; }

/* The operands of a batch; rows of b are numbered from first_b on. */
struct Data {
  op::Matrix a, b, out;

  Data(const Case &c, const op::Batch &batch, int first_token, int first_sequence)
      : a(c.a_dtype, a_rows(c), batch.max_tokens, c.k, c.k + c.gap),
        b(c.b_dtype, b_rows(c), c.transposed ? batch.max_tokens : batch.max_sequences, c.transposed ? c.n : c.k * c.n,
          (c.transposed ? c.n : c.k * c.n) + c.gap),
        out(c.out_dtype, out_rows(c), c.transposed ? batch.max_sequences : batch.max_tokens,
            c.transposed ? c.k * c.n : c.n, (c.transposed ? c.k * c.n : c.n) + c.gap) {
    a.fill(1, 1, batch.tokens, first_token);
    b.fill(2, 1, c.transposed ? batch.tokens : batch.sequences, c.transposed ? first_token : first_sequence);
    op::Problem problem(FOVEA_CUDA_OP_RAGGED_MATMUL, batch);
    problem.step.mode = c.transposed;
    problem.x = a.view(), problem.y = b.view(), problem.out = out.view();
    OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  }
};

void should_match_reference(const Case &c, const std::vector<int> &lengths) {
  const op::Batch batch(lengths, 150, 6);
  const Data data(c, batch, 0, 0);
  const auto want = [&](int row, int column) {
    double sum = 0;
    if (c.transposed) {
      for (int t = batch.offsets[row]; t < batch.offsets[row + 1]; t++) {
        sum += static_cast<double>(data.a.get(t, column / c.n)) * data.b.get(t, column % c.n);
      }
      return sum;
    }
    int s = 0;
    while (batch.offsets[s + 1] <= row) s++;
    for (int i = 0; i < c.k; i++) sum += static_cast<double>(data.a.get(row, i)) * data.b.get(s, i * c.n + column);
    return sum;
  };
  OP_CHECK_CLOSE(data.out, c.transposed ? batch.sequences : batch.tokens, want, 2e-6, 1e-6, "ragged_matmul");
}

void should_give_a_sequence_the_same_bits(const Case &c) {
  const op::Batch batch({5, 70, 3}, 150, 6), alone({70});
  const Data all(c, batch, 0, 0), one(c, alone, 5, 1);
  if (c.transposed) {
    OP_CHECK_SAME_BITS(all.out, 1, one.out, 0, "transposed");
  } else {
    for (int t = 0; t < 70; t++) OP_CHECK_SAME_BITS(all.out, t + 5, one.out, t, "ragged_matmul");
  }
}

void run() {
  const int f32 = FOVEA_DTYPE_F32, f16 = FOVEA_DTYPE_F16, bf16 = FOVEA_DTYPE_BF16;
  for (int transposed : {0, 1}) {
    should_match_reference({f32, f32, f32, 1, 1, 0, transposed}, {1, 0, 2});
    should_match_reference({bf16, bf16, f32, 16, 64, 1, transposed}, {64, 0, 17});
    should_match_reference({f16, f32, f16, 65, 66, 0, transposed}, {65, 3, 15});
    should_give_a_sequence_the_same_bits({f32, f32, f32, 20, 9, 0, transposed});
  }
}

}  // namespace

int main() {
  op::each_order(run);
  return op::finish("ragged_test");
}
