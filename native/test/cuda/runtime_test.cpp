// The life cycle of the GPU library on the double of the driver: devices, memory, programs, and what is refused.
#include <climits>

#include "cuda/runtime.h"

using namespace rt;

static int open_with(const char *driver, int number = 0, fovea_cuda_device **device = nullptr) {
  static fovea_cuda_device *ignored;
  const fovea_cuda_device_options options = {sizeof options, number, 0};
  forget();
  return fovea_cuda_device_open(&options, driver, &failure, device ? device : &ignored);
}

static bool says(const char *text) {
  const bool there = strstr(failure.message, text) != nullptr;
  return RT_CHECK(there, "\"%s\" does not say \"%s\"", failure.message, text);
}

// ---- what keeps a device from being opened --------------------------------------

static void refuses_to_open() {
  emulated_reset();
  RT_STATUS(FOVEA_CUDA_STATUS_NO_DRIVER, open_with("/nowhere/libcuda.so.1"));
  says("/nowhere/libcuda.so.1: cannot open shared object file");
  RT_STATUS(FOVEA_CUDA_STATUS_NO_DRIVER, open_with("libm.so.6"));
  says("cuDriverGetVersion");
  emulated_set(EMULATED_DRIVER_VERSION, 12080);
  RT_STATUS(FOVEA_CUDA_STATUS_DRIVER_TOO_OLD, open_with(FV_DRIVER));
  says("speaks CUDA 12.8; CUDA 13.0 or newer is needed");
  emulated_reset();
  emulated_set(EMULATED_DEVICES, 0);
  RT_STATUS(FOVEA_CUDA_STATUS_NO_DEVICE, open_with(FV_DRIVER));
  says("CUDA_ERROR_NO_DEVICE");
  RT_CHECK(failure.driver_code == 100, "driver_code is %d", failure.driver_code);
  emulated_reset();
  RT_STATUS(FOVEA_CUDA_STATUS_NO_DEVICE, open_with(FV_DRIVER, 1));
  says("there is no GPU 1; the driver finds 1");
  emulated_set(EMULATED_COMPUTE_CAPABILITY, 75);
  RT_STATUS(FOVEA_CUDA_STATUS_UNSUPPORTED_DEVICE, open_with(FV_DRIVER));
  says("compute capability 7.5; 8.0 or newer is needed");
  emulated_reset();
  emulated_fail("cuModuleLoadDataEx", 1, 222);
  RT_STATUS(FOVEA_CUDA_STATUS_DRIVER_TOO_OLD, open_with(FV_DRIVER));
  emulated_fail("cuModuleLoadDataEx", 1, 209);
  RT_STATUS(FOVEA_CUDA_STATUS_UNSUPPORTED_DEVICE, open_with(FV_DRIVER));
  RT_CHECK(nothing_lives(), "a device that does not open leaves something behind");
}

static void refuses_bad_arguments() {
  emulated_reset();
  fovea_cuda_device *device = nullptr;
  fovea_cuda_device_options options = {sizeof options, 0, 0};
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_device_open(nullptr, FV_DRIVER, nullptr, &device));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_device_open(&options, FV_DRIVER, nullptr, nullptr));
  options.struct_size--;
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_device_open(&options, FV_DRIVER, nullptr, &device));
  options = {sizeof options, -1, 0};
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_device_open(&options, FV_DRIVER, nullptr, &device));
  options = {sizeof options, 0, -1};
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_device_open(&options, FV_DRIVER, nullptr, &device));
  fovea_cuda_failure wrong = {8, 0, 0, 0, ""};
  options = {sizeof options, 0, 0};
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_device_open(&options, FV_DRIVER, &wrong, &device));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_device_close(nullptr));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_program_destroy(nullptr));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_execution_destroy(nullptr));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_direct_destroy(nullptr));
  RT_CHECK(fovea_cuda_abi_version() == FOVEA_CUDA_ABI_VERSION, "the ABI version differs");
  RT_CHECK(!strcmp(fovea_cuda_status_name(FOVEA_CUDA_STATUS_DEVICE_LOST), "device lost"), "a status has no name");
  RT_CHECK(!strcmp(fovea_cuda_status_name(FOVEA_STATUS_OK), "ok"), "a status of fovea.h has no name");
  RT_CHECK(nothing_lives(), "something is left behind");
}

// ---- devices and memory ---------------------------------------------------------

static void describes() {
  emulated_reset();
  emulated_set(EMULATED_COMPUTE_CAPABILITY, 80);
  Device device;
  device.memory(1000);
  fovea_cuda_device_info info = {};
  info.struct_size = sizeof info;
  RT_OK(fovea_cuda_device_describe(device.handle, &failure, &info));
  RT_CHECK(info.compute_capability == 80 && info.driver_version == 13000 && info.multiprocessors == 4,
           "got %d, %d, %d", info.compute_capability, info.driver_version, info.multiprocessors);
  RT_CHECK(info.bytes_taken == 1000 && info.bytes_total == 1ll << 30, "%lld taken of %lld", info.bytes_taken,
           info.bytes_total);
  RT_CHECK(info.bytes_free == info.bytes_total - 1000, "%lld are free", info.bytes_free);
  RT_CHECK(!strcmp(info.name, "Emulated sm_80"), "its name is %s", info.name);
}

