package dev.fovea.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of a mapped file, of which a few are on the heap at a time. A JVM that has just started interprets its code,
 * and then an access to a segment takes many times as long as one to an array.
 *
 * <p>For one thread.
 */
final class FileWindow {
    private static final int SIZE = 8192;

    private final MemorySegment file;
    private final byte[] window = new byte[SIZE];
    private long begin;
    private int size;

    FileWindow(MemorySegment file) {
        this.file = file;
    }

    /** The byte at a position in the file. */
    byte get(long position) {
        long at = position - begin;
        if (at < 0 || at >= size) {
            move(position);
            at = 0;
        }
        return window[(int) at];
    }

    /** Bytes of the file as text, where what is not UTF-8 becomes U+FFFD. */
    String text(long position, int length) {
        if (length > SIZE) {
            return new String(file.asSlice(position, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }
        if (position < begin || position + length > begin + size) {
            move(position);
        }
        return new String(window, (int) (position - begin), length, StandardCharsets.UTF_8);
    }

    private void move(long position) {
        size = (int) Math.min(SIZE, file.byteSize() - position);
        MemorySegment.copy(file, ValueLayout.JAVA_BYTE, position, window, 0, size);
        begin = position;
    }
}
