package dev.fovea.internal.text;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Pairs of tokens that become a third, in the order in which that is done. */
public final class MergeTable {
    /** No rank. */
    static final int NONE = Integer.MAX_VALUE;

    private final long seed = ThreadLocalRandom.current().nextLong();

    /** By open addressing, at most 5/8 full: a pair plus 1, or 0. */
    private long[] pairs;
    /** The ranks of those. */
    private int[] rankOf;
    private int size;
    private int[] merged;
    private int ranks;

    /** Of any number of merges. */
    public MergeTable() {
        this(1 << 10);
    }

    /** With room for some merges; more make it grow. */
    public MergeTable(int merges) {
        int room = Math.clamp(merges, 1 << 10, 1 << 26);
        merged = new int[room];
        makeSlots(Integer.highestOneBit(room * 8 / 5) << 1);
    }

    private void makeSlots(int slots) {
        pairs = new long[slots];
        rankOf = new int[slots];
    }

    /** Adds the next merge; of two of one pair the later one counts. */
    public void add(int first, int second, int becomes) {
        if (size + 1 > pairs.length / 8 * 5) {
            grow();
        }
        int slot = slot(first, second);
        size += pairs[slot] == 0 ? 1 : 0;
        pairs[slot] = pair(first, second);
        rankOf[slot] = ranks;
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
        int mask = pairs.length - 1;
        int slot = (int) Vocabulary.step(Vocabulary.step(seed, first), second) & mask;
        while (pairs[slot] != 0 && pairs[slot] != pair) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        long[] old = pairs;
        int[] oldRanks = rankOf;
        makeSlots(2 * old.length);
        for (int i = 0; i < old.length; i++) {
            if (old[i] != 0) {
                int slot = slot((int) (old[i] - 1 >>> 32), (int) (old[i] - 1));
                pairs[slot] = old[i];
                rankOf[slot] = oldRanks[i];
            }
        }
    }

    /** The rank of a pair, or {@link #NONE}. */
    int rank(int first, int second) {
        int slot = slot(first, second);
        return pairs[slot] == 0 ? NONE : rankOf[slot];
    }

    /** What the pair of a rank becomes. */
    int merged(int rank) {
        return merged[rank];
    }
}
