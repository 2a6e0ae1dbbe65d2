/*
 * Tiles of products by quantised weights, simd/block.h: of one or a few rows right from a panel's cells, or of many from
 * cells that were unpacked for them.
 *
 *   x [rows, FV_CHUNK_WORDS], a chunk of each row as fv_round_cells leaves it
 *   c [rows, FV_PANEL] dense; cells are added onto it
 */
#ifndef FV_SIMD_BLOCK_TILE_H
#define FV_SIMD_BLOCK_TILE_H

#include "simd/block.h"

/*
 * The most rows that are multiplied right from a panel: more are worth unpacking for. Where no instruction multiplies
 * bytes, that holds from two rows on, and few processors have AVX-512 without VNNI: two are enough for them.
 */
#if FV_LANES == 16 && !defined(__AVX512VNNI__)
enum { FV_DIRECT_ROWS = 2 };
#elif FV_LANES > 4 || defined(__aarch64__)
enum { FV_DIRECT_ROWS = 4 };
#else
enum { FV_DIRECT_ROWS = 1 };
#endif

/* An unpacked cell: d, m and bytes of all columns; parts as the form has them. */
typedef struct fv_open_cell {
  float d[2][FV_PANEL], m[2][FV_PANEL];
  int32_t words[FV_GROUPS][FV_PANEL];
} fv_open_cell __attribute__((aligned(64)));

/* How many vectors of columns a panel has, so that no compiler makes code for each: it would be no faster, and larger. */
FV_INLINE int fv_panel_vectors(void) {
  int vectors = FV_PANEL_VECTORS;
  __asm__("" : "+r"(vectors));
  return vectors;
}

FV_INLINE void fv_open(const fv_form f, const char *head, const char *cell, fv_open_cell *open) {
  const int vectors = fv_panel_vectors();
  for (int v = 0; v < vectors; v++) {
    FV_UNROLL for (int part = 0; part < f.parts; part++) {
      fv_f32 d, m = {0};
      fv_cell_scales(f, head, cell, v, part, &d, &m);
      fv_store(open->d[part] + v * FV_LANES, d);
      if (f.minima) fv_store(open->m[part] + v * FV_LANES, m);
    }
    FV_UNROLL for (int g = 0; g < FV_GROUPS; g++) {
      const fv_i32 bytes = fv_cell_group(f, cell, v, g);
      memcpy(open->words[g] + v * FV_LANES, &bytes, sizeof bytes);
    }
  }
}

/* s of a cell of x, and what the sum of a part is good for. */
FV_INLINE float fv_cell_scale(const int32_t *x) {
  float scale;
  memcpy(&scale, x + FV_GROUPS, sizeof scale);
  return scale;
}

FV_INLINE float fv_part_sum(const int32_t *x, const int part) {
  float sum;
  memcpy(&sum, x + FV_GROUPS + 1 + part, sizeof sum);
  return sum;
}

FV_INLINE fv_i32 fv_part_start(const fv_form f, const int32_t *x, const int part) {
  return f.minima ? (fv_i32){0} : (fv_i32){0} + x[FV_GROUPS + 1 + part];
}

/* sum += one part of a cell of x, whose exact products are in products: without and then with the minimum. */
FV_INLINE fv_f32 fv_add_products(fv_f32 sum, fv_i32 products, const int32_t *x, fv_f32 d) {
  return __builtin_convertvector(products, fv_f32) * (fv_cell_scale(x) * d) + sum;
}

FV_INLINE fv_f32 fv_add_minimum(fv_f32 sum, const int32_t *x, const int part, fv_f32 m) {
  return sum - fv_part_sum(x, part) * m;
}

/* rows rows, one cell of the columns of vector v, right from the panel: sum [rows]. */
FV_INLINE void fv_add_cell(const fv_form f, const int rows, const char *head, const char *cell, const int v,
                           const int32_t *x, fv_f32 *sum) {
  const int ldx = FV_CHUNK_WORDS;
  FV_UNROLL for (int part = 0; part < f.parts; part++) {
    const int begin = part * FV_GROUPS / 2, end = f.parts == 2 ? begin + FV_GROUPS / 2 : FV_GROUPS;
    fv_i32 products[FV_DIRECT_ROWS][2];
    FV_UNROLL for (int r = 0; r < rows; r++) {
      products[r][0] = fv_part_start(f, x + r * ldx, part);
      products[r][1] = (fv_i32){0};
    }
    FV_UNROLL for (int g = begin; g < end; g++) {
      const fv_i32 group = fv_cell_group(f, cell, v, g);
      const int chain = rows == 1 ? g % 2 : 0; /* two of one row hide the latency */
      FV_UNROLL for (int r = 0; r < rows; r++) {
        products[r][chain] = fv_form_dot(f, products[r][chain], group, (fv_i32){0} + x[r * ldx + g]);
      }
    }
    fv_f32 d, m = {0};
    fv_cell_scales(f, head, cell, v, part, &d, &m);
    FV_UNROLL for (int r = 0; r < rows; r++) {
      const fv_i32 all = rows == 1 ? products[r][0] + products[r][1] : products[r][0];
      sum[r] = fv_add_products(sum[r], all, x + r * ldx, d);
      if (f.minima) sum[r] = fv_add_minimum(sum[r], x + r * ldx, part, m);
    }
  }
}

