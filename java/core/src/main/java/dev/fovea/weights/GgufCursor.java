package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.files.Utf8;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** A position in a GGUF file, whose numbers are little-endian. Nothing is read that the file does not have. */
final class GgufCursor {
    private static final int LEAST_WINDOW = 1 << 6;
    private static final int LARGEST_WINDOW = 1 << 16;

    private final MappedFile file;
    private long at;
    /** A part of the file, on the heap: access to a mapped byte is slow until it is compiled. */
    private byte[] window = new byte[LEAST_WINDOW];
    private long windowStart;
    private int windowLength;
    private char[] decoded = new char[LEAST_WINDOW];

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

    /** Where bytes from here are in the window. */
    private int window(int bytes) {
        long index = at - windowStart;
        if (index >= 0 && index + bytes <= windowLength) {
            return (int) index;
        }
        // Grows as long as it is read on.
        int wanted = Math.max(bytes, Math.min(windowLength == 0 ? LEAST_WINDOW : 2 * window.length, LARGEST_WINDOW));
        if (wanted > window.length) {
            window = new byte[wanted];
        }
        windowStart = at;
        windowLength = (int) Math.min(window.length, left());
        MemorySegment.copy(file.bytes(), ValueLayout.JAVA_BYTE, at, window, 0, windowLength);
        return 0;
    }

    /** A little-endian number. */
    private long number(String field, int bytes) throws FormatException {
        require(field, bytes);
        int index = window(bytes);
        long number = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            number = number << Byte.SIZE | window[index + i] & 0xff;
        }
        at += bytes;
        return number;
    }

    int u8(String field) throws FormatException {
        return (int) number(field, Byte.BYTES);
    }

    short i16(String field) throws FormatException {
        return (short) number(field, Short.BYTES);
    }

    int i32(String field) throws FormatException {
        return (int) number(field, Integer.BYTES);
    }

    long i64(String field) throws FormatException {
        return number(field, Long.BYTES);
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
        int length = length(field, -1, most);
        if (length > decoded.length) {
            decoded = new char[length];
        }
        return new String(decoded, 0, decode(field, -1, length, decoded, 0));
    }

    /** So many texts of at most so many bytes each, which take {@code bytes} with their lengths. */
    StringArray strings(String field, int count, long bytes, int most) throws FormatException {
        long room = bytes - (long) Long.BYTES * count;
        if (room > Integer.MAX_VALUE - 8) {
            throw error(field, "expected at most " + (Integer.MAX_VALUE - 8) + " bytes of texts, got " + room);
        }
        char[] chars = new char[(int) room];
        int[] ends = new int[count];
        for (int i = 0, end = 0; i < count; i++) {
            end = decode(field, i, length(field, i, most), chars, end);
            ends[i] = end;
        }
        return new StringArray(chars, ends);
    }

    /** The length of a text, which the file has whole; {@code index} is its place in an array, or −1. */
    private int length(String field, int index, int most) throws FormatException {
        long start = at;
        long length = left() < Long.BYTES ? -1 : i64(field);
        if (length < 0 || length > left() || length > most) {
            at = start;
            // Says what is wrong, unless that is the length alone.
            long count = count(name(field, index), 1);
            throw file.error(start, name(field, index), "expected at most " + most + " bytes, got " + count);
        }
        return (int) length;
    }

    /** Decodes a text behind its length; where its chars end. */
    private int decode(String field, int index, int length, char[] to, int first) throws FormatException {
        if (length > to.length - first) {
            throw error(name(field, index), "the text is longer than it was: the file changed while it was read");
        }
        int from = window(length);
        int end = Utf8.decode(window, from, from + length, to, first);
        if (end < 0) {
            throw file.error(at - Long.BYTES, name(field, index), "not valid UTF-8: "
                    + Excerpt.of(new String(window, from, length, StandardCharsets.UTF_8)));
        }
        at += length;
        return end;
    }

    private static String name(String field, int index) {
        return index < 0 ? field : field + "[" + index + "]";
    }
}
