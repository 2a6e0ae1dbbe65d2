// POOL against means in double.
#include "cuda/ops/pool/pool.h"

#include "cuda/op_harness.h"

namespace {

struct Case {
  int x_dtype, out_dtype, width, gap, mode, normalize;
};

op::Problem problem_of(const Case &c, const op::Batch &batch, const op::Matrix &x, const op::Matrix &out) {
  op::Problem problem(FOVEA_CUDA_OP_POOL, batch);
  problem.step.mode = c.mode;
  problem.step.normalize = c.normalize;
  problem.x = x.view();
  problem.out = out.view();
  return problem;
}

std::vector<double> reference(const Case &c, const op::Matrix &x, int begin, int end) {
  std::vector<double> out(static_cast<size_t>(c.width), 0.0);
  if (begin == end) return out;
  if (c.mode == FOVEA_POOLING_CLS) end = begin + 1;
  if (c.mode == FOVEA_POOLING_LAST) begin = end - 1;
  double squares = 0;
  for (int i = 0; i < c.width; i++) {
    for (int t = begin; t < end; t++) out[i] += x.get(t, i);
    out[i] /= end - begin;
    squares += out[i] * out[i];
  }
  for (int i = 0; i < c.width && c.normalize; i++) out[i] /= std::max(std::sqrt(squares), 1e-12);
  return out;
}

void should_match_reference(const Case &c) {
  const op::Batch batch({1, 0, 7, 19, 0}, 30, 7);
  op::Matrix x(c.x_dtype, FOVEA_CUDA_ROWS_TOKENS, 30, c.width, c.width + c.gap);
  op::Matrix out(c.out_dtype, FOVEA_CUDA_ROWS_SEQUENCES, 7, c.width, c.width + c.gap);
  x.fill(1, 2, batch.tokens);
  OP_CHECK(problem_of(c, batch, x, out).run() == FOVEA_STATUS_OK, "refused");
  std::vector<std::vector<double>> want;
  for (int s = 0; s < batch.sequences; s++) want.push_back(reference(c, x, batch.offsets[s], batch.offsets[s + 1]));
  OP_CHECK_CLOSE(out, batch.sequences, [&](int s, int i) { return want[s][i]; }, 3e-7, 1e-6, "pool");
}

void should_give_a_sequence_the_same_bits(const Case &c) {
  const op::Batch batch({3, 21, 2}, 40, 4), alone({21});
  op::Matrix x(c.x_dtype, 0, 40, c.width), one(c.x_dtype, 0, 21, c.width, c.width + 1, 1);
  op::Matrix out(c.out_dtype, 1, 4, c.width), one_out(c.out_dtype, 1, 1, c.width);
  x.fill(1, 1, 26), one.fill(1, 1, 21, 3);
  problem_of(c, batch, x, out).run();
  problem_of(c, alone, one, one_out).run();
  OP_CHECK_SAME_BITS(out, 1, one_out, 0, "pool");
}

void should_keep_nan_in_its_sequence() {
  const Case c = {FOVEA_DTYPE_F32, FOVEA_DTYPE_F32, 20, 0, FOVEA_POOLING_MEAN, 1};
  const op::Batch batch({2, 3});
  op::Matrix x(c.x_dtype, 0, 5, c.width), out(c.out_dtype, 1, 2, c.width);
  x.fill(1);
  x.set(1, 7, NAN);
  problem_of(c, batch, x, out).run();
  for (int i = 0; i < c.width; i++) {
    OP_CHECK(std::isnan(out.get(0, i)) && std::isfinite(out.get(1, i)), "column %d: %g, %g", i, out.get(0, i),
             out.get(1, i));
  }
}

void run() {
  const int f32 = FOVEA_DTYPE_F32, f16 = FOVEA_DTYPE_F16, bf16 = FOVEA_DTYPE_BF16;
  for (int mode : {FOVEA_POOLING_MEAN, FOVEA_POOLING_CLS, FOVEA_POOLING_LAST}) {
    for (int normalize : {0, 1}) {
      for (const Case &c : {Case{f32, f32, 1, 0, mode, normalize}, Case{f16, f16, 13, 1, mode, normalize},
                            Case{bf16, f32, 384, 0, mode, normalize}, Case{f32, bf16, 256, 4, mode, normalize}}) {
        should_match_reference(c);
      }
    }
  }
  should_give_a_sequence_the_same_bits({bf16, f32, 264, 0, FOVEA_POOLING_MEAN, 1});
  should_keep_nan_in_its_sequence();
}

}  // namespace

int main() {
  op::each_order(run);
  return op::finish("pool_test");
}
