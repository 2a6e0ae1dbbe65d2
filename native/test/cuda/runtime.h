// What the tests of the runtime share: checks, a device on the double of the driver, programs and weights.
#ifndef FOVEA_TEST_CUDA_RUNTIME_H
#define FOVEA_TEST_CUDA_RUNTIME_H

#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "cuda/emulated.h"
#include "fovea/fovea_cuda.h"

namespace rt {

// ---- checks ---------------------------------------------------------------------

inline int checks = 0, failures = 0;

[[gnu::format(printf, 4, 5)]] inline bool check(bool good, const char *file, int line, const char *format, ...) {
  __atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED);
  if (good || __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED) > 20) return good;
  const char *name = strrchr(file, '/');
  printf("%s:%d: ", name ? name + 1 : file, line);
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n");
  return false;
}
#define RT_CHECK(condition, ...) ::rt::check((condition), __FILE__, __LINE__, __VA_ARGS__)
#define RT_STATUS(expected, call)                                                                                \
  do {                                                                                                           \
    const int rt_status = (call);                                                                                \
    RT_CHECK(rt_status == (expected), "%s gives \"%s\" in place of \"%s\": %s", #call,                           \
             fovea_cuda_status_name(rt_status), fovea_cuda_status_name(expected), ::rt::failure.message);        \
  } while (0)
#define RT_OK(call) RT_STATUS(FOVEA_STATUS_OK, call)

inline int finish(const char *name) {
  const char *misuse = emulated_misuse();
  RT_CHECK(misuse == nullptr, "misuse of the driver: %s", misuse);
  printf("%s: %d checks, %d failed\n", name, checks, failures);
  return failures ? 1 : 0;
}

// What the last call of this thread said.
inline thread_local fovea_cuda_failure failure = {sizeof(fovea_cuda_failure), 0, 0, 0, ""};

inline void forget() { failure = {sizeof(fovea_cuda_failure), 0, 0, 0, ""}; }

// Whether nothing that the driver counts is alive.
inline bool nothing_lives() {
  for (int counter = EMULATED_LIVE_CONTEXTS; counter <= EMULATED_LIVE_HOST_ALLOCATIONS; counter++) {
    if (emulated_get(counter) != 0) return false;
  }
  return true;
}

// How much of each is alive.
inline std::vector<long long> what_lives() {
  std::vector<long long> counts;
  for (int counter = EMULATED_LIVE_CONTEXTS; counter <= EMULATED_LIVE_HOST_ALLOCATIONS; counter++) {
    counts.push_back(emulated_get(counter));
  }
  return counts;
}

inline std::string log_text() {
  std::string text(static_cast<size_t>(emulated_log(nullptr, 0)) + 1, '\0');
  emulated_log(text.data(), static_cast<long long>(text.size()));
  text.pop_back();
  return text;
}

// ---- numbers --------------------------------------------------------------------

inline int bytes_of(int dtype) { return dtype == FOVEA_DTYPE_F16 || dtype == FOVEA_DTYPE_BF16 ? 2 : 4; }

// Uniform in [-1, 1), the same in every run.
inline float value(unsigned seed, size_t at) {
  uint64_t z = (seed * 0x9e3779b97f4a7c15u) ^ (at * 0xbf58476d1ce4e5b9u + 0x2545f4914f6cdd1du);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<float>(static_cast<int>(z >> 40) - (1 << 23)) / (1 << 23);
}

// How far a result is off. NaN is as far as can be: it would be lost in std::max.
inline double distance(double result, double expected) {
  return std::isnan(result) ? INFINITY : std::fabs(result - expected);
}

inline std::vector<float> values(unsigned seed, size_t count, float scale, float offset = 0) {
  std::vector<float> v(count);
  for (size_t i = 0; i < count; i++) v[i] = offset + scale * value(seed, i);
  return v;
}

