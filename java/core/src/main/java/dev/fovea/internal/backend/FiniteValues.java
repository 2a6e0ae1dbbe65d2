package dev.fovea.internal.backend;

import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** {@link Device#isFinite} in Java. */
final class FiniteValues {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Eight bytes that are looked at together: 32 KB, which stay in the first-level cache. */
    private static final int CHUNK = 4096;

    private FiniteValues() {}

    /** See {@link Device#isFinite}. */
    static boolean areFinite(Weight weight) {
        MemorySegment values = weight.segment().asSlice(0, weight.shape().elements() * weight.layout().blockBytes()
                / weight.layout().blockValues());
        return switch (weight.layout()) {
            case F32 -> hasNoExponent(values, 0x7f80_0000_7f80_0000L, 0x0080_0000_0080_0000L, 0x8000_0000_8000_0000L);
            case F16 -> hasNoExponent(values, 0x7c00_7c00_7c00_7c00L, 0x0400_0400_0400_0400L, 0x8000_8000_8000_8000L);
            case BF16 -> hasNoExponent(values, 0x7f80_7f80_7f80_7f80L, 0x0080_0080_0080_0080L, 0x8000_8000_8000_8000L);
            case I8, U8 -> true;
            default -> areRead(weight);
        };
    }

    /**
     * Whether no number has all bits of its exponent set.
     *
     * @param exponents the bits of the exponents
     * @param ones the lowest bit of each, which carries into the sign if all are set
     */
    private static boolean hasNoExponent(MemorySegment values, long exponents, long ones, long signs) {
        long size = values.byteSize();
        long[] chunk = new long[(int) Math.min(CHUNK, Math.ceilDiv(size, Long.BYTES))];
        for (long at = 0; at < size; at += (long) chunk.length * Long.BYTES) {
            long left = Math.min(size - at, (long) chunk.length * Long.BYTES);
            int longs = (int) (left / Long.BYTES);
            MemorySegment.copy(values, LONG, at, chunk, 0, longs);
            if (left % Long.BYTES != 0) {
                chunk[longs] = 0;
                for (long i = 0; i < left % Long.BYTES; i++) {
                    long value = values.get(ValueLayout.JAVA_BYTE, at + longs * Long.BYTES + i) & 0xffL;
                    chunk[longs] |= value << Byte.SIZE * i;
                }
                longs++;
            }
            if ((carries(chunk, longs, exponents, ones) & signs) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Over an array: the interpreter, which reads the first of a model's weights, is slow in memory of other kinds. */
    private static long carries(long[] chunk, int longs, long exponents, long ones) {
        long found = 0;
        for (int i = 0; i < longs; i++) {
            found |= (chunk[i] & exponents) + ones;
        }
        return found;
    }

    private static boolean areRead(Weight weight) {
        int columns = (int) weight.size(weight.rank() - 1);
        long rows = columns == 0 ? 0 : weight.shape().elements() / columns;
        float[] row = new float[columns];
        for (long r = 0; r < rows; r++) {
            weight.read(r, 0, columns, row, 0);
            for (float value : row) {
                if (!Float.isFinite(value)) {
                    return false;
                }
            }
        }
        return true;
    }
}
