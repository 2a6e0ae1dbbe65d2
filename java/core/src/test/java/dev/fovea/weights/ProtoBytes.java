package dev.fovea.weights;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes Protocol Buffers messages, valid or not. */
final class ProtoBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** A field's number and wire type. */
    ProtoBytes tag(long number, int wireType) {
        return raw(number << 3 | wireType);
    }

    /** A bare varint. */
    ProtoBytes raw(long varint) {
        long rest = varint;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
        return this;
    }

    /** Bare bytes. */
    ProtoBytes raw(byte... bytes) {
        out.writeBytes(bytes);
        return this;
    }

    ProtoBytes varint(int number, long value) {
        return tag(number, 0).raw(value);
    }

    ProtoBytes fixed32(int number, float value) {
        return tag(number, 5).raw(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
    }

    ProtoBytes bytes(int number, byte[] bytes) {
        return tag(number, 2).raw(bytes.length).raw(bytes);
    }

    ProtoBytes text(int number, String text) {
        return bytes(number, text.getBytes(StandardCharsets.UTF_8));
    }

    ProtoBytes message(int number, ProtoBytes message) {
        return bytes(number, message.toBytes());
    }

    /** A packed field of varints. */
    ProtoBytes packed(int number, long... values) {
        ProtoBytes packed = new ProtoBytes();
        for (long value : values) {
            packed.raw(value);
        }
        return message(number, packed);
    }

    byte[] toBytes() {
        return out.toByteArray();
    }
}
