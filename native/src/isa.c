/* The kernel tables that are built in, and which of them this CPU runs. */
#include <stddef.h>

#include "cpu_features.h"
#include "fovea/fovea.h"
#include "kernels.h"

#define FV_ISA_ROW(name, code, supported) extern const fv_kernels fv_kernels__##name;
#include "isa_rows.h"
#undef FV_ISA_ROW

const fv_kernels *fv_kernels_find(int isa) {
  switch (isa) {
#define FV_ISA_ROW(name, code, supported) \
  case code:                              \
    return (supported) ? &fv_kernels__##name : NULL;
#include "isa_rows.h"
#undef FV_ISA_ROW
    default:
      return NULL;
  }
}

int fovea_isa_available(void) {
  int available = 0;
#define FV_ISA_ROW(name, code, supported) \
  if (fv_kernels_find(code)) available |= 1 << (code);
#include "isa_rows.h"
#undef FV_ISA_ROW
  return available;
}

const char *fovea_isa_name(int isa) {
  switch (isa) {
    case FOVEA_ISA_BASELINE:
      return "baseline";
    case FOVEA_ISA_AVX2:
      return "avx2";
    case FOVEA_ISA_AVX512:
      return "avx512";
    case FOVEA_ISA_AVX512VNNI:
      return "avx512vnni";
    case FOVEA_ISA_AVX512BF16:
      return "avx512bf16";
    case FOVEA_ISA_NEON:
      return "neon";
    case FOVEA_ISA_NEONDOT:
      return "neondot";
    case FOVEA_ISA_NEONBF16:
      return "neonbf16";
    default:
      return "unknown";
  }
}
