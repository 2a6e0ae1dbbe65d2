// The double of the driver itself: that it does work late, keeps memory from the host, and tells misuse.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/emulated.h"
#include "cuda/smoke.h"

typedef unsigned long long address;

extern "C" {
int cuInit(unsigned);
int cuDevicePrimaryCtxRetain(void **, int);
int cuDevicePrimaryCtxRelease_v2(int);
int cuCtxSetCurrent(void *);
int cuModuleLoadDataEx(void **, const void *, unsigned, int *, void **);
int cuModuleUnload(void *);
int cuModuleGetFunction(void **, void *, const char *);
int cuFuncSetAttribute(void *, int, int);
int cuMemAlloc_v2(address *, size_t);
int cuMemFree_v2(address);
int cuMemHostAlloc(void **, size_t, unsigned);
int cuMemFreeHost(void *);
int cuMemcpyHtoDAsync_v2(address, const void *, size_t, void *);
int cuMemcpyDtoHAsync_v2(void *, address, size_t, void *);
int cuMemcpyDtoDAsync_v2(address, address, size_t, void *);
int cuMemsetD8Async(address, unsigned char, size_t, void *);
int cuStreamCreate(void **, unsigned);
int cuStreamSynchronize(void *);
int cuStreamDestroy_v2(void *);
int cuStreamBeginCapture_v2(void *, int);
int cuStreamEndCapture(void *, void **);
int cuGraphInstantiateWithFlags(void **, void *, unsigned long long);
int cuGraphLaunch(void *, void *);
int cuGraphExecDestroy(void *);
int cuGraphDestroy(void *);
int cuLaunchKernel(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **,
                   void **);
int cuTensorMapEncodeTiled(fv_tensor_map *, int, unsigned, void *, const uint64_t *, const uint64_t *,
                           const uint32_t *, const uint32_t *, int, int, int, int);
}

static int failures = 0;
#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) {                                       \
      printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      failures++;                                             \
    }                                                         \
  } while (0)
#define MISUSE(call)                                              \
  do {                                                            \
    const long long before = emulated_get(EMULATED_MISUSES);     \
    CHECK((call) != 0);                                           \
    CHECK(emulated_get(EMULATED_MISUSES) == before + 1);         \
  } while (0)

static const char image[16] = {1};

// A context, a module and a stream.
struct Session {
  void *context = nullptr, *module = nullptr, *stream = nullptr;

  explicit Session(int capability = 90) {
    emulated_reset();
    emulated_set(EMULATED_COMPUTE_CAPABILITY, capability);
    CHECK(cuInit(0) == 0 && cuDevicePrimaryCtxRetain(&context, 0) == 0 && cuCtxSetCurrent(context) == 0);
    CHECK(cuModuleLoadDataEx(&module, image, 0, nullptr, nullptr) == 0 && cuStreamCreate(&stream, 1) == 0);
  }
  ~Session() {
    cuDevicePrimaryCtxRelease_v2(0);
    CHECK(emulated_get(EMULATED_LIVE_ALLOCATIONS) == 0 && emulated_get(EMULATED_LIVE_STREAMS) == 0);
  }
  void *function(const char *name) const {
    void *f = nullptr;
    cuModuleGetFunction(&f, module, name);
    return f;
  }
  // c [256] = the sum of a [256]
  int sum(address a, address c) const {
    smoke_product_params p = {reinterpret_cast<void *>(a), nullptr, reinterpret_cast<float *>(c), 0};
    void *params[1] = {&p};
    return cuLaunchKernel(function("smoke_sum"), 1, 1, 1, 256, 1, 1, 32, stream, params, nullptr);
  }
};

template <class F>
static int signal_of(F f) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    f();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void keeps_memory_from_the_host() {
  Session s;
  address a = 0;
  CHECK(cuMemAlloc_v2(&a, 1000) == 0 && a % 256 == 0);
  CHECK(emulated_is_device_memory(reinterpret_cast<void *>(a)) && !emulated_is_device_memory(&a));
  CHECK(signal_of([=] { *reinterpret_cast<volatile char *>(a) = 1; }) != 0);
  float x = 0;
  CHECK(cuMemcpyDtoHAsync_v2(&x, a, 4, s.stream) == 0 && std::isnan(x));
  MISUSE(cuMemcpyDtoHAsync_v2(&x, a + 998, 4, s.stream));
  MISUSE(cuMemcpyDtoHAsync_v2(reinterpret_cast<void *>(a), a, 4, s.stream));
  MISUSE(cuMemcpyDtoDAsync_v2(a, a + 2, 4, s.stream));
  MISUSE(cuMemFree_v2(a + 4));
  CHECK(cuMemFree_v2(a) == 0);
  MISUSE(cuMemFree_v2(a));
  MISUSE(cuMemsetD8Async(a, 0, 4, s.stream));
}

