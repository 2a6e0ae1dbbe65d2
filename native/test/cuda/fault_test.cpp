// A fault at every call of the driver, and a device that is lost at every kernel: each has its status and a message, nothing
// leaks, and a lost device stays lost.
#include "cuda/runtime.h"

using namespace rt;

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
      go(fovea_cuda_run(execution, 2, ids, nullptr, offsets, &failure))) {
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
    if (execution) RT_STATUS(FOVEA_CUDA_STATUS_DEVICE_LOST, fovea_cuda_run(execution, 2, ids, nullptr, offsets, nullptr));
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

int main() {
  survives_a_fault_at_every_call();
  survives_a_lost_device();
  RT_CHECK(nothing_lives(), "something is left behind");
  return finish("fault_test");
}
