#include "bench.h"

int fb_empty(int x) { return x + 1; }

long long fb_op(const fb_params *params, const float *x, const float *weight, float *out) {
  if (!x || !weight || !out) return -1;
  return params->struct_size + params->rows + params->inputs + params->outputs + params->x_stride + params->out_stride;
}

float fb_sum(const float *x, int n) {
  float sums[16] = {0};
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int lane = 0; lane < 16; lane++) sums[lane] += x[i + lane];
  }
  float sum = 0;
  for (; i < n; i++) sum += x[i];
  for (int lane = 0; lane < 16; lane++) sum += sums[lane];
  return sum;
}