static void moves_memory() {
  emulated_reset();
  Device device;
  const long long a = device.memory(1000), b = device.memory(1000);
  RT_CHECK(a % 256 == 0 && b % 256 == 0, "memory is not aligned to 256 bytes");
  std::vector<unsigned char> there(1000), back(1000, 7);
  RT_OK(fovea_cuda_download(device.handle, a, 1000, &failure, back.data()));
  RT_CHECK(back == there, "memory is not zeroed");
  for (size_t i = 0; i < there.size(); i++) there[i] = static_cast<unsigned char>(i * 7);
  RT_OK(fovea_cuda_upload(device.handle, a, there.data(), 1000, &failure));
  RT_OK(fovea_cuda_copy(device.handle, b + 100, a, 900, &failure));
  RT_OK(fovea_cuda_download(device.handle, b + 100, 900, &failure, back.data()));
  RT_CHECK(memcmp(back.data(), there.data(), 900) == 0, "what was copied is not what was there");
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_cuda_upload(device.handle, a + 1, there.data(), 1000, &failure));
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_cuda_download(device.handle, b - 1, 1, &failure, back.data()));
  RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_cuda_copy(device.handle, a, b + 999, 2, &failure));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_copy(device.handle, a + 10, a, 11, &failure));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_upload(device.handle, a, there.data(), -1, &failure));
  RT_STATUS(FOVEA_STATUS_NULL_POINTER, fovea_cuda_upload(device.handle, a, nullptr, 1, &failure));
  RT_OK(fovea_cuda_upload(device.handle, 0, nullptr, 0, &failure));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_memory_destroy(device.handle, a + 256));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_device_close(device.handle));
  long long none = 1;
  RT_OK(fovea_cuda_memory_create(device.handle, 0, &failure, &none));
  RT_CHECK(none == 0, "no bytes have an address");
  RT_OK(fovea_cuda_memory_destroy(device.handle, 0));
}

static void keeps_to_the_limit() {
  emulated_reset();
  {
    Device device(1000);
    device.memory(600);
    long long address = 0;
    RT_STATUS(FOVEA_STATUS_OUT_OF_MEMORY, fovea_cuda_memory_create(device.handle, 500, &failure, &address));
    says("500 bytes of device memory are needed, 400 of a limit of 1000 are left");
    RT_CHECK(failure.bytes_needed == 500 && failure.bytes_free == 400, "%lld needed, %lld free", failure.bytes_needed,
             failure.bytes_free);
    device.memory(400);
  }
  emulated_set(EMULATED_MEMORY_BYTES, 2000);
  {
    Device device(5000);
    device.memory(1500);
    long long address = 0;
    RT_STATUS(FOVEA_STATUS_OUT_OF_MEMORY, fovea_cuda_memory_create(device.handle, 1500, &failure, &address));
    says("1500 bytes of device memory are needed, 500 are free");
    RT_CHECK(failure.bytes_needed == 1500 && failure.bytes_free == 500 && failure.driver_code == 2,
             "%lld needed, %lld free", failure.bytes_needed, failure.bytes_free);
    RT_STATUS(FOVEA_STATUS_OUT_OF_MEMORY, fovea_cuda_memory_create(device.handle, LLONG_MAX, &failure, &address));
  }
  RT_CHECK(nothing_lives(), "something is left behind");
}

static void opens_twice() {
  emulated_reset();
  Device one;
  {
    Device other;
    const long long theirs = other.memory(64);
    unsigned char byte = 1;
    RT_STATUS(FOVEA_STATUS_OUT_OF_RANGE, fovea_cuda_upload(one.handle, theirs, &byte, 1, &failure));
  }
  one.memory(64);
  RT_CHECK(emulated_get(EMULATED_LIVE_ALLOCATIONS) == 1, "the second device has not freed its memory");
}

// ---- order ----------------------------------------------------------------------

static Plan small_plan() {
  Plan plan;
  const auto x = plan.tokens(8), y = plan.tokens(8);
  plan.add(step(FOVEA_CUDA_OP_ACTIVATE, x, y)).activation = FOVEA_ACTIVATION_RELU;
  plan.outputs.push_back(y);
  return plan;
}

static void keeps_the_order_of_closing() {
  emulated_reset();
  Device device;
  const Plan plan = small_plan();
  {
    Program program(device, plan);
    RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_device_close(device.handle));
    {
      Execution execution(program, 10, 2);
      RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_program_destroy(program.handle));
      void *memory;
      RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_execution_output(execution.handle, 1, &memory));
      RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_execution_output(execution.handle, -1, &memory));
      float *pattern;
      RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_execution_pattern(execution.handle, 0, &pattern));
    }
  }
  fovea_cuda_direct *direct = nullptr;
  RT_OK(fovea_cuda_direct_create(device.handle, &failure, &direct));
  RT_STATUS(FOVEA_STATUS_INVALID_ARGUMENT, fovea_cuda_device_close(device.handle));
  RT_OK(fovea_cuda_direct_destroy(direct));
}

// The context that a host had is its current one after every call.
extern "C" int cuCtxGetCurrent(void **context);

static void leaves_the_current_context_alone() {
  emulated_reset();
  Device device;
  device.memory(100);
  const Plan plan = small_plan();
  Program program(device, plan);
  Execution execution(program, 10, 2);
  RT_OK(execution.run({}, {0, 5, 10}));
  void *context = &device;
  cuCtxGetCurrent(&context);
  RT_CHECK(context == nullptr, "a context stays the current one");
}

int main() {
  refuses_to_open();
  refuses_bad_arguments();
  describes();
  moves_memory();
  keeps_to_the_limit();
  opens_twice();
  keeps_the_order_of_closing();
  leaves_the_current_context_alone();
  RT_CHECK(nothing_lives(), "something is left behind");
  return finish("runtime_test");
}