/*
 * rows rows, a constant, against all cells of a panel, right from it. x: chunks are chunk words apart; c [rows, FV_PANEL],
 * written. What lies ahead bytes on is fetched meanwhile, in equal shares. One row, or two parts to a cell, is too little
 * work for one vector of columns at a time; with more the vectors take the cells of a head one after the other, as fast.
 */
FV_INLINE void fv_block_rows(const fv_form f, const int rows, long long cells, const char *panel, const int32_t *x,
                             long long chunk, long long ahead, float *c) {
  const bool together = rows == 1 || f.parts == 2;
  const int taken = together ? FV_PANEL_VECTORS : 1, vectors = together ? taken : fv_panel_vectors();
  const int bytes = fv_cell_bytes(f) * FV_PANEL, share = bytes / FV_PANEL_VECTORS;
  memset(c, 0, (size_t)rows * FV_PANEL * sizeof *c);
  for (long long done = 0; done < cells; done += FV_CELLS_OF_HEAD, x += chunk) {
    const char *head = panel;
    panel += f.head * FV_PANEL;
    const int count = cells - done < FV_CELLS_OF_HEAD ? (int)(cells - done) : FV_CELLS_OF_HEAD;
    for (int v = 0; v < vectors; v += taken) {
      fv_f32 sum[FV_PANEL_VECTORS][FV_DIRECT_ROWS];
      FV_UNROLL for (int r = 0; r < rows; r++) {
        FV_UNROLL for (int u = 0; u < taken; u++) sum[u][r] = fv_load(c + r * FV_PANEL + (v + u) * FV_LANES);
      }
      for (int i = 0; i < count; i++) {
        const char *cell = panel + i * bytes;
        fv_fetch(cell + v * share + ahead, share * taken);
        FV_UNROLL for (int u = 0; u < taken; u++) fv_add_cell(f, rows, head, cell, v + u, x + i * FV_CELL_WORDS, sum[u]);
      }
      FV_UNROLL for (int r = 0; r < rows; r++) {
        FV_UNROLL for (int u = 0; u < taken; u++) fv_store(c + r * FV_PANEL + (v + u) * FV_LANES, sum[u][r]);
      }
    }
    panel += count * bytes;
  }
}

/*
 * rows and wide, whether bytes of columns are signed, are constants wherever this is inlined. minima and parts are none:
 * a kernel for each of their values would be no faster, and the library larger by a tenth.
 */
FV_INLINE void fv_block_tile_fixed(const bool wide, const int rows, bool minima, int parts, int cells,
                                   const fv_open_cell *open, const int32_t *x, float *c) {
  const int ldx = FV_CHUNK_WORDS, groups = FV_GROUPS / parts;
  const int32_t starts = minima ? 0 : -1; /* minima: products begin at 0 */
  for (int i = 0; i < cells; i++, open++, x += FV_CELL_WORDS) {
    for (int part = 0; part < parts; part++) {
      fv_i32 products[FV_TILE_ROWS][FV_PANEL_VECTORS];
      FV_UNROLL for (int r = 0; r < rows; r++) {
        const fv_i32 start = (fv_i32){0} + (x[r * ldx + FV_GROUPS + 1 + part] & starts);
        FV_UNROLL for (int v = 0; v < FV_PANEL_VECTORS; v++) products[r][v] = start;
      }
      for (int g = part * groups; g < (part + 1) * groups; g++) {
        const fv_i32 low = fv_load_words((const char *)open->words[g]);
        const fv_i32 high = fv_load_words((const char *)(open->words[g] + FV_LANES));
        FV_UNROLL for (int r = 0; r < rows; r++) {
          const fv_i32 word = (fv_i32){0} + x[r * ldx + g];
          products[r][0] = wide ? fv_dot4_wide(products[r][0], low, word) : fv_dot4(products[r][0], low, word);
          products[r][1] = wide ? fv_dot4_wide(products[r][1], high, word) : fv_dot4(products[r][1], high, word);
        }
      }
      /* Sums come from memory: GCC would keep those of the part before in registers, and spill others. */
      __asm__ volatile("" : "+r"(c), "+r"(minima) : : "memory");
      FV_UNROLL for (int r = 0; r < rows; r++) {
        fv_f32 sum[FV_PANEL_VECTORS];
        float *to = c + r * FV_PANEL;
        FV_UNROLL for (int v = 0; v < FV_PANEL_VECTORS; v++) {
          sum[v] = fv_add_products(fv_load(to + v * FV_LANES), products[r][v], x + r * ldx,
                                   fv_load(open->d[part] + v * FV_LANES));
        }
        __asm__ volatile("" : "+r"(minima)); /* a branch here, not a loop for each */
        if (minima) {
          FV_UNROLL for (int v = 0; v < FV_PANEL_VECTORS; v++) {
            sum[v] = fv_add_minimum(sum[v], x + r * ldx, part, fv_load(open->m[part] + v * FV_LANES));
          }
        }
        FV_UNROLL for (int v = 0; v < FV_PANEL_VECTORS; v++) fv_store(to + v * FV_LANES, sum[v]);
      }
    }
  }
}

#endif /* FV_SIMD_BLOCK_TILE_H */
