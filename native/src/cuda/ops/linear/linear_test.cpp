// LINEAR against sums in double, each kernel by name, and the same bits of all tiles.
#include "cuda/ops/linear/linear.h"

#include "cuda/activation_reference.h"
#include "cuda/op_harness.h"

namespace {

/* Multiprocessors that make the planner take large, medium and small tiles. */
constexpr int FEW = 1, SOME = 4, MANY = 1000;

struct Case {
  int weight_dtype, x_dtype, out_dtype;
  int rows, inputs, outputs, x_gap, out_gap;
  int activation, bias, residual, gated;
};

struct Data {
  const Case &c;
  op::Matrix x, weight, bias, residual, out;

  Data(const Case &c, int count, int first, int capacity)
      : c(c), x(c.x_dtype, 0, capacity, c.inputs, c.inputs + c.x_gap),
        weight(c.weight_dtype, 0, c.outputs * (c.gated + 1), c.inputs, op::padded(c.weight_dtype, c.inputs)),
        bias(FOVEA_DTYPE_F32, 0, 1, c.outputs * (c.gated + 1)),
        residual(c.out_dtype, 0, capacity, c.outputs, c.outputs + c.out_gap),
        out(c.out_dtype, 0, capacity, c.outputs, c.outputs + c.out_gap) {
    x.fill(1, 1, count, first), weight.fill(2), bias.fill(3), residual.fill(4, 1, count, first);
    op::zero_padding(weight);
  }

  op::Problem problem(const op::Batch &batch, int multiprocessors) const {
    op::Problem problem(FOVEA_CUDA_OP_LINEAR, batch);
    problem.multiprocessors = multiprocessors;
    problem.step.weight_dtype = c.weight_dtype;
    problem.step.activation = c.activation;
    problem.step.gated = c.gated;
    problem.step.constants[0] = weight.address();
    problem.step.constants[1] = c.bias ? bias.address() : 0;
    problem.x = x.view(), problem.out = out.view();
    if (c.residual) problem.z = residual.view();
    return problem;
  }

  double sum(int row, int output) const {
    double sum = c.bias ? bias.get(0, output) : 0;
    for (int i = 0; i < c.inputs; i++) {
      const double value = op::round_to(c.weight_dtype, x.get(row, i));
      sum += value * weight.get(output, i);
    }
    return sum;
  }

