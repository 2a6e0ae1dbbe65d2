package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** A position in a GGUF file, whose numbers are little-endian. Nothing is read that the file does not have. */
final class GgufCursor {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What stands for bytes that are no text. */
    private static final char REPLACEMENT = '\ufffd';

    private final MappedFile file;
    private long at;
    /** Bytes of the last text. */
    private byte[] text = new byte[1 << 8];

    GgufCursor(MappedFile file, long at) {
        this.file = file;
        this.at = at;
    }

    /** Bytes from the start of the file. */
    long at() {
        return at;
    }

    /** Bytes up to its end. */
    long left() {
        return file.size() - at;
    }

    /** What is wrong here. */
    FormatException error(String field, String problem) {
        return file.error(at, field, problem);
    }

    private void require(String field, long bytes) throws FormatException {
        if (bytes > left()) {
            throw error(field, "expected " + bytes + " bytes, the file has " + left() + " more");
        }
    }

    /** Passes over bytes. */
    void skip(String field, long bytes) throws FormatException {
        require(field, bytes);
        at += bytes;
    }

    int u8(String field) throws FormatException {
        require(field, Byte.BYTES);
        return Byte.toUnsignedInt(file.bytes().get(ValueLayout.JAVA_BYTE, at++));
    }

    short i16(String field) throws FormatException {
        require(field, Short.BYTES);
        short value = file.bytes().get(SHORT, at);
        at += Short.BYTES;
        return value;
    }

    int i32(String field) throws FormatException {
        require(field, Integer.BYTES);
        int value = file.bytes().get(INT, at);
        at += Integer.BYTES;
        return value;
    }

    long i64(String field) throws FormatException {
        require(field, Long.BYTES);
        long value = file.bytes().get(LONG, at);
        at += Long.BYTES;
        return value;
    }

    /**
     * A number of things that follow, each of at least this many bytes.
     *
     * @throws FormatException if the file has no room for them
     */
    long count(String field, long leastBytes) throws FormatException {
        long start = at;
        long count = i64(field);
        if (count < 0 || count > left() / leastBytes) {
            throw file.error(start, field, "expected at most " + left() / leastBytes + ", which the file has room for, got "
                    + Long.toUnsignedString(count));
        }
        return count;
    }

    /** Passes over a text: its length, then its bytes. */
    void skipString(String field) throws FormatException {
        skip(field, count(field, 1));
    }

    /** A text of at most this many bytes. */
    String string(String field, int most) throws FormatException {
        return string(field, -1, most);
    }

    /** The next text of an array, of at most this many bytes. */
    String element(String field, long index, int most) throws FormatException {
        return string(field, index, most);
    }

    /** A vocabulary has hundreds of thousands: what is here for one text costs a start. */
    private String string(String field, long index, int most) throws FormatException {
        long start = at;
        long length = left() < Long.BYTES ? -1 : file.bytes().get(LONG, at);
        if (length < 0 || length > left() - Long.BYTES || length > most) {
            // Says what is wrong.
            if (count(name(field, index), 1) > most) {
                throw file.error(start, name(field, index), "expected at most " + most + " bytes, got " + length);
            }
        }
        at += Long.BYTES;
        int bytes = (int) length;
        if (bytes > text.length) {
            text = new byte[Math.max(bytes, 2 * text.length)];
        }
        MemorySegment.copy(file.bytes(), ValueLayout.JAVA_BYTE, at, text, 0, bytes);
        at += bytes;
        String decoded = new String(text, 0, bytes, StandardCharsets.UTF_8);
        if (decoded.indexOf(REPLACEMENT) >= 0) {
            requireText(name(field, index), start, bytes);
        }
        return decoded;
    }

    private static String name(String field, long index) {
        return index < 0 ? field : field + "[" + index + "]";
    }

    /** That what was decoded with a replacement has it because the text has. */
    private void requireText(String field, long start, int bytes) throws FormatException {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text, 0, bytes));
        } catch (CharacterCodingException e) {
            throw new FormatException(file.file(), start, field, "not valid UTF-8: "
                    + Excerpt.of(new String(text, 0, bytes, StandardCharsets.UTF_8)), e);
        }
    }
}
