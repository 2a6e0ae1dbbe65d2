package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Attention of the plain Java backend: tiles of queries over tiles of keys with an online softmax.
 *
 * <p>Queries are the columns of every tile, so all of a softmax is elementwise and one row of a tile
 * is one vector loop:
 *
 * <pre>
 *   scores [key, query]   = key row · query column
 *   output [value, query] = Σ over keys of value · weight
 * </pre>
 *
 * <p>Milakov and Gimelshein, arXiv:1805.02867; Dao, FlashAttention-2, arXiv:2307.08691. The tiles
 * grow to the largest head that the instance sees, and stay.
 */
final class JavaAttention {
    private static final int QUERIES = 128;
    private static final int KEYS = 64;

    /** Rows that one {@link FloatTile#multiplyAdd} takes, and rows that it adds to. */
    private static final int STEP = 4;

    private static final int PAIR = 2;

    private final float[][] scores = new float[KEYS][QUERIES];
    private final float[] peak = new float[QUERIES];
    private final float[] newPeak = new float[QUERIES];
    private final float[] sum = new float[QUERIES];
    private final int[] exponents = new int[QUERIES];
    private float[][] query = {};  // [head_dim to a multiple of STEP, QUERIES]
    private float[][] output = {}; // [value_dim to a multiple of PAIR, QUERIES]
    private float[][] rows = {};   // [KEYS, the larger of both]: keys, then values
    private float[] row = {};

    private int headDim;
    private int valueDim;
    private int queries;
    private float scale;

    void attention(int sequences, Tensor q, Tensor k, Tensor v, Tensor qOffsets, Tensor kvOffsets, float scale,
            Tensor out) {
        this.scale = scale;
        reserve((int) q.size(2), (int) v.size(2));
        int heads = (int) q.size(1);
        int group = heads / (int) k.size(1);
        for (int s = 0; s < sequences; s++) {
            int firstQuery = qOffsets.segment().getAtIndex(JAVA_INT, s);
            int endQuery = qOffsets.segment().getAtIndex(JAVA_INT, s + 1);
            int firstKey = kvOffsets.segment().getAtIndex(JAVA_INT, s);
            int endKey = kvOffsets.segment().getAtIndex(JAVA_INT, s + 1);
            for (int head = 0; head < heads; head++) {
                for (int first = firstQuery; first < endQuery; first += QUERIES) {
                    queries = Math.min(QUERIES, endQuery - first);
                    loadQueries(q, first, head);
                    attendKeys(k, v, firstKey, endKey, head / group);
                    store(out, first, head, firstKey == endKey);
                }
            }
        }
    }

    private void reserve(int newHeadDim, int newValueDim) {
        headDim = newHeadDim;
        valueDim = newValueDim;
        int queryRows = roundUp(headDim, STEP);
        int outputRows = roundUp(valueDim, PAIR);
        int width = Math.max(queryRows, outputRows);
        if (query.length < queryRows) {
            query = new float[queryRows][QUERIES];
        }
        if (output.length < outputRows) {
            output = new float[outputRows][QUERIES];
        }
        if (row.length < width) {
            row = new float[width];
            rows = new float[KEYS][width];
        }
    }

    private void loadQueries(Tensor q, int first, int head) {
        for (int i = 0; i < queries; i++) {
            long at = (first + i) * q.stride(0) + head * q.stride(1);
            MemorySegment.copy(q.segment(), JAVA_FLOAT, at * Float.BYTES, row, 0, headDim);
            for (int d = 0; d < headDim; d++) {
                query[d][i] = row[d];
            }
        }
        for (int d = headDim; d < roundUp(headDim, STEP); d++) {
            Arrays.fill(query[d], 0, queries, 0f);
        }
    }

    private void attendKeys(Tensor k, Tensor v, int firstKey, int endKey, int head) {
        Arrays.fill(peak, 0, queries, Float.NEGATIVE_INFINITY);
        Arrays.fill(sum, 0, queries, 0f);
        for (int d = 0; d < roundUp(valueDim, PAIR); d++) {
            Arrays.fill(output[d], 0, queries, 0f);
        }
        for (int first = firstKey; first < endKey; first += KEYS) {
            int keys = Math.min(KEYS, endKey - first);
            loadRows(k, first, keys, head, headDim, roundUp(headDim, STEP));
            score(keys);
            weigh(keys);
            loadRows(v, first, keys, head, valueDim, roundUp(valueDim, PAIR));
            accumulate(keys);
        }
    }

