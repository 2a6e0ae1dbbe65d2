/* The engine: options, kernel table, thread pool. */
#ifndef FV_ENGINE_H
#define FV_ENGINE_H

#include "fovea/fovea.h"
#include "kernels.h"
#include "pool.h"

struct fovea_engine {
  int threads;
  int spin_micros;
  const fv_kernels *kernels;
  fv_pool *pool; /* null with one thread */
};

#endif /* FV_ENGINE_H */
