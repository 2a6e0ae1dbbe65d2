// Products of half weights on Hopper, against sums in double.
#include "cuda/ops/linear90/linear90.h"

#include "cuda/activation_reference.h"
#include "cuda/op_harness.h"

namespace {

constexpr int kF16 = FOVEA_DTYPE_F16, kBf16 = FOVEA_DTYPE_BF16, kF32 = FOVEA_DTYPE_F32;

struct Case {
  int dtype, out_dtype, rows, inputs, outputs; // outputs: columns of out
  int activation = FOVEA_ACTIVATION_NONE;
  bool bias = false, residual = false, gated = false;
  const char *tile = "small";
  int multiprocessors = 4;
};

// x, the weight and what goes with them; rows past the batch's are NaN.
struct Layer {
  Case c;
  op::Matrix x, weight, bias, residual, out;

  Layer(const Case &c, int capacity)
      : c(c), x(c.dtype, FOVEA_CUDA_ROWS_TOKENS, capacity, c.inputs, op::padded(c.dtype, c.inputs) + 8, 8),
        weight(c.dtype, 0, c.outputs * (c.gated ? 2 : 1), c.inputs, op::padded(c.dtype, c.inputs)),
        bias(kF32, 0, 1, weight.capacity, 0, 1),
        residual(c.out_dtype, FOVEA_CUDA_ROWS_TOKENS, capacity, c.outputs, c.outputs + 3),
        out(c.out_dtype, FOVEA_CUDA_ROWS_TOKENS, capacity, c.outputs, c.outputs + 3) {
    weight.fill(2);
    op::zero_padding(weight);
    bias.fill(3);
  }

  op::Problem problem(const op::Batch &batch) {
    op::Problem problem(FOVEA_CUDA_OP_LINEAR, batch, 90);
    problem.multiprocessors = c.multiprocessors;
    problem.step.weight_dtype = c.dtype;
    problem.step.activation = c.activation;
    problem.step.gated = c.gated;
    problem.step.constants[0] = weight.address();
    problem.step.constants[1] = c.bias ? bias.address() : 0;
    problem.x = x.view();
    problem.out = out.view();
    if (c.residual) problem.z = residual.view();
    return problem;
  }

  double sum(int row, int output) const {
    double s = c.bias ? bias.get(0, output) : 0;
    for (int i = 0; i < c.inputs; i++) s += static_cast<double>(x.get(row, i)) * weight.get(output, i);
    return s;
  }

