// The double of the driver: memory, and control by tests.

#include "cuda/driver_state.h"

namespace emulated {

constexpr size_t kRegion = size_t{1} << 40;  // addresses, not memory
constexpr size_t kGap = size_t{64} << 10;    // between allocations
constexpr size_t kAlignment = 256;

State::State() {
  void *memory = mmap(nullptr, kRegion, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    fail("no addresses for the device");
  }
  region = next = static_cast<unsigned char *>(memory);
  reset();
}

void State::reset() {
  settings[EMULATED_DRIVER_VERSION] = 13000;
  settings[EMULATED_DEVICES] = 1;
  settings[EMULATED_COMPUTE_CAPABILITY] = 90;
  settings[EMULATED_MULTIPROCESSORS] = 4;
  settings[EMULATED_MEMORY_BYTES] = 1ll << 30;
  settings[EMULATED_LOSE_AT_KERNEL] = 0;
  set_order(-1);
  calls = kernels = graph_launches = misuses = 0;
  peak_bytes = live_bytes;
  lost = 0;
  log.clear();
  misuse.clear();
  failures.clear();
  runs.clear();
}

static void protect(State &s, int protection) {
  for (const auto &[address, a] : s.allocations) {
    if (mprotect(a.pages, a.mapped, protection) != 0) {
      fail("cannot protect device memory");
    }
  }
}

Access::Access() {
  if (state().open++ == 0) {
    protect(state(), PROT_READ | PROT_WRITE);
  }
}

Access::~Access() {
  if (--state().open == 0) {
    protect(state(), PROT_NONE);
  }
}

bool is_allocated(State &s, const void *address, size_t bytes) {
  auto *p = const_cast<unsigned char *>(static_cast<const unsigned char *>(address));
  auto i = s.allocations.upper_bound(p);
  if (i == s.allocations.begin()) {
    return false;
  }
  --i;
  const size_t offset = static_cast<size_t>(p - i->first);
  return offset <= i->second.bytes && bytes <= i->second.bytes - offset;
}

static int allocate(State &s, size_t bytes, unsigned char **address) {
  if (bytes == 0) {
    return kInvalidValue;
  }
  const auto free = s.settings[EMULATED_MEMORY_BYTES] - s.live_bytes;
  if (free < 0 || bytes > static_cast<size_t>(free)) {
    return kOutOfMemory;
  }
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const size_t mapped = (rounded + kPage - 1) / kPage * kPage;
  if (s.next + mapped + 2 * kGap > s.region + kRegion) {
    fail("no more addresses for the device");
  }
  Allocation a;
  a.pages = s.next + kGap;
  a.mapped = mapped;
  a.bytes = bytes;
  s.next = a.pages + mapped;
  if (mprotect(a.pages, mapped, PROT_READ | PROT_WRITE) != 0) {
    return kOutOfMemory;
  }
  memset(a.pages, 0xff, mapped);
  *address = a.pages + mapped - rounded;
  s.allocations[*address] = a;
  if (s.open == 0) {
    mprotect(a.pages, mapped, PROT_NONE);
  }
  s.live_bytes += static_cast<long long>(bytes);
  s.peak_bytes = std::max(s.peak_bytes, s.live_bytes);
  return kSuccess;
}

static int release(State &s, std::map<unsigned char *, Allocation>::iterator i) {
  const Allocation a = i->second;
  int result = kSuccess;
  mprotect(a.pages, a.mapped, PROT_READ | PROT_WRITE);
  for (const unsigned char *p = i->first + a.bytes; p < a.pages + a.mapped; p++) {
    if (*p != 0xff && result == kSuccess) {
      result = s.report("a kernel wrote past an allocation of " + std::to_string(a.bytes) + " bytes", kIllegalAddress);
    }
  }
  mprotect(a.pages, a.mapped, PROT_NONE);
  madvise(a.pages, a.mapped, MADV_DONTNEED);
  s.live_bytes -= static_cast<long long>(a.bytes);
  s.allocations.erase(i);
  return result;
}

void free_everything(State &s) {
  if (s.lost == 0) {
    drain_all(s);
  }
  while (!s.allocations.empty()) {
    release(s, s.allocations.begin());
  }
  for (const auto &[address, bytes] : s.host_allocations) {
    munmap(address, (bytes + kPage - 1) / kPage * kPage);
  }
  s.host_allocations.clear();
  s.streams.clear();
  s.graphs.clear();
  s.executables.clear();
  s.modules.clear();
}

}  // namespace emulated

using namespace emulated;

