/*
 * Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID; volume 1, section 13.3, XGETBV.
 * aarch64: what the system says. Linux, Documentation/arch/arm64/elf_hwcaps.rst; Apple, "Determining Instruction Set
 * Characteristics"; Windows, IsProcessorFeaturePresent.
 */
#include "cpu_features.h"

#include <string.h>

#ifdef __x86_64__

#include <cpuid.h>
#include <stdatomic.h>

enum { EAX, EBX, ECX, REGISTERS };

enum { LEAF_7_1 = 8, LEAVES }; /* leaf 7, its part 1 */

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
    {"avx512bf16", LEAF_7_1, EAX, 5, ZMM},
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
  unsigned a, b, c, d, leaves[LEAVES][REGISTERS] = {{0}}, found = 0;
  const unsigned state = kept_state();
  if (__get_cpuid(1, &a, &b, &c, &d)) leaves[1][ECX] = c;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    leaves[7][EBX] = b;
    leaves[7][ECX] = c;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) leaves[LEAF_7_1][EAX] = a;
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

/* "GenuineIntel", but for Cooper Lake, family 6, model 85, whose two units each multiply bfloat16. */
bool fv_has_slow_bf16(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(0, &a, &b, &c, &d) || b != signature_INTEL_ebx || c != signature_INTEL_ecx || d != signature_INTEL_edx) {
    return false;
  }
  return __get_cpuid(1, &a, &b, &c, &d) && (a & 0x0fff0ff0) != 0x00050650;
}

#elif defined(__aarch64__)

/* A feature's bit in the words that Linux gives, its name on macOS, and its number on Windows. */
typedef struct feature {
  const char *name;
  unsigned long word, bit;
  const char *mac;
  unsigned long windows;
} feature;

static const feature features[] = {
    {"dotprod", 16 /* AT_HWCAP */, 20, "hw.optional.arm.FEAT_DotProd", 43},
    {"bf16", 26 /* AT_HWCAP2 */, 14, "hw.optional.arm.FEAT_BF16", 68},
};

enum { FEATURES = sizeof features / sizeof *features };

#if defined(__linux__)
#include <sys/auxv.h>
static bool is_present(const feature *f) { return getauxval(f->word) >> f->bit & 1; }
#elif defined(__APPLE__)
#include <sys/sysctl.h>
static bool is_present(const feature *f) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(f->mac, &value, &size, NULL, 0) == 0 && size == sizeof value && value != 0;
}
#elif defined(_WIN32)
#include <windows.h>
static bool is_present(const feature *f) { return IsProcessorFeaturePresent(f->windows); }
#else
static bool is_present(const feature *f) {
  (void)f;
  return false;
}
#endif

bool fv_feature(const char *name) {
  for (int i = 0; i < FEATURES; i++) {
    if (strcmp(name, features[i].name) == 0) return is_present(&features[i]);
  }
  return false;
}

#else

bool fv_feature(const char *name) {
  (void)name;
  return false;
}

#endif

#ifndef __x86_64__
bool fv_has_slow_bf16(void) { return false; }
#endif
