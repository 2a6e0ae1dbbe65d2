/* Batches: how they lie in memory, and what they must be. */
#include <stdlib.h>
#include <string.h>

#include "cuda/execution.h"

/* ---- layouts -------------------------------------------------------------- */

/* Reserves rows of columns ints. False on overflow of what an int can count. */
static int reserve(fv_batch_layout *layout, long long rows, long long columns, long long *start) {
  long long ints;
  *start = layout->ints;
  if (__builtin_mul_overflow(rows, columns, &ints) || ints > INT_MAX) return 0;
  layout->ints += (ints + 3) / 4 * 4;
  return layout->ints <= INT_MAX;
}

static int plan_layout(const fovea_cuda_execution *execution, fv_rung *rung) {
  const fovea_cuda_program *program = execution->program;
  fv_batch_layout *layout = &rung->layout;
  layout->groups = calloc((size_t)program->group_count + 1, sizeof *layout->groups);
  if (!layout->groups) return FOVEA_STATUS_OUT_OF_MEMORY;
  const long long tokens = rung->max_tokens, sequences = rung->max_sequences;
  long long counts;
  int fits = reserve(layout, 1, FV_COUNTS, &counts) && reserve(layout, sequences + 1, 1, &layout->offsets);
  const int tiles = program->tiles;
  fits = fits &&
         reserve(layout, tiles ? fv_most_tiles(tokens, sequences, FV_TILE_SMALL) : 0, 2, &layout->small_tiles) &&
         reserve(layout, tiles ? fv_most_tiles(tokens, sequences, FV_TILE_LARGE) : 0, 2, &layout->large_tiles);
  for (int i = 0; i < program->group_count; i++) {
    const fovea_cuda_cache_group *group = &execution->groups[i];
    fv_group_layout *g = &layout->groups[i];
    const long long rows = rung->max_sequences < group->sequences ? rung->max_sequences : group->sequences;
    fits = fits && reserve(layout, rows, 1, &g->lengths) && reserve(layout, rows + 1, 1, &g->ends) &&
           reserve(layout, rows, group->pages_each, &g->page_table);
  }
  fits = fits && reserve(layout, program->types ? tokens : 0, 1, &layout->types) &&
         reserve(layout, program->reads_ids ? tokens : 0, 1, &layout->ids);
  return fits ? FOVEA_STATUS_OK : FOVEA_STATUS_OVERFLOW;
}

/* The capacity, then an eighth of it, and so on: so no batch launches more than eight times the blocks that it fills. */
int fv_batch_plan(fovea_cuda_execution *execution) {
  enum { FEWER = 8, LEAST = 64 };
  int tokens = execution->max_tokens;
  for (;;) {
    fv_rung *rung = &execution->rungs[execution->rung_count++];
    rung->max_tokens = tokens;
    rung->max_sequences = tokens < execution->max_tokens && tokens < execution->max_sequences
                              ? tokens
                              : execution->max_sequences;
    FV_REQUIRE(plan_layout(execution, rung));
    if (tokens < 4 * LEAST || execution->rung_count == FV_RUNGS) return FOVEA_STATUS_OK;
    tokens = tokens / FEWER < LEAST ? LEAST : tokens / FEWER;
  }
}

void fv_batch_free(fovea_cuda_execution *execution) {
  for (int i = 0; i < execution->rung_count; i++) free(execution->rungs[i].layout.groups);
}

fv_batch fv_batch_on_device(const fovea_cuda_execution *execution, const fv_rung *rung) {
  const fv_batch_layout *layout = &rung->layout;
  const fv_cu_address batch = execution->batch;
  return (fv_batch){.counts = batch,
                    .ids = batch + 4 * (fv_cu_address)layout->ids,
                    .types = batch + 4 * (fv_cu_address)layout->types,
                    .offsets = batch + 4 * (fv_cu_address)layout->offsets,
                    .small_tiles = batch + 4 * (fv_cu_address)layout->small_tiles,
                    .large_tiles = batch + 4 * (fv_cu_address)layout->large_tiles};
}

fv_group fv_group_on_device(const fovea_cuda_execution *execution, const fv_rung *rung, int group) {
  const fv_group_layout *layout = &rung->layout.groups[group];
  const fovea_cuda_cache_group *of = &execution->groups[group];
  const fv_cu_address batch = execution->batch;
  return (fv_group){.page_table = batch + 4 * (fv_cu_address)layout->page_table,
                    .lengths = batch + 4 * (fv_cu_address)layout->lengths,
                    .ends = batch + 4 * (fv_cu_address)layout->ends,
                    .pages_each = of->pages_each,
                    .dtype = of->dtype};
}

