// The double of libcuda.so.1: start, devices, contexts, modules and errors. CUDA Driver API, version 13.
#include <cstdarg>

#include "cuda/driver_state.h"
#include "cuda/tensor_maps.h"

namespace emulated {

char the_context;

State &state() {
  static State *s = new State;  // outlives the threads that call at exit
  return *s;
}

void note(const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  state().details += ' ';
  state().details += text;
}

int State::report(const std::string &text, int result) {
  if (misuses++ == 0) {
    misuse = text;
  }
  details += " misuse: " + text;
  return result;
}

// A call that a capture does not allow ends the capture.
static bool breaks_capture(State &s) {
  bool broken = false;
  for (const auto &stream : s.streams) {
    const bool mine = stream->captured_by == std::this_thread::get_id();
    if (stream->capture && (stream->mode == 0 || (stream->mode == 1 && mine))) {
      stream->invalidated = broken = true;
    }
  }
  return broken;
}

static int planned_failure(State &s, const char *name) {
  for (size_t i = 0; i < s.failures.size(); i++) {
    Failure &failure = s.failures[i];
    if ((failure.function.empty() || failure.function == name) && --failure.left == 0) {
      const int result = failure.result;
      s.failures.erase(s.failures.begin() + static_cast<std::ptrdiff_t>(i));
      return result;
    }
  }
  return kSuccess;
}

static int may_run(State &s, const char *name, int flags) {
  if (const int result = planned_failure(s, name)) {
    return result;
  }
  if (!(flags & kBeforeInit) && !s.initialised) {
    return kNotInitialized;
  }
  if (!(flags & kEvenWhenLost) && s.lost != 0) {
    return s.lost;
  }
  if (!(flags & (kNoContext | kBeforeInit))) {
    if (contexts.empty() || contexts.back() == nullptr) {
      return s.report(std::string(name) + " without a context", kInvalidContext);
    }
    if (s.context_users == 0) {
      return s.report(std::string(name) + " in a context that was released", kInvalidContext);
    }
  }
  return (flags & kUnsafeInCapture) && breaks_capture(s) ? kCaptureUnsupported : kSuccess;
}

int call(const char *name, int flags, const std::function<int(State &)> &work) {
  State &s = state();
  const std::lock_guard<std::recursive_mutex> guard(s.lock);
  s.calls++;
  s.details.clear();
  int result = may_run(s, name, flags);
  if (result == kSuccess) {
    result = work(s);
  }
  if (s.log.size() < size_t{1} << 22) {
    s.log += name;
    s.log += ' ';
    s.log += std::to_string(result) + s.details + '\n';
  }
  return result;
}

int shared_limit(const State &s) {
  switch (s.settings[EMULATED_COMPUTE_CAPABILITY]) {
    case 80:
    case 87:
      return 163 << 10;
    case 86:
    case 89:
    case 120:
      return 99 << 10;
    default:
      return s.settings[EMULATED_COMPUTE_CAPABILITY] >= 90 ? 227 << 10 : 64 << 10;
  }
}

static int attribute(const State &s, int which, int *value) {
  const int capability = static_cast<int>(s.settings[EMULATED_COMPUTE_CAPABILITY]);
  switch (which) {
    case 1:  // MAX_THREADS_PER_BLOCK
      *value = kMaxThreads;
      return kSuccess;
    case 8:  // MAX_SHARED_MEMORY_PER_BLOCK
      *value = 48 << 10;
      return kSuccess;
    case 10:  // WARP_SIZE
      *value = 32;
      return kSuccess;
    case 16:  // MULTIPROCESSOR_COUNT
      *value = static_cast<int>(s.settings[EMULATED_MULTIPROCESSORS]);
      return kSuccess;
    case 75:  // COMPUTE_CAPABILITY_MAJOR
      *value = capability / 10;
      return kSuccess;
    case 76:  // COMPUTE_CAPABILITY_MINOR
      *value = capability % 10;
      return kSuccess;
    case 97:  // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
      *value = shared_limit(s);
      return kSuccess;
    default:
      return kInvalidValue;
  }
}

}  // namespace emulated

using namespace emulated;

FV_CU_API cuInit(unsigned flags) {
  return call("cuInit", kBeforeInit | kEvenWhenLost, [&](State &s) {
    if (flags != 0) {
      return kInvalidValue;
    }
    if (s.settings[EMULATED_DEVICES] == 0) {
      return kNoDevice;
    }
    s.initialised = true;
    return kSuccess;
  });
}

FV_CU_API cuDriverGetVersion(int *version) {
  return call("cuDriverGetVersion", kBeforeInit | kEvenWhenLost, [&](State &s) {
    *version = static_cast<int>(s.settings[EMULATED_DRIVER_VERSION]);
    return kSuccess;
  });
}

FV_CU_API cuDeviceGetCount(int *count) {
  return call("cuDeviceGetCount", kNoContext, [&](State &s) {
    *count = static_cast<int>(s.settings[EMULATED_DEVICES]);
    return kSuccess;
  });
}

FV_CU_API cuDeviceGet(int *device, int ordinal) {
  return call("cuDeviceGet", kNoContext, [&](State &s) {
    *device = ordinal;
    return ordinal < 0 || ordinal >= s.settings[EMULATED_DEVICES] ? kInvalidDevice : kSuccess;
  });
}

FV_CU_API cuDeviceGetAttribute(int *value, int which, int device) {
  return call("cuDeviceGetAttribute", kNoContext, [&](State &s) {
    note("%d", which);
    return device < 0 || device >= s.settings[EMULATED_DEVICES] ? kInvalidDevice : attribute(s, which, value);
  });
}

