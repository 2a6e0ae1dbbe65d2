#include "cuda/ops/elementwise/elementwise.h"

#include "cuda/ops/activation.h"
#include "cuda/ops/rows.h"

namespace {

FV_DEVICE void combine(const fv_elementwise_params &p, const float (&y)[FV_CHUNK], float (&x)[FV_CHUNK]) {
  activate<true>(p.activation, x);
#pragma unroll
  for (int i = 0; i < FV_CHUNK; i++) {
    if (p.op == FOVEA_CUDA_OP_ADD) x[i] += y[i];
    if (p.op == FOVEA_CUDA_OP_MULTIPLY) x[i] *= y[i];
  }
}

}  // namespace

FV_KERNEL(fv_elementwise, fv_elementwise_params, 128, 8) {
  const long long row = row_of_group<32>();
  if (row >= *p.rows) return;
  const int begin = (int)blockIdx.y * FV_ELEMENTWISE_COLUMNS + (int)threadIdx.x % 32 * FV_CHUNK;
#pragma unroll
  for (int c = 0; c < FV_ELEMENTWISE_COLUMNS; c += 32 * FV_CHUNK) {
    if (begin + c >= p.out.columns) break;
    float x[FV_CHUNK], y[FV_CHUNK];
    load(p.x, row, begin + c, x);
    if (p.op != FOVEA_CUDA_OP_ACTIVATE) load(p.y, row, begin + c, y);
    combine(p, y, x);
    store(p.out, row, begin + c, x);
  }
}
