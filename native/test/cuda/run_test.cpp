// Runs: batches of all sizes, what a run asks of the driver, faults at every call, a lost device, threads.
#include <functional>
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
          worst = std::max(worst, std::fabs(y - rows[(first + t) * kWidth + c]));
        }
        worst = std::max(worst, std::fabs((tokens ? sum / tokens : 0) - mean[static_cast<int>(s) * kWidth + c]));
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

// ---- faults ---------------------------------------------------------------------

// Everything from opening to closing, and a batch between; the first failure ends it. *calls: before what was made is
// destroyed.
static int live_and_die(long long *calls = nullptr) {
  forget();
  const fovea_cuda_device_options options = {sizeof options, 0, 0};
  fovea_cuda_device *device = nullptr;
  fovea_cuda_program *program = nullptr;
  fovea_cuda_execution *execution = nullptr;
  fovea_cuda_direct *direct = nullptr;
  long long words = 0;
  int status = fovea_cuda_device_open(&options, FV_DRIVER, &failure, &device);
  if (status != FOVEA_STATUS_OK) return status;
  const float ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  Plan plan;
  const auto x = plan.tokens(8), q = plan.tokens(8);
  plan.outputs = {q};
  const auto go = [&](int result) { return (status = status ? status : result) == FOVEA_STATUS_OK; };
  go(fovea_cuda_memory_create(device, 8 * 4, &failure, &words)) &&
      go(fovea_cuda_upload(device, words, ones, sizeof ones, &failure));
  if (status == FOVEA_STATUS_OK) {
    plan.add(step(FOVEA_CUDA_OP_EMBEDDING, kNone, x, words)).vocabulary = 1;
    auto &attend = plan.add(step(FOVEA_CUDA_OP_ATTENTION, x, q));
    attend.y = attend.z = x;
    attend.heads = attend.kv_heads = 1;
    attend.head_dim = attend.value_dim = 8;
    const fovea_cuda_program_options of_program = {sizeof of_program, 2, 1, 0, plan.token_elements, 0};
    go(fovea_cuda_program_create(device, &of_program, plan.steps.data(), plan.outputs.data(), &failure, &program));
  }
  const fovea_cuda_execution_options of_execution = {sizeof of_execution, 300, 2, 1};
  const int ids[3] = {0, 0, 0}, offsets[3] = {0, 1, 3};
  if (go(FOVEA_STATUS_OK) &&
      go(fovea_cuda_execution_create(program, &of_execution, nullptr, &failure, &execution)) &&
      go(fovea_cuda_run(execution, 2, ids, offsets, &failure))) {
    void *out;
    fovea_cuda_execution_output(execution, 0, &out);
    RT_CHECK(std::fabs(static_cast<float *>(out)[23] - 1) < 1e-6f, "a run that succeeds gives another result");
  }
  if (go(FOVEA_STATUS_OK) && go(fovea_cuda_direct_create(device, &failure, &direct))) {
    fovea_attention_params p = {};
    p.struct_size = sizeof p;
    p.sequences = p.heads = p.kv_heads = 1;
    p.head_dim = p.value_dim = 8;
    p.scale = 1;
    p.window_left = p.window_right = -1;
    const int one[2] = {0, 1};
    float out[8];
    go(fovea_cuda_attention(direct, &p, ones, ones, ones, one, one, nullptr, nullptr, nullptr, nullptr, nullptr,
                            &failure, out, nullptr, nullptr));
  }
  if (calls) *calls = emulated_get(EMULATED_CALLS);
  if (status == FOVEA_CUDA_STATUS_DEVICE_LOST) {
    // For good, whatever is asked; destroying goes on.
    long long address;
    RT_STATUS(FOVEA_CUDA_STATUS_DEVICE_LOST, fovea_cuda_memory_create(device, 8, nullptr, &address));
    if (words) RT_STATUS(FOVEA_CUDA_STATUS_DEVICE_LOST, fovea_cuda_upload(device, words, ones, 4, nullptr));
    if (execution) RT_STATUS(FOVEA_CUDA_STATUS_DEVICE_LOST, fovea_cuda_run(execution, 2, ids, offsets, nullptr));
  }
  if (direct) RT_OK(fovea_cuda_direct_destroy(direct));
  if (execution) RT_OK(fovea_cuda_execution_destroy(execution));
  if (program) RT_OK(fovea_cuda_program_destroy(program));
  if (words) RT_OK(fovea_cuda_memory_destroy(device, words));
  RT_OK(fovea_cuda_device_close(device));
  return status;
}

