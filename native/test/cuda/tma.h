// mbarrier and TMA under emulation. Copies are carried out at once, or when no thread can go on.
#ifndef FOVEA_TEST_CUDA_TMA_H
#define FOVEA_TEST_CUDA_TMA_H

#include "cuda/warpgroups.h"

inline uint32_t shared_address(const void *p) {
  return static_cast<uint32_t>(emulated::shared_offset(p, 0, 1, "shared_address") + emulated::kSharedWindow);
}

// ---- mbarrier -------------------------------------------------------------------

namespace emulated {

struct MBarrier {
  uint16_t pending, count;  // threads that have not arrived, and all; 0xffff before barrier_init
  int32_t bytes_and_phase;  // 2 bytes expected + parity of the phase

  int bytes() const { return bytes_and_phase >> 1; }
  int phase() const { return bytes_and_phase & 1; }
  void expect(int more) { bytes_and_phase += more * 2; }
};
static_assert(sizeof(MBarrier) == 8);

inline MBarrier &mbarrier(uint64_t *p, const char *operation) {
  shared_offset(p, 8, 8, operation);
  MBarrier *b = reinterpret_cast<MBarrier *>(p);
  if (b->count == 0xffff || b->count == 0) {
    fail("%s on an mbarrier that was not initialised", operation);
  }
  return *b;
}

inline void end_phase(MBarrier &b) {
  if (b.pending == 0 && b.bytes() == 0) {
    b.pending = b.count;
    b.bytes_and_phase ^= 1;
    wake(&b);
  }
}

inline void arrive(MBarrier &b) {
  if (b.pending == 0) {
    fail("more threads arrive at an mbarrier than its %d", b.count);
  }
  b.pending--;
  end_phase(b);
}

}  // namespace emulated

inline void barrier_init(uint64_t *barrier, int threads) {
  emulated::shared_offset(barrier, 8, 8, "barrier_init");
  if (threads <= 0 || threads > 1024) {
    emulated::fail("barrier_init for %d threads", threads);
  }
  const uint16_t n = static_cast<uint16_t>(threads);
  *reinterpret_cast<emulated::MBarrier *>(barrier) = {n, n, 0};
}
inline void barrier_init_fence() {}
inline void barrier_arrive(uint64_t *barrier) { emulated::arrive(emulated::mbarrier(barrier, "barrier_arrive")); }
inline void barrier_expect(uint64_t *barrier, int bytes) {
  emulated::MBarrier &b = emulated::mbarrier(barrier, "barrier_expect");
  b.expect(bytes);
  emulated::arrive(b);
}
inline void barrier_wait(uint64_t *barrier, int parity) {
  emulated::MBarrier &b = emulated::mbarrier(barrier, "barrier_wait");
  if (parity != 0 && parity != 1) {
    emulated::fail("barrier_wait for parity %d", parity);
  }
  while (b.phase() == parity) {
    emulated::thread->waits_for = &b;
    emulated::pause("barrier_wait");
  }
}

// ---- TMA ------------------------------------------------------------------------

namespace emulated {

// Calls f(byte of shared memory from its start, byte of the tensor or null) for each element of a box.
template <class F>
void each_element(const TensorMap &map, uint32_t shared, const int (&at)[5], F f) {
  uint32_t byte = 0;
  int i[5] = {};
  for (;;) {
    for (i[0] = 0; i[0] < map.box[0]; i[0]++) {
      unsigned char *p = map.base;
      for (int r = 0; r < map.rank && p != nullptr; r++) {
        const long long c = static_cast<long long>(at[r]) + i[r];
        p = c < 0 || c > map.sizes[r] ? nullptr : p + c * static_cast<long long>(r == 0 ? map.element_bytes : map.strides[r - 1]);
      }
      f(swizzled(shared + byte, map.swizzle), p);
      byte += map.element_bytes;
    }
    int r = 1;
    while (r < map.rank && ++i[r] == map.box[r]) {
      i[r++] = 0;
    }
    if (r >= map.rank) {
      return;
    }
  }
}

inline TensorMap checked_map(const fv_tensor_map *map, int rank, const char *operation) {
  const unsigned char *p = reinterpret_cast<const unsigned char *>(map);
  const unsigned char *params = static_cast<const unsigned char *>(block->params);
  if (p < params || p + sizeof *map > params + block->kernel->params_bytes) {
    fail("%s with a tensor map that is no part of the kernel's parameter", operation);
  }
  TensorMap packed;
  if (reinterpret_cast<uintptr_t>(map) % 64 != 0 || !read_tensor_map(map, &packed)) {
    fail("%s without a tensor map", operation);
  }
  if (packed.rank != rank) {
    fail("%s with %d coordinates in a tensor of rank %d", operation, rank, packed.rank);
  }
  if (packed.swizzle != 0 && packed.box[0] * packed.element_bytes != packed.swizzle) {
    fail("%s of rows of %d bytes swizzled in %d: their layout is not documented", operation,
         packed.box[0] * packed.element_bytes, packed.swizzle);
  }
  return packed;
}

inline int box_bytes(const TensorMap &map) {
  int bytes = map.element_bytes;
  for (int r = 0; r < map.rank; r++) {
    bytes *= map.box[r];
  }
  return bytes;
}

inline void load_box(void *shared, const fv_tensor_map *map, uint64_t *barrier, int rank, int c0, int c1, int c2) {
  hopper();
  const TensorMap tensor = checked_map(map, rank, "tma_load");
  const int bytes = box_bytes(tensor), offset = shared_offset(shared, bytes, 128, "tma_load");
  MBarrier *b = &mbarrier(barrier, "tma_load");
  check_overwrite(offset, bytes);
  auto work = [=] {
    const uint32_t base = static_cast<uint32_t>(offset + kSharedWindow);
    each_element(tensor, base, {c0, c1, c2, 0, 0}, [&](uint32_t at, const unsigned char *p) {
      for (unsigned char *memory : {block->shared, block->async}) {
        unsigned char *to = memory + at - kSharedWindow;
        p == nullptr ? memset(to, tensor.nan_fill ? 0xff : 0, tensor.element_bytes) : memcpy(to, p, tensor.element_bytes);
      }
    });
    b->expect(-bytes);
    end_phase(*b);
  };
  if (block->early()) {
    work();
  } else {
    memset(shared, 0xff, static_cast<size_t>(bytes));
    memset(block->async + offset, 0xff, static_cast<size_t>(bytes));
    block->late.push_back(work);
  }
}

}  // namespace emulated

inline void tma_prefetch(const fv_tensor_map *) {}
inline void tma_load(void *shared, const fv_tensor_map *map, uint64_t *barrier, int c0, int c1) {
  emulated::load_box(shared, map, barrier, 2, c0, c1, 0);
}
inline void tma_load(void *shared, const fv_tensor_map *map, uint64_t *barrier, int c0, int c1, int c2) {
  emulated::load_box(shared, map, barrier, 3, c0, c1, c2);
}
inline void fence_async() {
  memcpy(emulated::block->async, emulated::block->shared, static_cast<size_t>(emulated::block->shared_bytes));
}

#endif
