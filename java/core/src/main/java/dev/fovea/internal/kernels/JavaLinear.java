package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.graph.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Linear layers and matrix products of the Java backends.
 *
 * <p>A packed weight is its transpose in panels of {@link JavaProduct#COLUMNS} outputs, the last one
 * as narrow as what remains: {@code [panel][input][output of the panel]}, without gaps. Before the panels
 * of I8 stand the scales of all outputs.
 */
final class JavaLinear {
    private final JavaProduct product;

    /** Linear layers whose loops are those of {@code math}, made for rows of {@link JavaProduct#COLUMNS}. */
    JavaLinear(FloatTile math) {
        product = new JavaProduct(math);
    }

    /** Bytes of a packed weight. */
    static long packedBytes(int outputs, int inputs, DType dtype) {
        return (long) outputs * inputs * dtype.bytes() + panelsAt(dtype, outputs);
    }

    static PackedLinear pack(Tensor weight, DType dtype, MemorySegment data, String layout) {
        int outputs = (int) weight.size(0);
        int inputs = (int) weight.size(1);
        long at = panelsAt(dtype, outputs);
        for (int first = 0; first < outputs; first += JavaProduct.COLUMNS) {
            int columns = Math.min(JavaProduct.COLUMNS, outputs - first);
            packPanel(weight, dtype, first, columns, data, at);
            at += (long) inputs * columns * dtype.bytes();
        }
        return new PackedLinear(data, outputs, inputs, dtype, layout);
    }

    /** Where the panels begin, in bytes. */
    private static long panelsAt(DType dtype, int outputs) {
        return dtype == DType.I8 ? (long) outputs * Float.BYTES : 0;
    }

    private static void packPanel(Tensor weight, DType dtype, int first, int columns, MemorySegment data, long at) {
        int inputs = (int) weight.size(1);
        float[] factors = new float[columns];
        for (int j = 0; j < columns && dtype == DType.I8; j++) {
            long output = (first + j) * weight.stride(0);
            float peak = EightBits.peak(weight.segment(), output, weight.stride(1), inputs);
            data.setAtIndex(JAVA_FLOAT, first + j, EightBits.scale(peak));
            factors[j] = EightBits.factor(peak);
        }
        for (int i = 0; i < inputs; i++) {
            for (int j = 0; j < columns; j++) {
                long element = (first + j) * weight.stride(0) + i * weight.stride(1);
                float value = weight.segment().get(JAVA_FLOAT_UNALIGNED, element * Float.BYTES);
                long to = (long) i * columns + j;
                switch (dtype) {
                    case BF16 -> data.set(JAVA_SHORT, at + to * Short.BYTES, FloatRows.bf16(value));
                    case I8 -> data.set(JAVA_BYTE, at + to, (byte) EightBits.round(value * factors[j]));
                    default -> data.set(JAVA_FLOAT, at + to * Float.BYTES, value);
                }
            }
        }
    }

    void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        for (int row = 0; row < rows; row += JavaProduct.ROWS) {
            int tileRows = Math.min(JavaProduct.ROWS, rows - row);
            if (weight.dtype() == DType.I8) {
                product.measure(x.segment(), row * x.stride(0), x.stride(0), tileRows, weight.inputs());
            }
            for (int column = 0; column < weight.outputs(); column += JavaProduct.COLUMNS) {
                int columns = Math.min(JavaProduct.COLUMNS, weight.outputs() - column);
                if (weight.dtype() == DType.I8) {
                    multiplyIntegers(row, tileRows, x, weight, column, columns);
                    if (bias != null) {
                        product.addRow(bias.segment(), column, tileRows, columns);
                    }
                } else {
                    multiplyFloats(row, tileRows, x, weight, bias, column, columns);
                }
                product.activate(activation, tileRows, columns);
                if (residual != null) {
                    long at = row * residual.stride(0) + column;
                    product.addResidual(residual.segment(), at, residual.stride(0), tileRows, columns);
                }
                product.store(out.segment(), row * out.stride(0) + column, out.stride(0), tileRows, columns);
            }
        }
    }

    private void multiplyFloats(int row, int rows, Tensor x, PackedLinear weight, Tensor bias, int column,
            int columns) {
        int inputs = weight.inputs();
        if (bias == null) {
            product.clear(rows, columns);
        } else {
            product.broadcast(bias.segment(), column, rows, columns);
        }
        for (int k = 0; k < inputs; k += JavaProduct.DEPTH) {
            int depth = Math.min(JavaProduct.DEPTH, inputs - k);
            if (column == 0 || inputs > JavaProduct.DEPTH) {
                product.loadLeft(x.segment(), row * x.stride(0) + k, x.stride(0), rows, depth);
            }
            long panel = (long) column * inputs + (long) k * columns;
            product.multiply(weight.dtype(), weight.data(), panel, columns, rows, depth, columns);
        }
    }

    private void multiplyIntegers(int row, int rows, Tensor x, PackedLinear weight, int column, int columns) {
        int inputs = weight.inputs();
        product.clearSums(rows, columns);
        for (int k = 0; k < inputs; k += JavaProduct.DEPTH) {
            int depth = Math.min(JavaProduct.DEPTH, inputs - k);
            if (column == 0 || inputs > JavaProduct.DEPTH) {
                product.loadLeft(x.segment(), row * x.stride(0) + k, x.stride(0), rows, depth);
                product.quantizeLeft(rows, depth);
            }
            long panel = panelsAt(DType.I8, weight.outputs()) + (long) column * inputs + (long) k * columns;
            product.clear(rows, columns);
            product.multiply(DType.I8, weight.data(), panel, columns, rows, depth, columns);
            product.addToSums(rows, columns);
        }
        product.dequantize(weight.data(), column, rows, columns);
    }

    /** One product of a batch. */
    void matmul(int index, Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        int m = (int) c.size(1);
        int n = (int) c.size(2);
        int depth = (int) a.size(2);
        for (int row = 0; row < m; row += JavaProduct.ROWS) {
            int rows = Math.min(JavaProduct.ROWS, m - row);
            for (int column = 0; column < n; column += JavaProduct.COLUMNS) {
                int columns = Math.min(JavaProduct.COLUMNS, n - column);
                product.clear(rows, columns);
                for (int k = 0; k < depth; k += JavaProduct.DEPTH) {
                    int step = Math.min(JavaProduct.DEPTH, depth - k);
                    long left = index * a.stride(0) + row * a.stride(1) + k;
                    product.loadLeft(a.segment(), left, a.stride(1), rows, step);
                    long right = index * b.stride(0);
                    if (transposeB) {
                        right += column * b.stride(1) + k;
                        product.multiplyTransposed(b.segment(), right, b.stride(1), rows, step, columns);
                    } else {
                        right += k * b.stride(1) + column;
                        product.multiply(DType.F32, b.segment(), right, b.stride(1), rows, step, columns);
                    }
                }
                product.scale(alpha, rows, columns);
                long at = index * c.stride(0) + row * c.stride(1) + column;
                product.store(c.segment(), at, c.stride(1), rows, columns);
            }
        }
    }
}
