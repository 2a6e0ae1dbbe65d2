package dev.fovea.weights;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes GGUF files, right and wrong ones. */
public final class GgufBytes {
    public static final int UINT32 = 4;
    public static final int INT32 = 5;
    public static final int FLOAT32 = 6;
    public static final int BOOL = 7;
    public static final int STRING = 8;
    public static final int ARRAY = 9;

    private final ByteArrayOutputStream pairs = new ByteArrayOutputStream();
    private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private long pairCount;
    private long tensorCount;
    private int version = 3;
    private int alignment = 32;

    /** Little-endian numbers: bytes of a Byte, Short, Integer, Long or Float, a string with its length, or bytes alone. */
    public static byte[] bytes(Object... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object part : parts) {
            ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            switch (part) {
                case Byte value -> number.put(value);
                case Short value -> number.putShort(value);
                case Integer value -> number.putInt(value);
                case Long value -> number.putLong(value);
                case Float value -> number.putFloat(value);
                case String text -> {
                    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
                    out.writeBytes(bytes((long) utf8.length));
                    out.writeBytes(utf8);
                }
                case byte[] raw -> out.writeBytes(raw);
                default -> throw new AssertionError(part);
            }
            out.write(number.array(), 0, number.position());
        }
        return out.toByteArray();
    }

    GgufBytes version(int version) {
        this.version = version;
        return this;
    }

    GgufBytes alignment(int alignment) {
        this.alignment = alignment;
        return pair("general.alignment", UINT32, alignment);
    }

    /** A key, the number of its type, and what stands behind that. */
    public GgufBytes pair(String key, int type, Object... value) {
        pairs.writeBytes(bytes(key, type));
        pairs.writeBytes(bytes(value));
        pairCount++;
        return this;
    }

    GgufBytes counts(long tensors, long pairs) {
        tensorCount += tensors;
        pairCount += pairs;
        return this;
    }

    /** A tensor behind those that are there; sizes as the file has them, the innermost first. */
    public GgufBytes tensor(String name, int type, byte[] content, long... sizes) {
        while (data.size() % alignment != 0) {
            data.write(0);
        }
        info(name, type, data.size(), sizes);
        data.writeBytes(content);
        return this;
    }

    /** A tensor's description alone. */
    GgufBytes info(String name, int type, long offset, long... sizes) {
        infos.writeBytes(bytes(name, sizes.length));
        for (long size : sizes) {
            infos.writeBytes(bytes(size));
        }
        infos.writeBytes(bytes(type, offset));
        tensorCount++;
        return this;
    }

    GgufBytes data(byte[] content) {
        data.writeBytes(content);
        return this;
    }

    public byte[] toBytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(bytes(version, tensorCount, pairCount, pairs.toByteArray(), infos.toByteArray()));
        while (out.size() % alignment != 0) {
            out.write(0);
        }
        out.writeBytes(data.toByteArray());
        return out.toByteArray();
    }
}
