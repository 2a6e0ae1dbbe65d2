// What the emulation must notice: kernels with one fault each. A fault ends the process with a report, or leaves NaN or
// other wrong values in one of the orders.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cuda/gpu90.h"

namespace {

struct FaultParams {
  fv_tensor_map map;
  const float *in;
  float *out;
  int fault;
};

enum {
  kNone,
  kNoCopyWait,
  kNoBarrier,
  kHalfShuffle,
  kForeignMask,
  kNamedCounts,
  kPastShared,
  kMisalignedCopy,
  kOpenCopy,
  kLateBarrier,
};

}  // namespace

FV_KERNEL(fault_ampere, FaultParams, 64, 1) {
  FV_SHARED(shared);
  const int t = threadIdx.x;
  float *values = reinterpret_cast<float *>(shared);
  cp_async16(values + t * 4, p.in + t * 4 + (p.fault == kMisalignedCopy), 16);
  cp_async_commit();
  if (p.fault != kNoCopyWait && p.fault != kOpenCopy) {
    cp_async_wait<0>();
  }
  if (p.fault != kNoBarrier) {
    __syncthreads();
  }
  const float x = values[(63 - t) * 4];
  p.out[t] = p.fault == kHalfShuffle && t % 2 ? x : shfl_xor(x, 0);
  if (p.fault == kForeignMask) {
    __syncwarp(t == 5 ? 0xffff0000 : ~0u);
  }
  if (p.fault == kNamedCounts) {
    named_sync(1, t < 32 ? 64 : 32);
  }
  if (p.fault == kLateBarrier && t < 32) {
    named_arrive(2, 64);
  }
  if (p.fault == kPastShared && t == 0) {
    shared[64 * 16] = 0;
  }
  if (p.fault == kNoCopyWait) {
    cp_async_wait<0>();
  }
}

enum {
  kNoTmaWait = kLateBarrier + 1,
  kNoWgmmaFence,
  kNoWgmmaWait,
  kNoWgmmaCommit,
  kEarlyStage,
  kTouched,
  kNoAsyncFence,
  kFarDescriptor,
  kSwizzledStart,
  kNoInit,
  kManyArrive,
  kForeignMap,
  kManyRegisters,
  kOpenTma,
  kBytes,
};

// d = a aᵀ of a tile [64, 64] that TMA brings; with kNoAsyncFence threads write the tile.
FV_KERNEL(fault_hopper, FaultParams, 128, 1) {
  FV_SHARED(shared);
  const int t = threadIdx.x;
  uint64_t *full = reinterpret_cast<uint64_t *>(shared + 8192);
  if (t == 0 && p.fault != kNoInit) {
    barrier_init(full, 1);
    barrier_init_fence();
  }
  __syncthreads();
  if (p.fault == kManyRegisters) {
    registers_less<24>();
    registers_more<240>();
    registers_more<256>();
    registers_more<256>();
  }
  const fv_tensor_map copy = p.map;
  if (t == 0) {
    barrier_expect(full, p.fault == kBytes ? 8192 + 16 : 8192);
    tma_load(shared, p.fault == kForeignMap ? &copy : &p.map, full, 0, 0);
  }
  if (p.fault == kOpenTma) {
    return;
  }
  if (p.fault == kManyArrive && t == 0) {
    barrier_arrive(full);
  }
  if (p.fault != kNoTmaWait) {
    barrier_wait(full, 0);
  }
  if (p.fault == kNoAsyncFence) {
    for (int i = t; i < 4096; i += 128) {
      reinterpret_cast<uint16_t *>(shared)[i] = 0;
    }
    __syncthreads();
  }
  float d[32];
  if (p.fault != kNoWgmmaFence) {
    wgmma_fence();
  }
  for (int k = 0; k < 4; k++) {
    const uint64_t a = descriptor(shared + k * 32 + (p.fault == kSwizzledStart ? 128 : 0), 128, 1024, 0);
    wgmma_ss<bf16, kMajorK>(d, a, p.fault == kFarDescriptor ? descriptor(shared + k * 32, 128, 2048, 0) : a, k > 0);
  }
  if (p.fault == kTouched) {
    d[0] = 1;
  }
  if (p.fault != kNoWgmmaCommit) {
    wgmma_commit();
  }
  if (p.fault == kEarlyStage) {
    __syncthreads();
    if (t == 0) {
      barrier_expect(full, 8192);
      tma_load(shared, &p.map, full, 0, 0);
    }
  }
  float early = d[0];
  wgmma_wait<0>();
  if (p.fault == kEarlyStage) {
    barrier_wait(full, 1);
  }
  p.out[t] = p.fault == kNoWgmmaWait ? early : d[0];
  if (p.fault == kNoTmaWait) {
    barrier_wait(full, 0);
  }
}