/* ---- tiles ---------------------------------------------------------------- */

/* Tiles of the sequences of more than above and at most most queries, behind the count that there are. Returns how many
   there are then. */
static int add_tiles(int sequences, const int *offsets, int above, int most, int tile, int count, int *tiles) {
  for (int s = 0; s < sequences; s++) {
    const int queries = offsets[s + 1] - offsets[s];
    if (queries <= above || queries > most) continue;
    for (int first = (queries - 1) / tile * tile; first >= 0; first -= tile) {
      tiles[2 * count] = s;
      tiles[2 * count + 1] = first;
      count++;
    }
  }
  return count;
}

void fv_batch_tiles(int sequences, const int *offsets, int *counts, int *small_tiles, int *large_tiles) {
  const int longest = add_tiles(sequences, offsets, FV_SHORT_KEYS, INT_MAX, FV_TILE_SMALL, 0, small_tiles);
  const int middle =
      add_tiles(sequences, offsets, FV_SHORT_QUERIES, FV_SHORT_KEYS, FV_TILE_SMALL, longest, small_tiles);
  counts[FV_COUNT_LONG_TILES] = longest;
  counts[FV_COUNT_MIDDLE_TILES] = middle;
  counts[FV_COUNT_SMALL_TILES] =
      add_tiles(sequences, offsets, 0, FV_SHORT_QUERIES, FV_TILE_SMALL, middle, small_tiles);
  counts[FV_COUNT_LARGE_TILES] = add_tiles(sequences, offsets, FV_SHORT_KEYS, INT_MAX, FV_TILE_LARGE, 0, large_tiles);
}

/* ---- a batch -------------------------------------------------------------- */

static int check_offsets(const fovea_cuda_program *program, int sequences, int tokens, const int *offsets,
                         fovea_cuda_failure *failure) {
  if (offsets[0] != 0 || offsets[sequences] != tokens) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "offsets go from %d to %d in place of 0 to %d", offsets[0],
                   offsets[sequences], tokens);
  }
  for (int s = 0; s < sequences; s++) {
    if (offsets[s + 1] < offsets[s]) {
      return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "offsets decrease behind sequence %d, from %d to %d", s,
                     offsets[s], offsets[s + 1]);
    }
    if (offsets[s + 1] > tokens) {
      return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "sequence %d ends at %d of %d tokens", s, offsets[s + 1],
                     tokens);
    }
    if (offsets[s + 1] - offsets[s] > program->positions) {
      return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "sequence %d has %d tokens, but there are %lld positions", s,
                     offsets[s + 1] - offsets[s], program->positions);
    }
  }
  return FOVEA_STATUS_OK;
}

static int check_ids(const fovea_cuda_program *program, int tokens, const int *ids, fovea_cuda_failure *failure) {
  for (int t = 0; t < tokens; t++) {
    if (ids[t] < 0 || ids[t] >= program->vocabulary) {
      return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "token id %d at %d is outside the vocabulary of %d", ids[t], t,
                     program->vocabulary);
    }
  }
  return FOVEA_STATUS_OK;
}

/* Takes over the types of tokens. */
static int fill_types(const fovea_cuda_program *program, int tokens, const int *types, int *own,
                      fovea_cuda_failure *failure) {
  if (!types) {
    memset(own, 0, (size_t)tokens * sizeof *own);
    return FOVEA_STATUS_OK;
  }
  memcpy(own, types, (size_t)tokens * sizeof *own);
  for (int t = 0; t < tokens; t++) {
    if (own[t] < 0 || own[t] >= program->types) {
      return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "token type %d at %d is none of the %d that there are", own[t],
                     t, program->types);
    }
  }
  return FOVEA_STATUS_OK;
}

/* The pages of keys [first, last) in a row of a table. */
static int check_pages(const int *row, const fovea_cuda_cache_group *group, int sequence, long long first,
                       long long last, fovea_cuda_failure *failure) {
  if (last > (long long)group->pages_each * FOVEA_PAGE_KEYS) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "sequence %d has %lld keys, but %d pages", sequence, last,
                   group->pages_each);
  }
  for (long long i = first / FOVEA_PAGE_KEYS; i * FOVEA_PAGE_KEYS < last; i++) {
    if (row[i] < 0 || row[i] >= group->pages) {
      return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "page %d of sequence %d is outside the %d pages", row[i],
                     sequence, group->pages);
    }
  }
  return FOVEA_STATUS_OK;
}

