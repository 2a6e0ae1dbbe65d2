package dev.fovea.bench.attention;

/**
 * The sizes of one attention.
 *
 * @param batch sequences, all of one length
 * @param heads query heads
 * @param kvHeads key and value heads; heads / kvHeads query heads, side by side, share one
 * @param queries queries of each sequence
 * @param keys keys and values of each sequence
 * @param headDim values of a query and of a key
 * @param valueDim values of a value and of a result
 */
record AttentionShape(int batch, int heads, int kvHeads, int queries, int keys, int headDim, int valueDim) {
    /** [batch, heads, queries, head_dim]. */
    long[] query() {
        return new long[] {batch, heads, queries, headDim};
    }

    /** [batch, kv_heads, keys, head_dim]. */
    long[] key() {
        return new long[] {batch, kvHeads, keys, headDim};
    }

    /** [batch, kv_heads, keys, value_dim]. */
    long[] value() {
        return new long[] {batch, kvHeads, keys, valueDim};
    }

    /** [batch, heads, queries, value_dim]. */
    long[] out() {
        return new long[] {batch, heads, queries, valueDim};
    }

    /** The values of a dense array of these sizes. */
    static int elements(long[] sizes) {
        long elements = 1;
        for (long size : sizes) {
            elements = Math.multiplyExact(elements, size);
        }
        return Math.toIntExact(elements);
    }
}
