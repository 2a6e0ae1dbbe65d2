package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.graph.Activation;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Linear layers and matrix products of the plain Java backend.
 *
 * <p>A packed weight is its transpose in panels of {@link JavaProduct#COLUMNS} outputs, the last one
 * as narrow as what remains: {@code [panel][input][output of the panel]}, without gaps.
 */
final class JavaLinear {
    static final String LAYOUT = "java";

    private static final int ALIGNMENT = 64;

    private final JavaProduct product = new JavaProduct();

    static PackedLinear pack(Arena arena, Tensor weight, DType dtype) {
        int outputs = (int) weight.size(0);
        int inputs = (int) weight.size(1);
        MemorySegment source = weight.segment();
        MemorySegment panels = arena.allocate((long) outputs * inputs * Float.BYTES, ALIGNMENT);
        long at = 0;
        for (int first = 0; first < outputs; first += JavaProduct.COLUMNS) {
            int end = Math.min(outputs, first + JavaProduct.COLUMNS);
            for (int i = 0; i < inputs; i++) {
                for (int o = first; o < end; o++) {
                    long element = o * weight.stride(0) + i * weight.stride(1);
                    panels.setAtIndex(JAVA_FLOAT, at++, source.getAtIndex(JAVA_FLOAT, element));
                }
            }
        }
        return new PackedLinear(panels, outputs, inputs, dtype, LAYOUT);
    }

    void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        int inputs = weight.inputs();
        for (int row = 0; row < rows; row += JavaProduct.ROWS) {
            int tileRows = Math.min(JavaProduct.ROWS, rows - row);
            for (int column = 0; column < weight.outputs(); column += JavaProduct.COLUMNS) {
                int columns = Math.min(JavaProduct.COLUMNS, weight.outputs() - column);
                if (bias == null) {
                    product.clear(tileRows, columns);
                } else {
                    product.broadcast(bias.segment(), column, tileRows, columns);
                }
                for (int k = 0; k < inputs; k += JavaProduct.DEPTH) {
                    int depth = Math.min(JavaProduct.DEPTH, inputs - k);
                    if (column == 0 || inputs > JavaProduct.DEPTH) {
                        product.loadLeft(x.segment(), row * x.stride(0) + k, x.stride(0), tileRows, depth);
                    }
                    long panel = (long) column * inputs + (long) k * columns;
                    product.multiply(weight.data(), panel, columns, tileRows, depth, columns);
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
                        product.multiply(b.segment(), right, b.stride(1), rows, step, columns);
                    }
                }
                product.scale(alpha, rows, columns);
                long at = index * c.stride(0) + row * c.stride(1) + column;
                product.store(c.segment(), at, c.stride(1), rows, columns);
            }
        }
    }
}
