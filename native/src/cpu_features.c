/* Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID; volume 1, section 13.3, XGETBV. */
#include "cpu_features.h"

#include <string.h>

#ifdef __x86_64__

#include <cpuid.h>
#include <stdatomic.h>

enum { EBX, ECX };

typedef struct feature {
  const char *name;
  unsigned leaf;
  int reg, bit;
  unsigned state; /* the registers, as bits of XCR0 */
} feature;

#define YMM 0x6u                /* SSE, AVX */
#define ZMM (YMM | 0xe0u)       /* mask registers, upper halves, upper sixteen */

static const feature features[] = {
    {"fma", 1, ECX, 12, YMM},      {"avx2", 7, EBX, 5, YMM},      {"avx512f", 7, EBX, 16, ZMM},
    {"avx512dq", 7, EBX, 17, ZMM}, {"avx512cd", 7, EBX, 28, ZMM}, {"avx512bw", 7, EBX, 30, ZMM},
    {"avx512vl", 7, EBX, 31, ZMM}, {"avx512vnni", 7, ECX, 11, ZMM},
};

enum { FEATURES = sizeof features / sizeof *features };

#define DETECTED (1u << 31) /* with the bits of features: not 0 any more */

/* Of the registers that state names, those that the system keeps. */
static unsigned kept_state(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0; /* OSXSAVE */
  __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
#ifdef __APPLE__
  a |= ZMM & ~YMM; /* macOS grants them when a thread first uses them */
#endif
  return a;
}

/* A bit per feature. CPUID is slow where the machine is a virtual one, so each leaf is asked once. */
static unsigned detect(void) {
  unsigned a, b, c, d, leaves[8][2] = {{0}}, found = 0;
  const unsigned state = kept_state();
  if (__get_cpuid(1, &a, &b, &c, &d)) leaves[1][ECX] = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    leaves[7][EBX] = b;
    leaves[7][ECX] = c;
  }
  for (int i = 0; i < FEATURES; i++) {
    const feature *f = &features[i];
    if ((leaves[f->leaf][f->reg] >> f->bit & 1) && (state & f->state) == f->state) found |= 1u << i;
  }
  return found | DETECTED;
}

bool fv_feature(const char *name) {
  static _Atomic unsigned known;
  unsigned found = atomic_load_explicit(&known, memory_order_relaxed);
  if (!found) {
    found = detect(); /* the same in every thread */
    atomic_store_explicit(&known, found, memory_order_relaxed);
  }
  for (int i = 0; i < FEATURES; i++) {
    if (strcmp(name, features[i].name) == 0) return found >> i & 1;
  }
  return false;
}

#else

bool fv_feature(const char *name) {
  (void)name;
  return false;
}

#endif
