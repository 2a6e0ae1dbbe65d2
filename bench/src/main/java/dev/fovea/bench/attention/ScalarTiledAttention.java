package dev.fovea.bench.attention;

import java.util.Arrays;

/**
 * The tiles of {@link VectorTiledAttention} in plain Java: rows of a tile are arrays of their own, and each inner loop
 * runs one index over several of them, the form that C2 turns into vector code.
 */
final class ScalarTiledAttention implements HeadAttention {
    private static final int QUERIES = 32;
    private static final int KEYS = 128;

    /** Steps of depth that one pass over a row takes. */
    private static final int STEP = 4;

    private final AttentionWork work;
    private final float[][] keys; // [tiles · head_dim, KEYS]
    private final float[][] values; // [tokens to a multiple of STEP, head_dim]
    private final float[][] query; // [QUERIES, head_dim], scaled
    private final float[][] scores = new float[QUERIES][KEYS];
    private final float[][] output; // [QUERIES, head_dim]
    private final float[] peak = new float[QUERIES];
    private final float[] sum = new float[QUERIES];

    ScalarTiledAttention(AttentionWork work) {
        if (work.headDim() % STEP != 0) {
            throw new IllegalArgumentException("expected head_dim in multiples of " + STEP + ", got " + work.headDim());
        }
        this.work = work;
        keys = new float[(work.tokens() + KEYS - 1) / KEYS * work.headDim()][KEYS];
        values = new float[(work.tokens() + STEP - 1) / STEP * STEP][work.headDim()];
        query = new float[QUERIES][work.headDim()];
        output = new float[QUERIES][work.headDim()];
    }

    @Override
    public void attend(AttentionInputs inputs, float[] out, int at) {
        int d = work.headDim();
        for (int j = 0; j < work.tokens(); j++) {
            for (int c = 0; c < d; c++) {
                keys[j / KEYS * d + c][j % KEYS] = inputs.key()[at + j * d + c];
            }
            System.arraycopy(inputs.value(), at + j * d, values[j], 0, d);
        }
        for (int first = 0; first < work.tokens(); first += QUERIES) {
            int queries = Math.min(QUERIES, work.tokens() - first);
            begin(inputs.query(), at + first * d, queries);
            int seen = work.keysOf(first + queries - 1);
            for (int key = 0; key < seen; key += KEYS) {
                for (int i = 0; i < queries; i++) {
                    attend(i, key, Math.clamp(work.keysOf(first + i) - key, 0, KEYS));
                }
            }
            store(out, at + first * d, queries);
        }
    }

    private void begin(float[] source, int at, int queries) {
        int d = work.headDim();
        for (int i = 0; i < queries; i++) {
            for (int c = 0; c < d; c++) {
                query[i][c] = source[at + i * d + c] * work.scale();
            }
            Arrays.fill(output[i], 0f);
        }
        Arrays.fill(peak, Float.NEGATIVE_INFINITY);
        Arrays.fill(sum, 0f);
    }

    /** One query and the tile of keys from {@code key} on, of which it sees the first {@code seen}. */
    private void attend(int i, int key, int seen) {
        if (seen == 0) {
            return;
        }
        float[] row = scores[i];
        float[] q = query[i];
        Arrays.fill(row, 0f);
        int tile = key / KEYS * work.headDim();
        for (int c = 0; c < work.headDim(); c += STEP) {
            multiplyAdd(q[c], q[c + 1], q[c + 2], q[c + 3], keys[tile + c], keys[tile + c + 1], keys[tile + c + 2],
                    keys[tile + c + 3], row, KEYS);
        }
        weigh(i, seen);
        for (int j = 0; j < seen; j += STEP) {
            multiplyAdd(row[j], row[j + 1], row[j + 2], row[j + 3], values[key + j], values[key + j + 1],
                    values[key + j + 2], values[key + j + 3], output[i], work.headDim());
        }
    }

    private static void multiplyAdd(float a0, float a1, float a2, float a3, float[] b0, float[] b1, float[] b2,
            float[] b3, float[] c, int columns) {
        for (int j = 0; j < columns; j++) {
            c[j] = c[j] + a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j];
        }
    }

    /** Turns the row's scores into weights under the new peak, and brings sum and output down to it. */
    private void weigh(int i, int seen) {
        float[] row = scores[i];
        float newPeak = peak[i];
        for (int j = 0; j < seen; j++) {
            newPeak = Math.max(newPeak, row[j]);
        }
        float correction = (float) Math.exp(peak[i] - newPeak);
        float weights = 0;
        for (int j = 0; j < seen; j++) {
            row[j] = (float) Math.exp(row[j] - newPeak);
            weights += row[j];
        }
        Arrays.fill(row, seen, KEYS, 0f);
        sum[i] = sum[i] * correction + weights;
        float[] to = output[i];
        for (int c = 0; c < work.headDim(); c++) {
            to[c] *= correction;
        }
        peak[i] = newPeak;
    }

    private void store(float[] out, int at, int queries) {
        int d = work.headDim();
        for (int i = 0; i < queries; i++) {
            for (int c = 0; c < d; c++) {
                out[at + i * d + c] = output[i][c] / sum[i];
            }
        }
    }

    @Override
    public long scratchBytes() {
        long rows = (long) work.headDim() * (values.length + 2L * QUERIES)
                + (long) KEYS * (keys.length + QUERIES) + 2 * QUERIES;
        return rows * Float.BYTES;
    }
}
