/*
 * Control of libcuda_emulated.so: a double of NVIDIA's driver that runs the kernels registered in it under emulation, on
 * memory of the host. Plain C, so that Java's tests call it as well. Any thread may call; all functions take one lock.
 *
 * What the double does beside the driver's work:
 *   - Device memory is NaN when allocated, and protected from the host while no call of the driver runs.
 *   - Work of a stream, pinned memory included, is done as late as may be: when someone waits for it.
 *   - What the real driver would answer with chaos, such as a copy past an allocation or the use of a destroyed stream, is
 *     a misuse: the call fails, and emulated_misuse tells the first.
 *   - A kernel that breaks a rule of the GPU ends the process with a report.
 */
#ifndef FOVEA_TEST_CUDA_EMULATED_H
#define FOVEA_TEST_CUDA_EMULATED_H

#ifdef __cplusplus
extern "C" {
#endif

#define EMULATED_API __attribute__((visibility("default")))

/* Settings, and what they are after emulated_reset. */
#define EMULATED_DRIVER_VERSION 0     /* 13000 */
#define EMULATED_DEVICES 1            /* 1; 0: cuInit finds none */
#define EMULATED_COMPUTE_CAPABILITY 2 /* 90 */
#define EMULATED_MULTIPROCESSORS 3    /* 4 */
#define EMULATED_MEMORY_BYTES 4       /* 1 GiB */
#define EMULATED_ORDER 5              /* 0 ... 3, see block.h; FOVEA_EMULATION_ORDER, else 0 */
#define EMULATED_LOSE_AT_KERNEL 6     /* 0: never; n: the n-th kernel that runs from now on faults, and the device is lost */

/* Counters. */
#define EMULATED_LIVE_CONTEXTS 0
#define EMULATED_LIVE_MODULES 1
#define EMULATED_LIVE_STREAMS 2
#define EMULATED_LIVE_GRAPHS 3
#define EMULATED_LIVE_GRAPH_EXECS 4
#define EMULATED_LIVE_ALLOCATIONS 5
#define EMULATED_LIVE_BYTES 6
#define EMULATED_LIVE_HOST_ALLOCATIONS 7
#define EMULATED_CALLS 8          /* since the reset, with those that failed */
#define EMULATED_KERNELS 9        /* that ran */
#define EMULATED_GRAPH_LAUNCHES 10
#define EMULATED_MISUSES 11
#define EMULATED_PEAK_BYTES 12
#define EMULATED_COUNTERS 13

/* Back to the settings above; zero counters but those of what is alive; no failures planned; the device is well. */
EMULATED_API void emulated_reset(void);
EMULATED_API void emulated_set(int setting, long long value);
EMULATED_API long long emulated_get(int counter);

/*
 * The n-th call from now on (1: the next) of a function of the driver, such as "cuMemAlloc_v2", or of any with null,
 * returns result without doing anything. Several failures may be planned.
 */
EMULATED_API void emulated_fail(const char *function, int n, int result);

/* How often a kernel ran since the reset. */
EMULATED_API long long emulated_kernel_runs(const char *kernel);

/* The first misuse since the reset; null if there is none. Valid until the next reset. */
EMULATED_API const char *emulated_misuse(void);

/* The calls since the reset, one a line: name, result, details. Copies up to capacity - 1 bytes and a 0; returns the
   length of all. */
EMULATED_API long long emulated_log(char *text, long long capacity);

/* Whether an address is of the device's. */
EMULATED_API int emulated_is_device_memory(const void *address);

#ifdef __cplusplus
}
#endif

#endif
