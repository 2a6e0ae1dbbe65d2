/* Which columns of a panel a part of a weight fills. */
#ifndef FV_OPS_LINEAR_PART_H
#define FV_OPS_LINEAR_PART_H

#include "ops/linear/linear.h"
#include "simd/tile.h"

/* The part has values for columns [low, high), and zeros for [high, end). */
typedef struct fv_part {
  long long row; /* of the part, in column low */
  int low, high, end;
} fv_part;

static inline fv_part fv_part_of(const fv_linear_pack_job *job, long long panel) {
  const long long column = panel * FV_PANEL, first = job->first_output, last = first + job->part_outputs;
  fv_part of = {.low = first > column ? (int)(first - column) : 0};
  of.high = last - column < FV_PANEL ? (int)(last - column) : FV_PANEL;
  of.end = last == job->outputs ? FV_PANEL : of.high;
  of.row = column + of.low - first;
  return of;
}

#endif /* FV_OPS_LINEAR_PART_H */
