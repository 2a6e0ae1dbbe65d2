// Tensor maps of the emulation: cuTensorMapEncodeTiled with the rules of the driver, and what it packs into 128 bytes.
#ifndef FOVEA_TEST_CUDA_TENSOR_MAPS_H
#define FOVEA_TEST_CUDA_TENSOR_MAPS_H

#include <cstdint>
#include <cstring>

#include "cuda/tensor_map.h"

namespace emulated {

struct TensorMap {
  uint64_t magic;
  unsigned char *base;
  uint64_t strides[4];  // bytes, of dimensions 1 ...
  uint32_t sizes[5];    // elements, less one
  uint16_t box[5];
  uint8_t element_bytes, rank, swizzle;  // swizzle: 0, 32, 64, 128
  uint8_t type;
  bool nan_fill;
};
static_assert(sizeof(TensorMap) <= sizeof(fv_tensor_map));

constexpr uint64_t kTensorMapMagic = 0x70616d6165766f66;

// Numbers of CUtensorMapDataType.
inline int element_bytes_of(int type) {
  switch (type) {
    case 0:  // UINT8
      return 1;
    case 1:  // UINT16
    case 6:  // FLOAT16
    case 9:  // BFLOAT16
      return 2;
    case 2:  // UINT32
    case 3:  // INT32
    case 7:  // FLOAT32
      return 4;
    default:
      return 0;
  }
}

// As the driver's function of that name, with CUresult 1 (CUDA_ERROR_INVALID_VALUE) for what it refuses. *reason, unless
// reason is null, says why.
inline int encode_tensor_map(fv_tensor_map *map, int type, unsigned rank, void *base, const uint64_t *sizes,
                             const uint64_t *strides, const uint32_t *box, const uint32_t *element_strides,
                             int interleave, int swizzle, int promotion, int fill, const char **reason = nullptr) {
  const char *ignored;
  const char *&why = reason == nullptr ? ignored : *reason;
  const int bytes = element_bytes_of(type);
  const auto refuse = [&why](const char *text) {
    why = text;
    return 1;
  };
  if (map == nullptr || reinterpret_cast<uintptr_t>(map) % 64 != 0) {
    return refuse("the map is not aligned to 64");
  }
  if (bytes == 0) {
    return refuse("no such type");
  }
  if (rank < 1 || rank > 5) {
    return refuse("rank is not 1 ... 5");
  }
  if (base == nullptr || reinterpret_cast<uintptr_t>(base) % 16 != 0) {
    return refuse("the address is no multiple of 16");
  }
  if (interleave != 0 || swizzle < 0 || swizzle > 3 || promotion < 0 || promotion > 3 || fill < 0 || fill > 1) {
    return refuse("an enum is out of range, or interleaved");
  }
  if (fill == 1 && type < 6) {
    return refuse("NaN as fill of integers");
  }
  TensorMap packed = {};
  packed.magic = kTensorMapMagic;
  packed.base = static_cast<unsigned char *>(base);
  packed.element_bytes = static_cast<uint8_t>(bytes);
  packed.rank = static_cast<uint8_t>(rank);
  packed.swizzle = static_cast<uint8_t>(swizzle == 0 ? 0 : 16 << swizzle);
  packed.type = static_cast<uint8_t>(type);
  packed.nan_fill = fill == 1;
  for (unsigned i = 0; i < rank; i++) {
    if (sizes[i] == 0 || sizes[i] > uint64_t{1} << 32) {
      return refuse("a size is not 1 ... 2^32");
    }
    if (box[i] == 0 || box[i] > 256) {
      return refuse("a size of the box is not 1 ... 256");
    }
    if (element_strides[i] < 1 || element_strides[i] > 8) {
      return refuse("an element stride is not 1 ... 8");
    }
    if (element_strides[i] != 1) {
      return refuse("element strides other than 1 are not emulated");
    }
    if (i > 0 && (strides[i - 1] % 16 != 0 || strides[i - 1] >= uint64_t{1} << 40)) {
      return refuse("a stride is no multiple of 16 below 2^40");
    }
    packed.sizes[i] = static_cast<uint32_t>(sizes[i] - 1);
    packed.box[i] = static_cast<uint16_t>(box[i]);
    if (i > 0) {
      packed.strides[i - 1] = strides[i - 1];
    }
  }
  const unsigned inner = box[0] * static_cast<unsigned>(bytes);
  if (inner % 16 != 0) {
    return refuse("the box's inner bytes are no multiple of 16");
  }
  if (packed.swizzle != 0 && inner > packed.swizzle) {
    return refuse("the box's inner bytes exceed the span of the swizzle");
  }
  memset(map, 0, sizeof *map);
  memcpy(map, &packed, sizeof packed);
  return 0;
}

inline bool read_tensor_map(const fv_tensor_map *map, TensorMap *packed) {
  memcpy(packed, map, sizeof *packed);
  return packed->magic == kTensorMapMagic;
}

// Where a byte of a swizzled row lies: its 16-byte piece is chosen by the address's bits from 7 on, as many as the span
// has pieces.
inline uint32_t swizzled(uint32_t address, int span) {
  const uint32_t pieces = span == 0 ? 0 : static_cast<uint32_t>(span) / 16 - 1;
  return address ^ (address >> 7 & pieces) << 4;
}

}  // namespace emulated

#endif
