package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How the integers of a stored tensor stand for real numbers: {@code scale · (q − zeroPoint)}, as the operator
 * {@code DequantizeLinear} of ONNX computes it.
 *
 * @param scales of each column as the tensor is stored, or one for all
 * @param zeroPoints as many
 */
record Quantization(float[] scales, int[] zeroPoints) {
    private static final int ALIGNMENT = 64;

    /**
     * The real numbers, in {@code arena}, in the order in which {@code tensor} is stored.
     *
     * @param tensor I8 or U8; dense, or a view of a dense one whose dimensions are swapped
     */
    Tensor toF32(Arena arena, Tensor tensor) {
        MemorySegment stored = tensor.segment();
        long elements = tensor.shape().elements();
        MemorySegment real = arena.allocate(elements * Float.BYTES, ALIGNMENT);
        int mask = tensor.dtype() == DType.U8 ? 0xff : -1;
        int columns = scales.length;
        if (columns == 1) {
            for (long i = 0; i < elements; i++) {
                int q = stored.get(ValueLayout.JAVA_BYTE, i) & mask;
                real.setAtIndex(ValueLayout.JAVA_FLOAT, i, scales[0] * (q - zeroPoints[0]));
            }
            return Widening.likeStored(tensor, real);
        }
        for (long row = 0; row < elements; row += columns) {
            for (int column = 0; column < columns; column++) {
                int q = stored.get(ValueLayout.JAVA_BYTE, row + column) & mask;
                real.setAtIndex(ValueLayout.JAVA_FLOAT, row + column, scales[column] * (q - zeroPoints[column]));
            }
        }
        return Widening.likeStored(tensor, real);
    }
}
