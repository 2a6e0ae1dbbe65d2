// Runs: batches of all sizes, what a run asks of the driver, memory, threads.
#include <thread>

#include "cuda/runtime.h"

using namespace rt;

// out[t] = relu(words[ids[t]] + position), and a mean of it per sequence.
struct Small {
  static constexpr int kVocabulary = 11, kWidth = 8, kPositions = 600;
  Plan plan;
  std::vector<float> words = values(1, kVocabulary * kWidth, 1), positions = values(2, kPositions * kWidth, 1);

  explicit Small(Device &device) {
    const auto x = plan.tokens(kWidth), y = plan.tokens(kWidth), mean = plan.sequences(kWidth);
    auto &embed = plan.add(step(FOVEA_CUDA_OP_EMBEDDING, kNone, x, device.table(FOVEA_DTYPE_F32, words),
                                device.table(FOVEA_DTYPE_F32, positions)));
    embed.vocabulary = kVocabulary;
    embed.positions = kPositions;
    plan.add(step(FOVEA_CUDA_OP_ACTIVATE, x, y)).activation = FOVEA_ACTIVATION_RELU;
    plan.add(step(FOVEA_CUDA_OP_POOL, y, mean)).mode = FOVEA_POOLING_MEAN;
    plan.outputs = {mean, y};
  }

  bool is_right(Execution &execution, const std::vector<int> &ids, const std::vector<int> &offsets) {
    const float *mean = execution.output(0), *rows = execution.output(1);
    double worst = 0;
    for (size_t s = 0; s + 1 < offsets.size(); s++) {
      const int first = offsets[s], tokens = offsets[s + 1] - first;
      for (int c = 0; c < kWidth; c++) {
        double sum = 0;
        for (int t = 0; t < tokens; t++) {
          const int id = ids[static_cast<size_t>(first + t)];
          const double x = words[static_cast<size_t>(id * kWidth + c)] + positions[static_cast<size_t>(t * kWidth + c)];
          const double y = x > 0 ? x : 0;
          sum += y;
          worst = std::max(worst, distance(rows[(first + t) * kWidth + c], y));
        }
        worst = std::max(worst, distance(mean[static_cast<int>(s) * kWidth + c], tokens ? sum / tokens : 0));
      }
    }
    return RT_CHECK(worst < 1e-6, "%zu sequences, %zu tokens: off by %g", offsets.size() - 1, ids.size(), worst);
  }

  bool runs(Execution &execution, const std::vector<int> &lengths, unsigned seed = 7) {
    const auto offsets = offsets_of(lengths);
    const auto ids = some_ids(seed, static_cast<size_t>(offsets.back()), kVocabulary);
    forget();
    RT_OK(execution.run(ids, offsets));
    return is_right(execution, ids, offsets);
  }
};

// ---- sizes ----------------------------------------------------------------------

static void runs_batches_of_all_sizes() {
  emulated_reset();
  Device device;
  Small small(device);
  Program program(device, small.plan);
  {
    Execution execution(program, 600, 70);
    RT_CHECK(emulated_get(EMULATED_LIVE_GRAPH_EXECS) == 2, "%lld graphs", emulated_get(EMULATED_LIVE_GRAPH_EXECS));
    small.runs(execution, {});
    small.runs(execution, {1});
    small.runs(execution, {0, 0, 0});
    small.runs(execution, {0, 5, 0, 59});
    small.runs(execution, {64});
    small.runs(execution, {65});
    small.runs(execution, {600});
    small.runs(execution, {1, 2, 3, 4, 5, 590 - 5});
    small.runs(execution, std::vector<int>(70, 1));
    std::vector<int> mostly_empty(70, 0);
    mostly_empty[69] = 3;
    small.runs(execution, mostly_empty);
  }
  for (const int tokens : {1, 2, 63, 64, 255, 256, 4096}) {
    Execution execution(program, tokens, 1);
    small.runs(execution, {std::min(tokens, 600)});
    small.runs(execution, {1});
  }
}

// ---- what a run asks of the driver ----------------------------------------------

