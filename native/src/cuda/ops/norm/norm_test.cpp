// LAYER_NORM, RMS_NORM and NORMALIZE against sums in double.
#include "cuda/ops/norm/norm.h"

#include "cuda/op_harness.h"

namespace {

struct Case {
  int op, x_dtype, out_dtype, width, gap, offset;
};

// One row; gamma and beta are null where the op has none.
std::vector<double> reference(int op, const op::Matrix &x, int row, const float *gamma, const float *beta) {
  const int width = x.columns;
  double sum = 0, squares = 0;
  for (int i = 0; i < width; i++) sum += x.get(row, i);
  const double mean = op == FOVEA_CUDA_OP_LAYER_NORM ? sum / width : 0;
  for (int i = 0; i < width; i++) squares += (x.get(row, i) - mean) * (x.get(row, i) - mean);
  const double divisor = op == FOVEA_CUDA_OP_NORMALIZE ? std::max(std::sqrt(squares), 1e-12)
                                                       : std::sqrt(squares / width + 1e-5);
  std::vector<double> out(static_cast<size_t>(width));
  for (int i = 0; i < width; i++) {
    out[i] = (x.get(row, i) - mean) / divisor * (gamma ? gamma[i] : 1) + (beta ? beta[i] : 0);
  }
  return out;
}

op::Problem problem_of(const Case &c, const op::Batch &batch, const op::Matrix &x, const op::Matrix &gamma,
                       const op::Matrix &beta, const op::Matrix &out) {
  op::Problem problem(c.op, batch);
  problem.step.epsilon = 1e-5f;
  problem.step.constants[0] = gamma.address();
  problem.step.constants[1] = c.gap % 2 ? 0 : beta.address();
  problem.x = x.view();
  problem.out = out.view();
  return problem;
}

void should_match_reference(const Case &c) {
  const op::Batch batch({2, 3}, 9, 4);
  const int rows = batch.tokens;
  op::Matrix x(c.x_dtype, FOVEA_CUDA_ROWS_TOKENS, 9, c.width, c.width + c.gap, c.offset);
  op::Matrix out(c.out_dtype, FOVEA_CUDA_ROWS_TOKENS, 9, c.width, c.width + c.gap, c.offset);
  op::Matrix gamma(FOVEA_DTYPE_F32, 0, 1, c.width, 0, c.offset), beta(FOVEA_DTYPE_F32, 0, 1, c.width, 0, c.offset);
  x.fill(1, 3, rows);
  gamma.fill(2);
  beta.fill(3);
  const float *scale = c.op == FOVEA_CUDA_OP_NORMALIZE ? nullptr : static_cast<const float *>(gamma.data());
  const bool shifted = c.op == FOVEA_CUDA_OP_LAYER_NORM && c.gap % 2 == 0;
  std::vector<std::vector<double>> want;
  for (int r = 0; r < rows; r++) {
    want.push_back(reference(c.op, x, r, scale, shifted ? static_cast<const float *>(beta.data()) : nullptr));
  }
  op::Problem problem = problem_of(c, batch, x, gamma, beta, out);
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "op %d was refused", c.op);
  OP_CHECK_CLOSE(out, rows, [&](int r, int i) { return want[r][i]; }, 2e-6, 1e-6, problem.kernels().c_str());
  if (c.x_dtype != c.out_dtype) return;
  problem.out = x.view();
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "op %d in place was refused", c.op);
  for (int r = 0; r < rows; r++) OP_CHECK_SAME_BITS(x, r, out, r, "in place");
}

// A row alone, in other places of memory, has the bits that it has among others.
void should_give_a_row_the_same_bits(int op, int width) {
  const Case c = {op, FOVEA_DTYPE_BF16, FOVEA_DTYPE_F32, width, 0, 0};
  const op::Batch batch({4, 2}, 6, 2), alone({1});
  op::Matrix x(c.x_dtype, 0, 6, width), out(c.out_dtype, 0, 6, width);
  op::Matrix one(c.x_dtype, 0, 1, width, width, 1), one_out(c.out_dtype, 0, 1, width, width, 1);
  op::Matrix gamma(FOVEA_DTYPE_F32, 0, 1, width), beta(FOVEA_DTYPE_F32, 0, 1, width);
  gamma.fill(2), beta.fill(3), x.fill(1);
  one.fill(1, 1, 1, 4);
  problem_of(c, batch, x, gamma, beta, out).run();
  problem_of(c, alone, one, gamma, beta, one_out).run();
  OP_CHECK_SAME_BITS(out, 4, one_out, 0, "norm");
}

// NaN and infinity stay in their row; rows of zeros stay zeros.
void should_keep_nan_in_its_row() {
  const op::Batch batch({4});
  op::Matrix x(FOVEA_DTYPE_F32, 0, 4, 40), out(FOVEA_DTYPE_F32, 0, 4, 40);
  x.fill(1);
  x.set(0, 39, NAN), x.set(1, 2, INFINITY);
  for (int i = 0; i < 40; i++) x.set(2, i, 0);
  const Case c = {FOVEA_CUDA_OP_NORMALIZE, FOVEA_DTYPE_F32, FOVEA_DTYPE_F32, 40, 0, 0};
  problem_of(c, batch, x, x, x, out).run();
  for (int i = 0; i < 40; i++) {
    OP_CHECK(std::isnan(out.get(0, i)), "column %d of a row with NaN is %g", i, out.get(0, i));
    OP_CHECK(i == 2 ? std::isnan(out.get(1, i)) : out.get(1, i) == 0, "column %d with infinity: %g", i, out.get(1, i));
    OP_CHECK(out.get(2, i) == 0, "column %d of zeros is %g", i, out.get(2, i));
    OP_CHECK(std::isfinite(out.get(3, i)), "NaN reached another row");
  }
}

void should_refuse_other_shapes() {
  const op::Batch batch({4});
  op::Matrix x(FOVEA_DTYPE_F32, 0, 4, 8), out(FOVEA_DTYPE_F32, 0, 4, 9);
  op::Problem problem(FOVEA_CUDA_OP_NORMALIZE, batch);
  problem.x = x.view(), problem.out = out.view();
  OP_CHECK(problem.plan() == FOVEA_STATUS_INVALID_ARGUMENT, "widths differ");
}

void run() {
  const int f32 = FOVEA_DTYPE_F32, f16 = FOVEA_DTYPE_F16, bf16 = FOVEA_DTYPE_BF16;
  for (int op : {FOVEA_CUDA_OP_LAYER_NORM, FOVEA_CUDA_OP_RMS_NORM, FOVEA_CUDA_OP_NORMALIZE}) {
    for (const Case &c : {Case{op, f32, f32, 1, 0, 0}, Case{op, f32, f32, 7, 1, 1}, Case{op, f16, f16, 8, 0, 0},
                          Case{op, bf16, f32, 384, 0, 0}, Case{op, f32, bf16, 257, 3, 0},
                          Case{op, bf16, bf16, 1024, 8, 0}, Case{op, f16, f32, 1032, 0, 8}}) {
      should_match_reference(c);
    }
    should_give_a_row_the_same_bits(op, 100);
  }
  should_match_reference({FOVEA_CUDA_OP_LAYER_NORM, f32, f32, 8193, 2, 0});
  should_give_a_row_the_same_bits(FOVEA_CUDA_OP_RMS_NORM, 1025);
  should_keep_nan_in_its_row();
  should_refuse_other_shapes();
}

}  // namespace

int main() {
  op::each_order(run);
  return op::finish("norm_test");
}
