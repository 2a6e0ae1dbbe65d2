package dev.fovea.bench.linear;

/**
 * The layer in double precision, for all rows or, if there are many, for some evenly spaced ones including the last.
 */
final class LinearReference {
    /** Absolute: sums of up to 1536 products of values in (−1, 1), in single precision. */
    static final double TOLERANCE = 2e-4;

    private static final int MOST_ROWS = 64;

    private final LinearWork work;
    private final int step;

    LinearReference(LinearWork work) {
        this.work = work;
        step = (work.rows() + MOST_ROWS - 1) / MOST_ROWS;
    }

    /** What the sampled rows should be: [sample, outputs]. */
    float[] expected(float[] x, float[] weight) {
        float[] rows = new float[work.rows() / step * work.outputs()];
        for (int s = 0; s < work.rows() / step; s++) {
            int at = row(s) * work.inputs();
            for (int n = 0; n < work.outputs(); n++) {
                double sum = 0;
                for (int k = 0; k < work.inputs(); k++) {
                    sum += (double) x[at + k] * weight[n * work.inputs() + k];
                }
                rows[s * work.outputs() + n] = (float) sum;
            }
        }
        return rows;
    }

    /** What the sampled rows are: [sample, outputs] of [rows, outputs]. */
    float[] sampled(float[] result) {
        float[] rows = new float[work.rows() / step * work.outputs()];
        for (int s = 0; s < work.rows() / step; s++) {
            System.arraycopy(result, row(s) * work.outputs(), rows, s * work.outputs(), work.outputs());
        }
        return rows;
    }

    private int row(int sample) {
        return (sample + 1) * step - 1 + work.rows() % step;
    }
}
