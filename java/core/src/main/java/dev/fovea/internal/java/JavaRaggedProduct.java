package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** The product of one sequence, whose tokens are the rows of a matrix. A sum runs in the order of its terms. */
final class JavaRaggedProduct {
    private JavaRaggedProduct() {}

    static void multiply(int sequence, int start, int tokens, Tensor a, Tensor b, boolean transposeA, Tensor out) {
        if (transposeA) {
            multiplyTransposed(sequence, start, tokens, a, b, out);
        } else {
            multiply(sequence, start, tokens, a, b, out);
        }
    }

    /** out [tokens, n] = A [tokens, k] · B [k, n], B being row {@code sequence} of {@code b}. */
    private static void multiply(int sequence, int start, int tokens, Tensor a, Tensor b, Tensor out) {
        int depth = (int) a.size(1);
        int columns = (int) out.size(1);
        long matrix = sequence * b.stride(0);
        for (int t = start; t < start + tokens; t++) {
            for (int c = 0; c < columns; c++) {
                double sum = 0;
                for (int k = 0; k < depth; k++) {
                    sum += (double) at(a, t, k) * b.segment().getAtIndex(JAVA_FLOAT, matrix + (long) k * columns + c);
                }
                out.segment().setAtIndex(JAVA_FLOAT, t * out.stride(0) + c, (float) sum);
            }
        }
    }

    /** out [k, n] = Aᵀ [k, tokens] · B [tokens, n], out being row {@code sequence}. */
    private static void multiplyTransposed(int sequence, int start, int tokens, Tensor a, Tensor b, Tensor out) {
        int columns = (int) b.size(1);
        MemorySegment target = out.segment();
        for (int k = 0; k < a.size(1); k++) {
            for (int c = 0; c < columns; c++) {
                double sum = 0;
                for (int t = start; t < start + tokens; t++) {
                    sum += (double) at(a, t, k) * at(b, t, c);
                }
                target.setAtIndex(JAVA_FLOAT, sequence * out.stride(0) + (long) k * columns + c, (float) sum);
            }
        }
    }

    private static float at(Tensor matrix, int row, int column) {
        return matrix.segment().getAtIndex(JAVA_FLOAT, row * matrix.stride(0) + column);
    }
}
