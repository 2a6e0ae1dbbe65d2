package dev.fovea.internal.text;

import java.util.Arrays;

/** What of a word matches a pattern, and what is between; all of the word in order. */
final class Matches {
    private int[] from = new int[64];
    private int[] to = new int[64];
    private boolean[] matching = new boolean[64];
    private int size;

    void clear() {
        size = 0;
    }

    void add(int start, int end, boolean isMatch) {
        if (size == from.length) {
            from = Arrays.copyOf(from, 2 * size);
            to = Arrays.copyOf(to, 2 * size);
            matching = Arrays.copyOf(matching, 2 * size);
        }
        from[size] = start;
        to[size] = end;
        matching[size++] = isMatch;
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

    boolean isMatch(int index) {
        return matching[index];
    }

    /** Takes what matches for what does not, and the other way round. */
    void invert() {
        for (int i = 0; i < size; i++) {
            matching[i] = !matching[i];
        }
    }

    /** Adds the words that are left to {@code words}. */
    void split(SplitBehavior behavior, Words words) {
        switch (behavior) {
            case REMOVED -> {
                for (int i = 0; i < size; i++) {
                    if (!matching[i]) {
                        words.put(from[i], to[i]);
                    }
                }
            }
            case ISOLATED -> {
                for (int i = 0; i < size; i++) {
                    words.put(from[i], to[i]);
                }
            }
            case CONTIGUOUS -> merge(words, false);
            case MERGED_WITH_PREVIOUS -> merge(words, true);
            case MERGED_WITH_NEXT -> mergeWithNext(words);
        }
    }

    /** Equal ones become one; or a match and what was before it. */
    private void merge(Words words, boolean withPrevious) {
        boolean previous = false;
        int start = -1;
        int end = -1;
        for (int i = 0; i < size; i++) {
            boolean joins = withPrevious ? matching[i] && !previous : matching[i] == previous;
            if (!joins || start < 0) {
                words.put(start, end);
                start = from[i];
            }
            end = to[i];
            previous = matching[i];
        }
        words.put(start, end);
    }

    private void mergeWithNext(Words words) {
        for (int i = 0; i < size;) {
            // A match joins what follows, unless that is a match.
            int last = matching[i] && i + 1 < size && !matching[i + 1] ? i + 1 : i;
            words.put(from[i], to[last]);
            i = last + 1;
        }
    }
}
