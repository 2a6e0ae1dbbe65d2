// LOG_SOFTMAX, TOP_K and GATHER against double and sorted columns.
#include "cuda/ops/logits/logits.h"

#include "cuda/op_harness.h"

namespace {

op::Problem problem_of(int op, const op::Batch &batch, const op::Matrix &x, const op::Matrix &out) {
  op::Problem problem(op, batch);
  problem.x = x.view();
  problem.out = out.view();
  return problem;
}

double log_sum_of(const op::Matrix &x, int row) {
  double peak = -INFINITY, sum = 0;
  for (int i = 0; i < x.columns; i++) peak = std::max(peak, static_cast<double>(x.get(row, i)));
  for (int i = 0; i < x.columns; i++) sum += std::exp(x.get(row, i) - peak);
  return peak + std::log(sum);
}

void should_match_log_softmax(int x_dtype, int out_dtype, int width, int gap, float scale) {
  const op::Batch batch({1, 1}, 4, 4);
  op::Matrix x(x_dtype, 0, 4, width, width + gap), out(out_dtype, 0, 4, width, width + gap);
  x.fill(1, scale, 2);
  OP_CHECK(problem_of(FOVEA_CUDA_OP_LOG_SOFTMAX, batch, x, out).run() == FOVEA_STATUS_OK, "refused");
  const double sums[] = {log_sum_of(x, 0), log_sum_of(x, 1)};
  OP_CHECK_CLOSE(out, 2, [&](int r, int i) { return x.get(r, i) - sums[r]; }, 1e-6, 2e-7, "log_softmax");
  if (x_dtype != out_dtype) return;
  problem_of(FOVEA_CUDA_OP_LOG_SOFTMAX, batch, x, x).run();
  for (int r = 0; r < 2; r++) OP_CHECK_SAME_BITS(x, r, out, r, "log_softmax in place");
}

// Terms that are all alike: a plain sum rounds them all in one direction.
void should_be_exact_over_a_vocabulary() {
  const op::Batch batch({1});
  op::Matrix x(FOVEA_DTYPE_F32, 0, 1, 600001), out(FOVEA_DTYPE_F32, 0, 1, 600001);
  for (int i = 0; i < x.columns; i++) x.set(0, i, i == 77 ? 0.0f : -1.2f);
  problem_of(FOVEA_CUDA_OP_LOG_SOFTMAX, batch, x, out).run();
  const double sum = log_sum_of(x, 0);
  OP_CHECK_CLOSE(out, 1, [&](int, int i) { return x.get(0, i) - sum; }, 1e-7, 0, "a vocabulary");
}

void should_treat_infinity_as_log_softmax_says(int width) {
  const op::Batch batch({5});
  op::Matrix x(FOVEA_DTYPE_F32, 0, 5, width), out(FOVEA_DTYPE_F32, 0, 5, width);
  x.fill(1);
  x.set(0, 1, NAN), x.set(1, 1, INFINITY), x.set(3, 1, -INFINITY);
  for (int i = 0; i < width; i++) x.set(2, i, -INFINITY);
  problem_of(FOVEA_CUDA_OP_LOG_SOFTMAX, batch, x, out).run();
  for (int i = 0; i < width; i++) {
    for (int r = 0; r < 3; r++) OP_CHECK(std::isnan(out.get(r, i)), "row %d is %g at %d", r, out.get(r, i), i);
    OP_CHECK(i == 1 ? out.get(3, i) == -INFINITY : std::isfinite(out.get(3, i)), "%g at %d", out.get(3, i), i);
  }
}

std::vector<int> ranked(const op::Matrix &x, int row) {
  std::vector<int> columns;
  for (int i = 0; i < x.columns; i++) columns.push_back(i);
  std::stable_sort(columns.begin(), columns.end(), [&](int a, int b) {
    const float p = x.get(row, a), q = x.get(row, b);
    return p > q || (std::isnan(q) && !std::isnan(p));
  });
  return columns;
}

// Few values, so that there are ties, with zeros of both signs, infinities and NaN among them.
void should_rank_columns(int dtype, int width, int k) {
  const op::Batch batch({2, 1}, 5, 3);
  op::Matrix x(dtype, 0, 5, width), out(FOVEA_CUDA_DTYPE_I32, 0, 5, k, k + 2);
  const float values[] = {1, -1, 0, -0.0f, 2, NAN, -INFINITY, -2, 2, 1, 0.5f, INFINITY};
  for (int r = 0; r < 3; r++) {
    for (int i = 0; i < width; i++) {
      const float pick = (op::value(5, r, i) + 1) * 5.9f + (i == width / 2 && r == 1 ? 0.2f : 0);
      x.set(r, i, r == 2 ? op::value(6, r, i) : values[static_cast<int>(pick)]);
    }
  }
  OP_CHECK(problem_of(FOVEA_CUDA_OP_TOP_K, batch, x, out).run() == FOVEA_STATUS_OK, "refused");
  for (int r = 0; r < 3; r++) {
    const std::vector<int> want = ranked(x, r);
    for (int i = 0; i < k; i++) {
      if (!OP_CHECK(out.get_int(r, i) == want[i], "top %d of %d, row %d: place %d has column %d, want %d", k, width, r,
                    i, out.get_int(r, i), want[i])) {
        break;
      }
    }
  }
  OP_CHECK(out.untouched(3), "bytes around the indices were written");
}

void should_gather(int dtype, int out_dtype) {
  const op::Batch batch({2}, 3, 1);
  op::Matrix x(dtype, 0, 3, 50, 53), indices(FOVEA_CUDA_DTYPE_I32, 0, 3, 40), out(out_dtype, 0, 3, 40, 41);
  x.fill(1);
  for (int i = 0; i < 40; i++) indices.set_int(0, i, i * 7 % 50), indices.set_int(1, i, i - 1);
  /* Elements of other rows, if nobody looked. */
  indices.set_int(1, 9, 53), indices.set_int(1, 10, -53), indices.set_int(1, 11, 0x7fffffff);
  op::Problem problem = problem_of(FOVEA_CUDA_OP_GATHER, batch, x, out);
  problem.y = indices.view();
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  const auto want = [&](int r, int i) {
    const int column = indices.get_int(r, i);
    return column >= 0 && column < 50 ? x.get(r, column) : NAN;
  };
  OP_CHECK_CLOSE(out, 2, want, 0, 0, "gather");
}

void should_give_a_row_the_same_bits(int width) {
  const op::Batch batch({2, 2}), alone({1});
  op::Matrix x(FOVEA_DTYPE_F32, 0, 4, width), out(FOVEA_DTYPE_F32, 0, 4, width);
  op::Matrix one(FOVEA_DTYPE_F32, 0, 1, width, width, 1), one_out(FOVEA_DTYPE_F32, 0, 1, width);
  x.fill(1), one.fill(1, 1, 1, 3);
  problem_of(FOVEA_CUDA_OP_LOG_SOFTMAX, batch, x, out).run();
  problem_of(FOVEA_CUDA_OP_LOG_SOFTMAX, alone, one, one_out).run();
  OP_CHECK_SAME_BITS(out, 3, one_out, 0, "log_softmax");
}

void run() {
  const int f32 = FOVEA_DTYPE_F32, f16 = FOVEA_DTYPE_F16, bf16 = FOVEA_DTYPE_BF16;
  should_match_log_softmax(f32, f32, 1, 0, 5);
  should_match_log_softmax(f16, f16, 9, 1, 5);
  should_match_log_softmax(bf16, f32, 1024, 0, 30);
  should_match_log_softmax(f32, f32, 4099, 0, 80);
  should_be_exact_over_a_vocabulary();
  should_treat_infinity_as_log_softmax_says(20);
  should_treat_infinity_as_log_softmax_says(1200);
  should_rank_columns(f32, 1, 1);
  should_rank_columns(f16, 300, 300);
  should_rank_columns(bf16, 4500, 40);
  should_rank_columns(f32, 1025, 5);
  should_gather(f32, f32);
  should_gather(bf16, f32);
  should_give_a_row_the_same_bits(100);
  should_give_a_row_the_same_bits(2000);
}

}  // namespace

int main() {
  op::each_order(run);
  return op::finish("logits_test");
}
