/* Binds the kernels of one instruction set; compiled once per row of cmake/isa.cmake. */
#include "kernels.h"

#include "fovea/fovea.h"
#include "simd/tile.h"

fv_layout_kernel FV_NAME(layout);
fv_stored_read_kernel FV_NAME(stored_read);
fv_is_finite_kernel FV_NAME(is_finite);
fv_embedding_kernel FV_NAME(embedding);
fv_layer_norm_kernel FV_NAME(layer_norm);
fv_rms_norm_kernel FV_NAME(rms_norm);
fv_elementwise_kernel FV_NAME(elementwise);
fv_normalize_kernel FV_NAME(normalize);
fv_linear_layout_kernel FV_NAME(linear_layout);
fv_linear_pack_kernel FV_NAME(linear_pack);
fv_linear_kernel FV_NAME(linear);
fv_product_kernel FV_NAME(product);
fv_attention_scratch_kernel FV_NAME(attention_scratch);
fv_attention_kernel FV_NAME(attention);
fv_attention_chunks_kernel FV_NAME(attention_chunks);
fv_attention_merge_kernel FV_NAME(attention_merge);
fv_cache_append_kernel FV_NAME(cache_append);
fv_log_softmax_kernel FV_NAME(log_softmax);
fv_top_k_kernel FV_NAME(top_k);
fv_pooling_kernel FV_NAME(pooling);

extern const fv_kernels FV_NAME(kernels);

const fv_kernels FV_NAME(kernels) = {
    .isa = FV_ISA_CODE,
    .linear_row_tile = FV_TILE_ROWS,
    .linear_column_tile = FV_PANEL,
    .layout = FV_NAME(layout),
    .is_finite = FV_NAME(is_finite),
    .embedding = FV_NAME(embedding),
    .layer_norm = FV_NAME(layer_norm),
    .rms_norm = FV_NAME(rms_norm),
    .elementwise = FV_NAME(elementwise),
    .normalize = FV_NAME(normalize),
    .linear_layout = FV_NAME(linear_layout),
    .linear_pack = FV_NAME(linear_pack),
    .linear = FV_NAME(linear),
    .product = FV_NAME(product),
    .attention_scratch = FV_NAME(attention_scratch),
    .attention = FV_NAME(attention),
    .attention_chunks = FV_NAME(attention_chunks),
    .attention_merge = FV_NAME(attention_merge),
    .cache_append = FV_NAME(cache_append),
    .log_softmax = FV_NAME(log_softmax),
    .top_k = FV_NAME(top_k),
    .pooling = FV_NAME(pooling),
};
