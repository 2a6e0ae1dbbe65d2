/*
 * Embedding: the sum of a word, a position and a type vector per token. fovea.h has
 * the contract; this is what the kernel of each ISA implements.
 *
 *   out[t] = (scale words[ids[t]] + positions[starts[s] + t - offsets[s]]) + type, s being t's sequence
 */
#ifndef FV_OPS_EMBEDDING_H
#define FV_OPS_EMBEDDING_H

#include "ops/layout/layout.h"

typedef struct fv_embedding_job {
  int sequences, width;
  float scale;
  const int *ids, *offsets, *starts; /* starts may be null */
  fv_stored words;
  const float *floats;           /* words of F32, else null */
  const float *positions, *type; /* positions: the row of a new sequence's first token, or null; so may type */
  long long out_stride;
  float *out;
} fv_embedding_job;

/* Computes tokens [first, last). */
typedef void fv_embedding_kernel(const fv_embedding_job *job, long long first, long long last);

#endif /* FV_OPS_EMBEDDING_H */