  double want(int row, int column) const {
    if (c.gated) return activation_in_double(c.activation, sum(row, 2 * column)) * sum(row, 2 * column + 1);
    return activation_in_double(c.activation, sum(row, column)) + (c.residual ? residual.get(row, column) : 0);
  }
};

void should_match_reference(const Case &c) {
  const op::Batch batch({c.rows}, c.rows + 70);
  Layer layer(c, batch.max_tokens);
  layer.x.fill(1, 1, c.rows);
  layer.residual.fill(4, 1, c.rows);
  op::Problem problem = layer.problem(batch);
  OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  OP_CHECK(problem.kernels().find(std::string("90_") + op::name_of(c.dtype) + "_" + c.tile) != std::string::npos,
           "%s in place of %s for %d rows", problem.kernels().c_str(), c.tile, c.rows);
  const double size = 1e-5 * std::sqrt(c.inputs);
  const auto want = [&](int row, int column) { return layer.want(row, column); };
  OP_CHECK_CLOSE(layer.out, c.rows, want, size, size, problem.kernels().c_str());
}

// A residual may be out itself.
void should_add_to_its_output() {
  const Case c = {kBf16, kBf16, 70, 64, 40, FOVEA_ACTIVATION_RELU, true, true};
  const op::Batch batch({c.rows});
  Layer apart(c, c.rows), same(c, c.rows);
  for (Layer *layer : {&apart, &same}) {
    layer->x.fill(1);
    layer->residual.fill(4);
    op::Problem problem = layer->problem(batch);
    if (layer == &same) problem.out = layer->residual.view();
    OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
  }
  for (int r = 0; r < c.rows; r++) OP_CHECK_SAME_BITS(same.residual, r, apart.out, r, "in place");
}

// A row has the same bits by every tile, and alone; NaN stays in its row.
void should_give_a_row_the_same_bits(int dtype) {
  Case c = {dtype, kF32, 140, 1032, 256, FOVEA_ACTIVATION_GELU_ERF, true};
  const op::Batch batch({c.rows});
  c.multiprocessors = 1;
  Layer wide(c, c.rows);
  wide.x.fill(1);
  for (int i = 0; i < c.inputs; i++) wide.x.set(17, i, NAN);
  op::Problem problem = wide.problem(batch);
  OP_CHECK(problem.run() == FOVEA_STATUS_OK && problem.kernels().find("wide") != std::string::npos, "%s",
           problem.kernels().c_str());
  for (const char *tile : {"large", "medium", "small"}) {
    c.multiprocessors = *tile == 'l' ? 4 : *tile == 'm' ? 10 : 100;
    Layer other(c, c.rows);
    other.x.fill(1);
    op::Problem again = other.problem(batch);
    OP_CHECK(again.run() == FOVEA_STATUS_OK && again.kernels().find(tile) != std::string::npos, "%s",
             again.kernels().c_str());
    for (int r = 0; r < c.rows; r++) {
      if (r != 17) OP_CHECK_SAME_BITS(wide.out, r, other.out, r, tile);
    }
  }
  for (int i = 0; i < c.outputs; i++) OP_CHECK(std::isnan(wide.out.get(17, i)), "NaN was lost");
  Layer one(c, 1);
  one.x.fill(1, 1, 1, 139);
  OP_CHECK(one.problem(op::Batch({1})).run() == FOVEA_STATUS_OK, "refused");
  OP_CHECK_SAME_BITS(wide.out, 139, one.out, 0, "alone");
}

// No row, fewer than a graph has room for, and rows of sequences.
void should_read_the_count_of_rows() {
  const Case c = {kF16, kF16, 200, 96, 48};
  for (const std::vector<int> &lengths : {std::vector<int>{}, {1}, {3, 64}, {128, 1}}) {
    const op::Batch batch(lengths, 200, 8);
    Layer layer(c, 200);
    layer.x.fill(1, 1, batch.tokens);
    OP_CHECK(layer.problem(batch).run() == FOVEA_STATUS_OK, "refused");
    const auto want = [&](int row, int column) { return layer.want(row, column); };
    OP_CHECK_CLOSE(layer.out, batch.tokens, want, 1e-4, 1e-4, "count");
    layer.out.clear();
    op::Problem problem = layer.problem(batch);
    problem.x.rows = problem.out.rows = FOVEA_CUDA_ROWS_SEQUENCES;
    OP_CHECK(problem.run() == FOVEA_STATUS_OK, "refused");
    OP_CHECK_CLOSE(layer.out, batch.sequences, want, 1e-4, 1e-4, "count of sequences");
  }
}

void run() {
  const int none = FOVEA_ACTIVATION_NONE, erf = FOVEA_ACTIVATION_GELU_ERF, tanh = FOVEA_ACTIVATION_GELU_TANH;
  const int relu = FOVEA_ACTIVATION_RELU, silu = FOVEA_ACTIVATION_SILU;
  should_match_reference({kBf16, kBf16, 1, 64, 32, none, false, false, false, "small", 20});
  should_match_reference({kF16, kF16, 63, 8, 31, erf, true, false, false, "small", 20});
  should_match_reference({kBf16, kF32, 65, 200, 33, tanh, true, true, false, "small", 20});
  should_match_reference({kBf16, kBf16, 577, 16, 40, none, true, false, false, "small", 40});
  should_match_reference({kF16, kF32, 129, 63, 130, relu, true, false, false, "medium", 8});
  should_match_reference({kBf16, kBf16, 128, 130, 256, silu, true, true, false, "medium", 8});
  should_match_reference({kF16, kF16, 300, 72, 150, erf, false, true, false, "large"});
  should_match_reference({kBf16, kF32, 257, 385, 128, none, true, false, false, "large", 3});
  should_match_reference({kBf16, kF32, 257, 458, 128, none, true, false, false, "large", 1}); // more steps than stages
  should_match_reference({kBf16, kBf16, 70, 70, 37, silu, true, false, true, "small", 20});
  should_match_reference({kF16, kF32, 130, 65, 66, erf, true, false, true, "medium", 6});
  should_match_reference({kBf16, kBf16, 200, 130, 64, tanh, false, false, true, "large", 2});
  should_match_reference({kF16, kF16, 140, 1024, 256, none, true, true, false, "wide", 1});
  should_add_to_its_output();
  should_give_a_row_the_same_bits(kBf16);
  should_read_the_count_of_rows();
}

// What TMA cannot read is ops/linear's.
void should_leave_the_rest_to_linear() {
  const Case c = {kBf16, kBf16, 20, 64, 32};
  const op::Batch batch({c.rows});
  const auto kernel = [&](auto change) {
    Layer layer(c, c.rows);
    op::Problem problem = layer.problem(batch);
    change(problem, layer);
    problem.plan();
    return problem.kernels();
  };
  const auto is_left = [&](auto change) { return kernel(change).find("linear90") == std::string::npos; };
  OP_CHECK(!is_left([](op::Problem &, Layer &) {}), "nothing is served");
  OP_CHECK(is_left([](op::Problem &p, Layer &) { p.compute_capability = 80; }), "an older GPU");
  OP_CHECK(is_left([](op::Problem &p, Layer &) { p.compute_capability = 100; }), "a newer GPU");
  OP_CHECK(is_left([](op::Problem &p, Layer &) { p.x.stride++; }), "an odd stride");
  OP_CHECK(is_left([](op::Problem &p, Layer &) { p.x.dtype = kF32; }), "another type");
  OP_CHECK(is_left([](op::Problem &p, Layer &) { p.x.data = static_cast<uint16_t *>(p.x.data) + 1; }), "an odd address");
}

} // namespace

int main() {
  op::each_order(run);
  should_leave_the_rest_to_linear();
  return op::finish("linear90_test");
}
