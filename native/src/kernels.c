/* Binds the kernels of one instruction set; compiled once per row of cmake/isa.cmake. */
#include "kernels.h"

#include "fovea/fovea.h"
#include "simd/tile.h"

fv_layout_kernel FV_FLOATS(layout);
fv_is_finite_kernel FV_FLOATS(is_finite);
fv_embedding_kernel FV_FLOATS(embedding);
fv_layer_norm_kernel FV_FLOATS(layer_norm);
fv_rms_norm_kernel FV_FLOATS(rms_norm);
fv_elementwise_kernel FV_FLOATS(elementwise);
fv_normalize_kernel FV_FLOATS(normalize);
fv_linear_layout_kernel FV_NAME(linear_layout);
fv_linear_pack_kernel FV_NAME(linear_pack);
fv_linear_kernel FV_NAME(linear);
fv_linear_round_kernel FV_NAME(linear_round);
fv_product_kernel FV_FLOATS(product);
fv_attention_scratch_kernel FV_FLOATS(attention_scratch);
fv_attention_kernel FV_FLOATS(attention);
fv_attention_chunks_kernel FV_FLOATS(attention_chunks);
fv_attention_merge_kernel FV_FLOATS(attention_merge);
fv_cache_append_kernel FV_FLOATS(cache_append);
fv_log_softmax_kernel FV_FLOATS(log_softmax);
fv_top_k_kernel FV_FLOATS(top_k);
fv_pooling_kernel FV_FLOATS(pooling);

extern const fv_kernels FV_NAME(kernels);

const fv_kernels FV_NAME(kernels) = {
    .isa = FV_ISA_CODE,
    .linear_row_tile = FV_TILE_ROWS,
    .linear_column_tile = FV_PANEL,
    .layout = FV_FLOATS(layout),
    .is_finite = FV_FLOATS(is_finite),
    .embedding = FV_FLOATS(embedding),
    .layer_norm = FV_FLOATS(layer_norm),
    .rms_norm = FV_FLOATS(rms_norm),
    .elementwise = FV_FLOATS(elementwise),
    .normalize = FV_FLOATS(normalize),
    .linear_layout = FV_NAME(linear_layout),
    .linear_pack = FV_NAME(linear_pack),
    .linear = FV_NAME(linear),
    .linear_round = FV_NAME(linear_round),
    .product = FV_FLOATS(product),
    .attention_scratch = FV_FLOATS(attention_scratch),
    .attention = FV_FLOATS(attention),
    .attention_chunks = FV_FLOATS(attention_chunks),
    .attention_merge = FV_FLOATS(attention_merge),
    .cache_append = FV_FLOATS(cache_append),
    .log_softmax = FV_FLOATS(log_softmax),
    .top_k = FV_FLOATS(top_k),
    .pooling = FV_FLOATS(pooling),
};
