// ADD, MULTIPLY and ACTIVATE against formulas in double; the activations of both kinds.
#include "cuda/ops/elementwise/elementwise.h"

#include "cuda/op_harness.h"
#include "cuda/ops/activation.h"
#include "cuda/activation_reference.h"

namespace {

struct Case {
  int x_dtype, y_dtype, out_dtype, width, gap;
};

op::Problem problem_of(int op, int activation, const op::Batch &batch, const op::Matrix &x, const op::Matrix &y,
                       const op::Matrix &out) {
  op::Problem problem(op, batch);
  problem.step.activation = activation;
  problem.x = x.view();
  if (op != FOVEA_CUDA_OP_ACTIVATE) problem.y = y.view();
  problem.out = out.view();
  return problem;
}

void should_match_reference(int op, int activation, const Case &c) {
  const op::Batch batch({4, 2}, 8, 3);
  op::Matrix x(c.x_dtype, 0, 8, c.width, c.width + c.gap), y(c.y_dtype, 0, 8, c.width);
  op::Matrix out(c.out_dtype, 0, 8, c.width, c.width + c.gap);
  x.fill(1, 4, 6), y.fill(2, 1, 6);
  OP_CHECK(problem_of(op, activation, batch, x, y, out).run() == FOVEA_STATUS_OK, "refused");
  const auto want = [&](int r, int i) {
    const double a = activation_in_double(activation, x.get(r, i)), b = y.get(r, i);
    return op == FOVEA_CUDA_OP_ADD ? a + b : op == FOVEA_CUDA_OP_MULTIPLY ? a * b : a;
  };
  OP_CHECK_CLOSE(out, 6, want, 1e-6, 3e-7, "elementwise");
  if (c.x_dtype != c.out_dtype) return;
  problem_of(op, activation, batch, x, y, x).run();
  for (int r = 0; r < 6; r++) OP_CHECK_SAME_BITS(x, r, out, r, "in place");
}

void should_keep_a_nan_to_its_element() {
  const op::Batch batch({1});
  op::Matrix x(FOVEA_DTYPE_F32, 0, 1, 9), y(FOVEA_DTYPE_F32, 0, 1, 9), out(FOVEA_DTYPE_F32, 0, 1, 9);
  x.fill(1), y.fill(2);
  x.set(0, 3, NAN), y.set(0, 8, NAN);
  for (int op : {FOVEA_CUDA_OP_ADD, FOVEA_CUDA_OP_MULTIPLY, FOVEA_CUDA_OP_ACTIVATE}) {
    for (int activation = 0; activation <= FOVEA_ACTIVATION_QUICK_GELU; activation++) {
      problem_of(op, activation, batch, x, y, out).run();
      for (int i = 0; i < 9; i++) {
        const bool expected = i == 3 || (i == 8 && op != FOVEA_CUDA_OP_ACTIVATE);
        OP_CHECK(std::isnan(out.get(0, i)) == expected, "op %d, activation %d: %g at %d", op, activation,
                 out.get(0, i), i);
      }
    }
  }
}

// Both kinds of activations, over what sums of layers may be, and at the ends.
template <bool EXACT>
void should_be_near_the_formula(int activation) {
  double worst = 0;
  for (int i = -40000; i <= 40000; i++) {
    const float x = static_cast<float>(i) / 2048;
    float v[1] = {x};
    activate<EXACT>(activation, v);
    const double off = std::fabs(v[0] - activation_in_double(activation, x)) / (1 + std::fabs(x));
    worst = std::isnan(off) ? INFINITY : std::max(worst, off);
  }
  OP_CHECK(worst < 4e-7, "activation %d is off by %.3g (1 + |x|)", activation, worst);
  float ends[] = {INFINITY, NAN, 3e38f, -3e4f};
  activate<EXACT>(activation, ends);
  const bool tanh = activation == FOVEA_ACTIVATION_TANH;
  OP_CHECK(ends[0] == (tanh ? 1 : INFINITY) && std::isnan(ends[1]) && ends[2] == (tanh ? 1 : 3e38f),
           "activation %d of infinity is %g, of NaN %g", activation, ends[0], ends[1]);
  OP_CHECK(activation == FOVEA_ACTIVATION_NONE || ends[3] == (tanh ? -1 : 0), "activation %d of -30000 is %g", activation, ends[3]);
}

void run() {
  const int f32 = FOVEA_DTYPE_F32, f16 = FOVEA_DTYPE_F16, bf16 = FOVEA_DTYPE_BF16;
  for (const Case &c : {Case{f32, f32, f32, 1, 0}, Case{f16, f16, f16, 13, 1}, Case{bf16, f32, bf16, 256, 0},
                        Case{f32, bf16, f32, 1025, 0}}) {
    should_match_reference(FOVEA_CUDA_OP_ADD, FOVEA_ACTIVATION_NONE, c);
    for (int activation = 0; activation <= FOVEA_ACTIVATION_QUICK_GELU; activation++) {
      should_match_reference(FOVEA_CUDA_OP_MULTIPLY, activation, c);
      should_match_reference(FOVEA_CUDA_OP_ACTIVATE, activation, c);
    }
  }
  should_keep_a_nan_to_its_element();
}

}  // namespace

int main() {
  for (int activation = 0; activation <= FOVEA_ACTIVATION_QUICK_GELU; activation++) {
    should_be_near_the_formula<true>(activation);
    should_be_near_the_formula<false>(activation);
  }
  op::each_order(run);
  return op::finish("elementwise_test");
}
