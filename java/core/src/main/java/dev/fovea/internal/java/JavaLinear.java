package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.internal.host.PackedLinear;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Linear layers and matrix products of the Java backends.
 *
 * <p>A packed weight is its transpose in panels of {@link JavaProduct#COLUMNS} outputs, the last one
 * as narrow as what remains: {@code [panel][input][output of the panel]}, without gaps. Before the panels
 * of I8 stand the scales of all outputs. Weights in blocks are kept as they are stored, row after row.
 */
final class JavaLinear {
    private final JavaProduct product;

    /** The rows that are packed: as many and as long as any before. */
    private float[][] rows = {};

    private float[] column = {};

    /** Weights that are kept in blocks, as they are read. */
    private final Map<PackedLinear, Weight> blocks = new IdentityHashMap<>();

    /** Linear layers whose loops are those of {@code math}, made for rows of {@link JavaProduct#COLUMNS}. */
    JavaLinear(FloatTile math) {
        product = new JavaProduct(math);
    }

    /** Bytes of a packed weight. */
    static long packedBytes(int outputs, int inputs, Layout kept) {
        return (long) outputs * inputs / kept.blockValues() * kept.blockBytes() + panelsAt(kept, outputs);
    }

    /** Packs rows {@code first …} of a weight of so many outputs. */
    void pack(Weight part, int first, int outputs, Layout kept, MemorySegment data) {
        if (!kept.isPlain()) {
            if (part.layout() != kept) {
                throw new IllegalArgumentException("weights on a backend of Java are kept as " + kept
                        + " only if they are stored so, got " + part.layout() + ": take stored");
            }
            copyBlocks(part, first, data);
            return;
        }
        int end = first + (int) part.size(0);
        for (int output = first; output < end; ) {
            int panel = output / JavaProduct.COLUMNS * JavaProduct.COLUMNS;
            int count = Math.min(panel + JavaProduct.COLUMNS, end) - output;
            packOutputs(part, output - first, count, output, outputs, kept, data);
            output += count;
        }
    }

    /** Where the panels begin, in bytes. */
    private static long panelsAt(Layout kept, int outputs) {
        return kept == Layout.I8 ? (long) outputs * Float.BYTES : 0;
    }

    /** Packs outputs of one panel. */
    private void packOutputs(Weight part, int row, int count, int output, int outputs, Layout kept,
            MemorySegment data) {
        int inputs = (int) part.size(1);
        float[][] values = read(part, row, count, inputs);
        int panel = output / JavaProduct.COLUMNS * JavaProduct.COLUMNS;
        int columns = Math.min(JavaProduct.COLUMNS, outputs - panel);
        long at = panelsAt(kept, outputs) + (long) panel * inputs * kept.blockBytes();
        for (int j = 0; j < count; j++) {
            float factor = 1;
            if (kept == Layout.I8) {
                float peak = EightBits.peak(values[j], inputs);
                data.setAtIndex(JAVA_FLOAT, output + j, EightBits.scale(peak));
                factor = EightBits.factor(peak);
            }
            for (int i = 0; i < inputs; i++) {
                float value = values[j][i];
                long to = (long) i * columns + output - panel + j;
                switch (kept) {
                    case F16 -> data.set(JAVA_SHORT, at + to * Short.BYTES, Float.floatToFloat16(value));
                    case BF16 -> data.set(JAVA_SHORT, at + to * Short.BYTES, FloatRows.bf16(value));
                    case I8 -> data.set(JAVA_BYTE, at + to, (byte) EightBits.round(value * factor));
                    default -> data.set(JAVA_FLOAT, at + to * Float.BYTES, value);
                }
            }
        }
    }

    /** Some rows of a weight, read along the direction in which they lie: [≥ count, ≥ inputs]. */
    private float[][] read(Weight part, int row, int count, int inputs) {
        if (rows.length < count || rows[0].length < inputs) {
            rows = new float[Math.max(count, rows.length)][rows.length == 0 ? inputs : Math.max(inputs, rows[0].length)];
        }
        float[][] values = rows;
        if (part.stride(1) == 1 || !part.layout().isPlain()) {
            for (int j = 0; j < count; j++) {
                part.read(row + j, 0, inputs, values[j], 0);
            }
            return values;
        }
        Weight transposed = part.transposed();
        column = column.length < count ? new float[count] : column;
        for (int i = 0; i < inputs; i++) {
            transposed.read(i, row, count, column, 0);
            for (int j = 0; j < count; j++) {
                values[j][i] = column[j];
            }
        }
        return values;
    }

    /** Blocks are kept as they are, row after row. */
    private static void copyBlocks(Weight part, int first, MemorySegment data) {
        long rowBytes = part.size(1) / part.layout().blockValues() * part.layout().blockBytes();
        long step = part.stride(0) / part.layout().blockValues() * part.layout().blockBytes();
        for (long row = 0; row < part.size(0); row++) {
            MemorySegment.copy(part.segment(), row * step, data, (first + row) * rowBytes, rowBytes);
        }
    }

    void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        for (int row = 0; row < rows; row += JavaProduct.ROWS) {
            int tileRows = Math.min(JavaProduct.ROWS, rows - row);
            if (weight.kept() == Layout.I8) {
                product.measure(x.segment(), row * x.stride(0), x.stride(0), tileRows, weight.inputs());
            }
            for (int column = 0; column < weight.outputs(); column += JavaProduct.COLUMNS) {
                int columns = Math.min(JavaProduct.COLUMNS, weight.outputs() - column);
                if (!weight.kept().isPlain()) {
                    multiplyBlocks(row, tileRows, x, weight, column, columns);
                    if (bias != null) {
                        product.addRow(bias.segment(), column, tileRows, columns);
                    }
                } else if (weight.kept() == Layout.I8) {
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
            product.multiply(weight.kept(), weight.data(), panel, columns, rows, depth, columns);
        }
    }

    /** Rows of x are rounded 32 inputs at a time, and rows of the weight read as floats. */
    private void multiplyBlocks(int row, int rows, Tensor x, PackedLinear weight, int column, int columns) {
        Weight stored = blocks.get(weight);
        if (stored == null) {
            stored = Weight.ofBlocks(weight.data(), weight.kept(), Shape.of(weight.outputs(), weight.inputs()));
            blocks.put(weight, stored);
        }
        product.clear(rows, columns);
        for (int k = 0; k < weight.inputs(); k += JavaProduct.DEPTH) {
            int depth = Math.min(JavaProduct.DEPTH, weight.inputs() - k);
            product.loadLeft(x.segment(), row * x.stride(0) + k, x.stride(0), rows, depth);
            product.roundLeft(rows, depth);
            product.multiplyRows(stored, column, k, rows, depth, columns);
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
            long panel = panelsAt(Layout.I8, weight.outputs()) + (long) column * inputs + (long) k * columns;
            product.clear(rows, columns);
            product.multiply(Layout.I8, weight.data(), panel, columns, rows, depth, columns);
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
                        product.multiply(Layout.F32, b.segment(), right, b.stride(1), rows, step, columns);
                    }
                }
                product.scale(alpha, rows, columns);
                long at = index * c.stride(0) + row * c.stride(1) + column;
                product.store(c.segment(), at, c.stride(1), rows, columns);
            }
        }
    }
}
