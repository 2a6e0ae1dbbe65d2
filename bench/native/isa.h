/*
 * What is compiled once per instruction set, as fb_<name>__<isa>. See bench.h.
 */
#ifndef FOVEA_BENCH_ISA_H
#define FOVEA_BENCH_ISA_H

#define FB_JOIN_(name, isa) name##__##isa
#define FB_JOIN(name, isa) FB_JOIN_(name, isa)

#define FB_ISA_ROW(isa)                                           \
  float FB_JOIN(fb_multiply_add, isa)(long long steps, float factor, float term); \
  long long FB_JOIN(fb_step_flops, isa)(void);                    \
  void FB_JOIN(fb_softmax, isa)(long long first_row, long long rows, int n, int causal, float *scores);

#ifdef FB_ISA
FB_ISA_ROW(FB_ISA)
#endif

#endif
