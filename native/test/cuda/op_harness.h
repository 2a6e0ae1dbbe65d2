/*
 * What the emulated tests of ops share: batches, steps that are planned and run under the emulation in the orders of its
 * fibers, and checks against a reference in double. Their matrices are in op_matrix.h.
 *
 *   op::Matrix x(FOVEA_DTYPE_BF16, FOVEA_CUDA_ROWS_TOKENS, capacity, columns);
 *   x.fill(1);
 *   op::Batch batch({3, 0, 5}, capacity, 8);
 *   op::Problem problem(FOVEA_CUDA_OP_..., batch);
 *   problem.x = x.view(), problem.out = out.view(), ...
 *   problem.run();
 *   OP_CHECK_CLOSE(out, rows, [&](int row, int column) { return ...; }, ...)
 *   return op::finish("..._test");
 */
#ifndef FOVEA_TEST_CUDA_OP_HARNESS_H
#define FOVEA_TEST_CUDA_OP_HARNESS_H

#include <algorithm>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

#include "cuda/op_matrix.h"
#include "cuda/op_plan.h"

namespace op {

// ---- checks ---------------------------------------------------------------------

inline int checks = 0, failures = 0;

[[gnu::format(printf, 4, 5)]] inline bool check(bool good, const char *file, int line, const char *format, ...) {
  checks++;
  if (good || ++failures > 20) return good;
  const char *name = strrchr(file, '/');
  printf("%s:%d, order %d: ", name ? name + 1 : file, line, emulated::current_order());
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n");
  return false;
}
#define OP_CHECK(condition, ...) ::op::check((condition), __FILE__, __LINE__, __VA_ARGS__)

inline int finish(const char *name) {
  printf("%s: %d checks, %d failed\n", name, checks, failures);
  return failures ? 1 : 0;
}

// ---- batches --------------------------------------------------------------------

// Sequences of these lengths, in a graph with room for more. Ids are those of the tokens, from first on.
class Batch {
 public:
  std::vector<int> lengths, offsets, ids, types, small_tiles, large_tiles;
  std::vector<int> counts;
  int tokens, sequences, max_tokens, max_sequences;

  explicit Batch(std::vector<int> lengths, int max_tokens = 0, int max_sequences = 0)
      : lengths(lengths), offsets{0}, counts(FV_COUNTS), sequences(static_cast<int>(lengths.size())) {
    for (int length : lengths) offsets.push_back(offsets.back() + length);
    tokens = offsets.back();
    this->max_tokens = max_tokens ? max_tokens : std::max(tokens, 1);
    this->max_sequences = max_sequences ? max_sequences : std::max(sequences, 1);
    ids.resize(static_cast<size_t>(this->max_tokens), 0x7fffffff);
    types.resize(static_cast<size_t>(this->max_tokens), 0x7fffffff);
    counts[FV_COUNT_LONG_TILES] = add_tiles(small_tiles, FV_TILE_SMALL, FV_SHORT_KEYS, INT_MAX);
    counts[FV_COUNT_MIDDLE_TILES] = add_tiles(small_tiles, FV_TILE_SMALL, FV_SHORT_QUERIES, FV_SHORT_KEYS);
    counts[FV_COUNT_SMALL_TILES] = add_tiles(small_tiles, FV_TILE_SMALL, 0, FV_SHORT_QUERIES);
    counts[FV_COUNT_LARGE_TILES] = add_tiles(large_tiles, FV_TILE_LARGE, FV_SHORT_KEYS, INT_MAX);
    counts[FV_COUNT_TOKENS] = tokens;
    counts[FV_COUNT_SEQUENCES] = sequences;
  }

  fv_batch on_device() const {
    return {counts.data(), ids.data(), offsets.data(), small_tiles.data(), large_tiles.data(), types.data()};
  }

 private:
  // Of sequences of more than above and at most most tokens. Returns how many tiles there are then.
  int add_tiles(std::vector<int> &tiles, int rows, int above, int most) const {
    for (int s = 0; s < sequences; s++) {
      if (lengths[s] <= above || lengths[s] > most) continue;
      for (int first = (lengths[s] - 1) / rows * rows; first >= 0; first -= rows) {
        tiles.push_back(s);
        tiles.push_back(first);
      }
    }
    return static_cast<int>(tiles.size() / 2);
  }
};

// ---- problems -------------------------------------------------------------------

// Runs a launch on a device and waits for it; null under the emulation. device_launch.cpp
inline void (*device_launch)(const op_launch &launch) = nullptr;

struct Problem : op_problem {
  std::vector<op_launch> launches; // of the last run
  std::vector<unsigned char> scratch;

