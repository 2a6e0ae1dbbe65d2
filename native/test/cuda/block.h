// A block under emulation: its threads are fibers, of which one runs until it has to wait for others.
//
// Threads of a warp go on together: who waits hands over to its own warp first, then to the next warp, so that a warp
// runs as far ahead of the others as barriers let it. Whoever comes last to a meeting does the work of all.
//
// Orders, by FOVEA_EMULATION_ORDER or set_order():
//   0  threads, warps and blocks upwards, asynchronous copies as late as may be, in the order of their issue
//   1  downwards, the copies likewise late, the last issued first
//   2, 3  as 0 and 1, copies at once, and who waits for an mbarrier runs as soon as it may
// Late copies fill their target with NaN until they are carried out. So 0 and 1 show a wait that is missing, 2 and 3
// a buffer that is handed back too soon.
#ifndef FOVEA_TEST_CUDA_BLOCK_H
#define FOVEA_TEST_CUDA_BLOCK_H

#include <cstdarg>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "cuda/fibers.h"

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

namespace emulated {

constexpr int kMaxThreads = 1024;
constexpr int kMaxShared = 227 << 10;
constexpr int kSharedWindow = 1024;  // what the address of the dynamic shared memory starts from
constexpr int kGuard = 1024;         // bytes behind it that no one may write

struct Copy {
  void *to;
  const void *from;
  int bytes;
};

struct Thread {
  Context context;
  dim3 index;
  int number = 0;
  const char *waits_in = nullptr;    // an operation, for reports
  const void *waits_for = nullptr;   // an mbarrier
  std::vector<Copy> open;            // of cp.async, not committed
  std::deque<std::vector<Copy>> groups;
};

// Those who have to meet with the same mask.
struct Collective {
  const char *operation = nullptr;
  uint32_t mask = 0, arrived = 0;
};

struct Warp {
  uint32_t live = 0, ready = 0;
  Collective collectives[32];  // by the lowest lane of the mask
  void *arguments[32];         // by lane; they lie on the stacks of those who wait
};

struct Barrier {
  int arrived = 0, expected = 0;
  uint32_t waiting[kMaxThreads / 32] = {};
};

// What gpu90.h adds to a block; emulation90.h defines it.
struct Hopper {
  virtual ~Hopper() = default;
  virtual void begin() = 0;
  virtual void end() = 0;
};

struct Kernel;

struct Block {
  const Kernel *kernel = nullptr;
  const void *params = nullptr;
  dim3 index, dimensions, grid;
  int threads = 0, live = 0, shared_bytes = 0, order = 0;
  unsigned char *shared = nullptr;
  unsigned char *async = nullptr;  // shared memory as TMA and wgmma see it: without what threads wrote since fence_async
  Context main;
  std::vector<std::unique_ptr<Thread>> fibers;
  std::vector<Warp> warps;
  Barrier barriers[16];
  std::deque<std::function<void()>> late;  // copies under way
  std::unique_ptr<Hopper> hopper;

  ~Block();
  bool backward() const { return order & 1; }
  bool early() const { return order & 2; }
};

// A kernel as FV_KERNEL registers it.
struct Kernel {
  const char *name;
  size_t params_bytes;
  int threads, blocks_per_sm, capability;
  void (*run)(const void *params);
  const Kernel *next;
};

inline const Kernel *kernels = nullptr;
inline thread_local Block *block = nullptr;
inline thread_local Thread *thread = nullptr;
inline int chosen_order = -1;

inline void set_order(int order) { chosen_order = order; }
inline int current_order() {
  if (chosen_order < 0) {
    const char *text = getenv("FOVEA_EMULATION_ORDER");
    chosen_order = text == nullptr ? 0 : atoi(text) & 3;
  }
  return chosen_order;
}

// Says what a kernel did that no GPU forgives, and where, and ends the process.
[[noreturn, gnu::format(printf, 1, 2), gnu::noinline, gnu::cold]] inline void fail(const char *format, ...) {
  fflush(stdout);
  fprintf(stderr, "emulation: ");
  if (block != nullptr) {
    fprintf(stderr, "kernel %s, block %u,%u,%u, thread %d, order %d: ", block->kernel->name, block->index.x,
            block->index.y, block->index.z, thread == nullptr ? -1 : thread->number, block->order);
  }
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, "\n");
  fflush(stderr);
  abort();
}

[[noreturn, gnu::noinline, gnu::cold]] inline void report_deadlock() {
  fflush(stdout);
  for (size_t w = 0; w < block->warps.size(); w++) {
    for (uint32_t left = block->warps[w].live; left != 0;) {
      const char *operation = nullptr;
      uint32_t same = 0;
      for (uint32_t lanes = left; lanes != 0; lanes &= lanes - 1) {
        const int lane = __builtin_ctz(lanes);
        const char *waits_in = block->fibers[w * 32 + lane]->waits_in;
        if (operation == nullptr || strcmp(operation, waits_in) == 0) {
          operation = waits_in;
          same |= 1u << lane;
        }
      }
      fprintf(stderr, "emulation: warp %zu, lanes %08x wait in %s\n", w, same, operation);
      left &= ~same;
    }
  }
  fail("deadlock");
}

