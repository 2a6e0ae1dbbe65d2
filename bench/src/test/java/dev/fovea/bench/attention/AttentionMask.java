package dev.fovea.bench.attention;

/** Which keys a query sees, or what is added to its scores: [batch, heads, queries, keys], dense. */
sealed interface AttentionMask {
    /** The sequences' number, or 1 where all have the same mask. */
    int batch();

    /** The query heads' number, or 1 where all have the same mask. */
    int heads();

    /** A mask of booleans. {@code true} keeps a score, {@code false} makes it −∞. */
    record Keep(int batch, int heads, boolean[] values) implements AttentionMask {}

    /** A mask of floats, which are added to the scaled scores. −∞ hides a key. */
    record Bias(int batch, int heads, float[] values) implements AttentionMask {}
}
