package dev.fovea.internal.text;

import java.util.concurrent.ThreadLocalRandom;

/** Pairs of code points that stand side by side in some token: between others no token reaches from one to the other. */
final class Joints {
    private final long seed = ThreadLocalRandom.current().nextLong();

    /** By open addressing: a pair plus 1. */
    private long[] slots = new long[1 << 12];
    private int size;

    Joints(Vocabulary vocabulary) {
        vocabulary.forEachPair(this::add);
    }

    private void add(int first, int second) {
        long pair = pair(first, second);
        int slot = slot(pair);
        if (slots[slot] != 0) {
            return;
        }
        slots[slot] = pair;
        if (2 * ++size > slots.length) {
            long[] old = slots;
            slots = new long[2 * old.length];
            for (long entry : old) {
                if (entry != 0) {
                    slots[slot(entry)] = entry;
                }
            }
        }
    }

    boolean has(int first, int second) {
        return slots[slot(pair(first, second))] != 0;
    }

    private static long pair(int first, int second) {
        return ((long) first << 21 | second) + 1;
    }

    private int slot(long pair) {
        long hash = (pair ^ seed) * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash ^ hash >>> 32) & slots.length - 1;
        while (slots[slot] != 0 && slots[slot] != pair) {
            slot = slot + 1 & slots.length - 1;
        }
        return slot;
    }
}
