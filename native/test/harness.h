/*
 * What the tests of the C core share: checks that count, buffers between guard
 * bytes, repeatable random data, a tolerance, and a walk over every engine.
 *
 * A test is an executable: its main runs checks and returns test_finish("name").
 */
#ifndef FV_HARNESS_H
#define FV_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/fovea.h"

/* Counts a check; one that fails prints its place and the message. */
#define CHECK(condition, ...) test_check((condition), __FILE__, __LINE__, __VA_ARGS__)

/* That an ABI call returns the status. */
#define CHECK_STATUS(expected, call) test_check_status((expected), (call), __FILE__, __LINE__, #call)

__attribute__((format(printf, 4, 5))) bool test_check(bool passed, const char *file, int line, const char *format, ...);
bool test_check_status(int expected, int actual, const char *file, int line, const char *call);

/*
 * Buffers that live until test_release, between guard bytes, 4 bytes past an 8-byte border, so that
 * they are aligned as the ABI asks and no better. Under AddressSanitizer the guards are poisoned.
 * test_floats fills its buffer with random values, test_outputs with NaN.
 */
float *test_floats(long long count);
float *test_outputs(long long count);
int *test_ints(long long count);

/* A buffer between guard bytes that is aligned to 64 bytes. */
void *test_aligned(long long bytes);

/* Checks every guard and frees the buffers. */
void test_release(void);

/* Fills with values in [0.1, 1) of either sign. The sequence is the same in every run. */
void test_fill(float *values, long long count);

/* An integer in [low, high]. */
int test_random(int low, int high);

/* That count NaN-filled outputs were not written. */
#define CHECK_UNTOUCHED(outputs, count) \
  CHECK(test_untouched((outputs), (count)), "%s was written by a call that fails", #outputs)
bool test_untouched(const float *outputs, long long count);

/*
 * That got is as near to the double-precision reference as twice the largest error of the same sum
 * done naively in float, plus a few ulp of the largest value. naive may be null: a few ulp then.
 */
#define CHECK_CLOSE(got, reference, naive, count, ...) \
  test_check_close((got), (reference), (naive), (count), __FILE__, __LINE__, __VA_ARGS__)
__attribute__((format(printf, 7, 8))) bool test_check_close(const float *got, const double *reference,
                                                            const float *naive, long long count, const char *file,
                                                            int line, const char *format, ...);

/* That two buffers hold the same bits. */
#define CHECK_SAME_BITS(a, b, count, ...) CHECK(test_same_bits((a), (b), (count)), __VA_ARGS__)
bool test_same_bits(const float *a, const float *b, long long count);

/*
 * Runs test on an engine of each instruction set that this CPU has, with 1, 2 and 4 threads. Every set
 * gets the same random values, so that none of them depends on which others there are. FOVEA_TEST_ISAS in the environment,
 * names with blanks between, leaves the other sets out.
 */
typedef void (*test_on_engine)(fovea_engine *engine);
void test_each_engine(test_on_engine test);

/* An engine of the best instruction set. The caller destroys it. */
fovea_engine *test_engine(int threads);

/* "avx2, 4 threads", for messages; valid until the next call. */
const char *test_describe(const fovea_engine *engine);

/* Sets a variable of the environment, or removes it if value is null. */
void test_environment(const char *name, const char *value);

/* Threads of this process, 0 where the system does not say. */
int test_threads(void);
/*
 * Threads of this process once they are expected, or after half a minute. The system may
 * count a thread for a moment after it was joined, which is long on a busy host.
 */
int test_threads_settled(int expected);

/*
 * Whether the threads of a name, count of them, sleep for 300 ms on end within half a minute. How much processor time
 * the host gives to whom makes no difference. Where the system says nothing of single threads: whether the process
 * uses next to none.
 */
bool test_sleep(const char *name, int count);

/* Prints the closing line and returns main's exit status. */
int test_finish(const char *name);

/* The exit status, known to ctest, of a test that cannot run here. */
enum { TEST_SKIPPED = 77 };

#endif /* FV_HARNESS_H */
