package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Brings stored floating-point tensors to aligned {@code F32}. */
final class Widening {
    private static final int ALIGNMENT = 64;
    private static final ValueLayout.OfShort HALF =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Widening() {}

    /** The tensor itself where it is {@code F32} at a multiple of 4 bytes, otherwise a copy in {@code arena}. */
    static Tensor toF32(Arena arena, Tensor tensor) {
        MemorySegment stored = tensor.segment();
        if (tensor.dtype() == DType.F32 && stored.address() % Float.BYTES == 0) {
            return tensor;
        }
        long elements = tensor.shape().elements();
        MemorySegment widened = arena.allocate(elements * Float.BYTES, ALIGNMENT);
        switch (tensor.dtype()) {
            case F32 -> MemorySegment.copy(stored, 0, widened, 0, elements * Float.BYTES);
            case F16 -> {
                for (long i = 0; i < elements; i++) {
                    widened.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.float16ToFloat(stored.getAtIndex(HALF, i)));
                }
            }
            case BF16 -> {
                for (long i = 0; i < elements; i++) {
                    widened.setAtIndex(ValueLayout.JAVA_INT, i, stored.getAtIndex(HALF, i) << Short.SIZE);
                }
            }
            default -> throw new IllegalArgumentException("expected a floating-point type, got " + tensor.dtype());
        }
        return likeStored(tensor, widened);
    }

    /** The {@code F32} tensor of these elements, with shape and strides of the stored one. */
    static Tensor likeStored(Tensor stored, MemorySegment elements) {
        long[] strides = new long[stored.rank()];
        for (int i = 0; i < strides.length; i++) {
            strides[i] = stored.stride(i);
        }
        return Tensor.of(elements, DType.F32, stored.shape(), strides);
    }
}
