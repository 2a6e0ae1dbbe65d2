package dev.fovea.internal.text;

import java.util.Arrays;

/**
 * A text that is being changed: its code points and, where that is wanted, the place in the original text that each of
 * them comes from. A change writes the new text beside the old one ({@link #begin}, {@link #put}), which it replaces at
 * {@link #end}.
 */
final class Characters {
    /** The most code points that a text may become, which a hostile file's replacements would make of any. */
    static final int MOST = 1 << 26;

    int[] codes = new int[256];
    /** Where the code point begins in the original text, in chars; and where it ends. */
    int[] starts = new int[256];
    int[] ends = new int[256];
    int size;
    /** Whether places are kept. */
    boolean placed;

    private int[] nextCodes = new int[256];
    private int[] nextStarts = new int[256];
    private int[] nextEnds = new int[256];
    private int nextSize;

    /** Takes a part of another text. */
    void copy(Characters from, int start, int end) {
        size = 0;
        placed = from.placed;
        reserve(end - start);
        System.arraycopy(from.codes, start, codes, 0, end - start);
        if (placed) {
            System.arraycopy(from.starts, start, starts, 0, end - start);
            System.arraycopy(from.ends, start, ends, 0, end - start);
        }
        size = end - start;
    }

    /** Takes a text; a surrogate without its partner becomes U+FFFD. */
    void read(CharSequence text, boolean keepPlaces) {
        size = 0;
        placed = keepPlaces;
        int length = text.length();
        reserve(length);
        for (int i = 0; i < length;) {
            char c = text.charAt(i);
            int codePoint = c;
            int next = i + 1;
            if (Character.isSurrogate(c)) {
                if (Character.isHighSurrogate(c) && next < length && Character.isLowSurrogate(text.charAt(next))) {
                    codePoint = Character.toCodePoint(c, text.charAt(next++));
                } else {
                    codePoint = 0xFFFD;
                }
            }
            codes[size] = codePoint;
            if (placed) {
                starts[size] = i;
                ends[size] = next;
            }
            size++;
            i = next;
        }
    }

    /** Begins a change. */
    void begin() {
        nextSize = 0;
        if (placed && nextStarts.length < nextCodes.length) {
            nextStarts = new int[nextCodes.length];
            nextEnds = new int[nextCodes.length];
        }
    }

    /** Adds a code point that comes from where the one at {@code source} does; −1 for the text's begin. */
    void put(int code, int source) {
        if (nextSize == nextCodes.length) {
            grow(nextSize + 1);
        }
        nextCodes[nextSize] = code;
        if (placed) {
            nextStarts[nextSize] = source < 0 ? 0 : starts[source];
            nextEnds[nextSize] = source < 0 ? 0 : ends[source];
        }
        nextSize++;
    }

    /** Adds code points as they are. */
    void putAll(int from, int to) {
        int count = to - from;
        grow(nextSize + count);
        System.arraycopy(codes, from, nextCodes, nextSize, count);
        if (placed) {
            System.arraycopy(starts, from, nextStarts, nextSize, count);
            System.arraycopy(ends, from, nextEnds, nextSize, count);
        }
        nextSize += count;
    }

    /** The code points of the new text so far. */
    int written() {
        return nextSize;
    }

    /** Puts the new text in the place of the old one. */
    void end() {
        int[] held = codes;
        codes = nextCodes;
        nextCodes = held;
        held = starts;
        starts = nextStarts;
        nextStarts = held;
        held = ends;
        ends = nextEnds;
        nextEnds = held;
        size = nextSize;
    }

    /** The code points that there is room for. */
    int room() {
        return Math.max(codes.length, nextCodes.length);
    }

    static IllegalArgumentException tooLong() {
        return new IllegalArgumentException(
                "expected a text that is normalized to at most " + MOST + " characters, got more");
    }

    private void reserve(int count) {
        if (codes.length < count) {
            codes = new int[count];
        }
        if (placed && starts.length < codes.length) {
            starts = new int[codes.length];
            ends = new int[codes.length];
        }
    }

    private void grow(int count) {
        if (count > MOST) {
            throw tooLong();
        }
        if (count > nextCodes.length) {
            nextCodes = Arrays.copyOf(nextCodes, Math.max(count, 2 * nextCodes.length));
        }
        if (placed && nextStarts.length < nextCodes.length) {
            nextStarts = Arrays.copyOf(nextStarts, nextCodes.length);
            nextEnds = Arrays.copyOf(nextEnds, nextCodes.length);
        }
    }
}
