/*
 * One table of kernels per instruction set. kernels.c is compiled once per row of
 * cmake/isa.cmake, with the kernel sources, and binds what they define. Each op's
 * header gives its kernel's contract, as a function type.
 */
#ifndef FV_KERNELS_H
#define FV_KERNELS_H

#include "ops/attention/attention.h"
#include "ops/cache/cache.h"
#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/layout/layout.h"
#include "ops/linear/linear.h"
#include "ops/log_softmax/log_softmax.h"
#include "ops/matmul/matmul.h"
#include "ops/normalize/normalize.h"
#include "ops/pooling/pooling.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/top_k/top_k.h"

typedef struct fv_kernels {
  int isa;                                 /* FOVEA_ISA_* */
  int linear_row_tile, linear_column_tile; /* FV_TILE_ROWS, FV_PANEL */
  fv_layout_kernel *layout;
  fv_is_finite_kernel *is_finite;
  fv_embedding_kernel *embedding;
  fv_layer_norm_kernel *layer_norm;
  fv_rms_norm_kernel *rms_norm;
  fv_elementwise_kernel *elementwise;
  fv_normalize_kernel *normalize;
  fv_linear_layout_kernel *linear_layout;
  fv_linear_pack_kernel *linear_pack;
  fv_linear_kernel *linear;
  fv_product_kernel *product;
  fv_attention_scratch_kernel *attention_scratch;
  fv_attention_kernel *attention;
  fv_attention_chunks_kernel *attention_chunks;
  fv_attention_merge_kernel *attention_merge;
  fv_cache_append_kernel *cache_append;
  fv_log_softmax_kernel *log_softmax;
  fv_top_k_kernel *top_k;
  fv_pooling_kernel *pooling;
} fv_kernels;

/* The table of an FOVEA_ISA_* code, or null where it is not built in or this CPU does not run it. */
const fv_kernels *fv_kernels_find(int isa);

#endif /* FV_KERNELS_H */
