package dev.fovea.internal.text;

import java.util.Arrays;

/** The words that a text is split into, as ranges of its code points. Changed like {@link Characters}. */
final class Words {
    int[] from = new int[64];
    int[] to = new int[64];
    int size;

    private int[] nextFrom = new int[64];
    private int[] nextTo = new int[64];
    private int nextSize;

    /** One word alone. */
    void set(int start, int end) {
        begin();
        put(start, end);
        end();
    }

    /** Begins a change. */
    void begin() {
        nextSize = 0;
    }

    /** Adds a word; nothing if it is empty. */
    void put(int start, int end) {
        if (start >= end) {
            return;
        }
        if (nextSize == nextFrom.length) {
            nextFrom = Arrays.copyOf(nextFrom, 2 * nextSize);
            nextTo = Arrays.copyOf(nextTo, 2 * nextSize);
        }
        nextFrom[nextSize] = start;
        nextTo[nextSize++] = end;
    }

    /** Puts the new words in the place of the old ones. */
    void end() {
        int[] held = from;
        from = nextFrom;
        nextFrom = held;
        held = to;
        to = nextTo;
        nextTo = held;
        size = nextSize;
    }
}
