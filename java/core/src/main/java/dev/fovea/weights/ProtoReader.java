package dev.fovea.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Walks the fields of one Protocol Buffers message in a mapped file.
 *
 * <p>A field is a tag (its number and wire type) and a value: a varint, 4 or 8 bytes, or a length
 * and that many bytes. Every length is checked against the message around it, and nothing is
 * allocated before that. Call {@link #next}, then exactly one of the methods that read the value.
 * See the encoding at protobuf.dev.
 */
final class ProtoReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH = 2;
    private static final int FIXED32 = 5;

    private static final int MAX_VARINT_BYTES = 10;
    private static final ValueLayout.OfInt FIXED32_LAYOUT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What a decoder puts where text is not valid. */
    private static final char REPLACEMENT = '\uFFFD';

    private final MappedFile file;
    private final FileWindow window;
    /** The message around this one, or null. Only errors ask for names, and put them together. */
    private final ProtoReader around;
    private final String field;
    private final long start;
    private final long end;
    private long position;
    private int number;
    private int wireType;

    private ProtoReader(MappedFile file, FileWindow window, ProtoReader around, String field, long start, long end) {
        this.file = file;
        this.window = window;
        this.around = around;
        this.field = field;
        this.start = start;
        this.end = end;
        this.position = start;
    }

    /** The message that is the whole file; {@code name} stands for it in errors. */
    static ProtoReader of(MappedFile file, String name) {
        return new ProtoReader(file, new FileWindow(file.bytes()), null, name, 0, file.size());
    }

    /** A second reader at the start of this message. */
    ProtoReader again() {
        return new ProtoReader(file, window, around, field, start, end);
    }

    /** The file. */
    MappedFile file() {
        return file;
    }

    /** Where the message begins in the file. */
    long start() {
        return start;
    }

    /** What the message is called in errors. */
    String name() {
        return around == null ? field : around.qualified(field);
    }

    /** Whether bytes are left: more fields, or more elements of a packed field. */
    boolean hasMore() {
        return position < end;
    }

    /** Moves to the next field and returns its number; 0 at the end of the message. */
    int next() throws FormatException {
        if (position == end) {
            return 0;
        }
        long at = position;
        long tag = rawVarint("field tag");
        long fieldNumber = tag >>> 3;
        if (tag >>> 32 != 0 || fieldNumber == 0) {
            throw error(at, "field tag", "no field has the number " + Long.toUnsignedString(fieldNumber));
        }
        number = (int) fieldNumber;
        wireType = (int) tag & 7;
        if (wireType != VARINT && wireType != FIXED64 && wireType != LENGTH && wireType != FIXED32) {
            throw error(at, "field " + number, "wire type " + wireType + " is not one of this format");
        }
        return number;
    }

    /** Whether the value is a length and bytes; a repeated number may be stored so, packed. */
    boolean isBytes() {
        return wireType == LENGTH;
    }

    /** An integer. */
    long varint(String field) throws FormatException {
        expect(VARINT, field);
        return rawVarint(field);
    }

    /** One element of a packed field of integers; this reader must be what {@link #message} gave for it. */
    long packedVarint(String field) throws FormatException {
        return rawVarint(field);
    }

    /** Four bytes, as the bits of an {@code int} or a {@code float}. */
    int fixed32(String field) throws FormatException {
        expect(FIXED32, field);
        return file.bytes().get(FIXED32_LAYOUT, take(Integer.BYTES, field));
    }

    /** The bytes of the value, in place. */
    MemorySegment bytes(String field) throws FormatException {
        ProtoReader value = message(field);
        return file.bytes().asSlice(value.start, value.end - value.start);
    }

    /** Text. */
    String string(String field) throws FormatException {
        long at = position;
        ProtoReader value = message(field);
        long length = value.end - value.start;
        if (length > Character.MAX_VALUE) {
            throw error(at, field, "a text of " + length + " bytes is longer than any name");
        }
        String text = window.text(value.start, (int) length);
        return text.indexOf(REPLACEMENT) < 0 ? text : strictly(value, at, field);
    }

    /** Text in which the lenient decoder found something to replace, or U+FFFD itself. */
    private String strictly(ProtoReader value, long at, String field) throws FormatException {
        try {
            return StandardCharsets.UTF_8.newDecoder()
                    .decode(file.bytes().asSlice(value.start, value.end - value.start).asByteBuffer()).toString();
        } catch (CharacterCodingException e) {
            throw new FormatException(file.file(), at, qualified(field), "not valid UTF-8", e);
        }
    }

    /** The message or packed array that is the value. */
    ProtoReader message(String field) throws FormatException {
        expect(LENGTH, field);
        long at = position;
        long length = rawVarint(field);
        if (length < 0 || length > end - position) {
            throw error(at, field, "a length of " + Long.toUnsignedString(length) + " bytes, but "
                    + (end - position) + " are left in the message around it");
        }
        return new ProtoReader(file, window, this, field, position, position += length);
    }

    /** Passes over the value. */
    void skip() throws FormatException {
        switch (wireType) {
            case VARINT -> rawVarint(null);
            case FIXED64 -> take(Long.BYTES, null);
            case FIXED32 -> take(Integer.BYTES, null);
            default -> message(null);
        }
    }

    /** What is wrong with a field of this message. */
    FormatException error(String field, String problem) {
        return error(start, field, problem);
    }

    private FormatException error(long offset, String field, String problem) {
        return file.error(offset, qualified(field), problem);
    }

    /** A field's name in errors; null stands for the one that the reader is at. */
    private String qualified(String field) {
        return name() + "." + (field != null ? field : "field " + number);
    }

    private void expect(int expected, String field) throws FormatException {
        if (wireType != expected) {
            throw error(position, field, "expected wire type " + expected + ", got " + wireType);
        }
    }

    private long take(int bytes, String field) throws FormatException {
        if (end - position < bytes) {
            throw error(position, field, "expected " + bytes + " bytes, " + (end - position) + " are left");
        }
        long at = position;
        position += bytes;
        return at;
    }

    private long rawVarint(String field) throws FormatException {
        long at = position;
        long value = 0;
        for (int i = 0; i < MAX_VARINT_BYTES; i++) {
            if (position == end) {
                throw error(at, field, "the message ends within a number");
            }
            byte next = window.get(position++);
            value |= (long) (next & 0x7f) << (7 * i);
            if (next >= 0) {
                if (i == MAX_VARINT_BYTES - 1 && next > 1) {
                    break;
                }
                return value;
            }
        }
        throw error(at, field, "a number of more than 64 bits");
    }
}
