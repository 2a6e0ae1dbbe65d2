// Runs a kernel under emulation, block after block, on the calling thread.
#ifndef FOVEA_TEST_CUDA_LAUNCH_H
#define FOVEA_TEST_CUDA_LAUNCH_H

#include "cuda/block.h"

namespace emulated {

inline Block::~Block() {
  for (auto &fiber : fibers) {
    destroy_context(fiber->context);
  }
  if (shared != nullptr) {
    munmap(shared, 2 * (kMaxShared + kGuard));
  }
}

// A fiber for good: one block, then it waits for the next.
inline void run_fiber() {
  begin_context(block->main);
  for (;;) {
    block->kernel->run(block->params);
    Block &b = *block;
    if (!thread->open.empty() || !thread->groups.empty()) {
      fail("ends with cp.async under way");
    }
    warp_of(thread).live &= ~bit_of(thread);
    b.live--;
    if (b.live > 0 && b.barriers[0].arrived == b.live) {
      release(b.barriers[0]);
    }
    pause("the end");
  }
}

inline void check_guard(const Block &b) {
  for (int i = 0; i < kGuard; i++) {
    if (b.shared[b.shared_bytes + i] != 0xff) {
      fail("wrote %d bytes past its %d bytes of shared memory", i, b.shared_bytes);
    }
  }
}

inline void run_block(Block &b) {
  const int warps = (b.threads + 31) / 32;
  b.warps.assign(warps, Warp());
  for (int w = 0; w < warps; w++) {
    const int lanes = b.threads - w * 32;
    b.warps[w].live = b.warps[w].ready = lanes >= 32 ? ~0u : (1u << lanes) - 1;
  }
  for (Barrier &barrier : b.barriers) {
    barrier = Barrier();
  }
  b.live = b.threads;
  memset(b.shared, 0xff, b.shared_bytes + kGuard);
  memset(b.async, 0xff, b.kernel->capability >= 90 ? b.shared_bytes : 0);
  b.hopper.reset();
  thread = nullptr;
  thread = pick();
  switch_context(b.main, thread->context);
  thread = nullptr;
  for (int i = 1; i < 16; i++) {
    if (b.barriers[i].arrived != 0) {
      fail("ends with %d of %d threads at barrier %d", b.barriers[i].arrived, b.barriers[i].expected, i);
    }
  }
  if (b.hopper) {
    b.hopper->end();
  }
  if (!b.late.empty()) {
    fail("ends with tma_load under way");
  }
  check_guard(b);
}

inline const Kernel *find(const char *name) {
  for (const Kernel *k = kernels; k != nullptr; k = k->next) {
    if (strcmp(k->name, name) == 0) {
      return k;
    }
  }
  return nullptr;
}

// What a launch may not have: null, or the reason.
inline const char *refuse(const Kernel &kernel, dim3 grid, dim3 dimensions, long long shared_bytes) {
  const unsigned long long threads = 1ull * dimensions.x * dimensions.y * dimensions.z;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535) {
    return "the grid is empty or too large";
  }
  if (threads == 0 || dimensions.x > 1024 || dimensions.y > 1024 || dimensions.z > 64 || threads > kMaxThreads) {
    return "a block is empty or too large";
  }
  if (threads > static_cast<unsigned>(kernel.threads)) {
    return "a block has more threads than the kernel's launch bounds";
  }
  if (shared_bytes < 0 || shared_bytes > kMaxShared) {
    return "too much shared memory";
  }
  return nullptr;
}

inline void launch(const Kernel &kernel, dim3 grid, dim3 dimensions, int shared_bytes, const void *params) {
  const char *reason = refuse(kernel, grid, dimensions, shared_bytes);
  if (reason != nullptr) {
    fail("launch of %s: %s", kernel.name, reason);
  }
  static thread_local Block b;
  alignas(128) static thread_local unsigned char copy[4096];
  if (kernel.params_bytes > sizeof copy) {
    fail("launch of %s: %zu bytes of parameters", kernel.name, kernel.params_bytes);
  }
  memcpy(copy, params, kernel.params_bytes);
  if (b.shared == nullptr) {
    const size_t bytes = 2 * (kMaxShared + kGuard);
    b.shared = static_cast<unsigned char *>(
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    b.async = b.shared + kMaxShared + kGuard;
  }
  b.kernel = &kernel;
  b.params = copy;
  b.grid = grid;
  b.dimensions = dimensions;
  b.threads = static_cast<int>(dimensions.x * dimensions.y * dimensions.z);
  b.shared_bytes = shared_bytes;
  b.order = current_order();
  block = &b;
  for (int i = 0; i < b.threads; i++) {
    if (i == static_cast<int>(b.fibers.size())) {
      b.fibers.push_back(std::make_unique<Thread>());
      b.fibers[i]->number = i;
      create_context(b.fibers[i]->context, run_fiber, i);
    }
    const unsigned u = static_cast<unsigned>(i);
    b.fibers[i]->index =
        dim3(u % dimensions.x, u / dimensions.x % dimensions.y, u / (dimensions.x * dimensions.y));
  }
  const unsigned long long blocks = 1ull * grid.x * grid.y * grid.z;
  for (unsigned long long i = 0; i < blocks; i++) {
    const unsigned long long at = b.backward() ? blocks - 1 - i : i;
    b.index = dim3(static_cast<unsigned>(at % grid.x), static_cast<unsigned>(at / grid.x % grid.y),
                   static_cast<unsigned>(at / (1ull * grid.x * grid.y)));
    run_block(b);
  }
  block = nullptr;
}

// By name, as a driver does it.
template <class P>
void launch(const char *name, dim3 grid, dim3 dimensions, int shared_bytes, const P &params) {
  const Kernel *kernel = find(name);
  if (kernel == nullptr) {
    fail("there is no kernel %s", name);
  }
  if (kernel->params_bytes != sizeof(P)) {
    fail("kernel %s takes %zu bytes of parameters, got %zu", name, kernel->params_bytes, sizeof(P));
  }
  launch(*kernel, grid, dimensions, shared_bytes, &params);
}

struct Registration : Kernel {
  Registration(const char *kernel, size_t bytes, int bound, int blocks, int compute, void (*body)(const void *))
      : Kernel{kernel, bytes, bound, blocks, compute, body, kernels} {
    if (find(kernel) != nullptr) {
      fail("there are two kernels %s", kernel);
    }
    kernels = this;
  }
};

}  // namespace emulated

#endif
