// wgmma under emulation. A product is carried out when its group is waited for; until then its accumulator holds NaN,
// its shared memory may not be the target of a TMA copy, and its registers may not change.
#ifndef FOVEA_TEST_CUDA_WARPGROUPS_H
#define FOVEA_TEST_CUDA_WARPGROUPS_H

#include "cuda/descriptors.h"
#include "cuda/emulation.h"

namespace emulated {

constexpr uint32_t kInFlight = 0x7fa5a5a5;  // a NaN that no computation gives

struct Product {
  int n = 0;
  bool bf16 = false, registers = false, b_along_n = false, accumulate = false;
  uint64_t a = 0, b = 0;
  float *d[32];
  uint32_t values[32][4];  // a in registers, when issued
  const uint32_t *pointers[32];
};

// An accumulator that products in flight write.
struct Accumulator {
  float *first = nullptr;  // that of lane 0: stands for all
  int n = 0, users = 0;
  std::vector<float> values;  // [16, n]
};

// A warp's part of wgmma, which is 16 of the 64 rows. The warps of a group do not wait for each other.
struct WarpProducts {
  bool fenced = false;
  long issued = 0;
  Product next;
  std::vector<Product> open;
  std::deque<std::vector<Product>> groups;
  std::vector<Accumulator> accumulators;
};

// For setmaxnreg, at which all four warps meet.
struct WarpGroup {
  const char *operation = nullptr;
  int arrived = 0, registers = 0;
};

struct HopperBlock : Hopper {
  std::vector<WarpProducts> warps;
  std::vector<WarpGroup> groups;
  int registers = 0;  // of the pool, not given to anyone

