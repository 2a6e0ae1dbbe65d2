/* The linear layer's kernel, compiled once per ISA. Contract in linear.h. */
#include "ops/linear/linear.h"

#include "fovea/fovea.h"
#include "simd/block.h"
#include "simd/dot.h"
#include "simd/pairs.h"

fv_linear_kernel FV_NAME(linear), FV_BYTES(linear_blocks);
fv_linear_round_kernel FV_NAME(linear_round), FV_BYTES(linear_round_blocks);
fv_linear_tile_kernel FV_FLOATS(linear_tile);
fv_linear_finish_kernel FV_FLOATS(linear_finish);
fv_linear_narrow_kernel FV_BYTES(linear_narrow);
fv_linear_dot_kernel FV_BYTES(linear_dot);

/* Rows of x in eight bits, or in pairs of BF16. */
typedef struct narrow_rows {
  long long first; /* of them; -1: there are none yet */
  long long words_of_row;
  int32_t *words; /* [rows, words_of_row] */
  float *scales;  /* [rows], as starts; neither is read of pairs */
  int32_t *starts;
} narrow_rows;

static long long words_of_row(const fv_linear_job *job) {
  return job->dtype == FOVEA_DTYPE_I8 ? fv_dot_groups(job->inputs) : fv_pairs(job->inputs);
}

/* Where all rows of x are, or come, in job->rounded. */
static narrow_rows rounded_rows(const fv_linear_job *job) {
  const long long words = words_of_row(job);
  float *scales = (float *)(job->rounded + job->rows * words);
  return (narrow_rows){0, words, job->rounded, scales, (int32_t *)(scales + job->rows)};
}

/* Rounds rows [row, row + rows) of x into to, which has room for them from its row at on. */
static void narrow(const fv_linear_job *job, long long row, int rows, const narrow_rows *to, long long at) {
  for (int r = 0; r < rows; r++) {
    const float *x = job->x + (row + r) * job->x_stride;
    int32_t *words = to->words + (at + r) * to->words_of_row;
    if (job->dtype == FOVEA_DTYPE_I8) {
      FV_BYTES(linear_narrow)(x, job->inputs, words, to->scales + at + r, to->starts + at + r);
    } else {
#if FV_HAS_PAIRS
      fv_round_pairs(x, job->inputs, words);
#endif
    }
  }
}

void FV_NAME(linear_round)(const fv_linear_job *job, long long first, long long last) {
  if (fv_is_block(job->dtype)) {
    FV_BYTES(linear_round_blocks)(job, first, last);
  } else {
    const narrow_rows all = rounded_rows(job);
    narrow(job, first, (int)(last - first), &all, first);
  }
}

/* sum [rows, panels * FV_PANEL], the products of a tile of rows that are narrow. */
static void multiply_narrow(const fv_linear_job *job, const narrow_rows *x, const fv_linear_tile *t, float *sum) {
  const long long at = t->row - x->first, of_row = x->words_of_row;
  const int32_t *words = x->words + at * of_row;
  if (job->dtype == FOVEA_DTYPE_I8) {
    FV_BYTES(linear_dot)(job, t, words, of_row, x->scales + at, x->starts + at, sum);
    return;
  }
#if FV_HAS_PAIRS
  const long long panel_bytes = job->layout.panel_bytes;
  fv_pair_tile(t->rows, t->panels, of_row, words, of_row, job->weights + t->panel * panel_bytes, panel_bytes, sum,
               t->panels * FV_PANEL, t->ahead, t->step);
#endif
}

static void run_tile(const fv_linear_job *job, const narrow_rows *x, const fv_linear_tile *t) {
  /* Of one panel and all rows: no policy takes more than four panels of one row, or two of two. */
  float sum[FV_TILE_ROWS * FV_PANEL] __attribute__((aligned(64)));
  if (x) {
    multiply_narrow(job, x, t, sum);
  } else {
    FV_FLOATS(linear_tile)(job, t, sum);
  }
  FV_FLOATS(linear_finish)(job, t->row, t->rows, t->panel * FV_PANEL, t->panels * FV_PANEL, sum);
}

/* Bytes of one step through a panel: a row of floats, or of a group of inputs in eight bits, or of a pair. */
static int row_bytes(int dtype, long long inputs) {
  if (fv_is_paired(dtype, inputs)) return FV_PANEL * 4;
  return dtype == FOVEA_DTYPE_I8 ? FV_PANEL * FV_DOT_GROUP : fv_panel_row_bytes(dtype);
}

