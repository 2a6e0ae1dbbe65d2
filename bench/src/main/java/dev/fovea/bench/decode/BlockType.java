package dev.fovea.bench.decode;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * A type of GGUF's tensors: how its blocks are made of random bits, so that the values of matrices have a mean of zero and
 * a deviation of about 0.02. Scales are the same everywhere; speed does not depend on them.
 */
enum BlockType {
    F32(0, 4, 1, 0),
    F16(1, 2, 1, 0),
    Q4_0(2, 18, 32, 4.6),
    Q8_0(8, 34, 32, 73.9),
    Q4_K(12, 144, 256, 32 * 4.6),
    Q6_K(14, 210, 256, 32 * 18.5),
    BF16(30, 2, 1, 0);

    private static final double DEVIATION = 0.02;
    /** Of blocks that have further ones. */
    private static final byte INNER_SCALE = 32;
    private static final int TABLE = 1 << 16;

    final int code;
    private final int bytes;
    private final int values;
    private final short scale;
    private final short offset;

    BlockType(int code, int bytes, int values, double spread) {
        this.code = code;
        this.bytes = bytes;
        this.values = values;
        this.scale = spread == 0 ? 0 : Float.floatToFloat16((float) (DEVIATION / spread));
        // 4 bits are from 0 to 15 there, and what is subtracted makes their mean zero.
        this.offset = Float.floatToFloat16(7.5f * Float.float16ToFloat(scale));
    }

    long bytes(long count) {
        return count / values * bytes;
    }

    /** Fills whole blocks, with normal values in the plain types. */
    void fill(ByteBuffer out, SplittableRandom random) {
        if (this == F16 || this == BF16) {
            short[] table = this == F16 ? Normal.HALVES : Normal.BRAINS;
            while (out.hasRemaining()) {
                out.putShort(table[random.nextInt() >>> 16]);
            }
            return;
        }
        int start = out.position();
        while (out.remaining() >= Long.BYTES) {
            out.putLong(random.nextLong());
        }
        while (out.hasRemaining()) {
            out.put((byte) random.nextInt());
        }
        for (int block = start; block < out.limit(); block += bytes) {
            scale(out, block);
        }
    }

    private void scale(ByteBuffer out, int block) {
        switch (this) {
            case Q4_0, Q8_0 -> out.putShort(block, scale);
            case Q4_K -> {
                out.putShort(block, scale).putShort(block + 2, offset);
                // Eight scales and eight offsets of 6 bits, 32 each: the upper four have their upper bits elsewhere.
                for (int i = 0; i < 8; i++) {
                    out.put(block + 4 + i, (byte) (INNER_SCALE | INNER_SCALE >> 4 << 6));
                    if (i < 4) {
                        out.put(block + 12 + i, (byte) 0);
                    }
                }
            }
            case Q6_K -> {
                for (int i = 0; i < 16; i++) {
                    out.put(block + 192 + i, INNER_SCALE);
                }
                out.putShort(block + 208, scale);
            }
            case F32, F16, BF16 -> throw new IllegalStateException("a plain type has no scale");
        }
    }

    /** Normal values in the plain types. */
    private static final class Normal {
        static final short[] HALVES = new short[TABLE];
        static final short[] BRAINS = new short[TABLE];

        static {
            Random random = new Random(1);
            for (int i = 0; i < TABLE; i++) {
                float value = (float) (DEVIATION * random.nextGaussian());
                HALVES[i] = Float.floatToFloat16(value);
                BRAINS[i] = (short) (Float.floatToRawIntBits(value) >>> 16);
            }
        }
    }
}
