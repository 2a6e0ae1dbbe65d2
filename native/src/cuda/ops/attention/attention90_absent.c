/* Stands in for ops/attention90 where that is not built. */
#include "cuda/plan.h"

__attribute__((weak)) int fv_plan_attention90(const fv_target *target, const fovea_cuda_step *step,
                                              const fv_operands *operands, fv_scratch *scratch,
                                              fv_launches *launches) {
  (void)target, (void)step, (void)operands, (void)scratch, (void)launches;
  return FOVEA_STATUS_UNSUPPORTED;
}
