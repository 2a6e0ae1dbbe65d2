/* Lists of launches: what planners append to, and a stream runs or captures. */
#ifndef FOVEA_CUDA_LAUNCHES_H
#define FOVEA_CUDA_LAUNCHES_H

#include "cuda/device.h"
#include "cuda/plan.h"

struct fv_launches {
  fv_launch *items;
  int count, capacity;
};

/* Empties the list and keeps its memory. */
static inline void fv_launches_clear(fv_launches *launches) { launches->count = 0; }

void fv_launches_free(fv_launches *launches);

/* Puts all launches into a stream, in their order. The device's context is the current one. */
int fv_launches_enqueue(const fv_launches *launches, fovea_cuda_device *device, fv_cu_stream stream,
                        fovea_cuda_failure *failure);

/* Likewise as a graph, made by capturing the stream, which stays empty. Null if it fails. */
int fv_launches_capture(const fv_launches *launches, fovea_cuda_device *device, fv_cu_stream stream,
                        fovea_cuda_failure *failure, fv_cu_graph_exec *graph);

/* The plan of an op; null for a number that is none. */
fv_planner *fv_planner_of(int op);

#endif
