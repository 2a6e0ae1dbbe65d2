// Values, and matrices of any type between guard bytes.
#ifndef FOVEA_TEST_CUDA_OP_MATRIX_H
#define FOVEA_TEST_CUDA_OP_MATRIX_H

#include <algorithm>
#include <vector>

#include "cuda/gpu.h"
#include "cuda/plan.h"

namespace op {

// ---- values ---------------------------------------------------------------------

// The same in every run and in every place: uniform in [-1, 1), by what names a value.
inline float value(unsigned seed, long long row, int column) {
  uint64_t z = seed * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(row) * 0xbf58476d1ce4e5b9u +
               static_cast<uint64_t>(column) * 0x94d049bb133111ebu + 0x2545f4914f6cdd1du;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return static_cast<float>(static_cast<int>(z >> 40) - (1 << 23)) / (1 << 23);
}

inline int size_of(int dtype) { return dtype == FOVEA_DTYPE_F16 || dtype == FOVEA_DTYPE_BF16 ? 2 : 4; }

// Half the distance of neighbours at 1: the relative error of rounding.
inline double unit_of(int dtype) {
  return dtype == FOVEA_DTYPE_F16 ? 1.0 / 2048 : dtype == FOVEA_DTYPE_BF16 ? 1.0 / 256 : 1.0 / (1 << 24);
}

inline float round_to(int dtype, float x) {
  return dtype == FOVEA_DTYPE_F16    ? to_float(from_float<f16>(x))
         : dtype == FOVEA_DTYPE_BF16 ? to_float(from_float<bf16>(x))
                                     : x;
}

// ---- matrices -------------------------------------------------------------------

constexpr int kGuardBytes = 256;

// Memory begins 256 bytes past a page's border like the device's does; offset moves the first element.
// All bytes are 0xff, NaN in every type of floats, until something writes them.
class Matrix {
 public:
  int dtype, rows, capacity, columns, stride, offset;

  Matrix(int dtype, int rows, int capacity, int columns, int stride = 0, int offset = 0)
      : dtype(dtype), rows(rows), capacity(capacity), columns(columns), stride(stride ? stride : columns),
        offset(offset) {
    const size_t elements = static_cast<size_t>(capacity) * this->stride + offset;
    bytes_ = elements * size_of(dtype);
    memory_.resize(bytes_ + 4 * kGuardBytes, 0xff);
    base_ = memory_.data();
    while (reinterpret_cast<uintptr_t>(base_) % kGuardBytes != 0) base_++;
    base_ += kGuardBytes;
    keep();
    all.push_back(this);
  }
  ~Matrix() { all.erase(std::find(all.begin(), all.end(), this)); }
  Matrix(const Matrix &) = delete;
  Matrix &operator=(const Matrix &) = delete;

  fv_view view() const {
    return {const_cast<unsigned char *>(at(0, 0)), stride, dtype, columns, rows, capacity};
  }
  void *data() const { return view().data; }
  long long address() const { return static_cast<long long>(reinterpret_cast<uintptr_t>(data())); }

  float get(int row, int column) const {
    uint32_t bits = 0;
    memcpy(&bits, at(row, column), static_cast<size_t>(size_of(dtype)));
    const uint16_t half = static_cast<uint16_t>(bits);
    return dtype == FOVEA_DTYPE_F16    ? to_float(f16{half})
           : dtype == FOVEA_DTYPE_BF16 ? to_float(bf16{half})
                                       : __uint_as_float(bits);
  }
  int get_int(int row, int column) const {
    int x;
    memcpy(&x, at(row, column), 4);
    return x;
  }
  void set(int row, int column, float x) {
    uint32_t bits = dtype == FOVEA_DTYPE_F16    ? from_float<f16>(x).bits
                    : dtype == FOVEA_DTYPE_BF16 ? from_float<bf16>(x).bits
                                                : __float_as_uint(x);
    memcpy(const_cast<unsigned char *>(at(row, column)), &bits, static_cast<size_t>(size_of(dtype)));
  }
  void set_int(int row, int column, int x) { memcpy(const_cast<unsigned char *>(at(row, column)), &x, 4); }

  // The first count rows get value(seed, first + row, column) times scale; all others stay NaN.
  void fill(unsigned seed, float scale = 1, int count = -1, long long first = 0) {
    for (int r = 0; r < (count < 0 ? capacity : count); r++) {
      for (int c = 0; c < columns; c++) set(r, c, value(seed, first + r, c) * scale);
    }
    keep();
  }
  // Everything is NaN again.
  void clear() {
    std::fill(memory_.begin(), memory_.end(), 0xff);
    keep();
  }

  bool same_bits(int row, const Matrix &other, int other_row) const {
    return memcmp(at(row, 0), other.at(other_row, 0), static_cast<size_t>(columns) * size_of(dtype)) == 0;
  }

  // Whether kernels may read and write in front of all matrices and behind them. Only AddressSanitizer minds.
  static void open_guards([[maybe_unused]] bool open) {
#if FV_ASAN
    for (const Matrix *m : all) {
      const unsigned char *end = m->base_ + (m->bytes_ + 7) / 8 * 8; // what it tells apart
      for (const unsigned char *guard : {static_cast<const unsigned char *>(m->base_) - kGuardBytes, end}) {
        constexpr size_t bytes = kGuardBytes - 8;
        open ? __asan_unpoison_memory_region(guard, bytes) : __asan_poison_memory_region(guard, bytes);
      }
    }
#endif
  }

  // Remembers the bytes for untouched().
  void keep() { kept_ = memory_; }
  // Whether all bytes but those of the first count rows' columns are as they were.
  bool untouched(int count) const {
    std::vector<unsigned char> now = memory_;
    for (int r = 0; r < count; r++) {
      const size_t begin = static_cast<size_t>(at(r, 0) - memory_.data());
      std::copy_n(kept_.begin() + begin, static_cast<size_t>(columns) * size_of(dtype), now.begin() + begin);
    }
    return now == kept_;
  }

 private:
  const unsigned char *at(int row, int column) const {
    return base_ + (static_cast<size_t>(row) * stride + column + offset) * size_of(dtype);
  }

  static inline std::vector<const Matrix *> all;

  size_t bytes_;
  std::vector<unsigned char> memory_, kept_;
  unsigned char *base_;
};

// A weight as fovea_cuda.h wants it: rows padded with zeros to 16 bytes; views and get() see the columns alone.
inline void zero_padding(Matrix &weight) {
  const int columns = weight.columns;
  weight.columns = weight.stride;
  for (int r = 0; r < weight.capacity; r++) {
    for (int c = columns; c < weight.stride; c++) weight.set(r, c, 0);
  }
  weight.columns = columns;
  weight.keep();
}
inline int padded(int dtype, int columns) {
  const int each = 16 / size_of(dtype);
  return (columns + each - 1) / each * each;
}

}  // namespace op

#endif