  Problem(int op, const Batch &batch, int compute_capability = 80) : op_problem{} {
    step.struct_size = sizeof step;
    step.op = op;
    step.group = step.layer = -1;
    step.scale = 1;
    this->compute_capability = compute_capability;
    multiprocessors = 4; // few, so that small batches take large tiles as well
    max_tokens = batch.max_tokens;
    max_sequences = batch.max_sequences;
    this->batch = batch.on_device();
    for (fv_view *view : {&x, &y, &z, &out}) view->rows = FOVEA_CUDA_ROWS_NONE;
  }

  // Plans twice, as the runtime does: first to learn what scratch is needed.
  int plan() {
    launches.resize(16);
    int count = 0;
    long long bytes = 0;
    int status = op_plan(this, 0, &bytes, launches.data(), 16, &count);
    if (status == FOVEA_STATUS_OK) {
      scratch.assign(static_cast<size_t>(bytes) + 256, 0xff);
      uintptr_t memory = reinterpret_cast<uintptr_t>(scratch.data());
      memory += (256 - memory % 256) % 256;
      status = op_plan(this, bytes ? memory : 0, &bytes, launches.data(), 16, &count);
    }
    launches.resize(static_cast<size_t>(count));
    return status;
  }

  // Plans and runs all launches in the current order.
  int run() {
    const int status = plan();
    if (status != FOVEA_STATUS_OK) return status;
    const auto size = [](const int(&v)[3]) {
      return dim3(static_cast<unsigned>(v[0]), static_cast<unsigned>(v[1]), static_cast<unsigned>(v[2]));
    };
    Matrix::open_guards(false);
    for (const op_launch &l : launches) {
      if (device_launch != nullptr) {
        device_launch(l);
        continue;
      }
      const emulated::Kernel *kernel = emulated::find(l.kernel);
      if (kernel == nullptr || kernel->params_bytes != static_cast<size_t>(l.params_bytes)) {
        emulated::fail("launch of %s with %d bytes of parameters", l.kernel, l.params_bytes);
      }
      emulated::launch(*kernel, size(l.grid), size(l.block), l.shared_bytes, l.params);
    }
    Matrix::open_guards(true);
    return status;
  }

  // "fv_norm_rows fv_..." of the last run.
  std::string kernels() const {
    std::string names;
    for (const op_launch &l : launches) names += (names.empty() ? "" : " ") + std::string(l.kernel);
    return names;
  }
};

// Runs a test in the orders of fibers that matter: forward with late copies, backward with late and with early ones.
template <class F>
void each_order(F test) {
  if (device_launch != nullptr) return test();
  for (int order : {0, 1, 3}) {
    emulated::set_order(order);
    test();
  }
  emulated::set_order(0);
}

// ---- comparison -----------------------------------------------------------------

/*
 * That the first count rows of got are want(row, column), within absolute plus relative |want| plus a rounding to got's
 * type; NaN where want is NaN, infinity where it is; and that nothing else of got was written.
 */
template <class F>
bool close(const Matrix &got, int count, F want, double absolute, double relative, const char *file, int line,
           const char *what) {
  const double rounding = unit_of(got.dtype) * 1.001;
  for (int r = 0; r < count; r++) {
    for (int c = 0; c < got.columns; c++) {
      const double x = got.get(r, c), y = want(r, c), size = std::fabs(y);
      const bool good = std::isnan(y)   ? std::isnan(x)
                        : std::isinf(y) ? x == y
                                        : std::fabs(x - y) <= absolute + (relative + rounding) * size;
      if (!good && !check(false, file, line, "%s: row %d of %d, column %d of %d is %.9g, want %.9g", what, r, count, c,
                 got.columns, x, y)) {
        return false;
      }
    }
  }
  return check(got.untouched(count), file, line, "%s: bytes around the rows were written", what);
}
#define OP_CHECK_CLOSE(got, count, want, absolute, relative, what) \
  ::op::close((got), (count), (want), (absolute), (relative), __FILE__, __LINE__, (what))

// Same bits in any company: row of a batch against the same sequence's or token's row alone. fill()'s first gives a
// lonely token the values that it has in its batch.
#define OP_CHECK_SAME_BITS(a, a_row, b, b_row, what)                                                              \
  OP_CHECK((a).same_bits((a_row), (b), (b_row)), "%s: row %d has other bits than row %d alone", (what), (a_row), \
           (b_row))

inline const char *name_of(int dtype) {
  return dtype == FOVEA_DTYPE_F16 ? "f16" : dtype == FOVEA_DTYPE_BF16 ? "bf16" : "f32";
}

}  // namespace op

#endif