  double want(int row, int column) const {
    if (c.gated) return activation_in_double(c.activation, sum(row, 2 * column)) * sum(row, 2 * column + 1);
    return activation_in_double(c.activation, sum(row, column)) + (c.residual ? residual.get(row, column) : 0);
  }
};

void should_match_reference(const Case &c, int multiprocessors, const char *kernel) {
  const op::Batch batch({c.rows}, c.rows + 1, 1);
  const Data data(c, c.rows, 0, c.rows + 1);
  op::Problem problem = data.problem(batch, multiprocessors);
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  OP_CHECK(problem.kernels() == kernel, "planned %s, not %s", problem.kernels().c_str(), kernel);
  OP_CHECK_CLOSE(data.out, c.rows, [&](int r, int o) { return data.want(r, o); }, 1e-5, 2e-6, kernel);
  if (!c.residual) return;
  problem.out = data.residual.view();
  problem.run();
  for (int r = 0; r < c.rows; r++) OP_CHECK_SAME_BITS(data.residual, r, data.out, r, "residual in place");
}

/* All tiles, a batch and rows alone. */
void should_give_the_same_bits(int weight_dtype) {
  const Case c = {weight_dtype, weight_dtype, FOVEA_DTYPE_F32, 140, 136, 40, 0, 0, FOVEA_ACTIVATION_GELU_ERF, 1, 1, 0};
  const op::Batch batch({3, 100, 37}, 140, 3), alone({1});
  const Data few(c, c.rows, 0, 140), some(c, c.rows, 0, 140), many(c, c.rows, 0, 140), one(c, 1, 77, 1);
  Case with_gap = c;
  with_gap.x_gap = 1;
  const Data loose(with_gap, c.rows, 0, 140);
  std::string kernels;
  const auto run = [&](const Data &data, const op::Batch &b, int multiprocessors) {
    op::Problem problem = data.problem(b, multiprocessors);
    problem.run();
    kernels += problem.kernels().substr(problem.kernels().rfind('_'));
  };
  run(few, batch, FEW), run(some, batch, SOME), run(many, batch, MANY), run(loose, batch, FEW), run(one, alone, FEW);
  OP_CHECK(kernels == "_large_medium_small_loose_small", "planned %s", kernels.c_str());
  for (int r = 0; r < c.rows; r++) {
    OP_CHECK_SAME_BITS(few.out, r, some.out, r, "large and medium");
    OP_CHECK_SAME_BITS(few.out, r, many.out, r, "large and small");
    OP_CHECK_SAME_BITS(few.out, r, loose.out, r, "large and loose");
  }
  OP_CHECK_SAME_BITS(few.out, 77, one.out, 0, "alone");
}

/* NaN in a row of x makes that row NaN and no other; nothing of rows past the batch is read. */
void should_keep_nan_in_its_row(int dtype) {
  const Case c = {dtype, dtype, FOVEA_DTYPE_F32, 20, 24, 9, 0, 0, 0, 0, 0, 0};
  Data data(c, 20, 0, 20);
  data.x.set(5, 23, NAN);
  data.problem(op::Batch({20}), MANY).run();
  for (int r = 0; r < 20; r++) {
    for (int o = 0; o < 9; o++) {
      OP_CHECK(std::isnan(data.out.get(r, o)) == (r == 5), "row %d: %g", r, data.out.get(r, o));
    }
  }
}

/* Rows may be sequences, of which a batch has fewer than tokens. */
void should_count_sequences() {
  const Case c = {FOVEA_DTYPE_BF16, FOVEA_DTYPE_BF16, FOVEA_DTYPE_F32, 3, 24, 9, 0, 0, 0, 1, 0, 0};
  const Data data(c, 3, 0, 5);
  const op::Batch batch({7, 4, 2}, 20, 4);
  op::Problem problem = data.problem(batch, FEW);
  problem.x.rows = problem.out.rows = FOVEA_CUDA_ROWS_SEQUENCES;
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  OP_CHECK_CLOSE(data.out, 3, [&](int r, int o) { return data.want(r, o); }, 1e-5, 2e-6, "rows of sequences");
}

void should_refuse_what_no_kernel_computes() {
  const op::Batch batch({2});
  Case c = {FOVEA_DTYPE_F32, FOVEA_DTYPE_BF16, FOVEA_DTYPE_F32, 2, 8, 8, 0, 0, 0, 0, 0, 0};
  OP_CHECK(Data(c, 2, 0, 2).problem(batch, 1).plan() == FOVEA_STATUS_UNSUPPORTED, "half x and F32 weights");
  c.x_dtype = FOVEA_DTYPE_F32;
  const Data data(c, 2, 0, 2);
  op::Problem problem = data.problem(batch, 1);
  problem.step.constants[0] = 0;
  OP_CHECK(problem.plan() == FOVEA_STATUS_NULL_POINTER, "no weights");
  problem.step.constants[0] = data.weight.address() + 4;
  OP_CHECK(problem.plan() == FOVEA_STATUS_INVALID_ARGUMENT, "weights that are not aligned");
  problem = data.problem(batch, 1);
  problem.step.gated = 1, problem.z = data.residual.view();
  OP_CHECK(problem.plan() == FOVEA_STATUS_INVALID_ARGUMENT, "gated with a residual");
}

void floats() {
  const int f32 = FOVEA_DTYPE_F32;
  const auto one = [&](int rows, int inputs, int outputs, int x_gap, int out_gap, int activation, int flags) {
    return Case{f32,     f32,        f32,        rows,           inputs,         outputs, x_gap,
                out_gap, activation, flags & 1, flags >> 1 & 1, flags >> 2 & 1};
  };
  should_match_reference(one(0, 4, 4, 0, 0, 0, 0), FEW, "fv_linear_f32_small");
  should_match_reference(one(1, 4, 1, 0, 0, 0, 1), FEW, "fv_linear_f32_small");
  should_match_reference(one(9, 140, 33, 0, 3, FOVEA_ACTIVATION_SILU, 5), MANY, "fv_linear_f32_small");
  should_match_reference(one(65, 36, 65, 4, 0, FOVEA_ACTIVATION_GELU_TANH, 3), SOME, "fv_linear_f32_medium");
  should_match_reference(one(130, 52, 129, 0, 0, FOVEA_ACTIVATION_GELU_ERF, 3), FEW, "fv_linear_f32_large");
  should_match_reference(one(70, 37, 20, 0, 1, FOVEA_ACTIVATION_RELU, 2), FEW, "fv_linear_f32_loose");
}

void halves(int type, const char *name) {
  const int f32 = FOVEA_DTYPE_F32;
  const auto named = [&](const char *tile) { return "fv_linear_" + std::string(name) + tile; };
  const auto one = [&](int x, int out, int rows, int inputs, int outputs, int x_gap, int activation, int flags) {
    return Case{type,    x,          out,       rows,           inputs,         outputs, x_gap,
                flags & 8 ? 1 : 0, activation, flags & 1, flags >> 1 & 1, flags >> 2 & 1};
  };
  const std::string large = named("_large"), medium = named("_medium");
  const std::string small = named("_small"), loose = named("_loose");
  should_match_reference(one(type, type, 0, 8, 8, 0, 0, 0), FEW, small.c_str());
  should_match_reference(one(type, f32, 1, 8, 1, 0, 0, 1), FEW, small.c_str());
  should_match_reference(one(type, type, 17, 392, 33, 0, FOVEA_ACTIVATION_SILU, 5), MANY, small.c_str());
  should_match_reference(one(type, type, 16, 520, 32, 8, FOVEA_ACTIVATION_NONE, 11), MANY, small.c_str());
  should_match_reference(one(type, type, 64, 72, 64, 0, FOVEA_ACTIVATION_GELU_ERF, 1), SOME, medium.c_str());
  should_match_reference(one(type, f32, 65, 136, 40, 8, FOVEA_ACTIVATION_GELU_TANH, 4), SOME, medium.c_str());
  should_match_reference(one(type, type, 130, 104, 129, 0, FOVEA_ACTIVATION_RELU, 3), FEW, large.c_str());
  should_match_reference(one(type, type, 100, 100, 70, 4, FOVEA_ACTIVATION_GELU_ERF, 5), FEW, large.c_str());
  should_match_reference(one(type, type, 40, 37, 20, 0, FOVEA_ACTIVATION_NONE, 3), FEW, loose.c_str());
  should_match_reference(one(f32, type, 20, 48, 66, 1, FOVEA_ACTIVATION_SILU, 1), FEW, loose.c_str());
}

void run() {
  floats();
  halves(FOVEA_DTYPE_F16, "f16");
  halves(FOVEA_DTYPE_BF16, "bf16");
  for (int type : {FOVEA_DTYPE_F32, FOVEA_DTYPE_F16, FOVEA_DTYPE_BF16}) {
    should_give_the_same_bits(type);
    should_keep_nan_in_its_row(type);
  }
  should_count_sequences();
  should_refuse_what_no_kernel_computes();
}

}  // namespace

int main() {
  op::each_order(run);
  return op::finish("linear_test");
}
