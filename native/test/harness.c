#include "harness.h"

#if defined(__linux__)
#include <dirent.h>
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>
/* Behind windows.h. */
#include <tlhelp32.h>
#endif
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
#define FV_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FV_ASAN 1
#endif
#endif
#ifdef FV_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, bytes) ((void)(p), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(p, bytes) ((void)(p), (void)(bytes))
#endif

enum { GUARD_BYTES = 256, GUARD = 0xA5, ALIGNMENT = 64, MAX_BUFFERS = 256, MAX_FAILURES_SHOWN = 20 };

/* memory: [GUARD_BYTES + shift | data | GUARD_BYTES] */
typedef struct buffer {
  unsigned char *memory, *data;
  size_t bytes;
} buffer;

static buffer buffers[MAX_BUFFERS];
static int buffer_count;
static long long checks, failures;
#define SEED 0x9E3779B97F4A7C15u
static uint64_t random_state = SEED;

bool test_check(bool passed, const char *file, int line, const char *format, ...) {
  checks++;
  if (passed) return true;
  if (failures++ < MAX_FAILURES_SHOWN) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
  }
  return false;
}

bool test_check_status(int expected, int actual, const char *file, int line, const char *call) {
  return test_check(expected == actual, file, line, "expected %s, got %s from %s", fovea_status_name(expected),
                    fovea_status_name(actual), call);
}

/* ---- buffers ---------------------------------------------------------------- */

#ifdef _WIN32
static void *allocate_aligned(size_t bytes) { return _aligned_malloc(bytes, ALIGNMENT); }
static void free_aligned(void *memory) { _aligned_free(memory); }
#else
static void *allocate_aligned(size_t bytes) { return aligned_alloc(ALIGNMENT, bytes); }
static void free_aligned(void *memory) { free(memory); }
#endif

static void *allocate(long long bytes, size_t shift) {
  if (buffer_count == MAX_BUFFERS) {
    fprintf(stderr, "more than %d buffers between two calls of test_release\n", MAX_BUFFERS);
    exit(1);
  }
  const size_t whole = (size_t)bytes + 2 * GUARD_BYTES + shift;
  buffer *b = &buffers[buffer_count++];
  b->memory = allocate_aligned((whole + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
  if (!b->memory) {
    fprintf(stderr, "no memory for a buffer of %lld bytes\n", bytes);
    exit(1);
  }
  b->data = b->memory + GUARD_BYTES + shift;
  b->bytes = (size_t)bytes;
  memset(b->memory, GUARD, whole);
  ASAN_POISON_MEMORY_REGION(b->memory, GUARD_BYTES + shift);
  ASAN_POISON_MEMORY_REGION(b->data + b->bytes, GUARD_BYTES);
  return b->data;
}

float *test_outputs(long long count) {
  float *values = allocate(count * (long long)sizeof(float), 4);
  for (long long i = 0; i < count; i++) values[i] = NAN;
  return values;
}

float *test_floats(long long count) {
  float *values = allocate(count * (long long)sizeof(float), 4);
  test_fill(values, count);
  return values;
}

int *test_ints(long long count) { return allocate(count * (long long)sizeof(int), 4); }

void *test_aligned(long long bytes) { return allocate(bytes, 0); }

static bool guarded(const unsigned char *from, const unsigned char *to) {
  while (from < to) {
    if (*from++ != GUARD) return false;
  }
  return true;
}

void test_release(void) {
  for (int i = 0; i < buffer_count; i++) {
    buffer *b = &buffers[i];
    unsigned char *end = b->data + b->bytes;
    ASAN_UNPOISON_MEMORY_REGION(b->memory, (size_t)(end + GUARD_BYTES - b->memory));
    CHECK(guarded(b->memory, b->data), "wrote before buffer %d of %zu bytes", i, b->bytes);
    CHECK(guarded(end, end + GUARD_BYTES), "wrote behind buffer %d of %zu bytes", i, b->bytes);
    free_aligned(b->memory);
  }
  buffer_count = 0;
}

/* ---- values ----------------------------------------------------------------- */

/* xorshift64*; Vigna, arXiv:1402.6246. */
static uint32_t next_random(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint32_t)((random_state * 0x2545F4914F6CDD1Du) >> 32);
}

void test_fill(float *values, long long count) {
  for (long long i = 0; i < count; i++) {
    const uint32_t bits = next_random();
    const float size = 0.1f + 0.9f * (float)(bits >> 8) / (float)(1 << 24);
    values[i] = bits & 1 ? size : -size;
  }
}

int test_random(int low, int high) { return low + (int)(next_random() % ((uint32_t)(high - low) + 1)); }

bool test_untouched(const float *outputs, long long count) {
  for (long long i = 0; i < count; i++) {
    if (!isnan(outputs[i])) return false;
  }
  return true;
}

bool test_same_bits(const float *a, const float *b, long long count) {
  return count == 0 || memcmp(a, b, (size_t)count * sizeof(float)) == 0;
}

bool test_check_close(const float *got, const double *reference, const float *naive, long long count,
                      const char *file, int line, const char *format, ...) {
  double peak = 0, naive_error = 0;
  for (long long i = 0; i < count; i++) {
    const double size = fabs(reference[i]), error = naive ? fabs(naive[i] - reference[i]) : 0;
    if (size > peak) peak = size;
    if (error > naive_error) naive_error = error;
  }
  const double tolerance = 2 * naive_error + 4 * FLT_EPSILON * peak;
  for (long long i = 0; i < count; i++) {
    if (fabs(got[i] - reference[i]) <= tolerance) continue; /* false for NaN too */
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return test_check(false, file, line, "%s: expected %.9g, got %.9g at %lld of %lld, tolerance %.3g", what,
                      reference[i], got[i], i, count, tolerance);
  }
  return test_check(true, file, line, " ");
}

/* ---- engines ---------------------------------------------------------------- */

static fovea_engine *create(int isa, int threads) {
  const fovea_engine_options options = {
      .struct_size = sizeof options, .threads = threads, .spin_micros = -1, .isa = isa};
  fovea_engine *engine = NULL;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_create(&options, &engine));
  if (!engine) exit(1);
  return engine;
}

