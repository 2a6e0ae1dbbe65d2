/*
 * A multiply-add on each of many registers: enough independent chains to hide the latency, and no memory.
 */
#include "isa.h"

/* Latency 4 on four units, or on two; on x86-64 two of 16 registers hold the operands. Compilers unroll up to 16. */
#ifdef __aarch64__
#define CHAINS 16
#else
#define CHAINS 14
#endif

typedef float vec __attribute__((vector_size(4 * FB_LANES)));

long long FB_JOIN(fb_step_flops, FB_ISA)(void) { return 2LL * FB_LANES * CHAINS; }

/* Each lane tends to term / (1 - factor): neither overflow nor denormals. */
float FB_JOIN(fb_multiply_add, FB_ISA)(long long steps, float factor, float term) {
  const vec a = factor - (vec){0}, b = term - (vec){0};
  vec chain[CHAINS];
  for (int c = 0; c < CHAINS; c++) chain[c] = a + (float)c;
  for (long long i = 0; i < steps; i++) {
    for (int c = 0; c < CHAINS; c++) chain[c] = chain[c] * a + b;
  }
  vec sum = {0};
  for (int c = 0; c < CHAINS; c++) sum += chain[c];
  float total = 0;
  for (int lane = 0; lane < FB_LANES; lane++) total += sum[lane];
  return total;
}
