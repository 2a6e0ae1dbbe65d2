package dev.fovea.internal.text;

import java.util.Arrays;

/** The symbols of one word while pairs of them are merged. */
final class Symbols {
    /** Hashes of what a word begins with. */
    final long[] hashes = new long[WordPiece.MOST_CHARS];

    /** A symbol's token, its bytes in UTF-8 (0 once it is part of the one before), and its neighbours. */
    int[] ids = new int[64];
    int[] bytes = new int[64];
    int[] previous = new int[64];
    int[] next = new int[64];
    int size;

    /** Pairs that may be merged: the rank in the high half, the place of the first symbol in the low half. */
    private long[] heap = new long[64];
    private int heapSize;

    /** The symbols that there is room for. */
    int room() {
        return ids.length;
    }

    void clear() {
        size = 0;
        heapSize = 0;
    }

    void add(int id, int byteCount) {
        if (size == ids.length) {
            if (size >= Characters.MOST) {
                throw Characters.tooLong();
            }
            ids = Arrays.copyOf(ids, 2 * size);
            bytes = Arrays.copyOf(bytes, 2 * size);
            previous = Arrays.copyOf(previous, 2 * size);
            next = Arrays.copyOf(next, 2 * size);
        }
        ids[size] = id;
        bytes[size] = byteCount;
        size++;
    }

    /** Takes the symbol behind {@code at} away; the others close up. */
    void remove(int at) {
        int moved = size - at - 1;
        System.arraycopy(ids, at + 1, ids, at, moved);
        System.arraycopy(bytes, at + 1, bytes, at, moved);
        System.arraycopy(previous, at + 1, previous, at, moved);
        size--;
    }

    /** Takes symbols without bytes away. */
    void close() {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (bytes[i] != 0) {
                ids[kept] = ids[i];
                bytes[kept++] = bytes[i];
            }
        }
        size = kept;
    }

    void push(int rank, int place) {
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, 2 * heapSize);
        }
        long entry = (long) rank << 32 | place;
        int at = heapSize++;
        while (at > 0 && heap[at - 1 >> 1] > entry) {
            heap[at] = heap[at - 1 >> 1];
            at = at - 1 >> 1;
        }
        heap[at] = entry;
    }

    boolean hasPairs() {
        return heapSize > 0;
    }

    /** The pair of the lowest rank; of several the first. */
    long pop() {
        long top = heap[0];
        long last = heap[--heapSize];
        int at = 0;
        for (int child = 1; child < heapSize; child = 2 * at + 1) {
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = last;
        return top;
    }
}
