/*
 * A product of two matrices without OpenBLAS: the contract of the kernel that fovea_matmul and fovea_ragged_matmul
 * take where it is not loaded.
 *
 *   c = alpha a b + beta c
 *
 *   a [rows, k], element (r, i) at a[r * a_row + i * a_term]
 *   b [k, n],    element (i, j) at b[i * b_term + j * b_column]
 *   c [rows, n], element (r, j) at c[r * c_row + j]; with beta 0 it is not read
 *
 * An element is a chain of multiply-adds over FV_PRODUCT_TERMS terms, and the chains are added in their order: its
 * bits depend on its row and its column alone.
 */
#ifndef FV_MATMUL_H
#define FV_MATMUL_H

#define FV_PRODUCT_TERMS 128

typedef struct fv_product {
  int rows, n, k; /* at least 1 */
  const float *a;
  long long a_row, a_term;
  const float *b;
  long long b_term, b_column;
  float alpha, beta;
  float *c;
  long long c_row;
} fv_product;

typedef void fv_product_kernel(const fv_product *product);

#endif /* FV_MATMUL_H */
