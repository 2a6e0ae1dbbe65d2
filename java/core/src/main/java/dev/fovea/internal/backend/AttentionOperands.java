package dev.fovea.internal.backend;

import dev.fovea.tensor.Tensor;

/**
 * The tensors of one attention, as {@link DirectAttention#attention} describes them.
 *
 * @param q queries
 * @param k keys, or the pages of a cache
 * @param v values, or the pages of a cache
 * @param mask U8, or null
 * @param bias F32, or null
 * @param out results
 * @param lse takes log Σ exp of the scores, or null
 * @param weights takes the pattern, or null
 */
public record AttentionOperands(Tensor q, Tensor k, Tensor v, Tensor mask, Tensor bias, Tensor out, Tensor lse,
        Tensor weights) {}
