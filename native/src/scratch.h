/*
 * Memory for a call that needs more than its stack. An engine keeps one piece, as large as any call has asked for; who
 * finds it taken, or too small, gets one of its own. Nothing waits, nothing locks.
 */
#ifndef FV_SCRATCH_H
#define FV_SCRATCH_H

struct fovea_engine;

typedef struct fv_scratch fv_scratch;

/* At least bytes, or null where the system has none. */
fv_scratch *fv_scratch_take(struct fovea_engine *engine, long long bytes);

/* Where its bytes begin, aligned to 64. */
void *fv_scratch_memory(fv_scratch *scratch);

/* Gives it back; null is nothing. */
void fv_scratch_give(struct fovea_engine *engine, fv_scratch *scratch);

/* Frees what an engine keeps. No call may be running on it. */
void fv_scratch_free(struct fovea_engine *engine);

#endif /* FV_SCRATCH_H */