// To the bits of a half type, nearest even; for numbers that are normal in it.
inline uint16_t half_bits(int dtype, float x) {
  uint32_t u;
  memcpy(&u, &x, 4);
  if (dtype == FOVEA_DTYPE_BF16) return static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16);
  if (std::fabs(x) < 6.2e-5f) return static_cast<uint16_t>(u >> 16 & 0x8000);
  const uint32_t rounded = (u & 0x7fffffff) + 0xfff + (u >> 13 & 1);
  return static_cast<uint16_t>((u >> 16 & 0x8000) | ((rounded >> 13) - (112 << 10)));
}

inline float from_half(int dtype, uint16_t bits) {
  uint32_t u = static_cast<uint32_t>(bits) << 16;
  if (dtype == FOVEA_DTYPE_F16) {
    const uint32_t magnitude = bits & 0x7fffu;
    u = (bits & 0x8000u) << 16 | (magnitude ? (magnitude << 13) + (112u << 23) : 0);
  }
  float x;
  memcpy(&x, &u, 4);
  return x;
}

inline float round_to(int dtype, float x) {
  return bytes_of(dtype) == 4 ? x : from_half(dtype, half_bits(dtype, x));
}

inline std::vector<unsigned char> store(int dtype, const std::vector<float> &v) {
  std::vector<unsigned char> bytes(v.size() * static_cast<size_t>(bytes_of(dtype)));
  for (size_t i = 0; i < v.size(); i++) {
    const uint16_t half = half_bits(dtype, v[i]);
    bytes_of(dtype) == 4 ? memcpy(&bytes[4 * i], &v[i], 4) : memcpy(&bytes[2 * i], &half, 2);
  }
  return bytes;
}

// ---- devices, weights -----------------------------------------------------------

class Device {
 public:
  fovea_cuda_device *handle = nullptr;

  explicit Device(long long limit = 0) {
    const fovea_cuda_device_options options = {sizeof options, 0, limit};
    RT_OK(fovea_cuda_device_open(&options, FV_DRIVER, &failure, &handle));
  }
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;
  ~Device() {
    for (const auto &[address, _] : constants) fovea_cuda_memory_destroy(handle, address);
    RT_OK(fovea_cuda_device_close(handle));
  }

  long long memory(size_t bytes) {
    long long address = 0;
    RT_OK(fovea_cuda_memory_create(handle, static_cast<long long>(bytes), &failure, &address));
    constants[address];
    return address;
  }

  // Numbers as dtype holds them, row by row with columns padded to 16 bytes, and their copy for the reference.
  long long weight(int dtype, size_t columns, std::vector<float> numbers) {
    for (float &x : numbers) x = round_to(dtype, x);
    const size_t each = static_cast<size_t>(16 / bytes_of(dtype)), padded = (columns + each - 1) / each * each;
    std::vector<float> rows(numbers.size() / columns * padded);
    for (size_t i = 0; i < numbers.size(); i++) rows[i / columns * padded + i % columns] = numbers[i];
    const auto bytes = store(dtype, rows);
    const long long address = memory(bytes.size());
    RT_OK(fovea_cuda_upload(handle, address, bytes.data(), static_cast<long long>(bytes.size()), &failure));
    constants[address] = std::move(numbers);
    return address;
  }
  long long vector(std::vector<float> numbers) {
    const size_t count = numbers.size();
    return weight(FOVEA_DTYPE_F32, count, std::move(numbers));
  }
  // A table whose rows are dense.
  long long table(int dtype, std::vector<float> numbers) {
    const size_t count = numbers.size();
    return weight(dtype, count, std::move(numbers));
  }

  std::map<long long, std::vector<float>> constants;
};

// ---- programs -------------------------------------------------------------------

constexpr fovea_cuda_operand kNone = {FOVEA_CUDA_ROWS_NONE, 0, 0, 0, 0, 0, 0};

inline fovea_cuda_operand part(fovea_cuda_operand o, int first, int columns) {
  o.first_column += first;
  o.columns = columns;
  return o;
}