static void runs_out_of_memory() {
  Session s;
  emulated_set(EMULATED_MEMORY_BYTES, 5000);
  address a, b;
  CHECK(cuMemAlloc_v2(&a, 3000) == 0 && cuMemAlloc_v2(&b, 3000) == 2 && cuMemAlloc_v2(&b, 0) == 1);
  CHECK(cuMemFree_v2(a) == 0 && cuMemAlloc_v2(&b, 3000) == 0);
  emulated_fail("cuMemAlloc_v2", 2, 2);
  CHECK(cuMemAlloc_v2(&a, 10) == 0 && cuMemAlloc_v2(&a, 10) == 2 && cuMemAlloc_v2(&a, 10) == 0);
  CHECK(emulated_get(EMULATED_PEAK_BYTES) == 3020);
}

static void works_late() {
  Session s;
  void *pinned = nullptr;
  CHECK(cuMemHostAlloc(&pinned, 1024, 0) == 0);
  float *values = static_cast<float *>(pinned);
  address a, c;
  CHECK(cuMemAlloc_v2(&a, 1024) == 0 && cuMemAlloc_v2(&c, 1024) == 0);
  for (int i = 0; i < 256; i++) values[i] = 1;
  CHECK(cuMemcpyHtoDAsync_v2(a, values, 1024, s.stream) == 0 && s.sum(a, c) == 0);
  values[0] = 2;  // seen: nobody has waited
  CHECK(cuMemcpyDtoHAsync_v2(values, c, 1024, s.stream) == 0 && values[0] == 2);
  CHECK(cuStreamSynchronize(s.stream) == 0 && values[0] == 257);
  CHECK(emulated_kernel_runs("smoke_sum") == 1);
  float plain[256] = {};  // not pinned: staged when the call returns, and waited for
  CHECK(cuMemcpyHtoDAsync_v2(a, plain, 1024, s.stream) == 0);
  plain[0] = 5;
  CHECK(s.sum(a, c) == 0 && cuMemcpyDtoHAsync_v2(plain, c, 1024, s.stream) == 0 && plain[0] == 0);
  MISUSE(cuMemFreeHost(values + 1));
  CHECK(cuMemFreeHost(values) == 0);
}

static void captures() {
  Session s;
  address a, c;
  CHECK(cuMemAlloc_v2(&a, 1024) == 0 && cuMemAlloc_v2(&c, 1024) == 0);
  CHECK(cuStreamBeginCapture_v2(s.stream, 1) == 0 && cuMemsetD8Async(a, 0, 1024, s.stream) == 0 && s.sum(a, c) == 0);
  void *graph, *executable;
  CHECK(cuStreamEndCapture(s.stream, &graph) == 0 && emulated_get(EMULATED_KERNELS) == 0);
  CHECK(cuGraphInstantiateWithFlags(&executable, graph, 0) == 0 && cuGraphDestroy(graph) == 0);
  CHECK(cuGraphLaunch(executable, s.stream) == 0 && cuGraphLaunch(executable, s.stream) == 0);
  CHECK(emulated_get(EMULATED_KERNELS) == 0 && cuStreamSynchronize(s.stream) == 0);
  CHECK(emulated_get(EMULATED_KERNELS) == 2);
  float x = 1;
  CHECK(cuMemcpyDtoHAsync_v2(&x, c, 4, s.stream) == 0 && x == 0);
  // What does not go into a graph ends the capture.
  CHECK(cuStreamBeginCapture_v2(s.stream, 1) == 0);
  address b;
  CHECK(cuMemAlloc_v2(&b, 4) == 900 && s.sum(a, c) == 901 && cuStreamEndCapture(s.stream, &graph) == 901);
  CHECK(cuStreamBeginCapture_v2(s.stream, 1) == 0 && cuStreamSynchronize(s.stream) == 900);
  CHECK(cuStreamEndCapture(s.stream, &graph) == 901 && cuStreamEndCapture(s.stream, &graph) == 401);
  // Memory that is freed before a graph runs.
  CHECK(cuMemFree_v2(a) == 0 && cuGraphLaunch(executable, s.stream) == 0 && cuStreamSynchronize(s.stream) == 700);
  CHECK(emulated_misuse() != nullptr && cuGraphExecDestroy(executable) == 700);
}