FV_CU_API cuMemGetInfo_v2(size_t *free, size_t *total) {
  return call("cuMemGetInfo_v2", 0, [&](State &s) {
    *total = static_cast<size_t>(s.settings[EMULATED_MEMORY_BYTES]);
    *free = static_cast<size_t>(std::max(0ll, s.settings[EMULATED_MEMORY_BYTES] - s.live_bytes));
    return kSuccess;
  });
}

FV_CU_API cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  return call("cuMemAlloc_v2", kUnsafeInCapture, [&](State &s) {
    note("%zu", bytes);
    unsigned char *p = nullptr;
    const int result = allocate(s, bytes, &p);
    if (result == kSuccess) {
      *address = reinterpret_cast<uintptr_t>(p);
    }
    return result;
  });
}

FV_CU_API cuMemFree_v2(unsigned long long address) {
  return call("cuMemFree_v2", kUnsafeInCapture, [&](State &s) {
    if (address == 0) {
      return kSuccess;
    }
    const int drained = drain_all(s);
    const auto i = s.allocations.find(reinterpret_cast<unsigned char *>(static_cast<uintptr_t>(address)));
    if (i == s.allocations.end()) {
      return s.report("cuMemFree of no allocation", kInvalidValue);
    }
    const int result = release(s, i);
    return drained != kSuccess ? drained : result;
  });
}

FV_CU_API cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  return call("cuMemHostAlloc", kUnsafeInCapture, [&](State &s) {
    note("%zu", bytes);
    if (bytes == 0) {
      return kInvalidValue;
    }
    const size_t mapped = (bytes + kPage - 1) / kPage * kPage;
    void *p = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
      return kOutOfMemory;
    }
    memset(p, 0xff, mapped);
    s.host_allocations[static_cast<unsigned char *>(p)] = bytes;
    *memory = p;
    return kSuccess;
  });
}

// Host memory that kernels reach, too: for tests of ops, which fill it themselves.
FV_CU_API cuMemAllocManaged(uintptr_t *address, size_t bytes, unsigned) {
  return call("cuMemAllocManaged", kUnsafeInCapture, [&](State &) {
    note("%zu", bytes);
    void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *address = reinterpret_cast<uintptr_t>(p);
    return p == MAP_FAILED ? kOutOfMemory : kSuccess;
  });
}

FV_CU_API cuMemFreeHost(void *memory) {
  return call("cuMemFreeHost", kUnsafeInCapture, [&](State &s) {
    const int drained = drain_all(s);
    const auto i = s.host_allocations.find(static_cast<unsigned char *>(memory));
    if (i == s.host_allocations.end()) {
      return s.report("cuMemFreeHost of no allocation", kInvalidValue);
    }
    munmap(i->first, (i->second + kPage - 1) / kPage * kPage);
    s.host_allocations.erase(i);
    return drained;
  });
}

// ---- control --------------------------------------------------------------------

void emulated_reset() {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().reset();
}

void emulated_set(int setting, long long value) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  if (setting == EMULATED_ORDER) {
    set_order(static_cast<int>(value));
  } else if (setting >= 0 && setting < 7) {
    state().settings[setting] = value;
  }
}

long long emulated_get(int counter) {
  State &s = state();
  const std::lock_guard<std::recursive_mutex> guard(s.lock);
  const long long values[EMULATED_COUNTERS] = {s.context_users > 0,
                                               static_cast<long long>(s.modules.size()),
                                               static_cast<long long>(s.streams.size()),
                                               static_cast<long long>(s.graphs.size()),
                                               static_cast<long long>(s.executables.size()),
                                               static_cast<long long>(s.allocations.size()),
                                               s.live_bytes,
                                               static_cast<long long>(s.host_allocations.size()),
                                               s.calls,
                                               s.kernels,
                                               s.graph_launches,
                                               s.misuses,
                                               s.peak_bytes};
  return counter < 0 || counter >= EMULATED_COUNTERS ? -1 : values[counter];
}

void emulated_fail(const char *function, int n, int result) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  state().failures.push_back({function == nullptr ? "" : function, n, result});
}

long long emulated_kernel_runs(const char *kernel) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  const auto i = state().runs.find(kernel);
  return i == state().runs.end() ? 0 : i->second;
}

const char *emulated_misuse() {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  return state().misuses == 0 ? nullptr : state().misuse.c_str();
}

long long emulated_log(char *text, long long capacity) {
  const std::lock_guard<std::recursive_mutex> guard(state().lock);
  const std::string &log = state().log;
  if (capacity > 0) {
    const size_t n = std::min(log.size(), static_cast<size_t>(capacity - 1));
    memcpy(text, log.data(), n);
    text[n] = 0;
  }
  return static_cast<long long>(log.size());
}

int emulated_is_device_memory(const void *address) {
  const auto *p = static_cast<const unsigned char *>(address);
  return p >= state().region && p < state().region + kRegion;
}
