package dev.fovea.model;

/** What an encoder does with a text of more tokens than its model takes. */
public enum LengthPolicy {
    /** Keeps the first tokens and drops the others; {@link TextEmbedding#truncated()} is then true. */
    TRUNCATE,
    /** Throws an {@link IllegalArgumentException} that names the text's tokens and the limit. */
    ERROR,
    /**
     * Encodes the text in pieces that fit. The vector is the mean of the pieces' vectors, each weighted by its
     * tokens, and then normalised if the model's vectors are.
     */
    CHUNK_MEAN
}
