package dev.fovea.bench.attention;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * The formula in double precision, for some evenly spaced queries of each head, including the last: for all where
 * that takes a fraction of a second.
 */
final class AttentionReference {
    /** Absolute: of results in (−1, 1), after sums of up to 16 384 terms in single precision. */
    static final double TOLERANCE = 1e-5;

    private static final double MOST_MULTIPLY_ADDS = 3e8;
    private static final int FEWEST_QUERIES = 4;

    private final int heads;
    private final int queries;
    private final int keys;
    private final int headDim;
    private final IntUnaryOperator firstKey;
    private final IntUnaryOperator endKey;
    private final int[] sample;

    /**
     * @param firstKey the first key that a query sees
     * @param endKey the key behind the last that a query sees
     */
    AttentionReference(int heads, int queries, int keys, int headDim, IntUnaryOperator firstKey,
            IntUnaryOperator endKey) {
        this.heads = heads;
        this.queries = queries;
        this.keys = keys;
        this.headDim = headDim;
        this.firstKey = firstKey;
        this.endKey = endKey;
        int last = queries - 1;
        double ofOne = 2.0 * heads * headDim * (endKey.applyAsInt(last) - firstKey.applyAsInt(last));
        int count = (int) Math.min(queries, Math.max(FEWEST_QUERIES, MOST_MULTIPLY_ADDS / ofOne));
        sample = IntStream.rangeClosed(1, count)
                .map(i -> (int) ((long) queries * i / count) - 1)
                .toArray();
    }

    static AttentionReference of(AttentionWork work) {
        return new AttentionReference(
                work.heads(), work.tokens(), work.tokens(), work.headDim(), _ -> 0, work::keysOf);
    }

    /** What the sampled queries should get: [heads, sample, head_dim]. */
    float[] expected(AttentionInputs inputs) {
        float[] rows = new float[heads * sample.length * headDim];
        double[] sums = new double[headDim];
        for (int h = 0; h < heads; h++) {
            for (int s = 0; s < sample.length; s++) {
                attend(inputs, h, sample[s], sums);
                for (int c = 0; c < headDim; c++) {
                    rows[(h * sample.length + s) * headDim + c] = (float) sums[c];
                }
            }
        }
        return rows;
    }

    /** What the sampled queries got: [heads, sample, head_dim] of [heads, queries, head_dim]. */
    float[] sampled(float[] result) {
        float[] rows = new float[heads * sample.length * headDim];
        for (int h = 0; h < heads; h++) {
            for (int s = 0; s < sample.length; s++) {
                System.arraycopy(result, (h * queries + sample[s]) * headDim, rows,
                        (h * sample.length + s) * headDim, headDim);
            }
        }
        return rows;
    }

    private void attend(AttentionInputs inputs, int head, int query, double[] sums) {
        int first = firstKey.applyAsInt(query);
        double[] weights = new double[endKey.applyAsInt(query) - first];
        double max = Double.NEGATIVE_INFINITY;
        int row = (head * queries + query) * headDim;
        int keyRow = (head * keys + first) * headDim;
        for (int j = 0; j < weights.length; j++) {
            double dot = 0;
            for (int c = 0; c < headDim; c++) {
                dot += (double) inputs.query()[row + c] * inputs.key()[keyRow + j * headDim + c];
            }
            weights[j] = dot / Math.sqrt(headDim);
            max = Math.max(max, weights[j]);
        }
        double sum = 0;
        Arrays.fill(sums, 0);
        for (int j = 0; j < weights.length; j++) {
            double weight = Math.exp(weights[j] - max);
            sum += weight;
            for (int c = 0; c < headDim; c++) {
                sums[c] += weight * inputs.value()[keyRow + j * headDim + c];
            }
        }
        for (int c = 0; c < headDim; c++) {
            sums[c] /= sum;
        }
    }
}
