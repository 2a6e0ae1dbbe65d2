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
  long long least; /* items of the smallest piece */
  int count[MAX_ITEMS];
  atomic_int pieces, small, strangers, shared;
  atomic_int running[MAX_THREADS];
} visits;

static void visit(void *context, long long begin, long long end, int worker) {
  visits *v = context;
  atomic_fetch_add(&v->pieces, 1);
  if (end - begin < v->least) atomic_fetch_add(&v->small, 1);
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
      const long long worth = (sizes[s] + grains[g] - 1) / grains[g], shares = worth < threads ? worth : threads;
      const long long share = shares ? sizes[s] / shares : 0;
      v->least = share < grains[g] ? share : grains[g];
      CHECK(fv_is_shared(engine, sizes[s], grains[g]) == (shares > 1), "%d items, grain %d, %d threads: wrongly shared", sizes[s],
            grains[g], threads);
      fv_parallel(engine, sizes[s], grains[g], visit, v);
      CHECK(v->pieces >= shares && (shares != 1 || v->pieces == 1), "expected %lld shares, got %d pieces of %d items",
            shares, v->pieces, sizes[s]);
      CHECK(!v->small && !v->strangers && !v->shared, "%d small pieces, %d strange workers, %d shared", v->small,
            v->strangers, v->shared);
      for (int i = 0; i < sizes[s]; i++) {
        CHECK(v->count[i] == 1, "item %d of %d was visited %d times, grain %d, %d threads", i, sizes[s], v->count[i],
              grains[g], threads);
      }
      free(v);
    }
  }
  fovea_engine_destroy(engine);
}

/* ---- loops of more items than a word can count --------------------------------- */

typedef struct covered {
  atomic_llong items;
  atomic_ullong squares; /* Σ end² − begin², modulo 2⁶⁴: that of pieces side by side is the last end² */
} covered;

static void add_up(void *context, long long begin, long long end, int worker) {
  (void)worker;
  covered *c = context;
  atomic_fetch_add(&c->items, end - begin);
  atomic_fetch_add(&c->squares, (unsigned long long)end * end - (unsigned long long)begin * begin);
}

static void should_cover_a_long_loop(int threads) {
  static const long long sizes[] = {65535, 65536, 131070, 131071, 196607, 262139, 1000003, 1LL << 33, (1LL << 33) + 7};
  fovea_engine *engine = create(threads, 20);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    covered c = {0};
    fv_parallel(engine, sizes[s], 1, add_up, &c);
    CHECK(c.items == sizes[s], "expected %lld items, got %lld, %d threads", sizes[s], c.items, threads);
    CHECK(c.squares == (unsigned long long)sizes[s] * sizes[s], "not each of %lld items once, %d threads", sizes[s],
          threads);
  }
  fovea_engine_destroy(engine);
}

/* ---- workers ---------------------------------------------------------------- */

typedef struct meeting {
  atomic_int worker[2]; /* that has begun an item, or -1 */
} meeting;

/* Item 0 lasts until another thread has begun item 1, or a generous time is over. */
static void meet(void *context, long long begin, long long end, int worker) {
  (void)end;
  meeting *m = context;
  atomic_store(&m->worker[begin], worker);
  for (int millis = 0; millis < 10000 && atomic_load(&m->worker[1]) < 0; millis++) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}

static void should_wake_a_worker(int spin_micros) {
  fovea_engine *engine = create(2, spin_micros);
  for (int i = 0; i < 20; i++) {
    meeting m = {{-1, -1}};
    fv_parallel(engine, 2, 1, meet, &m);
    CHECK(m.worker[0] == 1 || m.worker[1] == 1, "expected an item on worker 1, got workers %d and %d, spin %d us",
          m.worker[0], m.worker[1], spin_micros);
  }
  fovea_engine_destroy(engine);
}

/* The first piece of the worker's lasts until all other items are done, or a generous time is over. */
typedef struct delay {
  atomic_int done, late;
} delay;

static void delay_worker(void *context, long long begin, long long end, int worker) {
  delay *d = context;
  if (worker == 1 && !atomic_exchange(&d->late, 1)) {
    const int others = MAX_ITEMS - (int)(end - begin);
    for (int millis = 0; millis < 10000 && atomic_load(&d->done) < others; millis++) {
      nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    CHECK(d->done == others, "expected %d items done beside the worker's piece, got %d", others, d->done);
  }
  atomic_fetch_add(&d->done, (int)(end - begin));
}

static void should_help_a_late_worker(int spin_micros) {
  fovea_engine *engine = create(2, spin_micros);
  for (int i = 0; i < 20; i++) {
    delay d = {0};
    fv_parallel(engine, MAX_ITEMS, 1, delay_worker, &d);
    CHECK(d.done == MAX_ITEMS, "expected %d items, got %d", MAX_ITEMS, d.done);
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
  for (long long i = begin; i < end; i++) {
    if (fv_is_shared(callers[i].engine, SUMMED, 16)) callers[i].wrong++; /* the pool is busy with this loop */
    fv_parallel(callers[i].engine, SUMMED, 16, square, &callers[i]);
  }
}

static void should_run_a_loop_within_a_loop(void) {
  fovea_engine *engine = create(4, 20);
  summing *callers = calloc(CALLERS, sizeof *callers);
  for (int i = 0; i < CALLERS; i++) callers[i].engine = engine;
  fv_parallel(engine, CALLERS, 1, call_within, callers);
  for (int i = 0; i < CALLERS; i++) {
    CHECK(callers[i].squares[SUMMED - 1] == (SUMMED - 1) * (SUMMED - 1), "loop %d ran to %lld", i,
          callers[i].squares[SUMMED - 1]);
    CHECK(callers[i].wrong == 0, "loop %d was to be shared by a busy pool", i);
  }
  free(callers);
  fovea_engine_destroy(engine);
}

/* ---- idleness ------------------------------------------------------------------- */

static void should_sleep_when_idle(int spin_micros) {
  fovea_engine *engine = create(MAX_THREADS, spin_micros);
  summing *s = calloc(1, sizeof *s);
  fv_parallel(engine, SUMMED, 16, square, s);
  CHECK(test_sleep("fovea-worker", MAX_THREADS - 1), "workers of an idle engine do not sleep, spin %d us", spin_micros);
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
    should_help_a_late_worker(spins[i]);
    should_serve_many_callers(2, spins[i]);
    should_serve_many_callers(4, spins[i]);
  }
  for (int threads = 1; threads <= MAX_THREADS; threads++) should_cover_a_long_loop(threads);
  should_run_a_loop_within_a_loop();
  should_sleep_when_idle(0);
  should_sleep_when_idle(50);
  should_start_and_stop_often();
  return test_finish("pool");
}
