package dev.fovea.internal.text;

import java.util.Arrays;

/** The pieces of a text: added tokens, and what is between them. */
final class Pieces {
    private int[] from = new int[16];
    private int[] to = new int[16];
    private int[] ids = new int[16];
    private int size;

    void clear() {
        size = 0;
    }

    /** Adds a piece, of a token's id or −1; nothing if it is empty. */
    void add(int start, int end, int id) {
        if (start >= end) {
            return;
        }
        if (size == from.length) {
            from = Arrays.copyOf(from, 2 * size);
            to = Arrays.copyOf(to, 2 * size);
            ids = Arrays.copyOf(ids, 2 * size);
        }
        from[size] = start;
        to[size] = end;
        ids[size++] = id;
    }

    int size() {
        return size;
    }

    int from(int index) {
        return from[index];
    }

    int to(int index) {
        return to[index];
    }

    int id(int index) {
        return ids[index];
    }
}
