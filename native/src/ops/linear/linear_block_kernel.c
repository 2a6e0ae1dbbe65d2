/* The linear layer's kernel for weights in blocks, compiled once per ISA. Contract in linear.h, sums in simd/block.h. */
#include "fovea/fovea.h"
#include "ops/linear/linear.h"
#include "simd/block_tile.h"

fv_linear_kernel FV_NAME(linear_blocks);
fv_linear_round_kernel FV_NAME(linear_round_blocks);
fv_linear_finish_kernel FV_FLOATS(linear_finish);

/* Bytes from the cells that are multiplied to those that are fetched meanwhile. */
enum { AHEAD = 8 * 1024 };

typedef void rows_kernel(int rows, long long cells, const char *panel, const int32_t *x, long long chunk, float *c);
typedef void open_kernel(const char *head, const char *cells, int count, fv_open_cell *open);
typedef void tile_kernel(int rows, const fv_form *form, int cells, const fv_open_cell *open, const int32_t *x, float *c);

/* The fewest rows of a tile: blocks have more than are multiplied directly, and are cut into tiles of nearly equal height. */
enum { LEAST_ROWS = FV_DIRECT_ROWS < FV_TILE_ROWS / 2 ? FV_DIRECT_ROWS + 1 : FV_TILE_ROWS / 2 };

/* Tiles of unpacked cells, whatever the layout: those whose bytes are signed have no minima. */
#define DEFINE_TILES(name, is_wide)                                                                        \
  static __attribute__((noinline, unused)) void name(int rows, const fv_form *form, int cells,             \
                                                     const fv_open_cell *open, const int32_t *x,           \
                                                     float *c) {                                           \
    const bool wide = is_wide, minima = form->minima && !is_wide;                                          \
    switch (rows) {                                                                                        \
      FV_TILE_ROW_CASES(TILE_CASE)                                                                         \
      default:                                                                                             \
        __builtin_unreachable();                                                                           \
    }                                                                                                      \
  }
#define TILE_CASE(r, p)                                                    \
  case r:                                                                  \
    if (r < LEAST_ROWS) __builtin_unreachable();                           \
    fv_block_tile_fixed(wide, r, minima, form->parts, cells, open, x, c);  \
    break;
DEFINE_TILES(tiles, false)
DEFINE_TILES(tiles_wide, true)

