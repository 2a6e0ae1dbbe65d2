/*
 * Results too small for a normal float become 0 between fv_flush_begin and fv_flush_end: x86 takes
 * up to 150 cycles for each that stays subnormal. Subnormal operands keep their values, which the
 * widening of binary16 needs. Elsewhere nothing is changed: other processors do not mind.
 */
#ifndef FV_SIMD_FLUSH_H
#define FV_SIMD_FLUSH_H

#include "simd/vector.h"

#ifdef __SSE__
FV_INLINE unsigned fv_flush_begin(void) {
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | _MM_FLUSH_ZERO_ON);
  return control;
}

/* control is what fv_flush_begin returned: the caller's mode comes back. */
FV_INLINE void fv_flush_end(unsigned control) { _mm_setcsr(control); }
#else
FV_INLINE unsigned fv_flush_begin(void) { return 0; }
FV_INLINE void fv_flush_end(unsigned control) { (void)control; }
#endif

#endif /* FV_SIMD_FLUSH_H */
