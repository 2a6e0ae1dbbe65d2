package dev.fovea.ops;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/**
 * Rotary position embedding: pair i of a query or key at position p is turned by the angle
 * p · frequency i. Su et al., RoFormer, arXiv:2104.09864. Immutable.
 *
 * <p>The angles are computed in double precision, once, into a table of {@code positions · dim} floats.
 */
public final class Rope {
    /** Which two elements make a pair. */
    public enum Layout {
        /** 2i and 2i + 1: GPT-J, the paper. */
        INTERLEAVED,
        /** i and i + dim/2: GPT-NeoX, Llama in the Hugging Face layout. */
        HALF
    }

    private final Layout layout;
    private final double[] frequencies;
    private final double factor;
    private final Tensor table;

    private Rope(Layout layout, double[] frequencies, double factor, int positions) {
        this.layout = Objects.requireNonNull(layout, "layout");
        if (frequencies.length == 0) {
            throw new IllegalArgumentException("RoPE needs at least one frequency, got none");
        }
        if (positions < 1) {
            throw new IllegalArgumentException("positions must be at least 1, got " + positions);
        }
        for (int i = 0; i < frequencies.length; i++) {
            if (!Double.isFinite(frequencies[i])) {
                throw new IllegalArgumentException("frequencies must be finite, got " + frequencies[i] + " at " + i);
            }
        }
        if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("RoPE factor must be positive and finite, got " + factor);
        }
        this.frequencies = frequencies.clone();
        this.factor = factor;
        // Not closed by anyone: a constant that lives as long as a spec refers to it.
        this.table = Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(positions, 2L * frequencies.length));
        fill();
    }

    private void fill() {
        int pairs = frequencies.length;
        for (long position = 0; position < table.size(0); position++) {
            for (int i = 0; i < pairs; i++) {
                double angle = position * frequencies[i];
                long at = position * 2 * pairs + i;
                table.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) (factor * Math.cos(angle)));
                table.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at + pairs, (float) (factor * Math.sin(angle)));
            }
        }
    }

    /**
     * The usual frequencies, theta^(−2i/dim).
     *
     * @param dim elements of a head that are turned, from the first on; even
     * @param theta the base: 10 000 in the paper
     * @param positions positions from 0 that the table holds, at least the longest sequence
     * @throws IllegalArgumentException if a value is out of its range
     */
    public static Rope of(Layout layout, int dim, double theta, int positions) {
        if (dim < 2 || dim % 2 != 0) {
            throw new IllegalArgumentException("RoPE dim must be even and at least 2, got " + dim);
        }
        if (!(theta > 0)) {
            throw new IllegalArgumentException("RoPE theta must be positive, got " + theta);
        }
        double[] frequencies = new double[dim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / dim);
        }
        return new Rope(layout, frequencies, 1, positions);
    }

    /**
     * Frequencies of one's own, one per pair: for models that scale them.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public static Rope ofFrequencies(Layout layout, double[] frequencies, int positions) {
        return new Rope(layout, frequencies, 1, positions);
    }

    /**
     * As {@link #ofFrequencies(Layout, double[], int)}, and what is turned is multiplied by a factor, as some models that
     * scale frequencies have it.
     *
     * @param factor above 0
     */
    public static Rope ofFrequencies(Layout layout, double[] frequencies, double factor, int positions) {
        return new Rope(layout, frequencies, factor, positions);
    }

    /** Which two elements make a pair. */
    public Layout layout() {
        return layout;
    }

    /** Elements of a head that are turned. */
    public int dim() {
        return (int) table.size(1);
    }

    /** Positions that the table holds. */
    public int positions() {
        return (int) table.size(0);
    }

    /** F32 [positions, dim]: for each position dim/2 cosines, then as many sines, all times the factor. */
    public Tensor table() {
        return table;
    }

    /** Whether it turns pairs of the same layout by the same angles and factor, for as many positions. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Rope that && layout == that.layout && positions() == that.positions()
                && factor == that.factor && Arrays.equals(frequencies, that.frequencies);
    }

    @Override
    public int hashCode() {
        return 31 * positions() + Arrays.hashCode(frequencies);
    }

    /** Such as {@code RoPE HALF of 64 elements, 2048 positions}. */
    @Override
    public String toString() {
        return "RoPE " + layout + " of " + dim() + " elements, " + positions() + " positions";
    }
}
