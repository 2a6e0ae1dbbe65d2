/* The engine: options, kernel table, thread pool. */
#ifndef FV_ENGINE_H
#define FV_ENGINE_H

#include <stdatomic.h>

#include "fovea/fovea.h"
#include "kernels.h"
#include "pool.h"

struct fovea_engine {
  int threads;
  int spin_micros;
  const fv_kernels *kernels;
  fv_pool *pool; /* null with one thread */
  _Atomic(struct fv_scratch *) scratch; /* that no call uses now; null: none */
};

#endif /* FV_ENGINE_H */
