package dev.fovea.model;

/**
 * A text's vector, and what it was made of.
 *
 * @param tokens tokens that the model read, special tokens included; summed over the pieces of
 *     {@link LengthPolicy#CHUNK_MEAN}
 * @param truncated whether tokens of the text were dropped
 * @param vector {@link TextEncoder#dimension()} components
 */
public record TextEmbedding(int tokens, boolean truncated, float[] vector) {
    /** Such as {@code TextEmbedding[7 tokens, 384 components: 0.0123, -0.0456, 0.0789, …]}. */
    @Override
    public String toString() {
        return "TextEmbedding[" + tokens + " tokens" + (truncated ? ", truncated" : "") + ", " + vector.length + " components: "
                + Brief.of(vector) + ']';
    }
}
