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

/*
 * Whether products of bfloat16 are slower here than multiply-adds of floats, though the processor has them: Intel's cores since
 * Golden Cove begin vdpbf16ps, of 32 products, every fourth cycle, and leave bfloat16 to AMX.
 */
bool fv_has_slow_bf16(void);

#endif /* FV_CPU_FEATURES_H */
