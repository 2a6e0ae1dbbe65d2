/* The ABI entry of fovea_is_finite; contract in fovea.h. */
#include "engine.h"
#include "fovea/fovea.h"
#include "kernels.h"
#include "validate.h"

int fovea_is_finite(const fovea_engine *engine, const fovea_is_finite_params *params, const void *weight, int *finite) {
  FV_REQUIRE_PARAMS(engine, params);
  if (!finite || (!weight && params->values > 0)) return FOVEA_STATUS_NULL_POINTER;
  const fv_layout *layout = engine->kernels->layout(params->layout);
  FV_REQUIRE(fv_check(layout && params->values >= 0 && params->values % layout->block_values == 0));
  if (params->values > PTRDIFF_MAX / (long long)sizeof(float)) return FOVEA_STATUS_OVERFLOW;
  *finite = engine->kernels->is_finite(layout, weight, params->values);
  return FOVEA_STATUS_OK;
}
