package dev.fovea.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Decodes stored values one by one, by arithmetic in float64, and shares no code with {@link Layout}. */
final class StoredValues {
    private static final int[] IQ4 = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private StoredValues() {}

    /** Value {@code index} of these bytes; of integers, the integer. */
    static double value(Layout layout, byte[] bytes, long index) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int i = Math.toIntExact(index);
        return switch (layout) {
            case F32 -> buffer.getFloat(4 * i);
            case F16 -> half(buffer.getShort(2 * i));
            case BF16 -> brain(buffer.getShort(2 * i));
            case I8 -> bytes[i];
            case U8 -> Byte.toUnsignedInt(bytes[i]);
            case Q8_0 -> half(buffer.getShort(34 * (i / 32))) * bytes[34 * (i / 32) + 2 + i % 32];
            case Q4_0 -> half(buffer.getShort(18 * (i / 32))) * (four(bytes, 18 * (i / 32) + 2, i % 32) - 8);
            case Q4_1 -> half(buffer.getShort(20 * (i / 32))) * four(bytes, 20 * (i / 32) + 4, i % 32)
                    + half(buffer.getShort(20 * (i / 32) + 2));
            case Q5_0 -> half(buffer.getShort(22 * (i / 32)))
                    * (four(bytes, 22 * (i / 32) + 6, i % 32) + 16 * bit(buffer.getInt(22 * (i / 32) + 2), i % 32) - 16);
            case Q5_1 -> half(buffer.getShort(24 * (i / 32)))
                    * (four(bytes, 24 * (i / 32) + 8, i % 32) + 16 * bit(buffer.getInt(24 * (i / 32) + 4), i % 32))
                    + half(buffer.getShort(24 * (i / 32) + 2));
            case Q4_K -> sixes(buffer, 144 * (i / 256), i % 256, 16, -1);
            case Q5_K -> sixes(buffer, 176 * (i / 256), i % 256, 48, 16);
            case Q6_K -> {
                int block = 210 * (i / 256);
                int value = i % 256;
                int low = Byte.toUnsignedInt(bytes[block + value / 128 * 64 + value % 64]);
                int high = Byte.toUnsignedInt(bytes[block + 128 + value / 128 * 32 + value % 32]);
                int q = (value % 128 < 64 ? low % 16 : low / 16) + 16 * (high / (1 << value % 128 / 32 * 2) % 4);
                yield half(buffer.getShort(block + 208)) * bytes[block + 192 + value / 16] * (q - 32);
            }
            case Q2_K -> {
                int block = 84 * (i / 256);
                int value = i % 256;
                int factors = Byte.toUnsignedInt(bytes[block + value / 16]);
                yield half(buffer.getShort(block + 80)) * (factors % 16) * two(bytes, block + 16, value)
                        - half(buffer.getShort(block + 82)) * (factors / 16);
            }
            case Q3_K -> {
                int block = 110 * (i / 256);
                int value = i % 256;
                int part = value / 16;
                int low = Byte.toUnsignedInt(bytes[block + 96 + part % 8]);
                int high = Byte.toUnsignedInt(bytes[block + 104 + part % 4]) / (1 << part / 4 * 2) % 4;
                int scale = (part < 8 ? low % 16 : low / 16) + 16 * high - 32;
                int q = two(bytes, block + 32, value) + 4 * bit(bytes[block + value % 32], value / 32) - 4;
                yield half(buffer.getShort(block + 108)) * scale * q;
            }
            case IQ4_NL -> half(buffer.getShort(18 * (i / 32))) * IQ4[four(bytes, 18 * (i / 32) + 2, i % 32)];
        };
    }

    /** A value of Q4_K or Q5_K, whose q begin at a byte of the block, and fifth bits perhaps too. */
    private static double sixes(ByteBuffer buffer, int block, int value, int from, int fifthFrom) {
        int part = value / 32;
        int scale = part < 4 ? six(buffer, block + part) : half(buffer, block + part + 4, 0) + 16 * top(buffer, block + part - 4);
        int minimum = part < 4 ? six(buffer, block + part + 4) : half(buffer, block + part + 4, 1) + 16 * top(buffer, block + part);
        int q = half(buffer, block + from - 4 + value / 64 * 32 + value % 32, part % 2);
        if (fifthFrom >= 0) {
            q += 16 * bit(buffer.get(block + fifthFrom + value % 32), part);
        }
        return half(buffer.getShort(block)) * scale * q - half(buffer.getShort(block + 2)) * minimum;
    }

    /** The lower six bits of a byte, counted from that of the first scale. */
    private static int six(ByteBuffer buffer, int at) {
        return Byte.toUnsignedInt(buffer.get(at + 4)) % 64;
    }

    private static int top(ByteBuffer buffer, int at) {
        return Byte.toUnsignedInt(buffer.get(at + 4)) / 64;
    }

    private static int half(ByteBuffer buffer, int at, int upper) {
        int pair = Byte.toUnsignedInt(buffer.get(at + 4));
        return upper == 0 ? pair % 16 : pair / 16;
    }

    /** Of 256 values in 64 bytes: four of each of 32 bytes, the lowest bits first. */
    private static int two(byte[] bytes, int at, int value) {
        return Byte.toUnsignedInt(bytes[at + value / 128 * 32 + value % 32]) / (1 << value % 128 / 32 * 2) % 4;
    }

    private static int four(byte[] bytes, int at, int value) {
        int pair = Byte.toUnsignedInt(bytes[at + value % 16]);
        return value < 16 ? pair % 16 : pair / 16;
    }

    private static int bit(int bits, int number) {
        return bits >>> number & 1;
    }

    /** A binary16: 1 sign, 5 exponent and 10 fraction bits. */
    static double half(int bits) {
        return binary(bits, 5, 10);
    }

    /** A bfloat16: 1 sign, 8 exponent and 7 fraction bits. */
    static double brain(int bits) {
        return binary(bits, 8, 7);
    }

    private static double binary(int bits, int exponentBits, int fractionBits) {
        double sign = (bits & 0x8000) == 0 ? 1 : -1;
        int most = (1 << exponentBits) - 1;
        int exponent = bits >> fractionBits & most;
        int fraction = bits & (1 << fractionBits) - 1;
        int bias = most >> 1;
        if (exponent == most) {
            return fraction == 0 ? sign / 0 : Double.NaN;
        }
        int whole = exponent == 0 ? fraction : fraction | 1 << fractionBits;
        return sign * whole * Math.pow(2, Math.max(exponent, 1) - bias - fractionBits);
    }

    /** A segment that holds exactly these bytes and starts {@code offset} bytes after a multiple of 64. */
    static MemorySegment segment(Arena arena, int offset, byte[] bytes) {
        MemorySegment segment = arena.allocate(offset + bytes.length, 64).asSlice(offset, bytes.length);
        segment.copyFrom(MemorySegment.ofArray(bytes));
        return segment;
    }
}