// The driver's functions that a caller waits for; what frees may not fail.
static bool may_fail(const std::string &line) {
  for (const char *name : {"cuMemFree", "Destroy", "cuModuleUnload", "cuDevicePrimaryCtxRelease", "cuCtxPopCurrent"}) {
    if (line.find(name) != std::string::npos) return false;
  }
  return true;
}

static std::vector<std::string> lines_of(const std::string &text) {
  std::vector<std::string> lines;
  for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
    lines.push_back(text.substr(at, end - at));
  }
  return lines;
}

static void survives_a_fault_at_every_call() {
  emulated_reset();
  const Device witness;  // or the context would end with the device, and take what was forgotten along
  const auto before = what_lives();
  emulated_reset();
  long long living;
  RT_OK(live_and_die(&living));
  auto calls = lines_of(log_text());
  calls.resize(static_cast<size_t>(living));
  RT_CHECK(calls.size() > 40, "only %zu calls", calls.size());
  const int results[][2] = {{2, FOVEA_STATUS_OUT_OF_MEMORY},
                            {1, FOVEA_CUDA_STATUS_DRIVER_ERROR},
                            {719, FOVEA_CUDA_STATUS_DEVICE_LOST}};
  for (size_t i = 0; i < calls.size(); i++) {
    if (!may_fail(calls[i])) continue;
    for (const auto &result : results) {
      emulated_reset();
      emulated_fail(nullptr, static_cast<int>(i) + 1, result[0]);
      const int status = live_and_die();
      RT_CHECK(status != FOVEA_STATUS_OK, "a fault at %s goes unnoticed", calls[i].c_str());
      const bool early = calls[i].find("cuInit") == 0 || calls[i].find("cuDriverGetVersion") == 0;
      RT_CHECK(early || status == result[1], "%s fails with %d: got \"%s\"", calls[i].c_str(), result[0],
               fovea_cuda_status_name(status));
      RT_CHECK(failure.message[0] != 0, "a fault at %s is not told", calls[i].c_str());
      RT_CHECK(what_lives() == before, "a fault at %s leaves something behind", calls[i].c_str());
      RT_CHECK(emulated_misuse() == nullptr, "a fault at %s: %s", calls[i].c_str(), emulated_misuse());
    }
  }
}

static void survives_a_lost_device() {
  for (const int compute : {80, 90}) {
    emulated_reset();
    emulated_set(EMULATED_COMPUTE_CAPABILITY, compute);
    RT_OK(live_and_die());
    const auto kernels = emulated_get(EMULATED_KERNELS);
    for (int n = 1; n <= kernels; n++) {
      emulated_reset();
      emulated_set(EMULATED_COMPUTE_CAPABILITY, compute);
      emulated_set(EMULATED_LOSE_AT_KERNEL, n);
      RT_STATUS(FOVEA_CUDA_STATUS_DEVICE_LOST, live_and_die());
      RT_CHECK(failure.driver_code == 700, "driver_code is %d", failure.driver_code);
      RT_CHECK(strstr(failure.message, "CUDA_ERROR_ILLEGAL_ADDRESS"), "the message is %s", failure.message);
      RT_CHECK(nothing_lives(), "a device lost at kernel %d leaves something behind", n);
      RT_CHECK(emulated_misuse() == nullptr, "misuse: %s", emulated_misuse());
    }
  }
  emulated_reset();
}

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

int main() {
  runs_batches_of_all_sizes();
  asks_little_of_the_driver();
  captures_all_launches_in_order();
  survives_a_fault_at_every_call();
  survives_a_lost_device();
  tells_what_an_execution_needs();
  serves_many_threads();
  RT_CHECK(nothing_lives(), "something is left behind");
  return finish("run_test");
}
