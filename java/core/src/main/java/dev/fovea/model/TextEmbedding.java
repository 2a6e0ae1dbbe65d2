package dev.fovea.model;

/**
 * A text's vector, and what it was made of.
 *
 * @param tokens tokens that the model read, special tokens included; summed over the pieces of
 *     {@link LengthPolicy#CHUNK_MEAN}
 * @param truncated whether tokens of the text were dropped
 * @param vector {@link TextEncoder#dimension()} components
 */
public record TextEmbedding(int tokens, boolean truncated, float[] vector) {}
