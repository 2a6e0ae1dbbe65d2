package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What becomes of scaled scores before the softmax: softcap, biases and masks, on a tile [key, query].
 *
 * <p>A masked score is replaced by −∞, whatever it was: NaN of a key does not outlive its mask.
 */
final class ScoreRules {
    private static final float MASKED = Float.NEGATIVE_INFINITY;

    private final FloatTile math;
    private final float[] biases = new float[JavaAttention.KEYS];
    private final byte[] bytes = new byte[JavaAttention.KEYS];

    private AttentionSpec spec;
    private Tensor mask;
    private Tensor bias;
    private long maskAt;
    private long biasAt;
    private float slope;

    private int queries;   // of the tile
    private int diagonal;  // the key on the diagonal of the tile's first query
    private int beginKey;  // keys that a query of the tile may see
    private int endKey;

    ScoreRules(FloatTile math) {
        this.math = math;
    }

    void open(AttentionSpec spec, Tensor mask, Tensor bias) {
        this.spec = spec;
        this.mask = mask;
        this.bias = bias;
    }

    /**
     * Goes to a tile of queries.
     *
     * @param queryStart the sequence's first query, counted from the start of the batch
     * @param first the tile's first query, counted from the start of the sequence
     * @param queries queries of the tile
     * @param diagonal the key on the first query's diagonal
     * @param keys keys of the sequence
     */
    void select(int sequence, int queryStart, int head, int first, int queries, int diagonal, int keys) {
        this.queries = queries;
        this.diagonal = diagonal;
        long left = spec.mask().left();
        long right = spec.mask().right();
        beginKey = left < 0 ? 0 : Math.clamp(diagonal - left, 0, keys);
        endKey = right < 0 ? keys : Math.clamp(diagonal + queries + right, beginKey, keys);
        slope = spec.alibi() == null ? 0 : spec.alibi().slopes().segment().getAtIndex(JAVA_FLOAT, head);
        maskAt = mask == null ? 0 : element(mask, sequence, head, first);
        biasAt = bias == null ? 0
                : bias.rank() == 3 ? (queryStart + first) * bias.stride(0) + head * bias.stride(1)
                : element(bias, sequence, head, first);
    }

    private static long element(Tensor tensor, int sequence, int head, int query) {
        int last = tensor.rank() - 1;
        long at = query * stride(tensor, last - 1);
        return last == 1 ? at : at + head * stride(tensor, 1) + sequence * stride(tensor, 0);
    }

    /** 0 where one element stands for all. */
    private static long stride(Tensor tensor, int dimension) {
        return tensor.size(dimension) == 1 ? 0 : tensor.stride(dimension);
    }

    /** The first key that a query of the tile may see. */
    int beginKey() {
        return beginKey;
    }

    /** Past the last key that a query of the tile may see; {@link #beginKey} if there is none. */
    int endKey() {
        return endKey;
    }

    /**
     * Turns scaled scores into those that the softmax takes.
     *
     * @param scores [keys, queries]
     * @param first the key of row 0
     * @return whether any may be masked
     */
    boolean apply(float[][] scores, int first, int keys) {
        if (spec.softcap() > 0) {
            for (int j = 0; j < keys; j++) {
                math.softcap(spec.softcap(), scores[j], queries);
            }
        }
        if (bias != null) {
            addBias(scores, first, keys);
        }
        if (spec.alibi() != null) {
            for (int j = 0; j < keys; j++) {
                math.subtractDistance(slope, diagonal - first - j, scores[j], queries);
            }
        }
        if (mask != null) {
            maskByContent(scores, first, keys);
        }
        boolean cut = maskByPosition(scores, first, keys);
        return cut || bias != null || mask != null;
    }

    private void addBias(float[][] scores, int first, int keys) {
        long stride = bias.rank() == 3 ? bias.stride(0) : stride(bias, bias.rank() - 2);
        for (int i = 0; i < queries; i++) {
            long at = (biasAt + i * stride + first) * Float.BYTES;
            MemorySegment.copy(bias.segment(), JAVA_FLOAT, at, biases, 0, keys);
            for (int j = 0; j < keys; j++) {
                scores[j][i] = biases[j] == MASKED ? MASKED : scores[j][i] + biases[j];
            }
        }
    }

    private void maskByContent(float[][] scores, int first, int keys) {
        long stride = stride(mask, mask.rank() - 2);
        for (int i = 0; i < queries; i++) {
            MemorySegment.copy(mask.segment(), JAVA_BYTE, maskAt + i * stride + first, bytes, 0, keys);
            for (int j = 0; j < keys; j++) {
                if (bytes[j] == 0) {
                    scores[j][i] = MASKED;
                }
            }
        }
    }

    /** Row j keeps the queries whose diagonal lies at most {@code right} before and {@code left} behind its key. */
    private boolean maskByPosition(float[][] scores, int first, int keys) {
        long left = spec.mask().left();
        long right = spec.mask().right();
        boolean whole = (left < 0 || first >= diagonal + queries - 1 - left)
                && (right < 0 || first + keys - 1 <= diagonal + right);
        if (whole) {
            return false;
        }
        for (int j = 0; j < keys; j++) {
            long behind = (long) first + j - diagonal;
            int begin = right < 0 ? 0 : Math.clamp(behind - right, 0, queries);
            int end = left < 0 ? queries : Math.clamp(behind + left + 1, begin, queries);
            Arrays.fill(scores[j], 0, begin, MASKED);
            Arrays.fill(scores[j], end, queries, MASKED);
        }
        return true;
    }
}
