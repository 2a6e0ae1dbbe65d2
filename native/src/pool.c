/*
 * The thread pool. A loop is cut into one share per thread. The caller posts the workers' shares, and each thread
 * takes its own from the front, piece by piece, then what is left of the others' from their back. So a thread that
 * is late, slow or not running holds up no more than the piece that it has begun, and the caller of a worker that
 * does not come runs all of its share.
 *
 * Each thread has one word, what is left of its share: units [first, end) in 16 bits each, or ASLEEP or STOP:
 *
 *   empty  -> ASLEEP  by the worker, when it has spun long enough
 *   any    -> range   by the caller, who has filled in the loop; from ASLEEP it wakes the worker
 *   range  -> smaller by whoever takes a piece
 *   any    -> STOP    by fv_pool_destroy
 *
 * A piece that is taken belongs to the loop that runs, whatever its taker saw before: no loop ends before its pieces.
 * The caller waits for the number of pending units to become 0.
 *
 * Where threads run is the system's business, but for two habits of its schedulers that cost milliseconds:
 *
 *   - A sleeper is often woken on the processor of who wakes it, though others are idle. There it takes turns with
 *     the caller, and goes back to sleep before the system finds it a better place. So a worker that meets the
 *     caller moves away.
 *   - Where more threads want to run than there are processors, a turn ends anywhere, mostly within a piece, which
 *     then waits for the next turn, and the caller with it. So a worker gives its turn away before it ends, between
 *     two loops, while it has no piece.
 */
#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "cpu.h"
#include "engine.h"
#include "park.h"

enum { STACK_BYTES = 1 << 20, PAUSES_PER_CLOCK = 16, LINE = 128 };
enum { ASLEEP = 1, STOP = 2 };     /* no range: it would end before it begins */
enum { MOST_UNITS = 0xffff };      /* of a share */
enum { TURN_NANOS = 1000 * 1000 }; /* Linux ends a turn after 1.4 ms or more if others wait */

static const unsigned WAITED_FOR = 1u << 31; /* the bit of pending that says that the caller sleeps */

/*
 * The loop that runs. Share i has count items, or one more if i < extra, in units of unit items, which are worth a
 * piece; what is left over belongs to the last unit.
 */
typedef struct loop {
  fv_loop_body body;
  void *context;
  long long count, extra, unit;
} loop;

typedef struct worker {
  atomic_uint left; /* first | end << 16 */
  int index;
  fv_pool *pool;
  pthread_t thread;
  char apart[LINE]; /* no two workers on one cache line */
} worker;

