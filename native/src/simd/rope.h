/*
 * Rotary position embedding of one row: each pair (x, y) becomes (x cos - y sin, y cos + x sin).
 * Su et al., RoFormer, arXiv:2104.09864. Attention and the cache both turn keys by this one
 * function, which is not inlined, so that their bits agree.
 */
#ifndef FV_SIMD_ROPE_H
#define FV_SIMD_ROPE_H

#include "fovea/fovea.h"
#include "simd/vector.h"

/* row [2 pairs], in place; cosines and sines [pairs]. */
static __attribute__((noinline, unused)) void fv_rope(int layout, int pairs, const float *restrict cosines,
                                                      const float *restrict sines, float *restrict row) {
  if (layout == FOVEA_ROPE_HALF) {
    for (int i = 0; i < pairs; i++) {
      const float x = row[i], y = row[i + pairs];
      row[i] = x * cosines[i] - y * sines[i];
      row[i + pairs] = y * cosines[i] + x * sines[i];
    }
  } else {
    for (int i = 0; i < pairs; i++) {
      const float x = row[2 * i], y = row[2 * i + 1];
      row[2 * i] = x * cosines[i] - y * sines[i];
      row[2 * i + 1] = y * cosines[i] + x * sines[i];
    }
  }
}

#endif /* FV_SIMD_ROPE_H */