static void asks_little_of_the_driver() {
  emulated_reset();
  Device device;
  Small small(device);
  Program program(device, small.plan);
  Execution execution(program, 600, 10);
  const size_t before = log_text().size();
  small.runs(execution, {2, 3});
  // Counts, 11 offsets and 5 ids, each part at a multiple of 16 bytes; no tiles, since nothing attends.
  const std::string expected = "cuCtxPushCurrent_v2 0\n"
                               "cuMemcpyHtoDAsync_v2 0 " + std::to_string(32 + 48 + 5 * 4) + "\n"
                               "cuGraphLaunch 0\n"
                               "cuMemcpyDtoHAsync_v2 0 64\n"
                               "cuMemcpyDtoHAsync_v2 0 160\n"
                               "cuStreamSynchronize 0\n"
                               "cuCtxPopCurrent_v2 0\n";
  const std::string log = log_text().substr(before);
  RT_CHECK(log == expected, "a run calls\n%s", log.c_str());
  const auto calls = emulated_get(EMULATED_CALLS);
  small.runs(execution, {});
  RT_CHECK(emulated_get(EMULATED_CALLS) == calls, "an empty batch asks the driver");
}

static void captures_all_launches_in_order() {
  emulated_reset();
  Device device;
  Small small(device);
  Program program(device, small.plan);
  const size_t before = log_text().size();
  Execution execution(program, 100, 10);
  const std::string log = log_text().substr(before);
  size_t at = 0;
  for (const char *call : {"cuMemAlloc_v2", "cuMemHostAlloc", "cuStreamCreate", "cuStreamBeginCapture_v2",
                           "cuLaunchKernel 0 fv_embedding", "cuLaunchKernel 0 fv_", "cuLaunchKernel 0 fv_pool",
                           "cuStreamEndCapture 0 3", "cuGraphInstantiateWithFlags", "cuGraphDestroy", "cuGraphUpload"}) {
    at = log.find(call, at);
    if (!RT_CHECK(at != std::string::npos, "no %s in its place in\n%s", call, log.c_str())) return;
    at++;
  }
  const size_t begin = log.find("cuStreamBeginCapture_v2"), end = log.find("cuStreamEndCapture");
  for (const char *call : {"cuModuleGetFunction", "cuFuncSetAttribute", "cuMem"}) {
    const size_t inside = log.find(call, begin);
    RT_CHECK(inside == std::string::npos || inside > end, "%s while a stream captures", call);
  }
  RT_CHECK(emulated_get(EMULATED_KERNELS) == 0, "a kernel ran while its launch was captured");
}

// ---- memory ---------------------------------------------------------------------

static void tells_what_an_execution_needs() {
  emulated_reset();
  Device device(100000);
  Small small(device);
  Program program(device, small.plan);
  const fovea_cuda_execution_options options = {sizeof options, 100000, 1, 0};
  fovea_cuda_execution *execution = nullptr;
  RT_STATUS(FOVEA_STATUS_OUT_OF_MEMORY,
            fovea_cuda_execution_create(program.handle, &options, nullptr, &failure, &execution));
  RT_CHECK(failure.bytes_needed > 2 * 4 * 8 * 100000ll && failure.bytes_free < 100000, "needed %lld, free %lld",
           failure.bytes_needed, failure.bytes_free);
  Execution smaller(program, 100, 1);
  small.runs(smaller, {100});
}

// ---- threads --------------------------------------------------------------------

static void serves_many_threads() {
  emulated_reset();
  Device device;
  Small small(device);
  Program program(device, small.plan);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; i++) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 3; round++) {
        Execution execution(program, 100 + static_cast<int>(i), 5);
        for (unsigned n = 0; n < 5; n++) small.runs(execution, {static_cast<int>(n + i), 3}, i * 100 + n);
      }
    });
  }
  for (auto &thread : threads) thread.join();
}

static void serves_one_thread_at_a_time() {
  emulated_reset();
  Device device;
  Small small(device);
  Program program(device, small.plan);
  Execution execution(program, 100, 5);
  const std::vector<int> ids = some_ids(1, 60, Small::kVocabulary), offsets = {0, 60};
  std::vector<std::thread> threads;
  int ran[2] = {0, 0};
  for (int &count : ran) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; n++) {
        const int status = execution.run(ids, offsets);
        RT_CHECK(status == FOVEA_STATUS_OK || strstr(failure.message, "one thread at a time"), "got \"%s\": %s",
                 fovea_cuda_status_name(status), failure.message);
        count += status == FOVEA_STATUS_OK;
      }
    });
  }
  for (auto &thread : threads) thread.join();
  RT_CHECK(ran[0] + ran[1] > 0 && small.is_right(execution, ids, offsets), "no run of %d and %d", ran[0], ran[1]);
}

int main() {
  runs_batches_of_all_sizes();
  asks_little_of_the_driver();
  captures_all_launches_in_order();
  tells_what_an_execution_needs();
  serves_many_threads();
  serves_one_thread_at_a_time();
  RT_CHECK(nothing_lives(), "something is left behind");
  return finish("run_test");
}
