/* What the processor and the system let kernels use. */
#ifndef FV_CPU_FEATURES_H
#define FV_CPU_FEATURES_H

#include <stdbool.h>

/*
 * Whether instructions of this name run here: the processor has them and the system keeps their registers. Knows those
 * that cmake/isa.cmake names, as GCC spells them; false for all others. On x86-64 __builtin_cpu_supports says the same,
 * but not every toolchain has the library that it needs.
 */
bool fv_feature(const char *name);

#endif /* FV_CPU_FEATURES_H */
