package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Contiguous elements of F32, F16 and BF16 tensors as floats, and back. Half types widen exactly. */
public final class FloatRows {
    private static final int BF16_SHIFT = 16;
    private static final int BF16_QUIET = 0x40;
    private static final int BF16_HALF = 0x7fff;

    private short[] halves = {};

    /** Makes room for rows of this length. */
    void reserve(int count) {
        if (halves.length < count) {
            halves = new short[count];
        }
    }

    /** Reads {@code count} elements from {@code element} on. */
    void read(Tensor tensor, long element, int count, float[] row) {
        DType dtype = tensor.dtype();
        long at = element * dtype.bytes();
        if (dtype == DType.F32) {
            MemorySegment.copy(tensor.segment(), JAVA_FLOAT, at, row, 0, count);
            return;
        }
        MemorySegment.copy(tensor.segment(), JAVA_SHORT, at, halves, 0, count);
        if (dtype == DType.F16) {
            for (int i = 0; i < count; i++) {
                row[i] = Float.float16ToFloat(halves[i]);
            }
        } else {
            widenBf16(halves, row, count);
        }
    }

    static void widenBf16(short[] halves, float[] row, int count) {
        for (int i = 0; i < count; i++) {
            row[i] = Float.intBitsToFloat(halves[i] << BF16_SHIFT);
        }
    }

    /** Writes {@code count} elements from {@code element} on, to half types rounded to nearest, ties to even. */
    void write(float[] row, int count, Tensor tensor, long element) {
        DType dtype = tensor.dtype();
        long at = element * dtype.bytes();
        if (dtype == DType.F32) {
            MemorySegment.copy(row, 0, tensor.segment(), JAVA_FLOAT, at, count);
            return;
        }
        if (dtype == DType.F16) {
            for (int i = 0; i < count; i++) {
                halves[i] = Float.floatToFloat16(row[i]);
            }
        } else {
            for (int i = 0; i < count; i++) {
                halves[i] = bf16(row[i]);
            }
        }
        MemorySegment.copy(halves, 0, tensor.segment(), JAVA_SHORT, at, count);
    }

    public static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            // The bits that are cut off may be all that makes it a NaN and not an infinity.
            return (short) (bits >>> BF16_SHIFT | BF16_QUIET);
        }
        return (short) ((bits + BF16_HALF + (bits >>> BF16_SHIFT & 1)) >>> BF16_SHIFT);
    }
}
