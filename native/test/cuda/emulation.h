// gpu.h for compilers other than nvcc: CUDA's words, carried out by the fibers of block.h.
#ifndef FOVEA_TEST_CUDA_EMULATION_H
#define FOVEA_TEST_CUDA_EMULATION_H

#include <cstdint>
#include <cstring>

#include "cuda/launch.h"
#include "cuda/scalars.h"

#define FV_HOPPER 1
#define FV_DEVICE inline
#define FV_CAPABILITY 80
#define threadIdx (::emulated::thread->index)
#define blockIdx (::emulated::block->index)
#define blockDim (::emulated::block->dimensions)
#define gridDim (::emulated::block->grid)

// Kernels behind an inclusion of gpu90.h are Hopper's.
#define FV_KERNEL(name, Params, threads, blocks_per_sm)                                             \
  static void name(const Params &p);                                                                \
  static const ::emulated::Registration registration_of_##name(                                     \
      #name, sizeof(Params), threads, blocks_per_sm, FV_CAPABILITY,                                 \
      [](const void *params) { name(*static_cast<const Params *>(params)); });                      \
  static void name([[maybe_unused]] const Params &p)
#define FV_SHARED(name) unsigned char *const name = ::emulated::block->shared

// ---- warps and barriers ---------------------------------------------------------

inline void __syncthreads() { emulated::meet(0, 0, true, "__syncthreads"); }
inline void named_sync(int barrier, int threads) {
  emulated::meet(barrier == 0 ? -1 : barrier, threads, true, "named_sync");
}
inline void named_arrive(int barrier, int threads) {
  emulated::meet(barrier == 0 ? -1 : barrier, threads, false, "named_arrive");
}
inline void __syncwarp(uint32_t mask = ~0u) {
  char nothing;
  emulated::collective("__syncwarp", mask, &nothing, [](char **) {});
}

namespace emulated {

// Each lane of mask takes v of the lane that source(lane, its own argument) names.
template <class T, class F>
T shuffle(const char *operation, uint32_t mask, T v, int argument, F source) {
  struct A {
    T v, result;
    int argument;
  } a{v, v, argument};
  collective(operation, mask, &a, [=](A **lanes) {
    for (int i = 0; i < 32; i++) {
      if (mask >> i & 1) {
        const int from = source(i, lanes[i]->argument);
        if (!(mask >> from & 1)) {
          fail("%s reads lane %d, which mask %08x lacks", operation, from, mask);
        }
        lanes[i]->result = lanes[from]->v;
      }
    }
  });
  return a.result;
}

}  // namespace emulated