fovea_engine *test_engine(int threads) { return create(FOVEA_ISA_AUTO, threads); }

/* Whether FOVEA_TEST_ISAS, names with blanks between, has it; all where there is no such variable. */
static int is_wanted(const char *isa) {
  const char *list = getenv("FOVEA_TEST_ISAS");
  const size_t length = strlen(isa);
  for (const char *at = list; at && (at = strstr(at, isa)); at += length) {
    if ((at == list || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ')) return 1;
  }
  return !list;
}

void test_each_engine(test_on_engine test) {
  const int available = fovea_isa_available();
  for (int isa = 0; available >> isa; isa++) {
    if (!(available >> isa & 1) || !is_wanted(fovea_isa_name(isa))) continue;
    random_state = SEED;
    for (int threads = 1; threads <= 4; threads *= 2) {
      fovea_engine *engine = create(isa, threads);
      test(engine);
      test_release();
      CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_destroy(engine));
    }
  }
}

const char *test_describe(const fovea_engine *engine) {
  static char text[64];
  fovea_engine_info info = {.struct_size = sizeof info};
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_describe(engine, &info));
  snprintf(text, sizeof text, "%s, %d threads", fovea_isa_name(info.isa), info.threads);
  return text;
}

#ifdef _WIN32

int test_threads(void) {
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  if (all == INVALID_HANDLE_VALUE) return 0;
  THREADENTRY32 thread = {.dwSize = sizeof thread};
  int threads = 0;
  for (BOOL more = Thread32First(all, &thread); more; more = Thread32Next(all, &thread)) {
    threads += thread.th32OwnerProcessID == GetCurrentProcessId();
  }
  CloseHandle(all);
  return threads;
}

void test_environment(const char *name, const char *value) { _putenv_s(name, value ? value : ""); }

#else

void test_environment(const char *name, const char *value) {
  if (value) {
    setenv(name, value, 1);
  } else {
    unsetenv(name);
  }
}

int test_threads(void) {
  FILE *status = fopen("/proc/self/status", "r");
  if (!status) return 0;
  char line[256];
  int threads = 0;
  while (fgets(line, sizeof line, status)) {
    if (sscanf(line, "Threads: %d", &threads) == 1) break;
  }
  fclose(status);
  return threads;
}

#endif

int test_threads_settled(int expected) {
  const struct timespec millisecond = {.tv_nsec = 1000000};
  for (int i = 0; i < 30000 && test_threads() != expected; i++) nanosleep(&millisecond, NULL);
  return test_threads();
}

#if defined(__linux__)

/* The threads of a name: how many there are, how many sleep, and how often all have gone to sleep. */
typedef struct sleepers {
  int count, asleep;
  long long naps;
} sleepers;

static sleepers look_for(const char *name) {
  sleepers seen = {0};
  DIR *tasks = opendir("/proc/self/task");
  for (struct dirent *task; tasks && (task = readdir(tasks));) {
    char path[300], line[256], is[256] = "", state = 0;
    long long naps = 0;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
    FILE *status = fopen(path, "r");
    while (status && fgets(line, sizeof line, status)) {
      sscanf(line, "Name: %255s", is);
      sscanf(line, "State: %c", &state);
      sscanf(line, "voluntary_ctxt_switches: %lld", &naps);
    }
    if (status) fclose(status);
    if (strcmp(is, name)) continue;
    seen.count++;
    seen.asleep += state == 'S';
    seen.naps += naps;
  }
  if (tasks) closedir(tasks);
  return seen;
}

bool test_sleep(const char *name, int count) {
  for (int i = 0; i < 100; i++) {
    const sleepers before = look_for(name);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    const sleepers after = look_for(name);
    if (!CHECK(after.count == count, "expected %d threads %s, got %d", count, name, after.count)) return false;
    /* Who sleeps at both ends, and has not gone to sleep between them, has not run between them. */
    if (before.asleep == count && after.asleep == count && before.naps == after.naps) return true;
  }
  return false;
}

#else

bool test_sleep(const char *name, int count) {
  (void)name;
  (void)count;
  for (int i = 0; i < 100; i++) {
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    if ((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec < 5000000) return true;
  }
  return false;
}

#endif

int test_finish(const char *name) {
  test_release();
  printf("%s: %lld checks, %lld failed; kernels:", name, checks, failures);
  const int available = fovea_isa_available();
  for (int isa = 0; available >> isa; isa++) {
    if (available >> isa & 1) printf(" %s", fovea_isa_name(isa));
  }
  printf("\n");
  return failures > 0;
}