// ---- who runs -------------------------------------------------------------------

// The thread that goes on, or null when all have ended.
inline Thread *pick() {
  Block &b = *block;
  const int warps = static_cast<int>(b.warps.size());
  for (;;) {
    int w = thread == nullptr ? (b.backward() ? warps - 1 : 0) : thread->number / 32;
    for (int i = 0; i < warps; i++) {
      const uint32_t ready = b.warps[w].ready;
      if (ready != 0) {
        return b.fibers[w * 32 + (b.backward() ? 31 - __builtin_clz(ready) : __builtin_ctz(ready))].get();
      }
      w = b.backward() ? (w == 0 ? warps - 1 : w - 1) : (w + 1 == warps ? 0 : w + 1);
    }
    if (b.live == 0) {
      return nullptr;
    }
    if (b.late.empty()) {
      report_deadlock();
    }
    auto work = std::move(b.backward() ? b.late.back() : b.late.front());
    b.backward() ? b.late.pop_back() : b.late.pop_front();
    work();
  }
}

inline void go_on_with(Thread *next) {
  Thread *self = thread;
  if (next != self) {
    thread = next;
    switch_context(self->context, next == nullptr ? block->main : next->context);
  }
}

inline Warp &warp_of(const Thread *t) { return block->warps[t->number / 32]; }
inline uint32_t bit_of(const Thread *t) { return 1u << t->number % 32; }

// Runs others until someone makes this thread ready again.
inline void pause(const char *operation) {
  thread->waits_in = operation;
  warp_of(thread).ready &= ~bit_of(thread);
  go_on_with(pick());
}

// ---- meetings -------------------------------------------------------------------

// All lanes of mask meet; the last to come does work(arguments by lane) for all.
template <class A, class F>
void collective(const char *operation, uint32_t mask, A *mine, F work) {
  Warp &w = warp_of(thread);
  const uint32_t bit = bit_of(thread);
  if (!(mask & bit)) {
    fail("%s with mask %08x, which lacks its own lane", operation, mask);
  }
  Collective &c = w.collectives[__builtin_ctz(mask)];
  if (c.arrived == 0) {
    c.operation = operation;
    c.mask = mask;
  } else if (c.mask != mask || (c.operation != operation && strcmp(c.operation, operation) != 0)) {
    fail("%s with mask %08x, while other lanes are in %s with mask %08x", operation, mask, c.operation, c.mask);
  }
  w.arguments[thread->number % 32] = mine;
  c.arrived |= bit;
  if (c.arrived != mask) {
    pause(operation);
    return;
  }
  c.arrived = 0;
  work(reinterpret_cast<A **>(w.arguments));
  w.ready |= mask;
}

inline void release(Barrier &barrier) {
  barrier.arrived = 0;
  for (size_t w = 0; w < block->warps.size(); w++) {
    block->warps[w].ready |= barrier.waiting[w];
    barrier.waiting[w] = 0;
  }
}

// bar.sync and bar.arrive; barrier 0 is that of the block, for whoever has not ended.
inline void meet(int number, int threads, bool wait, const char *operation) {
  if (number < 0 || number > 15) {
    fail("%s of barrier %d", operation, number);
  }
  Barrier &barrier = block->barriers[number];
  if (number != 0) {
    if (threads <= 0 || threads % 32 != 0 || threads > block->threads) {
      fail("%s of barrier %d for %d threads of %d", operation, number, threads, block->threads);
    }
    if (barrier.arrived != 0 && barrier.expected != threads) {
      fail("%s of barrier %d for %d threads, others said %d", operation, number, threads, barrier.expected);
    }
    barrier.expected = threads;
  }
  if (++barrier.arrived == (number == 0 ? block->live : threads)) {
    release(barrier);
  } else if (wait) {
    barrier.waiting[thread->number / 32] |= bit_of(thread);
    pause(operation);
  }
}

// Makes those ready that wait for an object; with early orders one of them runs at once.
inline void wake(const void *object) {
  Thread *first = nullptr;
  for (int i = 0; i < block->threads; i++) {
    Thread *t = block->fibers[i].get();
    if (t->waits_for == object) {
      t->waits_for = nullptr;
      warp_of(t).ready |= bit_of(t);
      first = t;
    }
  }
  if (first != nullptr && block->early() && thread != nullptr && (warp_of(thread).ready & bit_of(thread))) {
    go_on_with(first);
  }
}

// ---- shared memory --------------------------------------------------------------

// How far p lies in the dynamic shared memory, in which bytes from there must fit.
inline int shared_offset(const void *p, int bytes, int alignment, const char *operation) {
  const long long at = static_cast<const unsigned char *>(p) - block->shared;
  if (at < 0 || at + bytes > block->shared_bytes) {
    fail("%s at byte %lld of %d bytes of shared memory", operation, at, block->shared_bytes);
  }
  if (at % alignment != 0) {
    fail("%s at byte %lld of shared memory, which is no multiple of %d", operation, at, alignment);
  }
  return static_cast<int>(at);
}

}  // namespace emulated

#endif
