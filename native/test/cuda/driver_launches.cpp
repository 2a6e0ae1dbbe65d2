// The double of the driver: functions of modules, and their launches.
#include "cuda/driver_state.h"

namespace emulated {

struct Launch {
  const Kernel *kernel;
  dim3 grid, block;
  int shared_bytes;
  std::vector<unsigned char> params;

  int run() const {
    State &s = state();
    s.kernels++;
    s.runs[kernel->name]++;
    if (s.settings[EMULATED_LOSE_AT_KERNEL] > 0 && --s.settings[EMULATED_LOSE_AT_KERNEL] == 0) {
      return kIllegalAddress;
    }
    launch(*kernel, grid, block, shared_bytes, params.data());
    return kSuccess;
  }
};

}  // namespace emulated

using namespace emulated;

static Function *function_of(State &s, const void *handle) {
  for (const auto &module : s.modules) {
    for (const auto &[name, function] : module->functions) {
      if (function.get() == handle) {
        return function.get();
      }
    }
  }
  s.report("a function of no module", kInvalidHandle);
  return nullptr;
}

FV_CU_API cuFuncSetAttribute(void *function, int attribute, int value) {
  return call("cuFuncSetAttribute", 0, [&](State &s) {
    Function *f = function_of(s, function);
    if (f == nullptr) {
      return kInvalidHandle;
    }
    note("%s %d %d", f->kernel->name, attribute, value);
    if (attribute != 8) {  // MAX_DYNAMIC_SHARED_SIZE_BYTES
      return attribute == 9 ? kSuccess : kInvalidValue;
    }
    if (value < 0 || value > shared_limit(s)) {
      return kInvalidValue;
    }
    f->shared_bytes = value;
    return kSuccess;
  });
}

FV_CU_API cuLaunchKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                         unsigned block_y, unsigned block_z, unsigned shared_bytes, void *stream, void **params,
                         void **extra) {
  return call("cuLaunchKernel", 0, [&](State &s) {
    const Function *f = function_of(s, function);
    if (f == nullptr) {
      return kInvalidHandle;
    }
    const Kernel &kernel = *f->kernel;
    const Launch made{&kernel, dim3(grid_x, grid_y, grid_z), dim3(block_x, block_y, block_z),
                      static_cast<int>(shared_bytes), {}};
    note("%s grid %u,%u,%u block %u,%u,%u shared %u", kernel.name, grid_x, grid_y, grid_z, block_x, block_y, block_z,
         shared_bytes);
    if (const char *reason = refuse(kernel, made.grid, made.block, shared_bytes)) {
      note("%s", reason);
      return kInvalidValue;
    }
    if (shared_bytes > static_cast<unsigned>(f->shared_bytes)) {
      note("more shared memory than the %d bytes allowed", f->shared_bytes);
      return kInvalidValue;
    }
    const void *from = params == nullptr ? nullptr : params[0];
    for (int i = 0; extra != nullptr && extra[i] != nullptr; i += 2) {
      if (extra[i] == reinterpret_cast<void *>(1)) {  // CU_LAUNCH_PARAM_BUFFER_POINTER
        from = extra[i + 1];
      } else if (*static_cast<size_t *>(extra[i + 1]) != kernel.params_bytes) {  // CU_LAUNCH_PARAM_BUFFER_SIZE
        return s.report(std::string(kernel.name) + " launched with parameters of another size", kInvalidValue);
      }
    }
    if (from == nullptr) {
      return kInvalidValue;
    }
    Launch launch = made;
    const auto *bytes = static_cast<const unsigned char *>(from);
    launch.params.assign(bytes, bytes + kernel.params_bytes);
    return submit(s, stream, "cuLaunchKernel", [launch] { return launch.run(); });
  });
}
