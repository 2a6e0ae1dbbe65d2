// What the double of the driver knows; its functions are in driver*.cpp.
#ifndef FOVEA_TEST_CUDA_DRIVER_STATE_H
#define FOVEA_TEST_CUDA_DRIVER_STATE_H

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cuda/emulated.h"
#include "cuda/launch.h"

#define FV_CU_API extern "C" __attribute__((visibility("default"))) int

namespace emulated {

// CUresult.
constexpr int kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2, kNotInitialized = 3, kNoDevice = 100,
              kInvalidDevice = 101, kInvalidContext = 201, kInvalidHandle = 400, kNotFound = 500,
              kIllegalAddress = 700, kNotSupported = 801, kCaptureUnsupported = 900, kCaptureInvalidated = 901,
              kIllegalState = 401;

// What a call needs, or is.
constexpr int kBeforeInit = 1, kNoContext = 2, kUnsafeInCapture = 4, kEvenWhenLost = 8;

struct Allocation {
  unsigned char *pages = nullptr;  // mapped, with the allocation at their end
  size_t mapped = 0, bytes = 0;
};

using Work = std::function<int()>;

struct Graph {
  std::vector<Work> nodes;
};

struct Stream {
  bool blocking = false;
  std::vector<Work> queue;
  std::unique_ptr<Graph> capture;
  bool invalidated = false;
  int mode = 0;
  std::thread::id captured_by;
};

struct Function {
  const Kernel *kernel = nullptr;
  int shared_bytes = 48 << 10;  // allowed
};

struct Module {
  std::map<std::string, std::unique_ptr<Function>> functions;
};

struct Failure {
  std::string function;  // empty: any
  int left = 0, result = 0;
};

struct State {
  std::recursive_mutex lock;
  long long settings[7] = {};
  long long calls = 0, kernels = 0, graph_launches = 0, misuses = 0, live_bytes = 0, peak_bytes = 0;
  bool initialised = false;
  int lost = 0, context_users = 0;
  std::string log, misuse, details;
  std::vector<Failure> failures;
  std::map<std::string, long long> runs;  // by kernel
  std::map<unsigned char *, Allocation> allocations;
  std::map<unsigned char *, size_t> host_allocations;
  std::set<std::unique_ptr<Stream>> streams;
  std::set<std::unique_ptr<Graph>> graphs, executables;
  std::set<std::unique_ptr<Module>> modules;
  Stream default_stream;
  unsigned char *region = nullptr, *next = nullptr;  // addresses of the device; never used twice
  int open = 0;                                      // depth of those who may touch device memory

  State();
  void reset();
  int report(const std::string &text, int result);  // a misuse
};

State &state();

// Device memory may be touched while one of these lives.
class Access {
 public:
  Access();
  ~Access();
};

inline thread_local std::vector<void *> contexts;  // of this thread, the current one last
extern char the_context;                           // whose address is the handle

// Runs a function of the driver: takes the lock, logs, plays planned failures, checks what it needs.
int call(const char *name, int flags, const std::function<int(State &)> &work);
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

template <class T>
T *find(const std::set<std::unique_ptr<T>> &all, const void *handle) {
  for (const auto &one : all) {
    if (one.get() == handle) {
      return one.get();
    }
  }
  return nullptr;
}

template <class T>
bool erase(std::set<std::unique_ptr<T>> &all, const void *handle) {
  for (auto i = all.begin(); i != all.end(); ++i) {
    if (i->get() == handle) {
      all.erase(i);
      return true;
    }
  }
  return false;
}

// Gives work to the stream of a handle, or to the graph that it captures. name: of the function, for reports.
int submit(State &s, void *stream, const char *name, Work work);

// Does what a stream was given, or all of them.
int drain(State &s, Stream &stream);
int drain_all(State &s);
void free_everything(State &s);

// Whether bytes from address on are of one allocation that lives.
bool is_allocated(State &s, const void *address, size_t bytes);

int shared_limit(const State &s);

}  // namespace emulated

#endif
