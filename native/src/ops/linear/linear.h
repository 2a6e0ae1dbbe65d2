/*
 * Linear layer on prepacked weights: out = activation(x W^T + bias) + residual.
 * fovea.h has the contract; this is what the kernel of each ISA implements.
 *
 * Packed weights, in bytes. P is the panel width of the ISA, twice its lanes L; n the inputs; column j of panel p is
 * output p P + j, and the columns that the last panel has to spare are 0.
 *
 *   0       4       8       12      16      20                                            64
 *   | magic | dtype | isa   |outputs| inputs| zero                                        | panel 0 | panel 1 | ...
 *
 * A panel has, of
 *
 *   F32, 4 P n bytes: P floats an input
 *
 *     0               4               ...     4 P                                     8 P
 *     | w[0] column 0 | w[0] column 1 | ...   | w[1] column 0 | ...                   | w[2] column 0 | ...
 *
 *   BF16, 2 P n bytes: L words an input, each the values of two columns, of the second in the upper half
 *
 *     0               2               4               6                     ...       2 P
 *     | w[0] column 0 | w[0] column L | w[0] column 1 | w[0] column L + 1 | ...       | w[1] column 0 | ...
 *
 *   F16, 2 P n bytes: P halves an input, in the order of the columns
 *
 *   BF16 where the ISA multiplies pairs, 4 P ceil(n / 2) bytes: P words for two inputs
 *
 *     0               2               4               6                     ...       4 P
 *     | w[0] column 0 | w[1] column 0 | w[0] column 1 | w[1] column 1 |     ...       | w[2] column 0 | ...
 *
 *   I8, P (4 + G g) bytes: the scales of the columns, then g = ceil(n / G) groups of G inputs, column by column;
 *   G is FV_DOT_GROUP, 2 or 4, and FV_DOT_OFFSET was added to every byte, those behind the last input too
 *
 *     0         4             4 P                          4 P + G                   4 P + G P
 *     | scale 0 | scale 1 ... | w[0] ... w[G - 1] column 0 | w[0] ... column 1 | ... | w[G] ... column 0 | ...
 *
 *   a layout of blocks, P bytes for each of its bytes and, with scales of scales, a few more: cells of 32 inputs, before
 *   each 8 of them d, and m if there are minima, where the layout has these for 256 inputs. Fields lie for all columns
 *   one after the other, as simd/block.h lists them:
 *
 *     | d, m, or the factors of the head's | bit 4, or 2, of each value | pairs of bits of each | lower bits of each |
 *
 *   Group g of four inputs has one word of four bytes a column: the lower bits of group g < 4 are the lower halves of
 *   word g, those of g + 4 the upper; a pair of bits is at bit 2 (g % 4) of each byte of word g / 4, a bit at bit g.
 *   Whole bytes have FV_WIDE_OFFSET added.
 *
 * simd/tile.h multiplies by panels of F32, F16 and BF16, simd/pairs.h by pairs of BF16, simd/dot.h by I8,
 * simd/block.h by blocks.
 */
#ifndef FV_OPS_LINEAR_H
#define FV_OPS_LINEAR_H

#include <stdint.h>

#include "ops/layout/layout.h"

/* The first 64 bytes of packed weights. */
typedef struct fv_packed_header {
  uint32_t magic; /* FV_PACKED_MAGIC */
  int32_t dtype;  /* FOVEA_DTYPE_* */
  int32_t isa;    /* FOVEA_ISA_* of the table whose panels they are */
  int32_t outputs;
  int32_t inputs;
  int32_t zero[11];
} fv_packed_header;

#define FV_PACKED_MAGIC 0x31505646u /* "FVP1" */

typedef struct fv_linear_layout {
  long long panel_bytes;
  int block_rows; /* the most rows of a block: a block of x stays in the cache while panels stream by */
  /* Where x is rounded before: bytes of a row, and the most rows of a block then. 0: x is never rounded before. */
  long long rounded_row_bytes;
  int rounded_block_rows;
} fv_linear_layout;

/* The panels for a type of weights and a number of inputs. */
typedef fv_linear_layout fv_linear_layout_kernel(int dtype, int inputs);

typedef struct fv_linear_pack_job {
  int dtype, outputs, inputs;
  int first_output, part_outputs; /* the rows that weight has */
  long long output_stride, input_stride;
  fv_stored weight;
  char *panels;
  long long panel_bytes;
} fv_linear_pack_job;

/* Packs the part's rows of panels [first, last), and leaves the columns of others as they are. */
typedef void fv_linear_pack_kernel(const fv_linear_pack_job *job, long long first, long long last);

typedef struct fv_linear_job {
  int dtype, rows, inputs, outputs, activation;
  int panels; /* ceil(outputs / panel) */
  fv_linear_layout layout;
  long long x_stride, residual_stride, out_stride;
  const char *weights;              /* the panels */
  const float *x, *bias, *residual; /* bias and residual may be null */
  float *out;
  int32_t *rounded; /* all rows of x as linear_round leaves them; null: the kernel rounds a block on its stack */
} fv_linear_job;

/* Computes items [first, last); item i is panel i % panels of row block i / panels. */
typedef void fv_linear_kernel(const fv_linear_job *job, long long first, long long last);

/* Rounds rows [first, last) of x into job->rounded. */
typedef void fv_linear_round_kernel(const fv_linear_job *job, long long first, long long last);

/* ---- what these are made of ------------------------------------------------- */

/* Rows [row, row + rows) against panels [panel, panel + panels). */
typedef struct fv_linear_tile {
  long long row, panel;
  int rows, panels;
  const char *ahead; /* what it fetches meanwhile, step bytes per row of its panels; with step 0 nothing, for one row */
  long long step;
} fv_linear_tile;

/* The products of a tile of floats: sum [rows, panels * FV_PANEL]. */
typedef void fv_linear_tile_kernel(const fv_linear_job *job, const fv_linear_tile *tile, float *sum);

/* Rounds a row of x to eight bits, as simd/dot.h says. */
typedef void fv_linear_narrow_kernel(const float *x, long long count, int32_t *words, float *scale, int32_t *start);

/* And the products of a tile of such rows, words_of_row apart. */
typedef void fv_linear_dot_kernel(const fv_linear_job *job, const fv_linear_tile *tile, const int32_t *words,
                                  long long words_of_row, const float *scales, const int32_t *starts, float *sum);

/*
 * Finishes rows [row, row + rows) of the columns from column on: sum [rows, width], of which the last columns may be past
 * the outputs.
 */
typedef void fv_linear_finish_kernel(const fv_linear_job *job, long long row, int rows, long long column, int width,
                                     const float *sum);

#endif /* FV_OPS_LINEAR_H */
