package dev.fovea.vectors;

import java.util.Arrays;

/**
 * The best rows of each of several queries. A row is a key, in whose upper half scores have their order, NaN being the
 * least, and in whose lower half the lower row is the greater. The keys of a query are a heap with the least on top.
 */
final class BestRows {
    private static final long LOWER = 0xffff_ffffL;

    private long[] keys = {};
    private int[] sizes = {};
    private int most;

    /** Forgets all; room for {@code most} rows of each of {@code queries}. */
    void reset(int queries, int most) {
        this.most = most;
        long needed = (long) queries * most;
        if (keys.length < needed) {
            keys = new long[Math.toIntExact(needed)];
        }
        if (sizes.length < queries) {
            sizes = new int[queries];
        }
        Arrays.fill(sizes, 0, queries, 0);
    }

    /** A row that may be among the best. */
    void offer(int query, int row, float score) {
        long key = key(row, score);
        int base = query * most;
        if (sizes[query] < most) {
            rise(base, sizes[query]++, key);
        } else if (most > 0 && key > keys[base]) {
            sink(base, most, key);
        }
    }

    /** Ranks the rows of a query, the best first; only {@link #row} and {@link #score} may follow. */
    void rank(int query) {
        int base = query * most;
        for (int size = sizes[query] - 1; size > 0; size--) {
            long least = keys[base];
            long last = keys[base + size];
            sink(base, size, last);
            keys[base + size] = least;
        }
    }

    /** The row of this rank. */
    int row(int query, int rank) {
        return (int) (LOWER - (keys[query * most + rank] & LOWER));
    }

    /** Its score. */
    float score(int query, int rank) {
        int order = (int) (keys[query * most + rank] >> Integer.SIZE);
        return order == Integer.MIN_VALUE ? Float.NaN : Float.intBitsToFloat(order ^ (order >> 31 & Integer.MAX_VALUE));
    }

    private static long key(int row, float score) {
        int bits = Float.floatToRawIntBits(score + 0f); // −0 is 0
        int order = score != score ? Integer.MIN_VALUE : bits ^ (bits >> 31 & Integer.MAX_VALUE);
        return (long) order << Integer.SIZE | LOWER - row;
    }

    private void rise(int base, int from, long key) {
        int place = from;
        while (place > 0 && keys[base + (place - 1) / 2] > key) {
            keys[base + place] = keys[base + (place - 1) / 2];
            place = (place - 1) / 2;
        }
        keys[base + place] = key;
    }

    /** Puts a key in the place of the least of {@code size}. */
    private void sink(int base, int size, long key) {
        int place = 0;
        for (int child = 1; child < size; child = 2 * place + 1) {
            if (child + 1 < size && keys[base + child + 1] < keys[base + child]) {
                child++;
            }
            if (keys[base + child] >= key) {
                break;
            }
            keys[base + place] = keys[base + child];
            place = child;
        }
        keys[base + place] = key;
    }
}
