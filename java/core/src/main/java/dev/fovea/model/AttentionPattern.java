package dev.fovea.model;

import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;

/**
 * What every query attends to: {@code softmax(scale Q Kᵀ, masked)} of every layer and head, [layers, heads, queries,
 * keys]. Immutable.
 *
 * <pre>
 *                    key tokens
 *                    the   cat   sat
 *   query     the   1.00     0     0      a row per query, which sums to 1;
 *   tokens    cat   0.34  0.66     0      what a mask hides is 0
 *             sat   0.11  0.68  0.21
 * </pre>
 *
 * <p>In self-attention queries and keys are the same tokens; in cross-attention queries are those of the target, keys
 * those of the source. Vaswani et al., arXiv:1706.03762, section 3.2.
 */
public final class AttentionPattern {
    private final List<String> queryTokens;
    private final List<String> keyTokens;
    private final int heads;

    /** Of each layer, [heads, queries, keys]. */
    private final float[][] weights;

    private AttentionPattern(List<String> queryTokens, List<String> keyTokens, int heads, float[][] weights) {
        this.queryTokens = queryTokens;
        this.keyTokens = keyTokens;
        this.heads = heads;
        this.weights = weights;
    }

    /**
     * The pattern of one sequence.
     *
     * @param layers of each layer F32 [heads, ≥ queries, ≥ keys], of which the first rows and columns count
     * @throws IllegalArgumentException if a layer has more weights than an array holds
     */
    static AttentionPattern copyOf(List<String> queryTokens, List<String> keyTokens, List<Tensor> layers) {
        int heads = (int) layers.getFirst().size(0);
        long floats = (long) queryTokens.size() * keyTokens.size() * heads;
        if (floats > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("expected at most " + (Integer.MAX_VALUE - 8) + " weights per layer, got "
                    + floats + " of " + heads + " heads, " + queryTokens.size() + " queries and " + keyTokens.size()
                    + " keys");
        }
        float[][] weights = new float[layers.size()][(int) floats];
        for (int layer = 0; layer < weights.length; layer++) {
            copy(layers.get(layer), queryTokens.size(), keyTokens.size(), weights[layer]);
        }
        return new AttentionPattern(List.copyOf(queryTokens), List.copyOf(keyTokens), heads, weights);
    }

    private static void copy(Tensor pattern, int queries, int keys, float[] target) {
        for (int row = 0; row < target.length / Math.max(1, keys); row++) {
            long from = row / queries * pattern.stride(0) + row % queries * pattern.stride(1);
            MemorySegment.copy(pattern.segment(), ValueLayout.JAVA_FLOAT, from * Float.BYTES, target, row * keys, keys);
        }
    }

    /** The tokens that attend, special ones included, as the vocabulary spells them. */
    public List<String> queryTokens() {
        return queryTokens;
    }

    /** The tokens that are attended to, special ones included; in self-attention the query tokens. */
    public List<String> keyTokens() {
        return keyTokens;
    }

    /** The number of layers. */
    public int layers() {
        return weights.length;
    }

    /** The number of heads of a layer. */
    public int heads() {
        return heads;
    }

    /** The number of query tokens: rows. */
    public int queries() {
        return queryTokens.size();
    }

    /** The number of key tokens: columns. */
    public int keys() {
        return keyTokens.size();
    }

    /**
     * How much of a key's value a query takes, 0 to 1.
     *
     * @throws IndexOutOfBoundsException if there is no such layer, head, query or key
     */
    public float at(int layer, int head, int query, int key) {
        return weights[layer][row(head, query) + Objects.checkIndex(key, keys())];
    }

    /**
     * A copy of the weights of one query, {@link #keys()} of them.
     *
     * @throws IndexOutOfBoundsException if there is no such layer, head or query
     */
    public float[] row(int layer, int head, int query) {
        float[] row = new float[keys()];
        System.arraycopy(weights[Objects.checkIndex(layer, layers())], row(head, query), row, 0, row.length);
        return row;
    }

    private int row(int head, int query) {
        return (Objects.checkIndex(head, heads) * queries() + Objects.checkIndex(query, queries())) * keys();
    }

    /** Such as {@code pattern of 6 layers, 12 heads, 14 queries, 14 keys}. */
    @Override
    public String toString() {
        return "pattern of " + ModelProperties.count(layers(), "layer") + ", " + ModelProperties.count(heads, "head") + ", "
                + queries() + " queries, " + keys() + " keys";
    }
}
