/* Tiles of eight bits, compiled once per ISA that multiplies those in its own way. Contract in linear.h, sums in simd/dot.h. */
#include "ops/linear/linear.h"
#include "simd/dot.h"

fv_linear_narrow_kernel FV_NAME(linear_narrow);
fv_linear_dot_kernel FV_NAME(linear_dot);

void FV_NAME(linear_narrow)(const float *x, long long count, int32_t *words, float *scale, int32_t *start) {
  fv_quantize_row(x, count, (fv_dot_element *)words, scale, start);
}

void FV_NAME(linear_dot)(const fv_linear_job *job, const fv_linear_tile *t, const int32_t *words, long long words_of_row,
                         const float *scales, const int32_t *starts, float *sum) {
  const long long panel_bytes = job->layout.panel_bytes;
  fv_dot_tile(t->rows, t->panels, words_of_row, words, words_of_row, scales, starts,
              job->weights + t->panel * panel_bytes, panel_bytes, sum, t->panels * FV_PANEL, t->ahead, t->step);
}
