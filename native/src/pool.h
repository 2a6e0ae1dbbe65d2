/*
 * The thread pool. One parallel loop at a time; the caller takes part. A caller
 * that finds the pool busy runs its loop alone: nothing waits, nothing locks.
 */
#ifndef FV_POOL_H
#define FV_POOL_H

struct fovea_engine;
typedef struct fv_pool fv_pool;

/* One slice of a loop: items [begin, end), run by worker (0 is the caller, < engine threads). */
typedef void (*fv_loop_body)(void *context, long long begin, long long end, int worker);

/*
 * Runs body over [0, items) in slices of whole multiples of grain: static, contiguous, at most one
 * per thread, and everything in the caller when there is one slice or the pool is busy. Bodies must
 * give the same bits however the items are cut.
 */
void fv_parallel(struct fovea_engine *engine, long long items, long long grain, fv_loop_body body, void *context);

/* The grain for items that stream floats floats each: slices below some microseconds are not worth a wake-up. */
static inline long long fv_grain(long long floats) {
  return floats < 1 << 14 ? (1 << 14) / (floats > 0 ? floats : 1) : 1;
}

/* The grain for items of products multiply-adds each. */
static inline long long fv_grain_of_products(long long products) {
  return products < 1 << 16 ? (1 << 16) / (products > 0 ? products : 1) : 1;
}

/* Starts threads - 1 workers. An FOVEA_STATUS_* code. */
int fv_pool_create(int threads, int spin_micros, fv_pool **pool);
void fv_pool_destroy(fv_pool *pool);

#endif /* FV_POOL_H */