/*
 * Whether a row reads so much per step that four panels, four streams, come as fast as memory gives them: floats do.
 * So do halves where vectors have 16 lanes, and chains of multiply-adds enough to hide their latency. Smaller
 * weights come faster as one stream that is fetched ahead.
 */
static int fills_four_streams(int dtype) {
  return dtype == FOVEA_DTYPE_F32 || (FV_LANES == 16 && (dtype == FOVEA_DTYPE_BF16 || dtype == FOVEA_DTYPE_F16));
}

/* How a block reads panels: how many at once, and what its tiles fetch into the cache meanwhile. */
typedef struct policy {
  int tiles;              /* of nearly equal height: 8 rows are 4 + 4, not 6 + 2, whose second tile would starve */
  int panels;             /* that a tile takes at once */
  long long ahead, apart; /* bytes from the first of these panels to what tile t fetches: ahead + t * apart */
  long long step;         /* bytes that a tile fetches per row of its panels; 0: it fetches nothing */
} policy;

/* The policy for a block of rows that has left panels to go. */
static policy choose_policy(const fv_linear_job *job, int rows, long long left) {
  const long long panel_bytes = job->layout.panel_bytes, bytes = row_bytes(job->dtype, job->inputs);
  const int tiles = (rows + FV_TILE_ROWS - 1) / FV_TILE_ROWS;
  if (tiles > 1) {
    /* The panel comes from the cache for all tiles, if those of the panel before have fetched it, a share each. */
    const long long share = (bytes + tiles - 1) / tiles;
    return (policy){.tiles = tiles, .panels = 1, .ahead = panel_bytes, .apart = panel_bytes / bytes * share,
                    .step = share};
  }
  if (rows == 1 && fills_four_streams(job->dtype)) {
    /* Streams that the processor fetches ahead by itself. */
    return (policy){.tiles = 1, .panels = left >= 4 ? 4 : 1};
  }
  if (rows <= 2 && left >= 2) {
    /* One panel would not keep the multiply-add units busy. Two are read as one stream: as they lie in memory. */
    return (policy){.tiles = 1, .panels = 2, .ahead = 2 * panel_bytes, .step = 2 * bytes};
  }
  /* A tile alone waits for memory, and for nothing that another has fetched: it fetches what it needs itself next. */
  return (policy){.tiles = 1, .panels = 1, .ahead = FV_TILE_AHEAD_BYTES, .step = bytes};
}

/* Rows [row, row + rows), one block, against as many panels from panel on as the policy takes at once. */
static void run_panels(const fv_linear_job *job, const narrow_rows *x, long long row, int rows,
                       long long panel, const policy *how) {
  const char *ahead = job->weights + panel * job->layout.panel_bytes + how->ahead;
  for (int t = 0; t < how->tiles; t++) {
    const int begin = (int)((long long)rows * t / how->tiles), end = (int)((long long)rows * (t + 1) / how->tiles);
    run_tile(job, x,
             &(fv_linear_tile){row + begin, panel, end - begin, how->panels, ahead + t * how->apart, how->step});
  }
}

/* x: where the weights want it in fewer bits, else null; all its rows, or room for those of a block. */
static void run(const fv_linear_job *job, long long first, long long last, narrow_rows *x) {
  while (first < last) {
    const long long panel = first % job->panels, row = first / job->panels * job->layout.block_rows;
    const int rows = job->rows - row < job->layout.block_rows ? (int)(job->rows - row) : job->layout.block_rows;
    if (x && !job->rounded && x->first != row) {
      narrow(job, row, rows, x, 0);
      x->first = row;
    }
    const long long left = last - first < job->panels - panel ? last - first : job->panels - panel;
    const policy how = choose_policy(job, rows, left);
    run_panels(job, x, row, rows, panel, &how);
    first += how.panels;
  }
}

static __attribute__((noinline)) void run_rounding(const fv_linear_job *job, long long first, long long last) {
  int32_t words[FV_NARROW_BYTES / 4] __attribute__((aligned(64)));
  float scales[FV_NARROW_ROWS];
  int32_t starts[FV_NARROW_ROWS];
  run(job, first, last, &(narrow_rows){-1, words_of_row(job), words, scales, starts});
}

void FV_NAME(linear)(const fv_linear_job *job, long long first, long long last) {
  if (fv_is_block(job->dtype)) {
    FV_BYTES(linear_blocks)(job, first, last);
  } else if (job->rounded) {
    narrow_rows all = rounded_rows(job);
    run(job, first, last, &all);
  } else if (job->layout.rounded_row_bytes > 0) {
    run_rounding(job, first, last);
  } else {
    run(job, first, last, 0);
  }
}
