package dev.fovea.internal.java;

/**
 * The values of a tile that are NaN or infinite, kept from queries that they are masked for: the weight 0 of a
 * masked key makes NaN of them.
 *
 * <p>They are taken out of the tile before the product, and each is added by itself to those queries that
 * attend to it. The finite elements beside them stay in the product: no query's bits depend on whether another one
 * sent the tile this way.
 */
final class StrayValues {
    private static final int MAGNITUDE = 0x7fffffff;
    private static final int INFINITY = 0x7f800000;

    private final int[] keys = new int[JavaAttention.KEYS];
    private final boolean[][] attended = new boolean[JavaAttention.KEYS][JavaAttention.QUERIES];
    private float[][] values = {};
    private int count;

    /** Makes room for values of this many elements. */
    void reserve(int dim) {
        if (values.length == 0 || values[0].length < dim) {
            values = new float[JavaAttention.KEYS][dim];
        }
    }

    /** Leaves all as it is. */
    void none() {
        count = 0;
    }

    /**
     * Puts 0 in place of the strays in {@code rows} [keys, dim].
     *
     * @param scores [keys, queries], −∞ where masked
     */
    void takeOut(float[][] rows, int rowCount, int dim, float[][] scores, int queries) {
        count = 0;
        for (int j = 0; j < rowCount; j++) {
            if (largest(rows[j], dim) < INFINITY) {
                continue;
            }
            float[] value = values[count];
            for (int d = 0; d < dim; d++) {
                boolean stray = !Float.isFinite(rows[j][d]);
                value[d] = stray ? rows[j][d] : 0;
                rows[j][d] = stray ? 0 : rows[j][d];
            }
            for (int i = 0; i < queries; i++) {
                attended[count][i] = scores[j][i] != Float.NEGATIVE_INFINITY;
            }
            keys[count++] = j;
        }
    }

    private static int largest(float[] row, int dim) {
        int largest = 0;
        for (int d = 0; d < dim; d++) {
            largest = Math.max(largest, Float.floatToRawIntBits(row[d]) & MAGNITUDE);
        }
        return largest;
    }

    /**
     * Adds what was taken out to the queries that attend to it.
     *
     * @param weights [keys, queries]
     * @param output [dim, queries]
     */
    void add(float[][] weights, int dim, int queries, float[][] output) {
        for (int n = 0; n < count; n++) {
            float[] weight = weights[keys[n]];
            for (int d = 0; d < dim; d++) {
                float value = values[n][d];
                for (int i = 0; !Float.isFinite(value) && i < queries; i++) {
                    if (attended[n][i]) {
                        output[d][i] += weight[i] * value;
                    }
                }
            }
        }
    }
}
