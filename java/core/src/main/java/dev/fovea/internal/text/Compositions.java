package dev.fovea.internal.text;

/** Pairs of code points that become one (UAX 15), syllables of Hangul included. */
final class Compositions {
    private static final int SYLLABLES = 0xAC00;
    private static final int LEADING = 0x1100;
    private static final int VOWELS = 0x1161;
    private static final int TRAILING = 0x11A7;
    private static final int LEADING_COUNT = 19;
    private static final int VOWEL_COUNT = 21;
    private static final int TRAILING_COUNT = 28;
    private static final int SYLLABLE_COUNT = LEADING_COUNT * VOWEL_COUNT * TRAILING_COUNT;

    private final long[] pairs;
    private final int[] composed;

    private Compositions(int slots) {
        this.pairs = new long[slots];
        this.composed = new int[slots];
    }

    static Compositions read(Numbers in) {
        int count = in.next();
        Compositions compositions = new Compositions(Integer.highestOneBit(Math.max(1, count)) * 4);
        for (int i = 0; i < count; i++) {
            long pair = pair(in.next(), in.next());
            int slot = compositions.slot(pair);
            compositions.pairs[slot] = pair;
            compositions.composed[slot] = in.next();
        }
        return compositions;
    }

    private static long pair(int first, int second) {
        return (long) first << 32 | second;
    }

    private int slot(long pair) {
        int slot = (int) (pair * 0x9E3779B97F4A7C15L >>> 40) & pairs.length - 1;
        while (pairs[slot] != 0 && pairs[slot] != pair) {
            slot = slot + 1 & pairs.length - 1;
        }
        return slot;
    }

    /** What the two become together, or −1. */
    int of(int first, int second) {
        int leading = first - LEADING;
        int vowel = second - VOWELS;
        if (leading >= 0 && leading < LEADING_COUNT && vowel >= 0 && vowel < VOWEL_COUNT) {
            return SYLLABLES + (leading * VOWEL_COUNT + vowel) * TRAILING_COUNT;
        }
        int syllable = first - SYLLABLES;
        int trailing = second - TRAILING;
        if (syllable >= 0 && syllable < SYLLABLE_COUNT && syllable % TRAILING_COUNT == 0 && trailing > 0
                && trailing < TRAILING_COUNT) {
            return first + trailing;
        }
        if (!Unicode.is(second, Unicode.COMPOSES)) {
            return -1;
        }
        int slot = slot(pair(first, second));
        return pairs[slot] != 0 ? composed[slot] : -1;
    }
}
