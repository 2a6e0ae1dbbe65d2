package dev.fovea.ops;

import dev.fovea.attention.AttentionTensors;
import java.util.Objects;

/**
 * Which keys a query sees by their positions: a band around the diagonal. Immutable.
 *
 * <pre>
 *   full        causal      causal, top-left   window(2, 0)
 *   # # # # #   # # # . .   # . . . .          # # # . .
 *   # # # # #   # # # # .   # # . . .          . # # # .
 *   # # # # #   # # # # #   # # # . .          . . # # #
 * </pre>
 *
 * <p>Masks by content (padding, blocks, anything else) are tensors: see {@link AttentionTensors}.
 *
 * @param left keys before the diagonal that a query sees; −1 for all
 * @param right keys behind it; 0 for causal, −1 for all
 * @param alignment which key lies on the first query's diagonal
 */
public record Mask(int left, int right, Alignment alignment) {
    /** Which key lies on a query's diagonal. */
    public enum Alignment {
        /** The last query's is the last key: queries continue what the keys hold, as with a cache. */
        BOTTOM_RIGHT,
        /** The first query's is the first key. */
        TOP_LEFT
    }

    private static final Mask NONE = new Mask(-1, -1, Alignment.BOTTOM_RIGHT);
    private static final Mask CAUSAL = new Mask(-1, 0, Alignment.BOTTOM_RIGHT);

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException if a side is less than −1
     */
    public Mask {
        if (left < -1) {
            throw new IllegalArgumentException("window left must be at least -1, got " + left);
        }
        if (right < -1) {
            throw new IllegalArgumentException("window right must be at least -1, got " + right);
        }
        Objects.requireNonNull(alignment, "alignment");
    }

    /** Every query sees every key. */
    public static Mask none() {
        return NONE;
    }

    /** No query looks ahead; the last query sees the last key. */
    public static Mask causal() {
        return CAUSAL;
    }

    /** The sliding window: {@code left} keys before the diagonal, the diagonal, and {@code right} behind it. */
    public static Mask window(int left, int right) {
        return new Mask(left, right, Alignment.BOTTOM_RIGHT);
    }

    /** A copy with the diagonal from the first query and the first key. */
    public Mask topLeft() {
        return new Mask(left, right, Alignment.TOP_LEFT);
    }

    /** The key on the diagonal of query {@code i}; it may lie before the first or behind the last. */
    public int diagonal(int i, int queries, int keys) {
        return alignment == Alignment.TOP_LEFT ? i : i + keys - queries;
    }
}
