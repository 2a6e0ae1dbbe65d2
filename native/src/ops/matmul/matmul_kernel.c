#include "ops/matmul/matmul.h"

#include "simd/tile.h"

/*
 * Goto's loops: a panel of b, FV_PRODUCT_TERMS of its rows at a time, is packed and stays in the first cache while all
 * rows of a pass by. The sums of a block of rows wait on the stack.
 */
enum { BLOCK_ROWS = 8 * FV_TILE_ROWS };

/* Rows [first, first + terms) of a panel of b, zeros beside the last column. to [terms, FV_PANEL] */
static void pack_b(const fv_product *p, int first, int terms, int column, float *to) {
  const int columns = p->n - column < FV_PANEL ? p->n - column : FV_PANEL;
  for (int i = 0; i < terms; i++, to += FV_PANEL) {
    const float *from = p->b + (first + i) * p->b_term + column * p->b_column;
    for (int j = 0; j < columns; j++) to[j] = from[j * p->b_column];
    for (int j = columns; j < FV_PANEL; j++) to[j] = 0;
  }
}

/* Rows of a whose terms do not lie side by side. to [rows, FV_PRODUCT_TERMS] */
static void pack_a(const fv_product *p, int row, int rows, int first, int terms, float *to) {
  for (int i = 0; i < terms; i++) {
    const float *from = p->a + row * p->a_row + (first + i) * p->a_term;
    for (int r = 0; r < rows; r++) to[r * FV_PRODUCT_TERMS + i] = from[r * p->a_row];
  }
}

/* Adds what terms [first, first + terms) give to sums [rows, FV_PANEL], or stores it if they are the first. */
static void add_terms(const fv_product *p, int row, int rows, int first, int terms, const float *panel, float *sums) {
  float ones[FV_TILE_ROWS], packed[FV_TILE_ROWS * FV_PRODUCT_TERMS];
  for (int r = 0; r < FV_TILE_ROWS; r++) ones[r] = 1;
  for (int r = 0; r < rows; r += FV_TILE_ROWS, sums += FV_TILE_ROWS * FV_PANEL) {
    const int height = rows - r < FV_TILE_ROWS ? rows - r : FV_TILE_ROWS;
    const float *a = p->a + (row + r) * p->a_row + first * p->a_term;
    long long lda = p->a_row;
    if (p->a_term != 1) {
      pack_a(p, row + r, height, first, terms, packed);
      a = packed;
      lda = FV_PRODUCT_TERMS;
    }
    if (first == 0) {
      FV_FLOATS(tile)(height, 1, terms, a, lda, panel, 0, sums, FV_PANEL);
    } else {
      FV_FLOATS(tile_onto)(height, 1, terms, a, lda, panel, 0, ones, sums, FV_PANEL);
    }
  }
}

static void finish(const fv_product *p, int row, int rows, int column, const float *sums) {
  const int columns = p->n - column < FV_PANEL ? p->n - column : FV_PANEL;
  for (int r = 0; r < rows; r++, sums += FV_PANEL) {
    float *c = p->c + (row + r) * p->c_row + column;
    for (int j = 0; j < columns; j++) c[j] = p->alpha * sums[j] + (p->beta == 0 ? 0 : p->beta * c[j]);
  }
}

void FV_NAME(product)(const fv_product *p) {
  float panel[FV_PRODUCT_TERMS * FV_PANEL], sums[BLOCK_ROWS * FV_PANEL];
  for (int row = 0; row < p->rows; row += BLOCK_ROWS) {
    const int rows = p->rows - row < BLOCK_ROWS ? p->rows - row : BLOCK_ROWS;
    for (int column = 0; column < p->n; column += FV_PANEL) {
      for (int first = 0; first < p->k; first += FV_PRODUCT_TERMS) {
        const int terms = p->k - first < FV_PRODUCT_TERMS ? p->k - first : FV_PRODUCT_TERMS;
        pack_b(p, first, terms, column, panel);
        add_terms(p, row, rows, first, terms, panel, sums);
      }
      finish(p, row, rows, column, sums);
    }
  }
}
