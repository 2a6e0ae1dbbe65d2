package dev.fovea.attention;

import dev.fovea.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Single elements of tensors, as the types F32, F16, BF16 and U8 store them. */
final class Elements {
    private Elements() {}

    /** The nearest value of a type, ties to even. */
    static float round(float value, DType type) {
        return switch (type) {
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> Float.intBitsToFloat(bfloat16(value) << 16);
            default -> value;
        };
    }

    static void store(MemorySegment memory, DType type, long index, float value) {
        switch (type) {
            case F32 -> memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, index * 4, value);
            case F16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2, Float.floatToFloat16(value));
            case BF16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2, (short) bfloat16(value));
            case U8 -> memory.set(ValueLayout.JAVA_BYTE, index, (byte) (int) value);
            default -> throw new AssertionError(type);
        }
    }

    private static int bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.isNaN(value) ? bits >>> 16 | 0x40 : bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    }
}