struct fv_pool {
  int threads;
  long long spin_nanos;
  loop loop;
  atomic_int cpu; /* that the caller runs on */
  char apart_1[LINE];
  atomic_bool busy; /* taken by the caller whose loop runs */
  char apart_2[LINE];
  atomic_uint pending; /* units not finished, and WAITED_FOR */
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

static unsigned range(unsigned first, unsigned end) { return first | end << 16; }

static bool is_empty(unsigned left) { return (left & 0xffff) == left >> 16; }

static bool is_pending(unsigned pending) { return pending != 0; }

/* Spins while the word says so and the time is not over. */
static inline void spin_while(bool (*holds)(unsigned), atomic_uint *word, long long nanos) {
  if (nanos == 0) return;
  const long long deadline = now_nanos() + nanos;
  do {
    for (int i = 0; i < PAUSES_PER_CLOCK; i++) {
      if (!holds(atomic_load_explicit(word, memory_order_relaxed))) return;
      pause_cpu();
    }
  } while (now_nanos() < deadline);
}

/* Waits for post(). May return an empty range when what was posted has been taken meanwhile. */
static unsigned await(atomic_uint *left, long long spin_nanos) {
  spin_while(is_empty, left, spin_nanos);
  unsigned seen = atomic_load_explicit(left, memory_order_relaxed);
  if (is_empty(seen)) {
    atomic_compare_exchange_strong_explicit(left, &seen, ASLEEP, memory_order_relaxed, memory_order_relaxed);
  }
  while ((seen = atomic_load_explicit(left, memory_order_acquire)) == ASLEEP) fv_park(left, ASLEEP);
  return seen;
}

static void post(atomic_uint *left, unsigned value) {
  if (atomic_exchange_explicit(left, value, memory_order_acq_rel) == ASLEEP) fv_unpark(left);
}

/*
 * Takes half of what is left of a share, at its front or its back: the range taken, empty if there was none. Large
 * pieces first, small ones last: so few are taken, and all threads end at nearly the same time.
 */
static unsigned take(atomic_uint *left, bool front) {
  unsigned seen = atomic_load_explicit(left, memory_order_relaxed);
  for (;;) {
    const unsigned first = seen & 0xffff, end = seen >> 16;
    if (first >= end) return 0;
    const unsigned rest = end - first, count = rest - rest / 2;
    const unsigned kept = front ? range(first + count, end) : range(first, end - count);
    if (atomic_compare_exchange_weak_explicit(left, &seen, kept, memory_order_acquire, memory_order_relaxed)) {
      return front ? range(first, first + count) : range(end - count, end);
    }
  }
}

static long long items_of(const loop *l, int share) { return l->count + (share < l->extra); }

static unsigned units_of(const loop *l, int share) {
  const long long units = items_of(l, share) / l->unit;
  return units > 0 ? (unsigned)units : 1;
}

static void run_units(const loop *l, int share, unsigned units, int worker) {
  const long long first = share * l->count + (share < l->extra ? share : l->extra);
  const unsigned begin = units & 0xffff, end = units >> 16;
  l->body(l->context, first + begin * l->unit,
          first + (end < units_of(l, share) ? end * l->unit : items_of(l, share)), worker);
}

/* Runs what is left of a share, piece by piece. The units that it ran. */
static unsigned run_share(fv_pool *pool, int share, int worker) {
  for (unsigned ran = 0;;) {
    const unsigned units = take(&pool->workers[share].left, share == worker);
    if (is_empty(units)) return ran;
    run_units(&pool->loop, share, units, worker);
    ran += (units >> 16) - (units & 0xffff);
  }
}

/* Runs what is left of the shares of others. */
static unsigned help(fv_pool *pool, int worker) {
  unsigned ran = 0;
  for (int i = worker + 1; i < pool->threads; i++) ran += run_share(pool, i, worker);
  for (int i = 0; i < worker; i++) ran += run_share(pool, i, worker);
  return ran;
}

static void finish(fv_pool *pool, unsigned ran) {
  if (ran == 0) return;
  const unsigned pending = atomic_fetch_sub_explicit(&pool->pending, ran, memory_order_acq_rel);
  if (pending == (ran | WAITED_FOR)) fv_unpark(&pool->pending);
}

/* The time since which a worker has its turn: since, or now if it gave a turn away. */
static long long give_way(long long since) {
  if (now_nanos() - since < TURN_NANOS) return since;
  sched_yield();
  return now_nanos();
}

static void *work(void *argument) {
  worker *w = argument;
  fv_pool *pool = w->pool;
  for (long long since = now_nanos(); await(&w->left, pool->spin_nanos) != STOP; since = give_way(since)) {
    const int cpu = atomic_load_explicit(&pool->cpu, memory_order_relaxed);
    if (fv_cpu_current() == cpu) fv_cpu_leave(cpu);
    finish(pool, run_share(pool, w->index, w->index)); /* at once: the caller may wait for nothing else */
    finish(pool, help(pool, w->index));
  }
  return NULL;
}

static void wait_for_workers(fv_pool *pool) {
  spin_while(is_pending, &pool->pending, pool->spin_nanos);
  unsigned pending = atomic_load_explicit(&pool->pending, memory_order_acquire);
  if (pending == 0) return;
  pending = atomic_fetch_or_explicit(&pool->pending, WAITED_FOR, memory_order_acquire) | WAITED_FOR;
  while (pending != WAITED_FOR) {
    fv_park(&pool->pending, pending);
    pending = atomic_load_explicit(&pool->pending, memory_order_acquire);
  }
}

static void run(fv_pool *pool, long long items, int slices, long long grain, fv_loop_body body, void *context) {
  const long long count = items / slices, least = count / MOST_UNITS + 1; /* items of a unit, lest there be too many */
  const loop *l = &pool->loop;
  pool->loop = (loop){body, context, count, items % slices, grain > least ? grain : least};
  atomic_store_explicit(&pool->cpu, fv_cpu_current(), memory_order_relaxed);
  unsigned pending = 0;
  for (int i = 0; i < slices; i++) pending += units_of(l, i);
  atomic_store_explicit(&pool->pending, pending, memory_order_relaxed);
  for (int i = slices - 1; i >= 0; i--) post(&pool->workers[i].left, range(0, units_of(l, i)));

  const unsigned own = run_share(pool, 0, 0), ran = own + help(pool, 0);
  if (atomic_fetch_sub_explicit(&pool->pending, ran, memory_order_acq_rel) != ran) wait_for_workers(pool);
}

/* Threads for a loop of items > 0, if the pool is free. */
static int slices_of(const struct fovea_engine *engine, long long items, long long grain) {
  const long long blocks = (items - 1) / grain + 1;
  return blocks < engine->threads ? (int)blocks : engine->threads;
}

static bool is_busy(fv_pool *pool) { return atomic_load_explicit(&pool->busy, memory_order_relaxed); }

bool fv_is_shared(struct fovea_engine *engine, long long items, long long grain) {
  return items > 0 && slices_of(engine, items, grain) > 1 && !is_busy(engine->pool);
}

void fv_parallel(struct fovea_engine *engine, long long items, long long grain, fv_loop_body body, void *context) {
  if (items <= 0) return;
  fv_pool *pool = engine->pool;
  const int slices = slices_of(engine, items, grain);
  if (slices == 1 || is_busy(pool) || atomic_exchange_explicit(&pool->busy, true, memory_order_acquire)) {
    body(context, 0, items, 0);
    return;
  }
  run(pool, items, slices, grain, body, context);
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
  for (int i = 1; i < pool->threads; i++) post(&pool->workers[i].left, STOP);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i].thread, NULL);
  free(pool);
}
