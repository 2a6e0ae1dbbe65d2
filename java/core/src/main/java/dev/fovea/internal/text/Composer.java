package dev.fovea.internal.text;

import java.util.Arrays;

/** The normal forms of Unicode (UAX 15), with the characters of the library's version. */
final class Composer {
    private static final int SYLLABLES = 0xAC00;
    private static final int SYLLABLE_COUNT = 11172;

    private final Changes decomposed = new Changes();
    private final Changes composed = new Changes();
    private long[] order = new long[32];

    /** The code points that there is room for. */
    int room() {
        return Math.max(decomposed.room(), composed.room());
    }

    /** Whether a normal form may change a text. */
    private static boolean mayChange(Characters text, int flags) {
        int any = flags | 0x7f << Unicode.COMBINING_SHIFT;
        for (int i = 0; i < text.size; i++) {
            if (text.codes[i] >= 0x80 && Unicode.is(text.codes[i], any)) {
                return true;
            }
        }
        return false;
    }

    /** Brings a text into one of the four forms. */
    void normalize(Characters text, boolean compatibly, boolean composes) {
        int flag = compatibly ? Unicode.DECOMPOSES_COMPATIBLY : Unicode.DECOMPOSES;
        if (!mayChange(text, composes ? flag | Unicode.COMPOSES : flag)) {
            return;
        }
        decompose(text, compatibly);
        if (composes) {
            compose();
            composed.apply(text);
        } else {
            decomposed.apply(text);
        }
    }

    private void decompose(Characters text, boolean compatibly) {
        decomposed.clear();
        int marks = 0; // where the run of marks at the end begins
        for (int i = 0; i < text.size; i++) {
            marks = decompose(text.codes[i], compatibly, marks);
        }
        sort(marks, decomposed.size);
    }

    private int decompose(int code, boolean compatibly, int marks) {
        int properties = code < 0x80 ? 0 : Unicode.of(code);
        if ((properties & (compatibly ? Unicode.DECOMPOSES_COMPATIBLY : Unicode.DECOMPOSES)) == 0) {
            return add(code, properties, 0, marks);
        }
        int syllable = code - SYLLABLES;
        if (syllable >= 0 && syllable < SYLLABLE_COUNT) {
            add(0x1100 + syllable / 588, 0, 0, marks);
            int start = add(0x1161 + syllable % 588 / 28, 0, 1, decomposed.size);
            return syllable % 28 == 0 ? start : add(0x11A7 + syllable % 28, 0, 1, start);
        }
        Mapping mapping = Unicode.compatible();
        int slot = mapping.slot(code);
        if (!compatibly || !mapping.has(slot)) {
            mapping = Unicode.canonical();
            slot = mapping.slot(code);
        }
        int start = marks;
        for (int i = 0; i < mapping.length(slot); i++) {
            int part = mapping.image(slot, i);
            start = add(part, Unicode.of(part), i == 0 ? 0 : 1, start);
        }
        return start;
    }

    /** Adds a code point; gives where the run of marks at the end begins then. */
    private int add(int code, int properties, int step, int marks) {
        decomposed.add(code, step);
        if (rank(properties) != 0) {
            return marks;
        }
        sort(marks, decomposed.size - 1);
        return decomposed.size;
    }

    private static int rank(int properties) {
        return properties >>> Unicode.COMBINING_SHIFT;
    }

    private static int rankOf(int code) {
        return code < 0x80 ? 0 : rank(Unicode.of(code));
    }

    /** Sorts a run of marks by their classes; those of one class stay in order. */
    private void sort(int from, int to) {
        int count = to - from;
        boolean sorted = true;
        for (int i = from + 1; i < to && sorted; i++) {
            sorted = rankOf(decomposed.codes[i - 1]) <= rankOf(decomposed.codes[i]);
        }
        if (sorted) {
            return;
        }
        if (2 * count > order.length) {
            order = new long[4 * count];
        }
        for (int i = 0; i < count; i++) {
            int code = decomposed.codes[from + i];
            order[i] = (long) rankOf(code) << 32 | i;
            order[count + i] = (long) code << 32 | decomposed.steps[from + i];
        }
        if (count > 32) {
            Arrays.sort(order, 0, count);
        } else {
            insertionSort(count);
        }
        for (int i = 0; i < count; i++) {
            long mark = order[count + (int) order[i]];
            decomposed.codes[from + i] = (int) (mark >>> 32);
            decomposed.steps[from + i] = (int) mark;
        }
    }

    private void insertionSort(int count) {
        for (int i = 1; i < count; i++) {
            long moved = order[i];
            int at = i;
            while (at > 0 && order[at - 1] > moved) {
                order[at] = order[at - 1];
                at--;
            }
            order[at] = moved;
        }
    }

    /** Composes each mark with the character before it, unless one of its class or a higher one is between. */
    private void compose() {
        Compositions compositions = Unicode.compositions();
        composed.clear();
        int base = -1; // where the last character stands that is no mark
        int blocked = -1; // the rank of the mark before; −1 right behind the base
        for (int i = 0; i < decomposed.size; i++) {
            int code = decomposed.codes[i];
            int rank = rankOf(code);
            if (base >= 0 && blocked < rank) {
                int whole = compositions.of(composed.codes[base], code);
                if (whole >= 0) {
                    composed.codes[base] = whole;
                    composed.steps[base] += decomposed.steps[i] - 1;
                    continue;
                }
            }
            composed.add(code, decomposed.steps[i]);
            if (rank == 0) {
                base = composed.size - 1;
                blocked = -1;
            } else if (base >= 0) {
                blocked = rank;
            }
        }
    }
}
