// gpu90.h for compilers other than nvcc: mbarrier, TMA, wgmma and setmaxnreg on the fibers of block.h.
#ifndef FOVEA_TEST_CUDA_EMULATION90_H
#define FOVEA_TEST_CUDA_EMULATION90_H

#include "cuda/tma.h"
#include "cuda/warpgroups.h"

#undef FV_CAPABILITY
#define FV_CAPABILITY 90

// ---- warp groups ----------------------------------------------------------------

namespace emulated {

template <int R>
void set_registers(const char *operation, bool more) {
  static_assert(R >= 24 && R <= 256 && R % 8 == 0, "setmaxnreg takes 24, 32 ... 256");
  warpgroup(operation, [=](WarpGroup &g) {
    // How many a thread starts with is the compiler's choice, at most what the launch bounds allow.
    if (!more && R > g.registers) {
      fail("%s<%d> of a group that has %d", operation, R, g.registers);
    }
    if (!more) {
      hopper().registers += g.registers - R;
      g.registers = R;
      wake(&hopper().registers);
    }
  });
  if (more) {
    // Waits until others have given enough away; the first thread of the group takes.
    HopperBlock &h = hopper();
    WarpGroup &g = group_of(thread);
    while (g.registers < R && h.registers < R - g.registers) {
      thread->waits_for = &h.registers;
      pause(operation);
    }
    if (g.registers < R) {
      h.registers -= R - g.registers;
      g.registers = R;
    }
  }
}

}  // namespace emulated

template <int R>
void registers_less() {
  emulated::set_registers<R>("registers_less", false);
}
template <int R>
void registers_more() {
  emulated::set_registers<R>("registers_more", true);
}

inline uint64_t descriptor(const void *shared, int span, int rows, int columns) {
  if ((span != 0 && span != 32 && span != 64 && span != 128) || rows % 16 != 0 || columns % 16 != 0 || rows < 0 ||
      columns < 0 || rows >= 1 << 18 || columns >= 1 << 18) {
    emulated::fail("descriptor of span %d, rows %d, columns %d", span, rows, columns);
  }
  const uint32_t address = shared_address(shared);
  if (address % 16 != 0) {
    emulated::fail("descriptor of byte %u of shared memory", address);
  }
  const uint64_t layout = span == 128 ? 1 : span == 64 ? 2 : span == 32 ? 3 : 0;
  return static_cast<uint64_t>((address & 0x3ffff) >> 4) | static_cast<uint64_t>(columns >> 4) << 16 |
         static_cast<uint64_t>(rows >> 4) << 32 | layout << 62;
}

inline void wgmma_fence() {
  emulated::warp_products("wgmma_fence", [](emulated::WarpProducts &w) { w.fenced = true; });
}
inline void wgmma_commit() {
  emulated::warp_products("wgmma_commit", [](emulated::WarpProducts &w) {
    w.groups.push_back(std::move(w.open));
    w.open.clear();
  });
}
template <int N>
void wgmma_wait() {
  emulated::warp_products("wgmma_wait", [](emulated::WarpProducts &w) {
    w.fenced = false;
    for (; w.groups.size() > N; w.groups.pop_front()) {
      for (const emulated::Product &p : w.groups.front()) {
        emulated::finish(w, p);
      }
    }
  });
}

template <class T, Major order, int size>
void wgmma_ss(float (&d)[size], uint64_t a, uint64_t b, int accumulate) {
  static_assert(size % 8 == 0 && size <= 128, "N is a multiple of 16 up to 256");
  emulated::issue(size * 2, std::is_same_v<T, bf16>, d, nullptr, a, b, order == kMajorMN, accumulate != 0);
}
template <class T, Major order, int size>
void wgmma_rs(float (&d)[size], const uint32_t *a, uint64_t b, int accumulate) {
  static_assert(size % 8 == 0 && size <= 128, "N is a multiple of 16 up to 256");
  emulated::issue(size * 2, std::is_same_v<T, bf16>, d, a, 0, b, order == kMajorMN, accumulate != 0);
}

#endif
