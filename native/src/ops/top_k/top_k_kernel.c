#include "ops/top_k/top_k.h"

#include <stdbool.h>

#include "simd/vector.h"

/* Vectors that are compared at once with the least of the list: nearly all hold nothing that enters it. */
enum { COMPARED = 4 };

static bool is_nan(float x) { return x != x; }

/* Whether a ranks before b, which stands in a lower column. */
static bool is_above(float a, float b) { return a > b || (is_nan(b) && !is_nan(a)); }

/* The element that the list has in a place. The list is the caller's memory: whatever another thread writes there, this
 * reads an element of the row. */
static float listed(const float *x, int width, const int *list, int place) {
  const int column = *(const volatile int *)(list + place);
  return x[column >= 0 && column < width ? column : 0];
}

/* Puts column among the count columns of the list, which are ranked and lower; the list has room for it. */
static void enter(const float *x, int width, int column, int *list, int count) {
  int place = count;
  for (; place > 0 && is_above(x[column], listed(x, width, list, place - 1)); place--) list[place] = list[place - 1];
  list[place] = column;
}

/* Whether a lane of mask, all ones or 0, is set. */
FV_INLINE bool any(fv_i32 mask) {
#if FV_LANES == 16
  return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif FV_LANES == 8
  return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__SSE__)
  return _mm_movemask_ps((__m128)mask) != 0;
#else
  return ((mask[0] | mask[1]) | (mask[2] | mask[3])) != 0;
#endif
}

/* Whether one of the vectors at x may hold more than bound, which is no NaN. Yes, too, for NaN in the first of them. */
FV_INLINE bool may_exceed(const float *x, const int vectors, float bound) {
  fv_f32 most = fv_load(x);
  for (int v = 1; v < vectors; v++) most = fv_max(fv_load(x + v * FV_LANES), most);
  return any(~(most <= fv_set(bound)));
}

/* The columns from i on that surely do not enter a list whose least is bound: several vectors, one, or none. */
FV_INLINE int skipped(const float *x, int i, int width, float bound) {
  if (is_nan(bound)) return 0;
  if (width - i >= COMPARED * FV_LANES && !may_exceed(x + i, COMPARED, bound)) return COMPARED * FV_LANES;
  return width - i >= FV_LANES && !may_exceed(x + i, 1, bound) ? FV_LANES : 0;
}

void FV_NAME(top_k)(long long rows, int width, int k, const float *x, long long x_stride, int *indices,
                    long long indices_stride) {
  for (long long r = 0; r < rows; r++, x += x_stride, indices += indices_stride) {
    int i = 0;
    for (; i < k; i++) enter(x, width, i, indices, i);
    while (i < width) {
      const int without = skipped(x, i, width, listed(x, width, indices, k - 1));
      if (without > 0) {
        i += without;
        continue;
      }
      for (const int end = width - i < FV_LANES ? width : i + FV_LANES; i < end; i++) {
        if (is_above(x[i], listed(x, width, indices, k - 1))) enter(x, width, i, indices, k - 1);
      }
    }
  }
}
