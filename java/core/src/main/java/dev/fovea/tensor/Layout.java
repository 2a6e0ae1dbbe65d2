package dev.fovea.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How the values of a {@link Weight} are stored: in blocks of {@link #blockBytes} bytes that hold {@link #blockValues}
 * values each. In a plain type, a block is one value. All types are little-endian and may start at any address.
 *
 * <p>To add a type, add a constant here and a row to {@code native/src/ops/layout/layout_kernel.c}, which reads the same
 * bytes.
 */
public enum Layout {
    /** IEEE 754 binary32. */
    F32(0, 4, 1),
    /** IEEE 754 binary16. */
    F16(1, 2, 1),
    /** bfloat16: the upper half of a binary32. */
    BF16(2, 2, 1),
    /** Signed 8-bit integers q, which stand for scale · (q − zero point). The weight holds scales and zero points. */
    I8(3, 1, 1),
    /** Unsigned 8-bit integers with the same meaning. */
    U8(4, 1, 1),
    /** GGUF's Q8_0: a binary16 scale d, then 32 signed bytes q. The values are d · q. */
    Q8_0(5, 34, 32),
    /** GGUF's Q4_0: a binary16 scale d, then 16 bytes of two q: the lower halves first, then the upper. d · (q − 8). */
    Q4_0(6, 18, 32),
    /** GGUF's Q4_1: a binary16 scale d, a binary16 minimum m, then q as in {@link #Q4_0}. d · q + m. */
    Q4_1(7, 20, 32),
    /** GGUF's Q5_0: d, then 4 bytes with the fifth bit of each q, then q as in {@link #Q4_0}. d · (q − 16). */
    Q5_0(8, 22, 32),
    /** GGUF's Q5_1: d, m, then 4 bytes with the fifth bit of each q, then q as in {@link #Q4_0}. d · q + m. */
    Q5_1(9, 24, 32),
    /**
     * GGUF's Q4_K, of 8 parts: binary16 d and m, 12 bytes with a scale s and a minimum t of 6 bits for each part, then
     * 32 bytes for each two parts, the lower halves first. d · s · q − m · t.
     */
    Q4_K(10, 144, 256),
    /** GGUF's Q5_K: as {@link #Q4_K}, with 32 bytes before q that have the fifth bit, a bit of each for every part. */
    Q5_K(11, 176, 256),
    /**
     * GGUF's Q6_K, of 2 halves of 4 parts: 64 bytes for each half, the lower halves of which are two parts and the upper
     * ones the next; 32 bytes for each half with 2 upper bits for every part; a signed byte s for each 16 values; a
     * binary16 d. d · s · (q − 32).
     */
    Q6_K(12, 210, 256),
    /**
     * GGUF's Q2_K, of 16 parts: a byte for each part with a scale s in its lower half and a minimum t in its upper one; 64
     * bytes with q in pairs of bits, 32 bytes for each 4 parts of 32; binary16 d and m. d · s · q − m · t.
     */
    Q2_K(13, 84, 256),
    /**
     * GGUF's Q3_K, of 16 parts: 32 bytes with the third bit of each q, a bit for every part of 32; 64 bytes with the other
     * two, as in {@link #Q2_K}; 12 bytes with a scale s of 6 bits for each part; a binary16 d. d · (s − 32) · (q − 4).
     */
    Q3_K(14, 110, 256),
    /** GGUF's IQ4_NL: as {@link #Q4_0}, but q numbers one of 16 values v. d · v[q]. */
    IQ4_NL(15, 18, 32);

    private static final byte[] IQ4_VALUES =
            {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    /** Numbers in their order of bytes. Apart, as it takes a start milliseconds, and only readers want them. */
    private static final class Stored {
        static final ValueLayout.OfFloat FLOAT = JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        static final ValueLayout.OfShort SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    private final int code;
    private final int blockBytes;
    private final int blockValues;

    private static float half(MemorySegment stored, long at) {
        return Float.float16ToFloat(stored.get(Stored.SHORT, at));
    }

    /** Number {@code index} of 32: 16 bytes have the lower halves of all, then the upper. */
    private static int nibble(MemorySegment stored, long at, int index) {
        return stored.get(JAVA_BYTE, at + index % 16) >> index / 16 * 4 & 15;
    }

    /** Bit {@code index} of 32, as the fifth of a number. */
    private static int fifthBit(MemorySegment stored, long at, int index) {
        return (stored.get(JAVA_BYTE, at + index / Byte.SIZE) >> index % Byte.SIZE & 1) << 4;
    }

    /** Number {@code index} of 256: the lower halves of 32 bytes, then their upper halves, and so on. */
    private static int pairedNibble(MemorySegment stored, long at, int index) {
        return stored.get(JAVA_BYTE, at + index / 64 * 32 + index % 32) >> index / 32 % 2 * 4 & 15;
    }

    /** Pair of bits number {@code index} of 256: four of each of 32 bytes, the lowest first. */
    private static int pairOfBits(MemorySegment stored, long at, int index) {
        return stored.get(JAVA_BYTE, at + index / 128 * 32 + index % 32) >> index / 32 % 4 * 2 & 3;
    }

    /** Scale number {@code part} of 8 in 12 bytes: the last four have their upper bits in the bytes of the first. */
    private static int scale(MemorySegment stored, long at, int part) {
        return part < 4 ? stored.get(JAVA_BYTE, at + part) & 63
                : stored.get(JAVA_BYTE, at + part + 4) & 15 | (stored.get(JAVA_BYTE, at + part - 4) >> 6 & 3) << 4;
    }

    /** m · t of part {@code part} of 8, likewise. */
    private static float minimum(MemorySegment stored, long block, int part) {
        long at = block + 4 + part;
        int factor = part < 4 ? stored.get(JAVA_BYTE, at + 4) & 63
                : stored.get(JAVA_BYTE, at + 4) >> 4 & 15 | (stored.get(JAVA_BYTE, at) >> 6 & 3) << 4;
        return half(stored, block + 2) * factor;
    }

    Layout(int code, int blockBytes, int blockValues) {
        this.code = code;
        this.blockBytes = blockBytes;
        this.blockValues = blockValues;
    }

    /** Its number in {@code native/include/fovea/fovea.h}. */
    public int code() {
        return code;
    }

    /** The size of a block in bytes. */
    public int blockBytes() {
        return blockBytes;
    }

    /** The number of values in a block; 1 for a plain type. */
    public int blockValues() {
        return blockValues;
    }

    /** Whether each value is stored by itself, so that a weight can have any strides. */
    public boolean isPlain() {
        return blockValues == 1;
    }

    /**
     * The layout of a tensor's elements.
     *
     * @throws IllegalArgumentException if no weight is stored as this type
     */
    public static Layout of(DType dtype) {
        return switch (dtype) {
            case F32 -> F32;
            case F16 -> F16;
            case BF16 -> BF16;
            case I8 -> I8;
            case U8 -> U8;
            case I32, I64 -> throw new IllegalArgumentException(
                    "expected a weight of dtype F32, F16, BF16, I8 or U8, got " + dtype);
        };
    }

    /** Whether the values are integers that mean something only together with scales stored elsewhere. */
    boolean needsScales() {
        return this == I8 || this == U8;
    }

    /**
     * Reads {@code count} values as F32, before any scale that is stored elsewhere. Each layout has its own loop, which
     * the JVM compiles by itself.
     *
     * @param stored begins at block 0
     * @param first index of the first value
     * @param stride values from one that is read to the next; 1 where blocks hold several
     * @param target receives the values from index {@code at} on
     */
    void read(MemorySegment stored, long first, long stride, int count, float[] target, int at) {
        switch (this) {
            case F32 -> readF32(stored, first, stride, count, target, at);
            case F16 -> readF16(stored, first, stride, count, target, at);
            case BF16 -> readBF16(stored, first, stride, count, target, at);
            case I8 -> readI8(stored, first, stride, count, target, at);
            case U8 -> readU8(stored, first, stride, count, target, at);
            case Q8_0 -> readQ8_0(stored, first, count, target, at);
            case Q4_0 -> readQ4_0(stored, first, count, target, at);
            case Q4_1 -> readQ4_1(stored, first, count, target, at);
            case Q5_0 -> readQ5_0(stored, first, count, target, at);
            case Q5_1 -> readQ5_1(stored, first, count, target, at);
            case Q4_K -> readQ4_K(stored, first, count, target, at);
            case Q5_K -> readQ5_K(stored, first, count, target, at);
            case Q6_K -> readQ6_K(stored, first, count, target, at);
            case Q2_K -> readQ2_K(stored, first, count, target, at);
            case Q3_K -> readQ3_K(stored, first, count, target, at);
            case IQ4_NL -> readIQ4_NL(stored, first, count, target, at);
        }
    }

    private static void readF32(MemorySegment stored, long first, long stride, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            target[at + i] = stored.get(Stored.FLOAT, (first + i * stride) * Float.BYTES);
        }
    }

    private static void readF16(MemorySegment stored, long first, long stride, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            target[at + i] = Float.float16ToFloat(stored.get(Stored.SHORT, (first + i * stride) * Short.BYTES));
        }
    }

    private static void readBF16(MemorySegment stored, long first, long stride, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            int upper = stored.get(Stored.SHORT, (first + i * stride) * Short.BYTES);
            target[at + i] = Float.intBitsToFloat(upper << Short.SIZE);
        }
    }

    private static void readI8(MemorySegment stored, long first, long stride, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            target[at + i] = stored.get(JAVA_BYTE, first + i * stride);
        }
    }

    private static void readU8(MemorySegment stored, long first, long stride, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            target[at + i] = stored.get(JAVA_BYTE, first + i * stride) & 0xff;
        }
    }

    private void readQ8_0(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count;) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            float scale = Float.float16ToFloat(stored.get(Stored.SHORT, block));
            int end = Math.min(count, i + blockValues() - next);
            for (; i < end; i++, next++) {
                target[at + i] = scale * stored.get(JAVA_BYTE, block + Short.BYTES + next);
            }
        }
    }

    private void readQ4_0(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            target[at + i] = half(stored, block) * (nibble(stored, block + 2, next) - 8);
        }
    }

    private void readQ4_1(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            target[at + i] = half(stored, block) * nibble(stored, block + 4, next) + half(stored, block + 2);
        }
    }

    private void readQ5_0(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            int q = nibble(stored, block + 6, next) | fifthBit(stored, block + 2, next);
            target[at + i] = half(stored, block) * (q - 16);
        }
    }

    private void readQ5_1(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            int q = nibble(stored, block + 8, next) | fifthBit(stored, block + 4, next);
            target[at + i] = half(stored, block) * q + half(stored, block + 2);
        }
    }

    private void readQ4_K(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            target[at + i] = half(stored, block) * scale(stored, block + 4, next / 32)
                    * pairedNibble(stored, block + 16, next) - minimum(stored, block, next / 32);
        }
    }

    private void readQ5_K(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            int fifth = (stored.get(JAVA_BYTE, block + 16 + next % 32) >> next / 32 & 1) << 4;
            target[at + i] = half(stored, block) * scale(stored, block + 4, next / 32)
                    * (pairedNibble(stored, block + 48, next) | fifth) - minimum(stored, block, next / 32);
        }
    }

    private void readQ6_K(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            int half = next / 128;
            int part = next / 32 % 4;
            int low = stored.get(JAVA_BYTE, block + half * 64 + part % 2 * 32 + next % 32) >> part / 2 * 4 & 15;
            int high = (stored.get(JAVA_BYTE, block + 128 + half * 32 + next % 32) >> part * 2 & 3) << 4;
            target[at + i] = half(stored, block + 208) * stored.get(JAVA_BYTE, block + 192 + next / 16)
                    * ((low | high) - 32);
        }
    }

    private void readQ2_K(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            int factors = stored.get(JAVA_BYTE, block + next / 16);
            target[at + i] = half(stored, block + 80) * (factors & 15) * pairOfBits(stored, block + 16, next)
                    - half(stored, block + 82) * (factors >> 4 & 15);
        }
    }

    private void readQ3_K(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            int part = next / 16;
            int scale = stored.get(JAVA_BYTE, block + 96 + part % 8) >> part / 8 * 4 & 15
                    | (stored.get(JAVA_BYTE, block + 104 + part % 4) >> part / 4 * 2 & 3) << 4;
            int third = (stored.get(JAVA_BYTE, block + next % 32) >> next / 32 & 1) << 2;
            target[at + i] = half(stored, block + 108) * (scale - 32)
                    * ((pairOfBits(stored, block + 32, next) | third) - 4);
        }
    }

    private void readIQ4_NL(MemorySegment stored, long first, int count, float[] target, int at) {
        for (int i = 0; i < count; i++) {
            long block = (first + i) / blockValues() * blockBytes();
            int next = (int) ((first + i) % blockValues());
            target[at + i] = half(stored, block) * IQ4_VALUES[nibble(stored, block + 2, next)];
        }
    }
}
