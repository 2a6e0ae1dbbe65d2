package dev.fovea.internal.text;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Pairs of tokens that become a third, in the order in which that is done. */
public final class MergeTable {
    /** No rank. */
    static final int NONE = Integer.MAX_VALUE;

    private final long seed = ThreadLocalRandom.current().nextLong();

    /** By open addressing: a pair plus 1, then its rank and the id of what it becomes. */
    private long[] slots;
    private int size;
    private int[] merged;
    private int ranks;

    /** Of any number of merges. */
    public MergeTable() {
        this(1 << 10);
    }

    /** With room for some merges; more make it grow. */
    public MergeTable(int merges) {
        merged = new int[Math.max(merges, 1 << 10)];
        slots = new long[Integer.highestOneBit(4 * Math.min(merged.length, 1 << 26) - 1) << 1];
    }

    /** Adds the next merge; of two of one pair the later one counts. */
    public void add(int first, int second, int becomes) {
        if (4 * (size + 1) > slots.length) {
            grow();
        }
        int slot = slot(first, second);
        size += slots[slot] == 0 ? 1 : 0;
        slots[slot] = pair(first, second);
        slots[slot + 1] = (long) ranks << 32 | becomes;
        if (ranks == merged.length) {
            merged = Arrays.copyOf(merged, 2 * ranks);
        }
        merged[ranks++] = becomes;
    }

    private static long pair(int first, int second) {
        return ((long) first << 32 | second) + 1;
    }

    private int slot(int first, int second) {
        long pair = pair(first, second);
        int mask = slots.length - 2;
        int slot = (int) Vocabulary.step(Vocabulary.step(seed, first), second) & mask;
        while (slots[slot] != 0 && slots[slot] != pair) {
            slot = slot + 2 & mask;
        }
        return slot;
    }

    private void grow() {
        long[] old = slots;
        slots = new long[2 * old.length];
        for (int i = 0; i < old.length; i += 2) {
            if (old[i] != 0) {
                int slot = slot((int) (old[i] - 1 >>> 32), (int) (old[i] - 1));
                slots[slot] = old[i];
                slots[slot + 1] = old[i + 1];
            }
        }
    }

    /** The rank of a pair, or {@link #NONE}. */
    int rank(int first, int second) {
        int slot = slot(first, second);
        return slots[slot] == 0 ? NONE : (int) (slots[slot + 1] >>> 32);
    }

    /** What the pair of a rank becomes. */
    int merged(int rank) {
        return merged[rank];
    }
}
