/*
 * Finds what is compiled for an instruction set by its name.
 */
#include "isa.h"

#include <string.h>
#include <time.h>

#include "bench.h"
#include "isa_rows.h"
#undef FB_ISA_ROW

typedef struct isa {
  const char *name;
  float (*multiply_add)(long long steps, float factor, float term);
  long long (*step_flops)(void);
  void (*softmax)(long long first_row, long long rows, int n, int causal, float *scores);
} isa;

#define FB_ISA_ROW(isa) \
  {#isa, FB_JOIN(fb_multiply_add, isa), FB_JOIN(fb_step_flops, isa), FB_JOIN(fb_softmax, isa)},
static const isa isas[] = {
#include "isa_rows.h"
};

static const isa *find(const char *name) {
  for (unsigned i = 0; i < sizeof isas / sizeof *isas; i++) {
    if (strcmp(isas[i].name, name) == 0) return &isas[i];
  }
  return 0;
}

static double now(void) {
  struct timespec time;
  timespec_get(&time, TIME_UTC);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double fb_fma_gflops(const char *name, double seconds) {
  const isa *isa = find(name);
  if (!isa) return 0;
  const long long steps = 10000; /* some tens of microseconds */
  volatile float kept = 0;
  long long done = 0;
  double elapsed;
  const double start = now();
  do {
    kept = isa->multiply_add(steps, 0.999f, 1e-3f);
    done += steps;
    elapsed = now() - start;
  } while (elapsed < seconds);
  (void)kept;
  return 1e-9 * (double)done * (double)isa->step_flops() / elapsed;
}

void fb_softmax(const char *name, long long first_row, long long rows, int n, int causal, float *scores) {
  const isa *isa = find(name);
  if (isa) isa->softmax(first_row, rows, n, causal, scores);
}