namespace {

int failures = 0;
alignas(128) float in[256];
alignas(128) bf16 tile[64 * 64];

struct Outcome {
  bool ended;         // by a report
  std::string report;
  bool good;          // all results are right
};

// Runs in a process of its own.
Outcome run(const char *kernel, int fault, int order, float (*want)(int)) {
  FaultParams p = {};
  const uint64_t sizes[2] = {64, 64}, stride = 128;
  const uint32_t box[2] = {64, 64}, ones[2] = {1, 1};
  emulated::encode_tensor_map(&p.map, 9, 2, tile, sizes, &stride, box, ones, 0, 3, 0, 0);
  const bool hopper = strcmp(kernel, "fault_hopper") == 0;
  std::vector<float> out(128, NAN);
  p.in = in;
  p.out = out.data();
  p.fault = fault;
  int pipes[2];
  if (pipe(pipes) != 0) {
    return {};
  }
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipes[1], 2);
    close(pipes[0]);
    emulated::set_order(order);
    emulated::launch(kernel, 1, hopper ? 128 : 64, hopper ? 8192 + 8 : 64 * 16, p);
    for (int i = 0; i < (hopper ? 128 : 64); i++) {
      if (!(std::fabs(out[i] - want(i)) < 1e-3f)) {
        _exit(1);
      }
    }
    _exit(0);
  }
  close(pipes[1]);
  Outcome outcome = {};
  char text[512];
  for (ssize_t n; (n = read(pipes[0], text, sizeof text)) > 0;) {
    outcome.report.append(text, static_cast<size_t>(n));
  }
  close(pipes[0]);
  int status = 0;
  waitpid(child, &status, 0);
  outcome.ended = !WIFEXITED(status) || outcome.report.find("emulation: ") != std::string::npos;
  outcome.good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return outcome;
}

float reversed(int t) { return in[(63 - t) * 4]; }
float product(int t) {
  float sum = 0;
  for (int k = 0; k < 64; k++) {
    sum += to_float(tile[(t / 32 * 16 + t % 32 / 4) * 64 + k]) * to_float(tile[t % 4 * 2 * 64 + k]);
  }
  return sum;
}

// The fault is found in at least one order. report: null if values give it away.
void should_find(const char *kernel, int fault, const char *report) {
  bool found = false;
  std::string reports;
  for (int order = 0; order < 4; order++) {
    const Outcome outcome = run(kernel, fault, order, strcmp(kernel, "fault_hopper") == 0 ? product : reversed);
    found |= report == nullptr ? !outcome.ended && !outcome.good
                               : outcome.ended && outcome.report.find(report) != std::string::npos;
    reports += outcome.report;
    if (fault == kNone && (outcome.ended || !outcome.good)) {
      printf("order %d: %s without a fault: %s\n", order, kernel, outcome.report.c_str());
      failures++;
    }
  }
  if (fault != kNone && !found) {
    printf("%s: fault %d was not found (%s)\n%s", kernel, fault, report == nullptr ? "values" : report, reports.c_str());
    failures++;
  }
}

}  // namespace

int main() {
  for (int i = 0; i < 256; i++) {
    in[i] = static_cast<float>(i + 1);
  }
  for (int i = 0; i < 64 * 64; i++) {
    tile[i] = from_float<bf16>(static_cast<float>(i * 7 % 13 - 6) / 4);
  }
  should_find("fault_ampere", kNone, nullptr);
  should_find("fault_ampere", kNoCopyWait, nullptr);
  should_find("fault_ampere", kNoBarrier, nullptr);
  should_find("fault_ampere", kHalfShuffle, "deadlock");
  should_find("fault_ampere", kForeignMask, "lacks its own lane");
  should_find("fault_ampere", kNamedCounts, "others said");
  should_find("fault_ampere", kPastShared, "past its 1024 bytes of shared memory");
  should_find("fault_ampere", kMisalignedCopy, "cp_async16 of 16 bytes");
  should_find("fault_ampere", kOpenCopy, "cp.async under way");
  should_find("fault_ampere", kLateBarrier, "ends with 32 of 64 threads at barrier 2");
  should_find("fault_hopper", kNone, nullptr);
  should_find("fault_hopper", kNoTmaWait, nullptr);
  should_find("fault_hopper", kNoWgmmaFence, "without wgmma_fence");
  should_find("fault_hopper", kNoWgmmaWait, nullptr);
  should_find("fault_hopper", kNoWgmmaCommit, "wgmma under way");
  should_find("fault_hopper", kEarlyStage, "a wgmma in flight reads");
  should_find("fault_hopper", kTouched, "wrote the accumulator");
  should_find("fault_hopper", kFarDescriptor, "of shared memory");
  should_find("fault_hopper", kSwizzledStart, "in the midst of 8 swizzled rows");
  should_find("fault_hopper", kNoInit, "not initialised");
  should_find("fault_hopper", kManyArrive, "more threads arrive");
  should_find("fault_hopper", kForeignMap, "no part of the kernel's parameter");
  should_find("fault_hopper", kManyRegisters, "deadlock");
  should_find("fault_hopper", kOpenTma, "tma_load under way");
  should_find("fault_hopper", kBytes, "deadlock");
  // Values that threads wrote reach wgmma by fence_async alone: without it the product is that of TMA's tile.
  for (int order = 0; order < 4; order++) {
    if (!run("fault_hopper", kNoAsyncFence, order, product).good) {
      printf("order %d: wgmma saw what threads wrote without fence_async\n", order);
      failures++;
    }
  }
  printf(failures == 0 ? "passed\n" : "%d checks failed\n", failures);
  return failures != 0;
}
