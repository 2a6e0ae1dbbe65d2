/* The tiles of floats that products and attention share, compiled once per ISA. Contract in simd/tile.h. */
#include "simd/tile.h"

void FV_NAME(tile)(int rows, int panels, long long k, const float *a, long long lda, const float *b,
                   long long panel_stride, float *c, long long ldc) {
  fv_tile_any(FOVEA_DTYPE_F32, rows, panels, k, a, lda, (const char *)b, panel_stride * 4, FV_TILE_STORE, 0, c, ldc,
              0, 0);
}

void FV_NAME(tile_onto)(int rows, int panels, long long k, const float *a, long long lda, const float *b,
                        long long panel_stride, const float *factors, float *c, long long ldc) {
  fv_tile_any(FOVEA_DTYPE_F32, rows, panels, k, a, lda, (const char *)b, panel_stride * 4, FV_TILE_ONTO, factors, c,
              ldc, 0, 0);
}