    /** Copies rows of keys or values, with zeros to {@code width}, and rows of zeros to a whole step of keys. */
    private void loadRows(Tensor source, int first, int keys, int head, int dim, int width) {
        for (int j = 0; j < keys; j++) {
            long at = (first + j) * source.stride(0) + head * source.stride(1);
            MemorySegment.copy(source.segment(), JAVA_FLOAT, at * Float.BYTES, rows[j], 0, dim);
            Arrays.fill(rows[j], dim, width, 0f);
        }
        for (int j = keys; j < roundUp(keys, STEP); j++) {
            Arrays.fill(rows[j], 0, width, 0f);
        }
    }

    /** {@code scores = scale · K Qᵀ}, two keys at a time. */
    private void score(int keys) {
        for (int j = 0; j < keys; j += PAIR) {
            float[] a = scores[j];
            float[] b = scores[j + 1];
            float[] p = rows[j];
            float[] q = rows[j + 1];
            Arrays.fill(a, 0, queries, 0f);
            Arrays.fill(b, 0, queries, 0f);
            for (int d = 0; d < headDim; d += STEP) {
                FloatTile.multiplyAdd(query[d], query[d + 1], query[d + 2], query[d + 3],
                        p[d], p[d + 1], p[d + 2], p[d + 3], q[d], q[d + 1], q[d + 2], q[d + 3], a, b, queries);
            }
            FloatTile.scale(scale, a, queries);
            FloatTile.scale(scale, b, queries);
        }
    }

    /** Turns scores into weights under the new peak, and brings sum and output down to it. */
    private void weigh(int keys) {
        System.arraycopy(peak, 0, newPeak, 0, queries);
        for (int j = 0; j < keys; j++) {
            FloatTile.max(scores[j], newPeak, queries);
        }
        float[] correction = peak;
        FloatTile.subtract(newPeak, correction, queries);
        FloatTile.exp(correction, exponents, queries);
        FloatTile.multiply(correction, sum, queries);
        for (int d = 0; d < valueDim; d++) {
            FloatTile.multiply(correction, output[d], queries);
        }
        for (int j = 0; j < keys; j++) {
            FloatTile.subtract(newPeak, scores[j], queries);
            FloatTile.exp(scores[j], exponents, queries);
            FloatTile.add(scores[j], sum, queries);
        }
        for (int j = keys; j < roundUp(keys, STEP); j++) {
            Arrays.fill(scores[j], 0, queries, 0f);
        }
        System.arraycopy(newPeak, 0, peak, 0, queries);
    }

    /** {@code output += Vᵀ weights}, two value columns at a time. */
    private void accumulate(int keys) {
        for (int d = 0; d < valueDim; d += PAIR) {
            for (int j = 0; j < keys; j += STEP) {
                FloatTile.multiplyAdd(scores[j], scores[j + 1], scores[j + 2], scores[j + 3],
                        rows[j][d], rows[j + 1][d], rows[j + 2][d], rows[j + 3][d],
                        rows[j][d + 1], rows[j + 1][d + 1], rows[j + 2][d + 1], rows[j + 3][d + 1],
                        output[d], output[d + 1], queries);
            }
        }
    }

    private void store(Tensor out, int first, int head, boolean noKeys) {
        for (int i = 0; i < queries; i++) {
            float divisor = noKeys ? 1f : sum[i];
            for (int d = 0; d < valueDim; d++) {
                row[d] = output[d][i] / divisor;
            }
            long at = (first + i) * out.stride(0) + head * out.stride(1);
            MemorySegment.copy(row, 0, out.segment(), JAVA_FLOAT, at * Float.BYTES, valueDim);
        }
    }

    private static int roundUp(int size, int multiple) {
        return (size + multiple - 1) / multiple * multiple;
    }
}
