/* The thread pool, called as the ops call it. */
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "harness.h"

enum { MAX_THREADS = 4, MAX_ITEMS = 1000 };

static fovea_engine *create(int threads, int spin_micros) {
  const fovea_engine_options options = {
      .struct_size = sizeof options, .threads = threads, .spin_micros = spin_micros, .isa = FOVEA_ISA_AUTO};
  fovea_engine *engine = NULL;
  CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_create(&options, &engine));
  return engine;
}

/* What a loop saw. Plain counters: each must be touched by one thread alone. */
typedef struct visits {
  long long items, least; /* least: items of the smaller slices */
  int count[MAX_ITEMS];
  atomic_int slices, uneven, strangers, shared;
  atomic_int running[MAX_THREADS];
} visits;

static void visit(void *context, long long begin, long long end, int worker) {
  visits *v = context;
  atomic_fetch_add(&v->slices, 1);
  if (end - begin < v->least || end - begin > v->least + 1) atomic_fetch_add(&v->uneven, 1);
  if (worker < 0 || worker >= MAX_THREADS) {
    atomic_fetch_add(&v->strangers, 1);
    return;
  }
  if (atomic_fetch_add(&v->running[worker], 1)) atomic_fetch_add(&v->shared, 1);
  for (long long i = begin; i < end; i++) v->count[i]++;
  atomic_fetch_sub(&v->running[worker], 1);
}

static void should_visit_each_item_once(int threads, int spin_micros) {
  static const int sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 65, MAX_ITEMS};
  static const int grains[] = {1, 2, 3, 16, 400, 5000};
  fovea_engine *engine = create(threads, spin_micros);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    for (size_t g = 0; g < sizeof grains / sizeof *grains; g++) {
      visits *v = calloc(1, sizeof *v);
      v->items = sizes[s];
      const long long worth = (v->items + grains[g] - 1) / grains[g], slices = worth < threads ? worth : threads;
      v->least = slices ? v->items / slices : 0;
      fv_parallel(engine, v->items, grains[g], visit, v);
      CHECK(v->slices == slices, "expected %lld slices, got %d of %d items, grain %d, %d threads", slices, v->slices,
            sizes[s], grains[g], threads);
      CHECK(!v->uneven && !v->strangers && !v->shared, "%d uneven slices, %d strange workers, %d shared",
            v->uneven, v->strangers, v->shared);
      for (int i = 0; i < sizes[s]; i++) {
        CHECK(v->count[i] == 1, "item %d of %d was visited %d times, grain %d, %d threads", i, sizes[s], v->count[i],
              grains[g], threads);
      }
      free(v);
    }
  }
  fovea_engine_destroy(engine);
}

/* ---- workers ---------------------------------------------------------------- */

/* Slice 0 lasts until another thread has begun slice 1, or a generous time is over. */
static void meet(void *context, long long begin, long long end, int worker) {
  (void)end;
  atomic_int *met = context;
  if (begin == 1) {
    atomic_store(met, worker);
    return;
  }
  for (int millis = 0; millis < 10000 && atomic_load(met) < 0; millis++) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}

static void should_wake_a_worker(int spin_micros) {
  fovea_engine *engine = create(2, spin_micros);
  for (int i = 0; i < 20; i++) {
    atomic_int met = -1;
    fv_parallel(engine, 2, 1, meet, &met);
    CHECK(met == 1, "expected slice 1 on worker 1, got %d, spin %d us", met, spin_micros);
  }
  fovea_engine_destroy(engine);
}

/* ---- many callers ------------------------------------------------------------- */

enum { CALLERS = 8, LOOPS = 2000, SUMMED = 257 };

typedef struct summing {
  fovea_engine *engine;
  long long squares[SUMMED];
  int wrong;
} summing;

static void square(void *context, long long begin, long long end, int worker) {
  (void)worker;
  summing *s = context;
  for (long long i = begin; i < end; i++) s->squares[i] += i * i;
}

static void *call_often(void *argument) {
  summing *s = argument;
  for (int loop = 1; loop <= LOOPS; loop++) {
    fv_parallel(s->engine, SUMMED, 16, square, s);
    for (int i = 0; i < SUMMED; i++) s->wrong += s->squares[i] != (long long)loop * i * i;
  }
  return NULL;
}

static void should_serve_many_callers(int threads, int spin_micros) {
  fovea_engine *engine = create(threads, spin_micros);
  summing *callers = calloc(CALLERS, sizeof *callers);
  pthread_t running[CALLERS];
  for (int i = 0; i < CALLERS; i++) {
    callers[i].engine = engine;
    CHECK(pthread_create(&running[i], NULL, call_often, &callers[i]) == 0, "no thread for caller %d", i);
  }
  for (int i = 0; i < CALLERS; i++) {
    pthread_join(running[i], NULL);
    CHECK(callers[i].wrong == 0, "caller %d saw %d wrong sums, %d threads", i, callers[i].wrong, threads);
  }
  free(callers);
  fovea_engine_destroy(engine);
}

static void call_within(void *context, long long begin, long long end, int worker) {
  (void)worker;
  summing *callers = context;
  for (long long i = begin; i < end; i++) fv_parallel(callers[i].engine, SUMMED, 16, square, &callers[i]);
}

static void should_run_a_loop_within_a_loop(void) {
  fovea_engine *engine = create(4, 20);
  summing *callers = calloc(CALLERS, sizeof *callers);
  for (int i = 0; i < CALLERS; i++) callers[i].engine = engine;
  fv_parallel(engine, CALLERS, 1, call_within, callers);
  for (int i = 0; i < CALLERS; i++) {
    CHECK(callers[i].squares[SUMMED - 1] == (SUMMED - 1) * (SUMMED - 1), "loop %d ran to %lld", i,
          callers[i].squares[SUMMED - 1]);
  }
  free(callers);
  fovea_engine_destroy(engine);
}

/* ---- idleness ------------------------------------------------------------------- */

static double processor_millis(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void should_use_no_processor_when_idle(void) {
  fovea_engine *engine = create(4, 50);
  summing *s = calloc(1, sizeof *s);
  fv_parallel(engine, SUMMED, 16, square, s);
  const double before = processor_millis();
  nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
  const double used = processor_millis() - before;
  CHECK(used < 5, "four threads used %.1f ms of processor time in 300 ms of idleness", used);
  free(s);
  fovea_engine_destroy(engine);
}

static void should_start_and_stop_often(void) {
  for (int i = 0; i < 200; i++) {
    fovea_engine *engine = create(1 + i % MAX_THREADS, i % 3 * 10);
    summing *s = calloc(1, sizeof *s);
    if (i % 2) fv_parallel(engine, SUMMED, 1, square, s);
    CHECK_STATUS(FOVEA_STATUS_OK, fovea_engine_destroy(engine));
    free(s);
  }
}

int main(void) {
  static const int spins[] = {0, 20, 2000};
  for (int i = 0; i < 3; i++) {
    for (int threads = 1; threads <= MAX_THREADS; threads++) should_visit_each_item_once(threads, spins[i]);
    should_wake_a_worker(spins[i]);
    should_serve_many_callers(2, spins[i]);
    should_serve_many_callers(4, spins[i]);
  }
  should_run_a_loop_within_a_loop();
  should_use_no_processor_when_idle();
  should_start_and_stop_often();
  return test_finish("pool");
}