template <class T>
T __shfl_xor_sync(uint32_t mask, T v, int lanes) {
  return emulated::shuffle("__shfl_xor_sync", mask, v, lanes, [](int i, int x) { return (i ^ x) & 31; });
}
template <class T>
T __shfl_sync(uint32_t mask, T v, int lane) {
  return emulated::shuffle("__shfl_sync", mask, v, lane, [](int, int x) { return x & 31; });
}
inline uint32_t __ballot_sync(uint32_t mask, int predicate) {
  struct A {
    bool set;
    uint32_t result;
  } a{predicate != 0, 0};
  emulated::collective("__ballot_sync", mask, &a, [mask](A **lanes) {
    uint32_t all = 0;
    for (int i = 0; i < 32; i++) {
      all |= (mask >> i & 1) && lanes[i]->set ? 1u << i : 0;
    }
    for (int i = 0; i < 32; i++) {
      if (mask >> i & 1) {
        lanes[i]->result = all;
      }
    }
  });
  return a.result;
}
inline int __any_sync(uint32_t mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
template <class T>
T shfl_xor(T v, int lanes) {
  return __shfl_xor_sync(~0u, v, lanes);
}
template <class T>
T shfl(T v, int lane) {
  return __shfl_sync(~0u, v, lane);
}

// ---- asynchronous copies --------------------------------------------------------

namespace emulated {

inline void copy_now(const Copy &copy) {
  unsigned char line[16] = {};
  memcpy(line, copy.from, static_cast<size_t>(copy.bytes));
  memcpy(copy.to, line, sizeof line);
}

}  // namespace emulated

inline void cp_async16(void *shared, const void *global, int bytes) {
  emulated::shared_offset(shared, 16, 16, "cp_async16");
  if (bytes < 0 || bytes > 16 || reinterpret_cast<uintptr_t>(global) % 16 != 0) {
    emulated::fail("cp_async16 of %d bytes from %p", bytes, global);
  }
  if (emulated::block->early()) {
    emulated::copy_now({shared, global, bytes});
  } else {
    memset(shared, 0xff, 16);
  }
  emulated::thread->open.push_back({shared, global, bytes});
}
inline void cp_async_commit() {
  emulated::thread->groups.push_back(std::move(emulated::thread->open));
  emulated::thread->open.clear();
}
template <int N>
void cp_async_wait() {
  auto &groups = emulated::thread->groups;
  for (; groups.size() > N; groups.pop_front()) {
    if (!emulated::block->early()) {
      for (const emulated::Copy &copy : groups.front()) {
        emulated::copy_now(copy);
      }
    }
  }
}

// ---- tensor cores ---------------------------------------------------------------

template <class T>
void mma(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  struct A {
    float *c;
    const uint32_t *a, *b;
  } mine{c, a, b};
  emulated::collective("mma", ~0u, &mine, [](A **lanes) {
    // Lane 4 g + t has rows g and g + 8 of a and c, column g of b; in pairs 2 t, 2 t + 1 along k or the columns of c.
    float ma[16][16], mb[16][8], mc[16][8] = {};
    for (int i = 0; i < 32; i++) {
      const int g = i / 4, t = i % 4;
      for (int h = 0; h < 2; h++) {
        for (int j = 0; j < 4; j++) {
          ma[g + j % 2 * 8][t * 2 + h + j / 2 * 8] = emulated::half_of<T>(lanes[i]->a[j], h);
        }
        for (int j = 0; j < 2; j++) {
          mb[t * 2 + h + j * 8][g] = emulated::half_of<T>(lanes[i]->b[j], h);
        }
      }
    }
    for (int r = 0; r < 16; r++) {
      for (int k = 0; k < 16; k++) {
        for (int n = 0; n < 8; n++) {
          mc[r][n] += ma[r][k] * mb[k][n];
        }
      }
    }
    for (int i = 0; i < 32; i++) {
      for (int j = 0; j < 4; j++) {
        lanes[i]->c[j] += mc[i / 4 + j / 2 * 8][i % 4 * 2 + j % 2];
      }
    }
  });
}

namespace emulated {

// Matrix m comes from the rows that lanes 8 m ... 8 m + 7 name; lane i gets elements 2 (i % 4) and the next of row i / 4,
// transposed of column i / 4.
template <int N>
void load_matrices(const char *operation, uint32_t *r, const void *row, bool transposed) {
  struct A {
    uint32_t *r;
    const uint16_t *row;
  } mine{r, static_cast<const uint16_t *>(row)};
  if (thread->number % 32 < 8 * N) {
    shared_offset(row, 16, 16, operation);
  }
  collective(operation, ~0u, &mine, [transposed](A **lanes) {
    for (int i = 0; i < 32; i++) {
      for (int m = 0; m < N; m++) {
        const int g = i / 4, t = i % 4 * 2;
        const uint16_t low = transposed ? lanes[m * 8 + t]->row[g] : lanes[m * 8 + g]->row[t];
        const uint16_t high = transposed ? lanes[m * 8 + t + 1]->row[g] : lanes[m * 8 + g]->row[t + 1];
        lanes[i]->r[m] = low | static_cast<uint32_t>(high) << 16;
      }
    }
  });
}

}  // namespace emulated

inline void ldmatrix_x4(uint32_t (&r)[4], const void *row) {
  emulated::load_matrices<4>("ldmatrix_x4", r, row, false);
}
inline void ldmatrix_x4_trans(uint32_t (&r)[4], const void *row) {
  emulated::load_matrices<4>("ldmatrix_x4_trans", r, row, true);
}
inline void ldmatrix_x2(uint32_t (&r)[2], const void *row) {
  emulated::load_matrices<2>("ldmatrix_x2", r, row, false);
}

#endif
