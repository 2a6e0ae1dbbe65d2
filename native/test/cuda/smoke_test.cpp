// The emulation itself: each kernel of smoke.cu in each order, against sums in double.
#include <cstdio>
#include <vector>

#include "cuda/gpu90.h"
#include "cuda/smoke.h"

namespace {

int failures = 0;

void check(bool good, const char *what, int order) {
  if (!good) {
    printf("order %d: %s\n", order, what);
    failures++;
  }
}

template <class T>
std::vector<T> values(int n, unsigned seed) {
  std::vector<T> v(static_cast<size_t>(n));
  for (T &x : v) {
    seed = seed * 1664525 + 1013904223;
    x = from_float<T>(static_cast<float>(static_cast<int>(seed >> 16 & 255) - 128) / 64);
  }
  return v;
}

void product(int order) {
  const int k = 3;
  const auto a = values<bf16>(16 * 16 * k, 1), b = values<bf16>(8 * 16 * k, 2);
  alignas(16) static bf16 a16[16 * 16 * 3], b16[8 * 16 * 3];
  std::copy(a.begin(), a.end(), a16);
  std::copy(b.begin(), b.end(), b16);
  std::vector<float> c(16 * 8, NAN);
  emulated::launch("smoke_product", 1, 32, 2 * 24 * 32, smoke_product_params{a16, b16, c.data(), k});
  bool good = true;
  for (int m = 0; m < 16; m++) {
    for (int n = 0; n < 8; n++) {
      double sum = 0;
      for (int i = 0; i < 16 * k; i++) {
        sum += to_float(a[m * 16 * k + i]) * to_float(b[n * 16 * k + i]);
      }
      good &= fabs(sum - c[m * 8 + n]) < 1e-4;
    }
  }
  check(good, "smoke_product", order);
}

void sum(int order) {
  const auto x = values<float>(256, 3);
  double all = 0;
  for (float v : x) {
    all += v;
  }
  std::vector<float> c(256, NAN);
  emulated::launch("smoke_sum", 1, 256, 32, smoke_product_params{x.data(), nullptr, c.data(), 0});
  for (float v : c) {
    check(fabs(v - all) < 1e-4, "smoke_sum", order);
  }
}

template <class T>
void product90(const char *kernel, bool along_n, int order) {
  const int k = 5;
  alignas(16) static T a[64 * 64 * 5], b[64 * 64 * 5];
  const auto av = values<T>(64 * 64 * k, 4), bv = values<T>(64 * 64 * k, 5);
  std::copy(av.begin(), av.end(), a);
  std::copy(bv.begin(), bv.end(), b);
  std::vector<float> c(64 * 64, NAN);
  smoke_product90_params p = {};
  const int type = std::is_same_v<T, bf16> ? 9 : 6;
  const uint32_t box[2] = {64, 64}, ones[2] = {1, 1};
  const uint64_t wide[2] = {64 * 5, 64}, tall[2] = {64, 64 * 5}, wide_stride = 64 * 5 * 2, tall_stride = 128;
  check(emulated::encode_tensor_map(&p.a, type, 2, a, wide, &wide_stride, box, ones, 0, 3, 0, 0) == 0, "map", order);
  check(emulated::encode_tensor_map(&p.b, type, 2, b, along_n ? tall : wide, along_n ? &tall_stride : &wide_stride, box,
                                    ones, 0, 3, 0, 0) == 0, "map", order);
  p.c = c.data();
  p.k = k;
  emulated::launch(kernel, 1, 256, 4 * 64 * 128 + 64, p);
  bool good = true;
  for (int m = 0; m < 64; m++) {
    for (int n = 0; n < 64; n++) {
      double s = 0;
      for (int i = 0; i < 64 * k; i++) {
        s += to_float(a[m * 64 * k + i]) * to_float(along_n ? b[i * 64 + n] : b[n * 64 * k + i]);
      }
      good &= fabs(s - c[m * 64 + n]) < 1e-3;
    }
  }
  check(good, kernel, order);
}

void halves() {
  for (int i = 0; i < 65536; i++) {
    const f16 h{static_cast<uint16_t>(i)};
    const bf16 b{static_cast<uint16_t>(i)};
    const float x = to_float(h), y = to_float(b);
    check(std::isnan(x) ? from_float<f16>(x).bits == 0x7fff : from_float<f16>(x).bits == i, "f16", i);
    check(std::isnan(y) ? from_float<bf16>(y).bits == 0x7fff : from_float<bf16>(y).bits == i, "bf16", i);
    if (i < 0x7bff) {  // between neighbours: to the nearer, halfway to the even one
      const float z = to_float(f16{static_cast<uint16_t>(i + 1)});
      check(from_float<f16>((x + z) / 2).bits == (i % 2 == 0 ? i : i + 1), "f16 halfway", i);
      check(from_float<f16>(x + (z - x) * 0.75f).bits == i + 1, "f16 up", i);
    }
  }
  check(from_float<f16>(65519.0f).bits == 0x7bff && from_float<f16>(65520.0f).bits == 0x7c00, "f16 overflow", 0);
}

}  // namespace

int main() {
  halves();
  for (int order = 0; order < 4; order++) {
    emulated::set_order(order);
    product(order);
    sum(order);
    product90<bf16>("smoke_product90", false, order);
    product90<f16>("smoke_product90_n", true, order);
  }
  printf(failures == 0 ? "passed\n" : "%d checks failed\n", failures);
  return failures != 0;
}
