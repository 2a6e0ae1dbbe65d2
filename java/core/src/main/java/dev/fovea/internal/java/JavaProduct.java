package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.ops.Activation;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A tile of a matrix product, held in heap arrays as {@link FloatTile} takes them: {@code tile += x w}.
 *
 * <p>The caller walks the result in tiles of {@link #ROWS} × {@link #COLUMNS}, and the inner
 * dimension in steps of {@link #DEPTH}:
 *
 * <pre>
 *              w [depth, columns], a slice of rows at a time
 *   x [rows, depth]      tile [rows, columns]
 * </pre>
 *
 * <p>Each element is one chain of additions in the order of the inner dimension, so a row's bits do
 * not depend on the rows beside it.
 *
 * <p>Eight-bit integers go the same way, as floats: products of at most 127² over {@link #DEPTH} inputs
 * stay below 2²⁴, where sums of floats are exact. Past that they are added up as integers.
 */
final class JavaProduct {
    static final int ROWS = 32;
    static final int COLUMNS = 128;
    static final int DEPTH = 512;

    /** Inputs that share a scale where x meets weights in blocks. */
    private static final int CELL = 32;

    /** Rows of w that lie on the heap at a time: with a tile, they fit in an L1 cache. */
    private static final int SLICE = 16;

    private final FloatTile math;
    private final float[][] x = new float[ROWS][DEPTH];
    private final float[][] w = new float[SLICE][COLUMNS];
    private float[][] read = {}; // [COLUMNS, DEPTH] once a weight is kept in blocks
    private final float[][] tile = new float[ROWS][COLUMNS];
    private final float[] operand = new float[COLUMNS];
    private final short[] halves = new short[COLUMNS];
    private final byte[] bytes = new byte[COLUMNS];
    private final int[][] sums = new int[ROWS][COLUMNS];
    private final float[] scales = new float[ROWS];
    private final float[] factors = new float[ROWS];

    /** A product whose loops are those of {@code math}, made for rows of {@link #COLUMNS}. */
    JavaProduct(FloatTile math) {
        this.math = math;
    }

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

    /** Finds the scale of each row of the left side, all of its inputs, for {@link #quantizeLeft}. */
    void measure(MemorySegment source, long at, long stride, int rows, int inputs) {
        for (int r = 0; r < rows; r++) {
            float peak = EightBits.peak(source, at + r * stride, inputs);
            scales[r] = EightBits.scale(peak);
            factors[r] = EightBits.factor(peak);
        }
    }

    /** Rounds what was read of the left side to eight bits. */
    void quantizeLeft(int rows, int depth) {
        for (int r = 0; r < rows; r++) {
            float[] row = x[r];
            float factor = factors[r];
            for (int i = 0; i < depth; i++) {
                row[i] = EightBits.round(row[i] * factor);
            }
        }
    }

    /** Rounds what was read of the left side to eight bits, each {@link #CELL} inputs with a scale of their own. */
    void roundLeft(int rows, int depth) {
        for (int r = 0; r < rows; r++) {
            for (int cell = 0; cell < depth; cell += CELL) {
                EightBits.round(x[r], cell, Math.min(CELL, depth - cell));
            }
        }
    }

    /** Starts the integer sums from zeros. */
    void clearSums(int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            Arrays.fill(sums[r], 0, columns, 0);
        }
    }

    /** Adds a tile of integers to the sums. */
    void addToSums(int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            int[] to = sums[r];
            float[] from = tile[r];
            for (int j = 0; j < columns; j++) {
                to[j] += (int) from[j];
            }
        }
    }

    /** Turns the sums into a tile of floats; the weights' scales begin at element {@code at}. */
    void dequantize(MemorySegment weightScales, long at, int rows, int columns) {
        MemorySegment.copy(weightScales, JAVA_FLOAT, at * Float.BYTES, operand, 0, columns);
        for (int r = 0; r < rows; r++) {
            int[] from = sums[r];
            float[] to = tile[r];
            float scale = scales[r];
            for (int j = 0; j < columns; j++) {
                to[j] = from[j] * (scale * operand[j]);
            }
        }
    }

    /** Adds the product of the left side with the right side's {@code [depth, columns]} of F32, F16, BF16 or I8. */
    void multiply(Layout kept, MemorySegment right, long at, long stride, int rows, int depth, int columns) {
        for (int k = 0; k < depth; k += SLICE) {
            int count = Math.min(SLICE, depth - k);
            for (int i = 0; i < count; i++) {
                readRight(kept, right, at + (k + i) * stride, w[i], columns);
            }
            addSlice(k, rows, count, columns);
        }
    }

    private void readRight(Layout kept, MemorySegment right, long at, float[] row, int columns) {
        switch (kept) {
            case F16 -> {
                MemorySegment.copy(right, JAVA_SHORT, at * Short.BYTES, halves, 0, columns);
                for (int j = 0; j < columns; j++) {
                    row[j] = Float.float16ToFloat(halves[j]);
                }
            }
            case BF16 -> {
                MemorySegment.copy(right, JAVA_SHORT, at * Short.BYTES, halves, 0, columns);
                FloatRows.widenBf16(halves, row, columns);
            }
            case I8 -> {
                MemorySegment.copy(right, JAVA_BYTE, at, bytes, 0, columns);
                for (int j = 0; j < columns; j++) {
                    row[j] = bytes[j];
                }
            }
            default -> MemorySegment.copy(right, JAVA_FLOAT, at * Float.BYTES, row, 0, columns);
        }
    }

    /** Adds the product of the left side with the right side's {@code [columns, depth]}, transposed. */
    void multiplyTransposed(MemorySegment right, long at, long stride, int rows, int depth, int columns) {
        for (int k = 0; k < depth; k += SLICE) {
            int count = Math.min(SLICE, depth - k);
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < columns; j++) {
                    w[i][j] = right.getAtIndex(JAVA_FLOAT, at + j * stride + k + i);
                }
            }
            addSlice(k, rows, count, columns);
        }
    }

    /** The same of rows {@code row …} of a weight, from input {@code from} on. */
    void multiplyRows(Weight weight, int row, int from, int rows, int depth, int columns) {
        read = read.length == 0 ? new float[COLUMNS][DEPTH] : read;
        for (int j = 0; j < columns; j++) {
            weight.read(row + j, from, depth, read[j], 0);
        }
        for (int k = 0; k < depth; k += SLICE) {
            int count = Math.min(SLICE, depth - k);
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < columns; j++) {
                    w[i][j] = read[j][k + i];
                }
            }
            addSlice(k, rows, count, columns);
        }
    }

    private void addSlice(int k, int rows, int depth, int columns) {
        int padded = roundUp(depth);
        for (int i = depth; i < padded; i++) {
            Arrays.fill(w[i], 0, columns, 0f);
        }
        math.multiplyAdd(x, k, rows, w, padded, tile, columns);
    }

    /** Multiplies the tile by a factor. */
    void scale(float factor, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            math.scale(factor, tile[r], columns);
        }
    }

    /** Applies an activation to the tile. */
    void activate(Activation activation, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            math.activate(activation, tile[r], columns);
        }
    }

    /** Adds a vector to every row of the tile; {@code at} counts elements. */
    void addRow(MemorySegment vector, long at, int rows, int columns) {
        MemorySegment.copy(vector, JAVA_FLOAT, at * Float.BYTES, operand, 0, columns);
        for (int r = 0; r < rows; r++) {
            math.add(operand, tile[r], columns);
        }
    }

    /** Adds a residual to the tile. */
    void addResidual(MemorySegment residual, long at, long stride, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(residual, JAVA_FLOAT, (at + r * stride) * Float.BYTES, operand, 0, columns);
            math.add(operand, tile[r], columns);
        }
    }

    /** Writes the tile. */
    void store(MemorySegment out, long at, long stride, int rows, int columns) {
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(tile[r], 0, out, JAVA_FLOAT, (at + r * stride) * Float.BYTES, columns);
        }
    }

    private static int roundUp(int depth) {
        return (depth + FloatTile.STEP - 1) / FloatTile.STEP * FloatTile.STEP;
    }
}
