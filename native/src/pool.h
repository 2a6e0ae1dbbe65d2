/*
 * The thread pool. One parallel loop at a time; the caller takes part. A caller
 * that finds the pool busy runs its loop alone: nothing waits, nothing locks.
 */
#ifndef FV_POOL_H
#define FV_POOL_H

#include <stdbool.h>

struct fovea_engine;
typedef struct fv_pool fv_pool;

/* A piece of a loop: items [begin, end), run by worker (0 is the caller, < engine threads). */
typedef void (*fv_loop_body)(void *context, long long begin, long long end, int worker);

/*
 * Runs body over [0, items) in pieces, on one thread per grain items or on all. Each has a share, contiguous and equal
 * but for one item, which it takes in pieces that shrink down to grain items, or a share where that is less; who is
 * done helps the others. The caller runs everything in one piece where one thread will do or the pool is busy. Bodies
 * must give the same bits however the items are cut.
 */
void fv_parallel(struct fovea_engine *engine, long long items, long long grain, fv_loop_body body, void *context);

/* Whether fv_parallel would now share such a loop among threads; another caller may take the pool before it does. */
bool fv_is_shared(struct fovea_engine *engine, long long items, long long grain);

/*
 * The work that a piece is worth. Handing it to a worker that spins, and its end back, takes 1 us of a Zen 5 core
 * where the two share no cache, and a fraction of it where they do: a core streams 2 000 to 8 000 floats meanwhile, or does
 * 25 000 to 90 000 multiply-adds of a tall product, a quarter of that in attention over a few tokens.
 */
enum { FV_GRAIN_FLOATS = 1 << 14, FV_GRAIN_PRODUCTS = 1 << 15 };

/* The grain for items that stream floats floats each. */
static inline long long fv_grain(long long floats) {
  return floats < FV_GRAIN_FLOATS ? FV_GRAIN_FLOATS / (floats > 0 ? floats : 1) : 1;
}

/* The grain for items of products multiply-adds each. */
static inline long long fv_grain_of_products(long long products) {
  return products < FV_GRAIN_PRODUCTS ? FV_GRAIN_PRODUCTS / (products > 0 ? products : 1) : 1;
}

/* Starts threads - 1 workers. An FOVEA_STATUS_* code. */
int fv_pool_create(int threads, int spin_micros, fv_pool **pool);
void fv_pool_destroy(fv_pool *pool);

#endif /* FV_POOL_H */
