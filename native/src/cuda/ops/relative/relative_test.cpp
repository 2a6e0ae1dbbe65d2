// RELATIVE_BIAS against the sums that buckets name.
#include "cuda/ops/relative/relative.h"

#include "cuda/op_harness.h"

namespace {

struct Case {
  int dtype, heads, buckets, keys;
  bool by_query, by_key;
  int gap; // elements between rows
};

struct Tensors {
  Case c;
  op::Batch batch;
  op::Matrix table, by_query, by_key, out;
  std::vector<int> bucket_of;

  Tensors(const Case &c, std::vector<int> lengths)
      : c(c), batch(lengths, op::Batch(lengths).tokens + 5, static_cast<int>(lengths.size()) + 1),
        table(FOVEA_DTYPE_F32, 0, 1, c.heads * c.buckets),
        by_query(c.dtype, FOVEA_CUDA_ROWS_TOKENS, batch.max_tokens, c.heads * c.buckets, c.heads * c.buckets + c.gap),
        by_key(c.dtype, FOVEA_CUDA_ROWS_TOKENS, batch.max_tokens, c.heads * c.buckets, c.heads * c.buckets + c.gap),
        out(FOVEA_DTYPE_F32, FOVEA_CUDA_ROWS_TOKENS, batch.max_tokens, c.heads * c.keys, c.heads * c.keys + c.gap) {
    table.fill(1);
    by_query.fill(2, 1, batch.tokens);
    by_key.fill(3, 1, batch.tokens);
    for (int i = 0; i < 2 * c.keys - 1; i++) bucket_of.push_back(i * 5 % c.buckets);
  }

  op::Problem problem() {
    op::Problem problem(FOVEA_CUDA_OP_RELATIVE_BIAS, batch);
    problem.step.heads = c.heads;
    problem.step.buckets = c.buckets;
    problem.step.constants[0] = c.by_query ? 0 : table.address();
    problem.step.constants[1] = static_cast<long long>(reinterpret_cast<uintptr_t>(bucket_of.data()));
    if (c.by_query) problem.x = by_query.view();
    if (c.by_key) problem.y = by_key.view();
    problem.out = out.view();
    return problem;
  }

  // NaN where nothing is written: what was there.
  float want(int token, int column) const {
    int s = 0;
    while (batch.offsets[s + 1] <= token) s++;
    const int first = batch.offsets[s], i = token - first, head = column / c.keys, j = column % c.keys;
    if (j >= batch.lengths[s]) return NAN;
    const int at = head * c.buckets + bucket_of[c.keys - 1 + j - i];
    return (c.by_query ? by_query.get(token, at) : table.get(0, at)) + (c.by_key ? by_key.get(first + j, at) : 0);
  }
};

void should_add_what_buckets_name(const Case &c, const std::vector<int> &lengths) {
  Tensors x(c, lengths);
  OP_CHECK(x.problem().run() == FOVEA_STATUS_OK, "refused");
  OP_CHECK_CLOSE(x.out, x.batch.tokens, [&](int t, int i) { return x.want(t, i); }, 0, 0, "relative bias");
}

// The runtime refuses sequences of more keys than there are; should they come, nothing outside is read or written.
void should_leave_out_what_has_no_bucket() {
  Tensors x({FOVEA_DTYPE_F32, 2, 3, 4, true, true, 0}, {6, 2});
  x.bucket_of[0] = 99, x.bucket_of[6] = -1;
  x.problem().run();
  for (int t = 0; t < 6; t++) {
    for (int i = 0; i < 8; i++) OP_CHECK(std::isnan(x.out.get(t, i)) == (t >= 4), "token %d has %g", t, x.out.get(t, i));
  }
}

void should_refuse_what_does_not_fit() {
  const Case c = {FOVEA_DTYPE_F32, 2, 3, 4, true, true, 0};
  const auto status = [&](const auto &spoil) {
    Tensors x(c, {4, 2});
    op::Problem problem = x.problem();
    spoil(problem);
    return problem.run();
  };
  const int bad = FOVEA_STATUS_INVALID_ARGUMENT, null = FOVEA_STATUS_NULL_POINTER;
  OP_CHECK(status([](op::Problem &p) { p.step.heads = 3; }) == bad, "heads");
  OP_CHECK(status([](op::Problem &p) { p.step.buckets = 4; }) == bad, "buckets");
  OP_CHECK(status([](op::Problem &p) { p.out.dtype = FOVEA_DTYPE_F16; }) == bad, "a half type");
  OP_CHECK(status([](op::Problem &p) { p.step.constants[1] = 0; }) == null, "no buckets");
  OP_CHECK(status([](op::Problem &p) { p.x.rows = FOVEA_CUDA_ROWS_NONE; }) == null, "nothing of queries");
}

void run() {
  for (int i = 0; i < 4; i++) {
    const bool by_query = i & 1, by_key = i & 2;
    should_add_what_buckets_name({FOVEA_DTYPE_F32, 1, 1, 1, by_query, by_key, 0}, {1, 0, 1});
    should_add_what_buckets_name({FOVEA_DTYPE_F32, 3, 8, 17, by_query, by_key, 1}, {17, 0, 5, 1});
    should_add_what_buckets_name({FOVEA_DTYPE_BF16, 2, 32, 70, by_query, by_key, 2}, {70, 33});
    should_add_what_buckets_name({FOVEA_DTYPE_F16, 2, 5, 40, by_query, by_key, 0}, {3, 40});
  }
  should_leave_out_what_has_no_bucket();
  should_refuse_what_does_not_fit();
}

}  // namespace

int main() {
  op::each_order(run);
  return op::finish("relative_test");
}
