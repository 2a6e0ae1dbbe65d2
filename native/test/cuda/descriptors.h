// Descriptors of wgmma: which byte of shared memory an element of a matrix is. PTX ISA 8.0, 9.7.14.5.
#ifndef FOVEA_TEST_CUDA_DESCRIPTORS_H
#define FOVEA_TEST_CUDA_DESCRIPTORS_H

#include "cuda/block.h"
#include "cuda/tensor_maps.h"

namespace emulated {

struct Descriptor {
  uint32_t start, columns, rows;
  int span;
};

inline Descriptor read_descriptor(uint64_t bits) {
  static constexpr int spans[4] = {0, 128, 64, 32};
  return {static_cast<uint32_t>(bits & 0x3fff) << 4, static_cast<uint32_t>(bits >> 16 & 0x3fff) << 4,
          static_cast<uint32_t>(bits >> 32 & 0x3fff) << 4, spans[bits >> 62]};
}

// The byte of shared memory of element (mn, k): mn counts along M or N.
inline uint32_t element_at(const Descriptor &d, int mn, int k, bool along_n) {
  const uint32_t m = static_cast<uint32_t>(mn), j = static_cast<uint32_t>(k), span = static_cast<uint32_t>(d.span);
  if (d.span == 0) {  // pieces of 8 rows of 16 bytes
    const uint32_t in = along_n ? j % 8 * 16 + m % 8 * 2 : m % 8 * 16 + j % 8 * 2;
    return d.start + in + m / 8 * d.rows + j / 8 * d.columns;
  }
  const uint32_t wide = span / 2;
  return swizzled(d.start + (along_n ? m / wide * d.columns + m % wide * 2 + j / 8 * d.rows + j % 8 * span
                                     : m / 8 * d.rows + m % 8 * span + j * 2),
                  d.span);
}

inline void check_descriptor(const char *what, uint64_t bits, int size, bool along_n) {
  const Descriptor d = read_descriptor(bits);
  if ((bits & ~(0x3fffull | 0x3fffull << 16 | 0x3fffull << 32 | 3ull << 62)) != 0) {
    fail("wgmma: the descriptor of %s, %016llx, has bits that are not used", what,
         static_cast<unsigned long long>(bits));
  }
  if (d.span != 0 && (d.start >> 7 & (static_cast<uint32_t>(d.span) / 16 - 1)) != 0) {
    fail("wgmma: %s starts at byte %u, in the midst of 8 swizzled rows", what, d.start);
  }
  uint32_t last = 0;
  for (int mn = 0; mn < size; mn += 8) {
    for (int k = 0; k < 16; k += 8) {
      last = std::max({last, element_at(d, mn, k, along_n), element_at(d, mn + 7, k + 7, along_n)});
    }
  }
  if (d.start < kSharedWindow || last + 2 > static_cast<uint32_t>(kSharedWindow + block->shared_bytes)) {
    fail("wgmma: %s reads bytes %d ... %d of %d bytes of shared memory", what,
         static_cast<int>(d.start) - kSharedWindow, static_cast<int>(last) - kSharedWindow, block->shared_bytes);
  }
}

// Whether a matrix of a product in flight has elements in a range of shared memory.
inline bool reads(uint64_t bits, int size, bool along_n, uint32_t from, uint32_t to) {
  const Descriptor d = read_descriptor(bits);
  for (int mn = 0; mn < size; mn++) {
    for (int k = 0; k < 16; k++) {
      const uint32_t at = element_at(d, mn, k, along_n);
      if (at >= from && at < to) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace emulated

#endif
