package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.graph.Activation;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A tile of a matrix product, held in heap arrays that C2 vectorises: {@code tile += x w}.
 *
 * <p>The caller walks the result in tiles of {@link #ROWS} × {@link #COLUMNS}, and the inner
 * dimension in steps of {@link #DEPTH}:
 *
 * <pre>
 *              w [depth, columns], four rows at a time
 *   x [rows, depth]      tile [rows, columns]
 * </pre>
 *
 * <p>Each element is one chain of additions in the order of the inner dimension, so a row's bits do
 * not depend on the rows beside it.
 */
final class JavaProduct {
    static final int ROWS = 32;
    static final int COLUMNS = 128;
    static final int DEPTH = 512;

    /** Rows of w, and elements of a row of x, that one pass takes. */
    private static final int STEP = 4;

    private final float[][] x = new float[ROWS][DEPTH];
    private final float[][] w = new float[STEP][COLUMNS];
    private final float[][] tile = new float[ROWS][COLUMNS];
    private final float[] operand = new float[COLUMNS];

    /** Starts a tile from zeros. */
    void clear(int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            Arrays.fill(tile[r], 0, columns, 0f);
        }
    }

    /** Starts a tile from a bias that every row takes; {@code at} counts elements. */
    void broadcast(MemorySegment bias, long at, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(bias, JAVA_FLOAT, at * Float.BYTES, tile[r], 0, columns);
        }
    }

    /** Reads {@code rows × depth} elements of the left side. */
    void loadLeft(MemorySegment source, long at, long stride, int rows, int depth) {
        int padded = roundUp(depth);
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(source, JAVA_FLOAT, (at + r * stride) * Float.BYTES, x[r], 0, depth);
            Arrays.fill(x[r], depth, padded, 0f);
        }
    }

    /** Adds the product of the left side with the right side's {@code [depth, columns]}. */
    void multiply(MemorySegment right, long at, long stride, int rows, int depth, int columns) {
        for (int k = 0; k < depth; k += STEP) {
            for (int i = 0; i < STEP; i++) {
                if (k + i < depth) {
                    MemorySegment.copy(right, JAVA_FLOAT, (at + (k + i) * stride) * Float.BYTES, w[i], 0, columns);
                } else {
                    Arrays.fill(w[i], 0, columns, 0f);
                }
            }
            addStep(k, rows, columns);
        }
    }

    /** Adds the product of the left side with the right side's {@code [columns, depth]}, transposed. */
    void multiplyTransposed(MemorySegment right, long at, long stride, int rows, int depth, int columns) {
        for (int k = 0; k < depth; k += STEP) {
            for (int i = 0; i < STEP; i++) {
                for (int j = 0; j < columns; j++) {
                    w[i][j] = k + i < depth ? right.getAtIndex(JAVA_FLOAT, at + j * stride + k + i) : 0f;
                }
            }
            addStep(k, rows, columns);
        }
    }

    private void addStep(int k, int rows, int columns) {
        int r = 0;
        for (; r + 1 < rows; r += 2) {
            float[] p = x[r];
            float[] q = x[r + 1];
            FloatTile.multiplyAdd(w[0], w[1], w[2], w[3], p[k], p[k + 1], p[k + 2], p[k + 3],
                    q[k], q[k + 1], q[k + 2], q[k + 3], tile[r], tile[r + 1], columns);
        }
        if (r < rows) {
            float[] p = x[r];
            FloatTile.multiplyAdd(w[0], w[1], w[2], w[3], p[k], p[k + 1], p[k + 2], p[k + 3], tile[r], columns);
        }
    }

    /** Multiplies the tile by a factor. */
    void scale(float factor, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            FloatTile.scale(factor, tile[r], columns);
        }
    }

    /** Applies an activation to the tile. */
    void activate(Activation activation, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            switch (activation) {
                case NONE -> { }
                case GELU_ERF -> FloatTile.geluErf(tile[r], columns);
                case GELU_TANH -> FloatTile.geluTanh(tile[r], columns);
            }
        }
    }

    /** Adds a residual to the tile. */
    void addResidual(MemorySegment residual, long at, long stride, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(residual, JAVA_FLOAT, (at + r * stride) * Float.BYTES, operand, 0, columns);
            FloatTile.add(operand, tile[r], columns);
        }
    }

    /** Writes the tile. */
    void store(MemorySegment out, long at, long stride, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(tile[r], 0, out, JAVA_FLOAT, (at + r * stride) * Float.BYTES, columns);
        }
    }

    private static int roundUp(int depth) {
        return (depth + STEP - 1) / STEP * STEP;
    }
}
