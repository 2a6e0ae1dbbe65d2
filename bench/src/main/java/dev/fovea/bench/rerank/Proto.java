package dev.fovea.bench.rerank;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Writes a message of Protocol Buffers, field by field. Large arrays are not copied. */
final class Proto {
    private final List<byte[]> parts = new ArrayList<>();
    private long size;

    Proto varint(int field, long value) {
        return raw((long) field << 3).raw(value);
    }

    Proto fixed32(int field, float value) {
        raw((long) field << 3 | 5);
        return part(ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
    }

    Proto bytes(int field, byte[] bytes) {
        return raw((long) field << 3 | 2).raw(bytes.length).part(bytes);
    }

    Proto text(int field, String text) {
        return bytes(field, text.getBytes(StandardCharsets.UTF_8));
    }

    Proto message(int field, Proto message) {
        raw((long) field << 3 | 2).raw(message.size);
        message.parts.forEach(this::part);
        return this;
    }

    void writeTo(OutputStream out) throws IOException {
        for (byte[] part : parts) {
            out.write(part);
        }
    }

    private Proto raw(long varint) {
        var bytes = new ByteArrayOutputStream(10);
        long rest = varint;
        while ((rest & ~0x7fL) != 0) {
            bytes.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        bytes.write((int) rest);
        return part(bytes.toByteArray());
    }

    private Proto part(byte[] bytes) {
        parts.add(bytes);
        size += bytes.length;
        return this;
    }
}
