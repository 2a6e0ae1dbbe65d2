package dev.fovea.ops;

import dev.fovea.attention.Attention;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Attention with linear biases: each head subtracts its slope times the distance of key and query from
 * the score. Press et al., arXiv:2108.12409. Immutable.
 */
public final class Alibi {
    private final Tensor slopes;

    private Alibi(float[] slopes) {
        // Not closed by anyone: a constant that lives as long as a spec refers to it.
        this.slopes = Tensor.copyOf(Arena.ofAuto(), slopes, slopes.length);
    }

    /**
     * These slopes, one per query head.
     *
     * @throws IllegalArgumentException if there is none, or one is not finite
     */
    public static Alibi of(float... slopes) {
        if (slopes.length == 0) {
            throw new IllegalArgumentException("ALiBi needs at least one slope, got none");
        }
        for (float slope : slopes) {
            if (!Float.isFinite(slope)) {
                throw new IllegalArgumentException("slopes must be finite, got " + Arrays.toString(slopes));
            }
        }
        return new Alibi(slopes);
    }

    /**
     * The paper's slopes for a number of heads: 2^(−8/n), 2^(−16/n), … for a power of two n, and for others
     * those of the next lower power, then every second one of the next higher.
     *
     * @throws IllegalArgumentException if {@code heads} is less than 1
     */
    public static Alibi forHeads(int heads) {
        if (heads < 1) {
            throw new IllegalArgumentException("heads must be at least 1, got " + heads);
        }
        int power = Integer.highestOneBit(heads);
        float[] slopes = new float[heads];
        for (int i = 0; i < heads; i++) {
            slopes[i] = (float) (i < power
                    ? Math.pow(2, -8.0 * (i + 1) / power)
                    : Math.pow(2, -4.0 * (2 * (i - power) + 1) / power));
        }
        return new Alibi(slopes);
    }

    /** The number of slopes. */
    public int heads() {
        return (int) slopes.size(0);
    }

    /** F32 [heads]. */
    public Tensor slopes() {
        return slopes;
    }

    /** Whether it has the same slopes. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Alibi that && slopes.segment().mismatch(that.slopes.segment()) < 0;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(slopes.segment().toArray(ValueLayout.JAVA_FLOAT));
    }

    /** Such as {@code ALiBi of 8 heads}. */
    @Override
    public String toString() {
        return "ALiBi of " + heads() + " heads";
    }
}