inline fovea_cuda_step step(int op, fovea_cuda_operand x, fovea_cuda_operand out, long long first = 0,
                            long long second = 0, long long third = 0) {
  fovea_cuda_step s = {};
  s.struct_size = sizeof s;
  s.op = op;
  s.group = -1;
  s.scale = 1;
  s.epsilon = 1e-5f;
  s.window_left = s.window_right = -1;
  s.x = x;
  s.y = s.z = s.bias = kNone;
  s.out = out;
  s.constants[0] = first;
  s.constants[1] = second;
  s.constants[2] = third;
  return s;
}

// Steps and outputs in the making.
struct Plan {
  std::vector<fovea_cuda_step> steps;
  std::vector<fovea_cuda_operand> outputs;
  long long token_elements = 0, sequence_elements = 0;
  int groups = 0;

  // A buffer of its own; every one begins at a multiple of 16 slots.
  fovea_cuda_operand buffer(int rows, int columns, int dtype) {
    long long &end = rows == FOVEA_CUDA_ROWS_TOKENS ? token_elements : sequence_elements;
    const fovea_cuda_operand o = {rows, dtype, columns, 0, columns, 0, end};
    end += (columns + 15) / 16 * 16;
    return o;
  }
  fovea_cuda_operand tokens(int columns, int dtype = FOVEA_DTYPE_F32) {
    return buffer(FOVEA_CUDA_ROWS_TOKENS, columns, dtype);
  }
  fovea_cuda_operand sequences(int columns, int dtype = FOVEA_DTYPE_F32) {
    return buffer(FOVEA_CUDA_ROWS_SEQUENCES, columns, dtype);
  }
  fovea_cuda_step &add(fovea_cuda_step s) {
    steps.push_back(s);
    return steps.back();
  }
  int create(const Device &device, fovea_cuda_program **program) const {
    const fovea_cuda_program_options options = {sizeof options,
                                                static_cast<int>(steps.size()),
                                                static_cast<int>(outputs.size()),
                                                groups,
                                                token_elements,
                                                sequence_elements};
    return fovea_cuda_program_create(device.handle, &options, steps.data(), outputs.data(), &failure, program);
  }
};

class Program {
 public:
  fovea_cuda_program *handle = nullptr;
  Program(const Device &device, const Plan &plan) { RT_OK(plan.create(device, &handle)); }
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;
  ~Program() { RT_OK(fovea_cuda_program_destroy(handle)); }
};

class Execution {
 public:
  fovea_cuda_execution *handle = nullptr;
  Execution(const Program &program, int tokens, int sequences, const fovea_cuda_cache_group *groups = nullptr,
            int explain = 0) {
    const fovea_cuda_execution_options options = {sizeof options, tokens, sequences, explain};
    RT_OK(fovea_cuda_execution_create(program.handle, &options, groups, &failure, &handle));
  }
  Execution(const Execution &) = delete;
  Execution &operator=(const Execution &) = delete;
  ~Execution() { RT_OK(fovea_cuda_execution_destroy(handle)); }

  int run(const std::vector<int> &ids, const std::vector<int> &offsets, const std::vector<int> &types = {}) {
    return fovea_cuda_run(handle, static_cast<int>(offsets.size()) - 1, ids.data(),
                          types.empty() ? nullptr : types.data(), offsets.data(), &failure);
  }
  template <class T = float>
  const T *output(int index = 0) {
    void *memory = nullptr;
    RT_OK(fovea_cuda_execution_output(handle, index, &memory));
    return static_cast<const T *>(memory);
  }
};

inline std::vector<int> offsets_of(const std::vector<int> &lengths) {
  std::vector<int> offsets = {0};
  for (const int length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

inline std::vector<int> some_ids(unsigned seed, size_t count, int vocabulary) {
  std::vector<int> ids(count);
  for (size_t i = 0; i < count; i++) ids[i] = static_cast<int>((value(seed, i) + 1) / 2 * static_cast<float>(vocabulary));
  return ids;
}

}  // namespace rt

#endif
