package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.ops.Activation;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** The elementwise ops of the Java backends, on pieces of rows that fit their loops. */
final class JavaElementwise {
    static final int COLUMNS = JavaProduct.COLUMNS;

    private final FloatTile math;
    private final float[] first = new float[COLUMNS];
    private final float[] second = new float[COLUMNS];

    /** Ops whose loops are those of {@code math}, made for rows of {@link #COLUMNS}. */
    JavaElementwise(FloatTile math) {
        this.math = math;
    }

    void add(int rows, Tensor a, Tensor b, Tensor out) {
        int width = (int) a.size(1);
        for (int r = 0; r < rows; r++) {
            for (int column = 0; column < width; column += COLUMNS) {
                int columns = Math.min(COLUMNS, width - column);
                load(a, r, column, columns, first);
                load(b, r, column, columns, second);
                math.add(second, first, columns);
                store(out, r, column, columns);
            }
        }
    }

    void multiply(int rows, Tensor a, Activation activation, Tensor b, Tensor out) {
        int width = (int) a.size(1);
        for (int r = 0; r < rows; r++) {
            for (int column = 0; column < width; column += COLUMNS) {
                int columns = Math.min(COLUMNS, width - column);
                load(a, r, column, columns, first);
                load(b, r, column, columns, second);
                math.activate(activation, first, columns);
                math.multiply(second, first, columns);
                store(out, r, column, columns);
            }
        }
    }

    void activate(int rows, Tensor x, Activation activation, Tensor out) {
        int width = (int) x.size(1);
        for (int r = 0; r < rows; r++) {
            for (int column = 0; column < width; column += COLUMNS) {
                int columns = Math.min(COLUMNS, width - column);
                load(x, r, column, columns, first);
                math.activate(activation, first, columns);
                store(out, r, column, columns);
            }
        }
    }

    private static void load(Tensor tensor, int row, int column, int columns, float[] values) {
        long start = (row * tensor.stride(0) + column) * Float.BYTES;
        MemorySegment.copy(tensor.segment(), JAVA_FLOAT, start, values, 0, columns);
    }

    private void store(Tensor tensor, int row, int column, int columns) {
        long start = (row * tensor.stride(0) + column) * Float.BYTES;
        MemorySegment.copy(first, 0, tensor.segment(), JAVA_FLOAT, start, columns);
    }
}
