package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Contiguous elements of F32, F16 and BF16 tensors as floats, and back; U8 tensors are blocks of Q8_0, as {@link
 * dev.fovea.internal.backend.CachePages} has them. All widen exactly.
 */
public final class FloatRows {
    private static final int BF16_SHIFT = 16;
    private static final int BF16_QUIET = 0x40;
    private static final int BF16_HALF = 0x7fff;

    /** Of Q8_0: values, and bytes with the scale before them. */
    private static final int BLOCK = 32;
    private static final int BLOCK_BYTES = Short.BYTES + BLOCK;
    private static final int LARGEST = 127;

    private short[] halves = {};
    private byte[] blocks = {};

    /** Makes room for rows of this length. */
    void reserve(int count) {
        if (halves.length < count) {
            halves = new short[count];
            blocks = new byte[count / BLOCK * BLOCK_BYTES];
        }
    }

    /** Reads {@code count} elements from {@code element} on, which is a byte of blocks. */
    void read(Tensor tensor, long element, int count, float[] row) {
        DType dtype = tensor.dtype();
        long at = element * dtype.bytes();
        if (dtype == DType.F32) {
            MemorySegment.copy(tensor.segment(), JAVA_FLOAT, at, row, 0, count);
            return;
        }
        if (dtype == DType.U8) {
            MemorySegment.copy(tensor.segment(), JAVA_BYTE, at, blocks, 0, count / BLOCK * BLOCK_BYTES);
            readBlocks(row, count);
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

    private void readBlocks(float[] row, int count) {
        for (int i = 0, from = 0; i < count; i += BLOCK, from += BLOCK_BYTES) {
            float scale = Float.float16ToFloat((short) (blocks[from] & 0xff | blocks[from + 1] << Byte.SIZE));
            for (int j = 0; j < BLOCK; j++) {
                row[i + j] = scale * blocks[from + Short.BYTES + j];
            }
        }
    }

    /** Rounds to blocks as the C core does; a value that is not finite makes its block's scale NaN. */
    private void roundToBlocks(float[] row, int count) {
        for (int i = 0, to = 0; i < count; i += BLOCK, to += BLOCK_BYTES) {
            float peak = 0;
            float stray = 0;
            for (int j = i; j < i + BLOCK; j++) {
                peak = Math.max(peak, Math.abs(row[j]));
                stray += row[j] * 0;
            }
            short half = Float.floatToFloat16(peak / LARGEST + stray);
            float scale = Float.float16ToFloat(half);
            float inverse = scale != 0 ? 1 / scale : 0;
            blocks[to] = (byte) half;
            blocks[to + 1] = (byte) (half >> Byte.SIZE);
            for (int j = 0; j < BLOCK; j++) {
                float q = Math.max(-LARGEST, Math.min(LARGEST, row[i + j] * inverse));
                blocks[to + Short.BYTES + j] = (byte) Math.rint(q);
            }
        }
    }

    static void widenBf16(short[] halves, float[] row, int count) {
        for (int i = 0; i < count; i++) {
            row[i] = Float.intBitsToFloat(halves[i] << BF16_SHIFT);
        }
    }

    /** Writes {@code count} elements from {@code element} on, to half types rounded to nearest, ties to even, and to blocks. */
    void write(float[] row, int count, Tensor tensor, long element) {
        DType dtype = tensor.dtype();
        long at = element * dtype.bytes();
        if (dtype == DType.F32) {
            MemorySegment.copy(row, 0, tensor.segment(), JAVA_FLOAT, at, count);
            return;
        }
        if (dtype == DType.U8) {
            roundToBlocks(row, count);
            MemorySegment.copy(blocks, 0, tensor.segment(), JAVA_BYTE, at, count / BLOCK * BLOCK_BYTES);
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