/* A sequence with tokens in this batch, and its row of a group. */
static int check_cached(const fv_group_limits *limits, const fovea_cuda_cache_group *group, int sequence,
                        long long tokens, long long length, long long keys, const int *row,
                        fovea_cuda_failure *failure) {
  if (length < 0) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "sequence %d has a length of %lld", sequence, length);
  }
  if (length + tokens > limits->positions) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE,
                   "sequence %d has %lld tokens behind %lld, but there are %lld positions", sequence, tokens, length,
                   limits->positions);
  }
  if (limits->appends) FV_REQUIRE(check_pages(row, group, sequence, length, length + tokens, failure));
  if (!limits->attends) return FOVEA_STATUS_OK;
  if (keys < (limits->turns_queries ? tokens : 0) || keys > limits->keys) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "sequence %d has %lld keys and %lld tokens, of %lld positions",
                   sequence, keys, tokens, limits->keys);
  }
  return check_pages(row, group, sequence, 0, keys, failure);
}

static int fill_group(const fovea_cuda_execution *execution, const fv_rung *rung, int number, int sequences,
                      const int *offsets, fovea_cuda_failure *failure) {
  const fv_group_limits *limits = &execution->program->groups[number];
  if (!limits->appends && !limits->attends && !limits->starts) return FOVEA_STATUS_OK;
  const fovea_cuda_cache_group *group = &execution->groups[number];
  const fv_group_layout *layout = &rung->layout.groups[number];
  if (sequences > group->sequences) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "there are %d sequences, but caches for %d", sequences,
                   group->sequences);
  }
  int *lengths = execution->staging + layout->lengths, *ends = execution->staging + layout->ends;
  int *table = execution->staging + layout->page_table;
  memcpy(lengths, group->lengths, (size_t)sequences * sizeof *lengths);
  memcpy(ends, group->ends, ((size_t)sequences + 1) * sizeof *ends);
  memcpy(table, group->page_table, (size_t)sequences * (size_t)group->pages_each * sizeof *table);
  for (int s = 0; s < sequences; s++) {
    const int tokens = offsets[s + 1] - offsets[s];
    if (tokens == 0) continue;
    FV_REQUIRE(check_cached(limits, group, s, tokens, lengths[s], (long long)ends[s + 1] - ends[s],
                            table + (size_t)s * (size_t)group->pages_each, failure));
  }
  return FOVEA_STATUS_OK;
}

int fv_batch_fill(const fovea_cuda_execution *execution, int sequences, const int *ids, const int *types,
                  const int *offsets, fovea_cuda_failure *failure, const fv_rung **rung, size_t *bytes) {
  const fovea_cuda_program *program = execution->program;
  if (sequences < 0 || sequences > execution->max_sequences) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "%d sequences do not fit a capacity of %d", sequences,
                   execution->max_sequences);
  }
  const int tokens = *(volatile const int *)&offsets[sequences];
  if (tokens < 0 || tokens > execution->max_tokens) {
    return fv_fail(failure, FOVEA_STATUS_OUT_OF_RANGE, "%d tokens do not fit a capacity of %d", tokens,
                   execution->max_tokens);
  }
  const fv_rung *taken = &execution->rungs[execution->rung_count - 1];
  while (taken->max_tokens < tokens || taken->max_sequences < sequences) taken--;
  int *staging = execution->staging;
  const fv_batch_layout *layout = &taken->layout;
  int *own_offsets = staging + layout->offsets;
  memcpy(own_offsets, offsets, ((size_t)sequences + 1) * sizeof *offsets);
  FV_REQUIRE(check_offsets(program, sequences, tokens, own_offsets, failure));
  if (program->reads_ids && tokens) {
    if (!ids) return FOVEA_STATUS_NULL_POINTER;
    memcpy(staging + layout->ids, ids, (size_t)tokens * sizeof *ids);
    FV_REQUIRE(check_ids(program, tokens, staging + layout->ids, failure));
  }
  if (program->types) FV_REQUIRE(fill_types(program, tokens, types, staging + layout->types, failure));
  for (int i = 0; i < program->group_count; i++) {
    FV_REQUIRE(fill_group(execution, taken, i, sequences, own_offsets, failure));
  }
  memset(staging, 0, FV_COUNTS * sizeof *staging);
  staging[FV_COUNT_TOKENS] = tokens;
  staging[FV_COUNT_SEQUENCES] = sequences;
  if (program->tiles) {
    fv_batch_tiles(sequences, own_offsets, staging, staging + layout->small_tiles, staging + layout->large_tiles);
  }
  *rung = taken;
  *bytes = ((size_t)layout->ids + (program->reads_ids ? (size_t)tokens : 0)) * sizeof *staging;
  return FOVEA_STATUS_OK;
}