FV_CU_API cuDeviceGetName(char *name, int capacity, int) {
  return call("cuDeviceGetName", kNoContext, [&](State &s) {
    snprintf(name, static_cast<size_t>(capacity), "Emulated sm_%lld", s.settings[EMULATED_COMPUTE_CAPABILITY]);
    return kSuccess;
  });
}

FV_CU_API cuDeviceTotalMem_v2(size_t *bytes, int) {
  return call("cuDeviceTotalMem_v2", kNoContext, [&](State &s) {
    *bytes = static_cast<size_t>(s.settings[EMULATED_MEMORY_BYTES]);
    return kSuccess;
  });
}

// ---- contexts -------------------------------------------------------------------

FV_CU_API cuDevicePrimaryCtxRetain(void **context, int) {
  return call("cuDevicePrimaryCtxRetain", kNoContext, [&](State &s) {
    s.context_users++;
    *context = &the_context;
    return kSuccess;
  });
}

FV_CU_API cuDevicePrimaryCtxRelease_v2(int) {
  return call("cuDevicePrimaryCtxRelease_v2", kNoContext | kEvenWhenLost, [&](State &s) {
    if (s.context_users == 0) {
      return s.report("cuDevicePrimaryCtxRelease without cuDevicePrimaryCtxRetain", kInvalidContext);
    }
    if (--s.context_users == 0) {
      free_everything(s);
    }
    return kSuccess;
  });
}

static int check_handle(State &s, const char *name, const void *context) {
  return context == nullptr || context == &the_context ? kSuccess
                                                       : s.report(std::string(name) + " of no context", kInvalidContext);
}

FV_CU_API cuCtxSetCurrent(void *context) {
  return call("cuCtxSetCurrent", kNoContext | kEvenWhenLost, [&](State &s) {
    contexts.empty() ? contexts.push_back(context) : void(contexts.back() = context);
    return check_handle(s, "cuCtxSetCurrent", context);
  });
}

FV_CU_API cuCtxGetCurrent(void **context) {
  return call("cuCtxGetCurrent", kNoContext | kEvenWhenLost, [&](State &) {
    *context = contexts.empty() ? nullptr : contexts.back();
    return kSuccess;
  });
}

FV_CU_API cuCtxPushCurrent_v2(void *context) {
  return call("cuCtxPushCurrent_v2", kNoContext | kEvenWhenLost, [&](State &s) {
    contexts.push_back(context);
    return check_handle(s, "cuCtxPushCurrent", context);
  });
}

FV_CU_API cuCtxPopCurrent_v2(void **context) {
  return call("cuCtxPopCurrent_v2", kNoContext | kEvenWhenLost, [&](State &s) {
    if (contexts.empty()) {
      return s.report("cuCtxPopCurrent of an empty stack", kInvalidContext);
    }
    if (context != nullptr) {
      *context = contexts.back();
    }
    contexts.pop_back();
    return kSuccess;
  });
}

FV_CU_API cuCtxSynchronize() {
  return call("cuCtxSynchronize", kUnsafeInCapture, [](State &s) { return drain_all(s); });
}

// ---- modules --------------------------------------------------------------------

FV_CU_API cuModuleLoadDataEx(void **module, const void *image, unsigned, int *, void **) {
  return call("cuModuleLoadDataEx", kUnsafeInCapture, [&](State &s) {
    if (image == nullptr) {
      return kInvalidValue;
    }
    *module = s.modules.insert(std::make_unique<Module>()).first->get();
    return kSuccess;
  });
}

FV_CU_API cuModuleUnload(void *module) {
  return call("cuModuleUnload", kUnsafeInCapture, [&](State &s) {
    const int result = drain_all(s);
    return erase(s.modules, module) ? result : s.report("cuModuleUnload of no module", kInvalidHandle);
  });
}

FV_CU_API cuModuleGetFunction(void **function, void *module, const char *name) {
  return call("cuModuleGetFunction", 0, [&](State &s) {
    note("%s", name);
    Module *m = emulated::find(s.modules, module);
    if (m == nullptr) {
      return s.report("cuModuleGetFunction of no module", kInvalidHandle);
    }
    const Kernel *kernel = emulated::find(name);
    // The machine code of Hopper's kernels is sm_90a alone.
    if (kernel == nullptr || (kernel->capability >= 90 && s.settings[EMULATED_COMPUTE_CAPABILITY] != 90)) {
      return kNotFound;
    }
    auto &f = m->functions[name];
    if (!f) {
      f = std::make_unique<Function>();
      f->kernel = kernel;
    }
    *function = f.get();
    return kSuccess;
  });
}

FV_CU_API cuTensorMapEncodeTiled(fv_tensor_map *map, int type, unsigned rank, void *base, const uint64_t *sizes,
                                 const uint64_t *strides, const uint32_t *box, const uint32_t *element_strides,
                                 int interleave, int swizzle, int promotion, int fill) {
  return call("cuTensorMapEncodeTiled", kNoContext, [&](State &s) {
    if (s.settings[EMULATED_COMPUTE_CAPABILITY] < 90) {
      return kNotSupported;
    }
    const char *reason = "";
    const int result = encode_tensor_map(map, type, rank, base, sizes, strides, box, element_strides, interleave,
                                         swizzle, promotion, fill, &reason);
    note("%s", reason);
    return result;
  });
}
