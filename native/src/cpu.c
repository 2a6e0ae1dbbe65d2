#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#endif

#include "cpu.h"

#include <stddef.h>
#include <unistd.h>

#if defined(__linux__)

/* The mask grows until the kernel's own fits in it. */
static int affinity_count(void) {
  for (int cpus = 1024; cpus <= 1 << 16; cpus *= 4) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (!set) return 0;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    const int failed = sched_getaffinity(0, bytes, set);
    const int count = failed ? 0 : CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
    if (!failed) return count;
  }
  return 0;
}

#endif

int fv_cpu_count(void) {
#if defined(_WIN32)
  const long long count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
#elif defined(__linux__)
  const int affinity = affinity_count();
  const long long count = affinity > 0 ? affinity : sysconf(_SC_NPROCESSORS_ONLN);
#else
  const long long count = sysconf(_SC_NPROCESSORS_ONLN);
#endif
  return count > 0 ? (int)count : 1;
}

#if defined(__linux__)

int fv_cpu_current(void) { return sched_getcpu(); }

void fv_cpu_leave(int cpu) {
  static _Thread_local cpu_set_t allowed, chosen;
  cpu_set_t set;
  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof set, &set)) return;
  if (!CPU_EQUAL(&set, &chosen)) allowed = set; /* not what was chosen here: what the thread was given */
  set = allowed;
  CPU_CLR(cpu, &set);
  if (CPU_COUNT(&set) > 0 && sched_setaffinity(0, sizeof set, &set) == 0) chosen = set;
}

#else

int fv_cpu_current(void) { return -1; }

void fv_cpu_leave(int cpu) { (void)cpu; }

#endif
