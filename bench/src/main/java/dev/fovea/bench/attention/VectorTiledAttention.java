package dev.fovea.bench.attention;

import dev.fovea.bench.vector.VectorProduct;
import dev.fovea.bench.vector.VectorSoftmax;
import java.util.Arrays;

/**
 * Tiles of queries over tiles of keys with an online softmax, on the JDK's Vector API. The keys of a head are
 * transposed once, so that a row of scores is vectors of keys.
 *
 * <p>Milakov and Gimelshein, arXiv:1805.02867; Dao, FlashAttention-2, arXiv:2307.08691.
 */
final class VectorTiledAttention implements HeadAttention {
    private static final int QUERIES = 32;
    private static final int KEYS = 128;

    private final AttentionWork work;
    private final float[] keys; // [tiles, head_dim, KEYS]
    private final float[] query; // [QUERIES, head_dim], scaled
    private final float[] scores = new float[QUERIES * KEYS];
    private final float[] output; // [QUERIES, head_dim]
    private final float[] peak = new float[QUERIES];
    private final float[] sum = new float[QUERIES];

    VectorTiledAttention(AttentionWork work) {
        if (work.headDim() % VectorProduct.COLUMNS != 0) {
            throw new IllegalArgumentException(
                    "expected head_dim in multiples of " + VectorProduct.COLUMNS + ", got " + work.headDim());
        }
        this.work = work;
        keys = new float[tiles(work.tokens()) * KEYS * work.headDim()];
        query = new float[QUERIES * work.headDim()];
        output = new float[QUERIES * work.headDim()];
    }

    private static int tiles(int tokens) {
        return (tokens + KEYS - 1) / KEYS;
    }

    @Override
    public void attend(AttentionInputs inputs, float[] out, int at) {
        transpose(inputs.key(), at);
        for (int first = 0; first < work.tokens(); first += QUERIES) {
            int queries = Math.min(QUERIES, work.tokens() - first);
            begin(inputs.query(), at + first * work.headDim(), queries);
            int seen = work.keysOf(first + queries - 1);
            for (int key = 0; key < seen; key += KEYS) {
                int depth = Math.min(KEYS, seen - key);
                score(key / KEYS, depth);
                weigh(first, key, depth);
                for (int i = 0; i < QUERIES; i += VectorProduct.ROWS) {
                    VectorProduct.addFour(scores, i * KEYS, KEYS, inputs.value(), at + key * work.headDim(),
                            work.headDim(), output, i * work.headDim(), work.headDim(), depth, work.headDim());
                }
            }
            store(out, at + first * work.headDim(), queries);
        }
    }

    private void transpose(float[] key, int at) {
        int d = work.headDim();
        for (int j = 0; j < work.tokens(); j++) {
            int column = j / KEYS * KEYS * d + j % KEYS;
            for (int c = 0; c < d; c++) {
                keys[column + c * KEYS] = key[at + j * d + c];
            }
        }
    }

    private void begin(float[] source, int at, int queries) {
        int elements = queries * work.headDim();
        for (int i = 0; i < elements; i++) {
            query[i] = source[at + i] * work.scale();
        }
        Arrays.fill(query, elements, query.length, 0f);
        Arrays.fill(output, 0f);
        Arrays.fill(peak, Float.NEGATIVE_INFINITY);
        Arrays.fill(sum, 0f);
    }

    private void score(int tile, int depth) {
        int columns = roundUp(depth);
        for (int i = 0; i < QUERIES; i++) {
            Arrays.fill(scores, i * KEYS, i * KEYS + columns, 0f);
        }
        for (int i = 0; i < QUERIES; i += VectorProduct.ROWS) {
            VectorProduct.addFour(query, i * work.headDim(), work.headDim(), keys, tile * KEYS * work.headDim(), KEYS,
                    scores, i * KEYS, KEYS, work.headDim(), columns);
        }
    }

    /** Turns scores into weights under the new peak, and brings sum and output down to it. */
    private void weigh(int first, int key, int depth) {
        int columns = roundUp(depth);
        for (int i = 0; i < QUERIES; i++) {
            int row = i * KEYS;
            int seen = Math.clamp(work.keysOf(first + i) - key, 0, depth);
            Arrays.fill(scores, row + seen, row + columns, Float.NEGATIVE_INFINITY);
            float newPeak = VectorSoftmax.max(scores, row, columns, peak[i]);
            float correction = (float) Math.exp(peak[i] - newPeak);
            sum[i] = sum[i] * correction + VectorSoftmax.exponentials(scores, row, columns, newPeak);
            VectorSoftmax.scale(output, i * work.headDim(), work.headDim(), correction);
            peak[i] = newPeak;
        }
    }

    private void store(float[] out, int at, int queries) {
        for (int i = 0; i < queries; i++) {
            VectorSoftmax.scale(output, i * work.headDim(), work.headDim(), 1 / sum[i]);
        }
        System.arraycopy(output, 0, out, at, queries * work.headDim());
    }

    private static int roundUp(int columns) {
        return (columns + VectorProduct.COLUMNS - 1) / VectorProduct.COLUMNS * VectorProduct.COLUMNS;
    }

    @Override
    public long scratchBytes() {
        return (long) Float.BYTES * (keys.length + query.length + scores.length + output.length + 2 * QUERIES);
    }
}