static void checks_launches() {
  Session s(80);
  address a;
  CHECK(cuMemAlloc_v2(&a, 1024) == 0);
  smoke_product_params p = {reinterpret_cast<void *>(a), nullptr, reinterpret_cast<float *>(a), 0};
  void *params[1] = {&p}, *f = s.function("smoke_sum");
  const auto launch = [&](unsigned grid, unsigned block, unsigned shared) {
    return cuLaunchKernel(f, grid, grid, 1, block, 1, 1, shared, s.stream, params, nullptr);
  };
  CHECK(launch(0, 32, 0) == 1 && launch(65536, 32, 0) == 1 && launch(1, 288, 0) == 1);
  CHECK(launch(1, 256, 48 * 1024 + 1) == 1);
  CHECK(cuFuncSetAttribute(f, 8, 163 * 1024 + 1) == 1 && cuFuncSetAttribute(f, 8, 163 * 1024) == 0);
  CHECK(launch(1, 256, 163 * 1024) == 0 && cuStreamSynchronize(s.stream) == 0);
  void *none;
  CHECK(cuModuleGetFunction(&none, s.module, "smoke_product90") == 500);
  CHECK(cuModuleGetFunction(&none, s.module, "no_such_kernel") == 500);
  fv_tensor_map map;
  const uint64_t sizes[2] = {64, 64}, stride = 128;
  const uint32_t box[2] = {64, 64}, ones[2] = {1, 1};
  void *base = reinterpret_cast<void *>(a);
  CHECK(cuTensorMapEncodeTiled(&map, 9, 2, base, sizes, &stride, box, ones, 0, 3, 0, 0) == 801);
  emulated_set(EMULATED_COMPUTE_CAPABILITY, 90);
  CHECK(cuTensorMapEncodeTiled(&map, 9, 2, base, sizes, &stride, box, ones, 0, 3, 0, 0) == 0);
  CHECK(cuModuleGetFunction(&none, s.module, "smoke_product90") == 0);
  const uint64_t odd = 136;
  const uint32_t wide[2] = {72, 64}, tall[2] = {64, 257};
  CHECK(cuTensorMapEncodeTiled(&map, 9, 2, base, sizes, &odd, box, ones, 0, 3, 0, 0) == 1);
  CHECK(cuTensorMapEncodeTiled(&map, 9, 2, base, sizes, &stride, wide, ones, 0, 3, 0, 0) == 1);
  CHECK(cuTensorMapEncodeTiled(&map, 9, 2, base, sizes, &stride, tall, ones, 0, 3, 0, 0) == 1);
  CHECK(cuTensorMapEncodeTiled(&map, 9, 2, reinterpret_cast<void *>(a + 8), sizes, &stride, box, ones, 0, 3, 0, 0) ==
        1);
  CHECK(cuModuleUnload(s.module) == 0);
  MISUSE(launch(1, 256, 0));
}

static void loses_the_device() {
  Session s;
  address a;
  CHECK(cuMemAlloc_v2(&a, 1024) == 0 && cuMemsetD8Async(a, 0, 1024, s.stream) == 0);
  emulated_set(EMULATED_LOSE_AT_KERNEL, 2);
  CHECK(s.sum(a, a) == 0 && cuStreamSynchronize(s.stream) == 0);
  CHECK(s.sum(a, a) == 0 && cuStreamSynchronize(s.stream) == 700);
  CHECK(s.sum(a, a) == 700 && cuMemFree_v2(a) == 700 && cuStreamDestroy_v2(s.stream) == 700);
}

int main() {
  keeps_memory_from_the_host();
  runs_out_of_memory();
  works_late();
  captures();
  checks_launches();
  loses_the_device();
  emulated_set(EMULATED_DEVICES, 0);
  CHECK(cuInit(0) == 100);
  char log[64];
  CHECK(emulated_log(log, sizeof log) > 64 && strncmp(log, "cuInit 0\n", 9) == 0);
  printf(failures == 0 ? "passed\n" : "%d checks failed\n", failures);
  return failures != 0;
}
