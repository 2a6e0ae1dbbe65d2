/*
 * The thread pool. A loop is cut into one slice per thread; the caller posts slices
 * 1… to the workers, runs slice 0, then takes back every slice that its worker has
 * not begun, and waits for the rest. A worker that wakes late costs nothing.
 *
 * Each worker has one word, its signal, which only four steps change:
 *
 *   IDLE   -> ASLEEP  by the worker, when it has spun long enough
 *   IDLE   -> READY   by the caller, who has filled in the slice; from ASLEEP it wakes the worker
 *   READY  -> IDLE    by whoever takes the slice: the worker, or the caller taking it back
 *   any    -> STOP    by fv_pool_destroy
 *
 * The caller waits on a signal of its own, which the last worker to finish makes READY.
 */
#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "engine.h"
#include "park.h"

enum { IDLE, ASLEEP, READY, STOP };
enum { STACK_BYTES = 1 << 20, PAUSES_PER_CLOCK = 16, LINE = 128 };

typedef struct worker {
  atomic_uint signal;
  int index;
  fv_pool *pool;
  long long begin, end;
  pthread_t thread;
  char apart[LINE]; /* no two workers on one cache line */
} worker;

struct fv_pool {
  int threads;
  long long spin_nanos;
  fv_loop_body body;
  void *context;
  char apart_1[LINE];
  atomic_bool busy; /* taken by the caller whose loop runs */
  char apart_2[LINE];
  atomic_uint done;    /* the caller's signal */
  atomic_uint pending; /* slices not finished, the caller's own among them */
  char apart_3[LINE];
  worker workers[]; /* [threads]; 0 stands for the caller and has no thread */
};

static void pause_cpu(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb"); /* yield does nothing on most cores */
#endif
}

static long long now_nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Spins until the signal is not IDLE or the time is over. */
static void spin(atomic_uint *signal, long long nanos) {
  if (nanos == 0) return;
  const long long deadline = now_nanos() + nanos;
  do {
    for (int i = 0; i < PAUSES_PER_CLOCK; i++) {
      if (atomic_load_explicit(signal, memory_order_relaxed) != IDLE) return;
      pause_cpu();
    }
  } while (now_nanos() < deadline);
}

/* Waits for post(). May return on IDLE when a slice was posted and taken back meanwhile. */
static unsigned await(atomic_uint *signal, long long spin_nanos) {
  spin(signal, spin_nanos);
  unsigned seen = IDLE;
  atomic_compare_exchange_strong_explicit(signal, &seen, ASLEEP, memory_order_acquire, memory_order_acquire);
  while ((seen = atomic_load_explicit(signal, memory_order_acquire)) == ASLEEP) fv_park(signal, ASLEEP);
  return seen;
}

static void post(atomic_uint *signal, unsigned value) {
  if (atomic_exchange_explicit(signal, value, memory_order_acq_rel) == ASLEEP) fv_unpark(signal);
}

/* True for the one of worker and caller that gets to run the posted slice. */
static bool take(worker *w) {
  unsigned ready = READY;
  return atomic_compare_exchange_strong_explicit(&w->signal, &ready, IDLE, memory_order_acq_rel,
                                                 memory_order_relaxed);
}

/* Takes count slices off those pending; true if none is left. */
static bool finish(fv_pool *pool, unsigned count) {
  return atomic_fetch_sub_explicit(&pool->pending, count, memory_order_acq_rel) == count;
}

static void *work(void *argument) {
  worker *w = argument;
  fv_pool *pool = w->pool;
  while (await(&w->signal, pool->spin_nanos) != STOP) {
    if (!take(w)) continue;
    pool->body(pool->context, w->begin, w->end, w->index);
    if (finish(pool, 1)) post(&pool->done, READY);
  }
  return NULL;
}

static void run(fv_pool *pool, long long items, int slices, fv_loop_body body, void *context) {
  const long long share = items / slices, extra = items % slices, own_end = share + (extra > 0);
  pool->body = body;
  pool->context = context;
  atomic_store_explicit(&pool->done, IDLE, memory_order_relaxed);
  atomic_store_explicit(&pool->pending, (unsigned)slices, memory_order_relaxed);
  long long begin = own_end;
  for (int i = 1; i < slices; i++) {
    pool->workers[i].begin = begin;
    begin += share + (i < extra);
    pool->workers[i].end = begin;
    post(&pool->workers[i].signal, READY);
  }

  body(context, 0, own_end, 0);
  unsigned finished = 1;
  for (int i = slices - 1; i > 0; i--) {
    worker *w = &pool->workers[i];
    if (!take(w)) continue;
    body(context, w->begin, w->end, 0);
    finished++;
  }
  if (!finish(pool, finished)) {
    while (await(&pool->done, pool->spin_nanos) != READY) continue;
  }
}

void fv_parallel(struct fovea_engine *engine, long long items, long long grain, fv_loop_body body, void *context) {
  if (items <= 0) return;
  fv_pool *pool = engine->pool;
  const long long blocks = (items - 1) / grain + 1;
  const int slices = blocks < engine->threads ? (int)blocks : engine->threads;
  if (slices == 1 || atomic_load_explicit(&pool->busy, memory_order_relaxed) ||
      atomic_exchange_explicit(&pool->busy, true, memory_order_acquire)) {
    body(context, 0, items, 0);
    return;
  }
  run(pool, items, slices, body, context);
  atomic_store_explicit(&pool->busy, false, memory_order_release);
}

#ifdef _WIN32

static int create_thread(worker *w, const pthread_attr_t *attributes) {
  return pthread_create(&w->thread, attributes, work, w);
}

#else

/* A worker inherits a mask that leaves the process's signals to the host's threads; faults stay its own. */
static int create_thread(worker *w, const pthread_attr_t *attributes) {
  sigset_t blocked, before;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGSEGV);
  sigdelset(&blocked, SIGBUS);
  sigdelset(&blocked, SIGFPE);
  sigdelset(&blocked, SIGILL);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const int refused = pthread_create(&w->thread, attributes, work, w);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return refused;
}

#endif

static int start(worker *w) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes)) return FOVEA_STATUS_OUT_OF_MEMORY;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  const int refused = create_thread(w, &attributes);
  pthread_attr_destroy(&attributes);
#if defined(__linux__)
  if (!refused) pthread_setname_np(w->thread, "fovea-worker");
#endif
  return refused ? FOVEA_STATUS_THREAD : FOVEA_STATUS_OK;
}

int fv_pool_create(int threads, int spin_micros, fv_pool **pool) {
  fv_pool *made = calloc(1, sizeof *made + (size_t)threads * sizeof(worker));
  if (!made) return FOVEA_STATUS_OUT_OF_MEMORY;
  made->spin_nanos = spin_micros * 1000LL;
  for (made->threads = 1; made->threads < threads; made->threads++) {
    worker *w = &made->workers[made->threads];
    w->pool = made;
    w->index = made->threads;
    const int refused = start(w);
    if (refused) {
      fv_pool_destroy(made);
      return refused;
    }
  }
  *pool = made;
  return FOVEA_STATUS_OK;
}

void fv_pool_destroy(fv_pool *pool) {
  for (int i = 1; i < pool->threads; i++) post(&pool->workers[i].signal, STOP);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i].thread, NULL);
  free(pool);
}
