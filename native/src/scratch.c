/* The memory that an engine keeps for calls; contract in scratch.h. */
#include "scratch.h"

#include "engine.h"

struct fv_scratch {
  long long bytes; /* behind its first line */
};

enum { LINE = 64 };

static void destroy(fv_scratch *scratch) {
  if (scratch) (void)fovea_memory_destroy(scratch);
}

fv_scratch *fv_scratch_take(struct fovea_engine *engine, long long bytes) {
  fv_scratch *kept = atomic_exchange_explicit(&engine->scratch, NULL, memory_order_acquire);
  if (kept && kept->bytes >= bytes) return kept;
  destroy(kept);
  const fovea_memory_options options = {.struct_size = sizeof options, .bytes = bytes + LINE};
  void *memory;
  if (fovea_memory_create(&options, &memory) != FOVEA_STATUS_OK) return NULL;
  fv_scratch *made = memory;
  made->bytes = bytes;
  return made;
}

void *fv_scratch_memory(fv_scratch *scratch) { return (char *)scratch + LINE; }

void fv_scratch_give(struct fovea_engine *engine, fv_scratch *scratch) {
  if (scratch) destroy(atomic_exchange_explicit(&engine->scratch, scratch, memory_order_acq_rel));
}

void fv_scratch_free(struct fovea_engine *engine) { destroy(atomic_load_explicit(&engine->scratch, memory_order_acquire)); }
