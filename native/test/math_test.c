/* The vector functions of simd/math.h against double precision. Compiled for the baseline alone: the ops' tests
   run the same source through every instruction set. */
#define FV_ISA baseline
#define FV_LANES 4
#include "simd/math.h"

#include <math.h>

#include "harness.h"

typedef struct function {
  const char *name;
  fv_f32 (*vector)(fv_f32);
  double (*exact)(double);
  float low, high;
  double relative, absolute; /* error <= relative * |exact| + absolute * max(1, |x|) */
} function;

static fv_f32 vector_exp(fv_f32 x) { return fv_exp(x); }
static fv_f32 vector_exp2_nonpositive(fv_f32 x) { return fv_exp2_nonpositive(x, 0.125f); }
static fv_f32 vector_erf(fv_f32 x) { return fv_erf(x); }
static fv_f32 vector_tanh(fv_f32 x) { return fv_tanh(x); }
static fv_f32 vector_gelu_erf(fv_f32 x) { return fv_gelu_erf(x); }
static fv_f32 vector_gelu_tanh(fv_f32 x) { return fv_gelu_tanh(x); }
static fv_f32 vector_silu(fv_f32 x) { return fv_silu(x); }
static double exp2_of_eighths(double x) { return exp2(x / 8); }
static double gelu_erf(double x) { return x / 2 * (1 + erf(x * sqrt(0.5))); }
static double gelu_tanh(double x) { return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x))); }
static double silu(double x) { return x / (1 + exp(-x)); }

static const function functions[] = {
    {"exp", vector_exp, exp, -87.3f, 88.7f, 2.4e-7, 0},
    {"exp2_nonpositive", vector_exp2_nonpositive, exp2_of_eighths, -1008, 0, 2.4e-7, 0},
    {"erf", vector_erf, erf, -8, 8, 0, 5e-7},
    {"tanh", vector_tanh, tanh, -12, 12, 3.6e-7, 0},
    {"gelu_erf", vector_gelu_erf, gelu_erf, -20, 20, 0, 3e-7},
    {"gelu_tanh", vector_gelu_tanh, gelu_tanh, -20, 20, 0, 3e-7},
    {"silu", vector_silu, silu, -80, 80, 4e-7, 0},
};

static float at(const function *f, float x) {
  float lanes[FV_LANES];
  fv_store(lanes, f->vector(fv_set(x)));
  return lanes[FV_LANES - 1];
}

static void should_stay_within_its_error(const function *f) {
  for (int i = 0; i <= 400000; i++) {
    const float x = f->low + (f->high - f->low) * (float)i / 400000;
    const double want = f->exact(x), allowed = f->relative * fabs(want) + f->absolute * fmax(1, fabsf(x));
    CHECK(fabs(at(f, x) - want) <= allowed, "%s(%.9g) is %.9g, want %.9g", f->name, x, at(f, x), want);
  }
  CHECK(isnan(at(f, NAN)), "%s(NaN) is %g", f->name, at(f, NAN));
}

static void should_hold_at_the_ends_of_exp(void) {
  const function *f = &functions[0];
  for (int i = 0; i < 2; i++, f++) {
    CHECK(at(f, 0) == 1, "%s(0) is %.9g", f->name, at(f, 0));
    CHECK(at(f, -0.0f) == 1, "%s(-0) is %.9g", f->name, at(f, -0.0f));
    CHECK(at(f, -INFINITY) == 0, "%s(-inf) is %.9g", f->name, at(f, -INFINITY));
    CHECK(at(f, -1e30f) == 0, "%s(-1e30) is %.9g", f->name, at(f, -1e30f));
  }
  CHECK(at(functions, INFINITY) == INFINITY, "exp(inf) is %.9g", at(functions, INFINITY));
  CHECK(at(functions, 100) == INFINITY, "exp(100) is %.9g", at(functions, 100));
}

int main(void) {
  for (int i = 0; i < (int)(sizeof functions / sizeof *functions); i++) should_stay_within_its_error(&functions[i]);
  should_hold_at_the_ends_of_exp();
  return test_finish("math");
}
