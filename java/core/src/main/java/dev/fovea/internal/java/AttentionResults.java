package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Where the results of a head of a sequence go: output, log-sum-exp, and the pattern.
 *
 * <p>The pattern's memory holds the scores until the softmax's peak and sum are known.
 */
final class AttentionResults {
    private final float[] row = new float[JavaAttention.QUERIES]; // KEYS are used
    private final FloatTile math;
    private Tensor out;
    private Tensor lse;
    private Tensor weights;
    private long outFirst;
    private long outStride;
    private long lseFirst;
    private long lseStride;
    private long weightsFirst;
    private long weightsStride;

    AttentionResults(FloatTile math) {
        this.math = math;
    }

    void open(AttentionOperands tensors) {
        out = tensors.out();
        lse = tensors.lse();
        weights = tensors.weights();
    }

    /** Goes to a head of a sequence; {@code start} is where the sequence begins among all queries. */
    void select(int sequence, int start, int head) {
        boolean ragged = out.rank() == 3;
        outStride = out.stride(ragged ? 0 : 1);
        outFirst = head * out.stride(ragged ? 1 : 2) + (ragged ? start * outStride : sequence * out.stride(0));
        if (lse != null) {
            lseStride = lse.stride(lse.rank() - 1);
            lseFirst = first(lse, lse.rank() == 2, sequence, start, head);
        }
        if (weights != null) {
            weightsStride = weights.stride(weights.rank() - 2);
            weightsFirst = first(weights, weights.rank() == 3, sequence, start, head);
        }
    }

    /** The element where a head begins in [heads, queries, …] or [batch, heads, queries, …]. */
    private static long first(Tensor tensor, boolean ragged, int sequence, int start, int head) {
        return ragged
                ? head * tensor.stride(0) + start * tensor.stride(1)
                : sequence * tensor.stride(0) + head * tensor.stride(1);
    }

    /** Writes the output of a query. */
    void output(int query, float[] values, int dim) {
        MemorySegment.copy(values, 0, out.segment(), JAVA_FLOAT, (outFirst + query * outStride) * Float.BYTES, dim);
    }

    /** Writes the log of the sum of eˢ over the keys attended to; {@code sum} is that of e^(s − peak). */
    void logSumExp(int query, float peak, float sum) {
        if (lse != null) {
            float value = sum == 0 ? Float.NEGATIVE_INFINITY : (float) (peak + Math.log(sum));
            lse.segment().setAtIndex(JAVA_FLOAT, lseFirst + query * lseStride, value);
        }
    }

    /** Keeps a tile of scores [keys, queries] for {@link #pattern}. */
    void scores(float[][] scores, int firstQuery, int queries, int firstKey, int keys) {
        if (weights == null) {
            return;
        }
        for (int i = 0; i < queries; i++) {
            for (int j = 0; j < keys; j++) {
                row[j] = scores[j][i];
            }
            MemorySegment.copy(row, 0, weights.segment(), JAVA_FLOAT, patternAt(firstQuery + i, firstKey), keys);
        }
    }

    /**
     * Turns the scores of a query into its pattern.
     *
     * @param begin the first key whose score was kept
     * @param end past the last
     * @param keys keys of the sequence, of which the others get 0
     */
    void pattern(int query, float peak, float sum, int begin, int end, int keys) {
        if (weights == null) {
            return;
        }
        for (int at = 0; at < keys; at += JavaAttention.KEYS) {
            int count = Math.min(JavaAttention.KEYS, keys - at);
            int kept = at < begin ? 0 : Math.clamp(end - at, 0, count);
            MemorySegment.copy(weights.segment(), JAVA_FLOAT, patternAt(query, at), row, 0, kept);
            normalize(kept, peak, sum);
            Arrays.fill(row, kept, count, 0f);
            MemorySegment.copy(row, 0, weights.segment(), JAVA_FLOAT, patternAt(query, at), count);
        }
    }

    private void normalize(int count, float peak, float sum) {
        for (int j = 0; j < count; j++) {
            // Also where the peak is NaN.
            row[j] = row[j] == Float.NEGATIVE_INFINITY ? row[j] : row[j] - peak;
        }
        math.exp(row, count);
        for (int j = 0; j < count; j++) {
            row[j] = row[j] == 0 ? 0 : row[j] / sum;
        }
    }

    private long patternAt(int query, int key) {
        return (weightsFirst + query * weightsStride + key) * Float.BYTES;
    }
}
