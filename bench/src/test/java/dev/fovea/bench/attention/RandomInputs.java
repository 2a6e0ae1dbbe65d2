package dev.fovea.bench.attention;

import java.util.Random;

/** Inputs of the tests: the same in every run. */
final class RandomInputs {
    private RandomInputs() {}

    /** A mask that keeps two of three keys. */
    static AttentionMask.Keep keep(int batch, int heads, AttentionShape shape) {
        Random random = new Random(4);
        boolean[] values = new boolean[batch * heads * shape.queries() * shape.keys()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(3) > 0;
        }
        return new AttentionMask.Keep(batch, heads, values);
    }

    /** Values in (−1, 1), and every seventh −∞. */
    static AttentionMask.Bias bias(int batch, int heads, AttentionShape shape) {
        float[] values = random(5, batch, heads, shape.queries(), shape.keys());
        for (int i = 0; i < values.length; i += 7) {
            values[i] = Float.NEGATIVE_INFINITY;
        }
        return new AttentionMask.Bias(batch, heads, values);
    }

    /** Values in (−1, 1). */
    static float[] random(int seed, long... sizes) {
        Random random = new Random(seed);
        float[] values = new float[AttentionShape.elements(sizes)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }
}