  void begin() override {
    const int bound = block->kernel->threads * block->kernel->blocks_per_sm;
    const int each = std::min(255, 65536 / bound) / 8 * 8;
    warps.resize(static_cast<size_t>(block->threads + 127) / 128 * 4);
    groups.resize(warps.size() / 4);
    for (WarpGroup &g : groups) {
      g.registers = each;
    }
  }
  void end() override {
    for (size_t w = 0; w < warps.size(); w++) {
      if (!warps[w].open.empty() || !warps[w].groups.empty()) {
        fail("ends with wgmma under way");
      }
      if (warps[w].issued != warps[w / 4 * 4].issued) {
        fail("wgmma by some warps of a group alone");
      }
    }
  }
};

inline HopperBlock &hopper() {
  if (!block->hopper) {
    if (block->kernel->capability < 90) {
      fail("uses Hopper's instructions, but its file does not include gpu90.h before it");
    }
    block->hopper = std::make_unique<HopperBlock>();
    block->hopper->begin();
  }
  return static_cast<HopperBlock &>(*block->hopper);
}

inline WarpGroup &group_of(const Thread *t) { return hopper().groups[static_cast<size_t>(t->number / 128)]; }

// The 128 threads meet; the last to come does work(group).
template <class F>
void warpgroup(const char *operation, F work) {
  WarpGroup &g = group_of(thread);
  const int base = thread->number / 128 * 4;
  if (block->threads < (base + 4) * 32) {
    fail("%s in a group of less than 128 threads", operation);
  }
  if (g.arrived == 0) {
    g.operation = operation;
  } else if (g.operation != operation && strcmp(g.operation, operation) != 0) {
    fail("%s, while others of the warp group are in %s", operation, g.operation);
  }
  if (++g.arrived < 128) {
    pause(operation);
    return;
  }
  g.arrived = 0;
  work(g);
  for (int w = base; w < base + 4; w++) {
    block->warps[static_cast<size_t>(w)].ready = ~0u;
  }
}

// The lanes of a warp meet; the last to come does work(products of the warp).
template <class F>
void warp_products(const char *operation, F work) {
  if (block->threads < (thread->number / 128 + 1) * 128) {
    fail("%s in a group of less than 128 threads", operation);
  }
  WarpProducts &mine = hopper().warps[static_cast<size_t>(thread->number / 32)];
  char nothing;
  collective(operation, ~0u, &nothing, [&](char **) { work(mine); });
}

// A copy is about to write shared memory: no product in flight may read it.
inline void check_overwrite(int offset, int bytes) {
  const uint32_t from = static_cast<uint32_t>(offset + kSharedWindow), to = from + static_cast<uint32_t>(bytes);
  const auto check = [=](const Product &p) {
    if ((!p.registers && reads(p.a, 64, false, from, to)) || reads(p.b, p.n, p.b_along_n, from, to)) {
      fail("tma_load into shared memory that a wgmma in flight reads");
    }
  };
  for (const WarpProducts &g : hopper().warps) {
    for (const Product &p : g.open) {
      check(p);
    }
    for (const auto &products : g.groups) {
      for (const Product &p : products) {
        check(p);
      }
    }
  }
}

// ---- products -------------------------------------------------------------------

// Of 16 rows: where element i of a lane lies.
inline int row_of(int lane, int i) { return lane / 4 + i / 2 % 2 * 8; }
inline int column_of(int lane, int i) { return i / 4 * 8 + lane % 4 * 2 + i % 2; }

inline Accumulator *accumulator_of(WarpProducts &w, const float *first) {
  for (Accumulator &a : w.accumulators) {
    if (a.first == first) {
      return &a;
    }
  }
  return nullptr;
}

// Takes the accumulator away from the threads, until finish gives it back.
inline void take(WarpProducts &w, const Product &p) {
  Accumulator *a = accumulator_of(w, p.d[0]);
  if (a == nullptr) {
    w.accumulators.emplace_back();
    a = &w.accumulators.back();
    a->first = p.d[0];
    a->n = p.n;
    a->values.resize(static_cast<size_t>(16 * p.n));
    for (int t = 0; t < 32; t++) {
      for (int i = 0; i < p.n / 2; i++) {
        a->values[static_cast<size_t>(row_of(t, i) * p.n + column_of(t, i))] = p.d[t][i];
        p.d[t][i] = __uint_as_float(kInFlight);
      }
    }
  } else if (a->n != p.n) {
    fail("wgmma of n %d into an accumulator in flight of n %d", p.n, a->n);
  }
  a->users++;
}

template <class T>
float load_async(uint32_t at) {
  T v;
  memcpy(&v.bits, block->async + at - kSharedWindow, 2);
  return to_float(v);
}

// d [16, n] (+)= a b, the rows of warp number warp of its group.
template <class T>
void multiply(const Product &p, int warp, float *d) {
  static thread_local float a[16][16], b[16][256];
  if (p.registers) {
    for (int t = 0; t < 32; t++) {
      for (int j = 0; j < 8; j++) {
        a[t / 4 + j / 2 % 2 * 8][t % 4 * 2 + j % 2 + j / 4 * 8] = half_of<T>(p.values[t][j / 2], j % 2);
      }
    }
  } else {
    const Descriptor from = read_descriptor(p.a);
    for (int r = 0; r < 16; r++) {
      for (int k = 0; k < 16; k++) {
        a[r][k] = load_async<T>(element_at(from, warp * 16 + r, k, false));
      }
    }
  }
  const Descriptor from = read_descriptor(p.b);
  for (int k = 0; k < 16; k++) {
    for (int n = 0; n < p.n; n++) {
      b[k][n] = load_async<T>(element_at(from, n, k, p.b_along_n));
    }
  }
  for (int r = 0; r < 16; r++) {
    float sums[256] = {};
    for (int k = 0; k < 16; k++) {
      const float v = a[r][k];
      for (int n = 0; n < p.n; n++) {
        sums[n] += v * b[k][n];
      }
    }
    for (int n = 0; n < p.n; n++) {
      d[r * p.n + n] = p.accumulate ? d[r * p.n + n] + sums[n] : sums[n];
    }
  }
}

inline void finish(WarpProducts &w, const Product &p) {
  for (int t = 0; p.registers && t < 32; t++) {
    if (memcmp(p.values[t], p.pointers[t], 16) != 0) {
      fail("lane %d changed a of a wgmma in flight", t);
    }
  }
  Accumulator *a = accumulator_of(w, p.d[0]);
  const int warp = thread->number / 32 % 4;
  p.bf16 ? multiply<bf16>(p, warp, a->values.data()) : multiply<f16>(p, warp, a->values.data());
  if (--a->users > 0) {
    return;
  }
  for (int t = 0; t < 32; t++) {
    for (int i = 0; i < p.n / 2; i++) {
      if (__float_as_uint(p.d[t][i]) != kInFlight) {
        fail("lane %d wrote the accumulator of a wgmma in flight", t);
      }
      p.d[t][i] = a->values[static_cast<size_t>(row_of(t, i) * p.n + column_of(t, i))];
    }
  }
  w.accumulators.erase(w.accumulators.begin() + (a - w.accumulators.data()));
}

inline void issue(int n, bool is_bf16, float *d, const uint32_t *a_registers, uint64_t a, uint64_t b, bool along_n,
                  bool accumulate) {
  WarpProducts &w = hopper().warps[static_cast<size_t>(thread->number / 32)];
  const int t = thread->number % 32;
  Product &p = w.next;
  const bool registers = a_registers != nullptr, first = warp_of(thread).collectives[0].arrived == 0;
  if (!first && (p.a != a || p.b != b || p.n != n || p.accumulate != accumulate || p.registers != registers)) {
    fail("wgmma with other operands than the rest of the warp");
  }
  p.n = n;
  p.bf16 = is_bf16;
  p.registers = registers;
  p.b_along_n = along_n;
  p.accumulate = accumulate;
  p.a = a;
  p.b = b;
  p.d[t] = d;
  p.pointers[t] = a_registers;
  if (registers) {
    memcpy(p.values[t], a_registers, 16);
  }
  warp_products("wgmma", [](WarpProducts &mine) {
    const Product &product = mine.next;
    if (!mine.fenced) {
      fail("wgmma without wgmma_fence after the last wgmma_wait");
    }
    if (!product.registers) {
      check_descriptor("a", product.a, 64, false);
    }
    check_descriptor("b", product.b, product.n, product.b_along_n);
    take(mine, product);
    mine.open.push_back(product);
    mine.issued++;
  });
}

}  // namespace emulated

#endif