#define DEFINE_FORM(name)                                                                                          \
  static __attribute__((noinline)) void rows_##name(int rows, long long cells, const char *panel, const int32_t *x, \
                                                    long long chunk, float *c) {                                   \
    const fv_form form = fv_form_of(FOVEA_LAYOUT_##name);                                                          \
    switch (rows) {                                                                                                \
      ROWS_CASE(1) ROWS_CASE(2) ROWS_CASE(3) ROWS_CASE(4)                                                          \
      default:                                                                                                     \
        __builtin_unreachable();                                                                                   \
    }                                                                                                              \
  }                                                                                                                \
  static __attribute__((noinline)) void open_##name(const char *head, const char *cells, int count,                \
                                                    fv_open_cell *open) {                                          \
    const fv_form form = fv_form_of(FOVEA_LAYOUT_##name);                                                          \
    for (int i = 0; i < count; i++, cells += fv_cell_bytes(form) * FV_PANEL) {                                     \
      fv_fetch(cells + AHEAD, fv_cell_bytes(form) * FV_PANEL);                                                     \
      fv_open(form, head, cells, open + i);                                                                        \
    }                                                                                                              \
  }
#define ROWS_CASE(r)                                                       \
  case r:                                                                  \
    if (r > FV_DIRECT_ROWS) __builtin_unreachable();                       \
    fv_block_rows(form, r, cells, panel, x, chunk, AHEAD, c);              \
    break;
FV_FORMS(DEFINE_FORM)

typedef struct kernels {
  rows_kernel *rows;
  open_kernel *open;
} kernels;

#define KERNELS_OF_FORM(name) [FOVEA_LAYOUT_##name] = {rows_##name, open_##name},
static const kernels kernels_of[] = {FV_FORMS(KERNELS_OF_FORM)};

static tile_kernel *tiles_of(const fv_form form) { return fv_is_wide(form) && !FV_DOT4_IS_WIDE ? tiles_wide : tiles; }

static long long least(long long a, long long b) { return a < b ? a : b; }

/* Rows [row, row + rows) of x in eight bits: words [chunks, of rows that are chunk words apart, FV_CHUNK_WORDS]. */
static void round_rows(const fv_linear_job *job, const fv_form form, long long row, int rows, long long chunk, int32_t *words) {
  const long long chunks = fv_chunks(job->inputs);
  for (int r = 0; r < rows; r++) {
    const float *x = job->x + (row + r) * job->x_stride;
    for (long long k = 0; k < chunks; k++) {
      const long long cells = least(FV_CELLS_OF_HEAD, job->inputs / FV_CELL - k * FV_CELLS_OF_HEAD);
      fv_round_cells(form, x + k * FV_CELLS_OF_HEAD * FV_CELL, cells, words + k * chunk + r * FV_CHUNK_WORDS);
    }
  }
}

void FV_NAME(linear_round_blocks)(const fv_linear_job *job, long long first, long long last) {
  round_rows(job, fv_form_of(job->dtype), first, (int)(last - first), (long long)job->rows * FV_CHUNK_WORDS,
             job->rounded + first * FV_CHUNK_WORDS);
}

/* A block of x in eight bits, perhaps on the stack of the thread that multiplies it. */
typedef struct cell_block {
  long long first; /* its first row; -1: none yet */
  int rows;
  const int32_t *words;
  long long chunk; /* words between chunks */
  float sums[FV_CELL_ROWS * FV_PANEL] __attribute__((aligned(64)));
  fv_open_cell open[FV_CELLS_OF_HEAD];
} cell_block;

/* All rows of a block against one panel: a chunk of cells is unpacked at a time, for all rows. */
static void multiply(const fv_linear_job *job, const fv_form form, const char *panel, cell_block *block) {
  const long long cells = job->inputs / FV_CELL;
  tile_kernel *tile = tiles_of(form);
  const int rows = block->rows, tiles = (rows + FV_TILE_ROWS - 1) / FV_TILE_ROWS;
  memset(block->sums, 0, (size_t)rows * FV_PANEL * sizeof *block->sums);
  const int32_t *x = block->words;
  for (long long cell = 0; cell < cells; cell += FV_CELLS_OF_HEAD, x += block->chunk) {
    const int count = (int)least(FV_CELLS_OF_HEAD, cells - cell);
    const char *at = panel + fv_cell_at(form, cell) * FV_PANEL;
    kernels_of[job->dtype].open(at - form.head * FV_PANEL, at, count, block->open);
    for (int t = 0; t < tiles; t++) {
      const int begin = (int)((long long)rows * t / tiles), end = (int)((long long)rows * (t + 1) / tiles);
      tile(end - begin, &form, count, block->open, x + begin * FV_CHUNK_WORDS, block->sums + begin * FV_PANEL);
    }
  }
}

/* room: for a block that nobody has rounded yet, or null. */
static void run(const fv_linear_job *job, long long first, long long last, int32_t *room) {
  cell_block block;
  block.first = -1;
  const fv_form form = fv_form_of(job->dtype);
  for (; first < last; first++) {
    const long long panel = first % job->panels, row = first / job->panels * job->layout.block_rows;
    if (block.first != row) {
      block.first = row;
      block.rows = (int)least(job->layout.block_rows, job->rows - row);
      block.words = room ? room : job->rounded + row * FV_CHUNK_WORDS;
      block.chunk = (long long)(room ? block.rows : job->rows) * FV_CHUNK_WORDS;
      if (room) round_rows(job, form, row, block.rows, block.chunk, room);
    }
    const char *weights = job->weights + panel * job->layout.panel_bytes;
    if (block.rows <= FV_DIRECT_ROWS) {
      kernels_of[job->dtype].rows(block.rows, job->inputs / FV_CELL, weights, block.words, block.chunk, block.sums);
    } else {
      multiply(job, form, weights, &block);
    }
    FV_FLOATS(linear_finish)(job, row, block.rows, panel * FV_PANEL, FV_PANEL, block.sums);
  }
}

static __attribute__((noinline)) void run_rounding(const fv_linear_job *job, long long first, long long last) {
  int32_t room[FV_NARROW_BYTES / 4] __attribute__((aligned(64)));
  run(job, first, last, room);
}

void FV_NAME(linear_blocks)(const fv_linear_job *job, long long first, long long last) {
  if (job->rounded) {
    run(job, first, last, 0);
  } else {
    run_rounding(job, first, last);
  }
}
