package dev.fovea.model.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A set of Unicode code points, surrogates left out. Immutable.
 *
 * @param ranges sorted, apart from each other: first, last, first, last, …
 */
record CodePoints(List<Integer> ranges) {
    /** All of them. */
    static final CodePoints ALL = new Builder().add(0, Character.MAX_CODE_POINT).build();
    static final CodePoints NONE = new Builder().build();

    /** One range. */
    static CodePoints of(int first, int last) {
        return new Builder().add(first, last).build();
    }

    /** Those of a text. */
    static CodePoints of(String characters) {
        Builder set = new Builder();
        characters.codePoints().forEach(c -> set.add(c, c));
        return set.build();
    }

    /** Those that a condition holds for. */
    static CodePoints where(IntPredicate condition) {
        Builder set = new Builder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (condition.test(c)) {
                set.add(c, c);
            }
        }
        return set.build();
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    boolean contains(int codePoint) {
        for (int i = 0; i < ranges.size(); i += 2) {
            if (codePoint >= ranges.get(i) && codePoint <= ranges.get(i + 1)) {
                return true;
            }
        }
        return false;
    }

    /** All others. */
    CodePoints complement() {
        Builder set = new Builder();
        int from = 0;
        for (int i = 0; i < ranges.size(); i += 2) {
            set.add(from, ranges.get(i) - 1);
            from = ranges.get(i + 1) + 1;
        }
        return set.add(from, Character.MAX_CODE_POINT).build();
    }

    CodePoints union(CodePoints other) {
        return new Builder().add(this).add(other).build();
    }

    CodePoints minus(CodePoints other) {
        return complement().union(other).complement();
    }

    /** Puts ranges together, in any order. */
    static final class Builder {
        private final List<int[]> ranges = new ArrayList<>();

        /** Adds a range; none if it ends before it begins. */
        Builder add(int first, int last) {
            int[] end = ranges.isEmpty() ? null : ranges.getLast();
            if (end != null && first == end[1] + 1 && last >= first) {
                end[1] = last;
            } else if (first <= last) {
                ranges.add(new int[] {first, last});
            }
            return this;
        }

        Builder add(CodePoints set) {
            for (int i = 0; i < set.ranges.size(); i += 2) {
                add(set.ranges.get(i), set.ranges.get(i + 1));
            }
            return this;
        }

        CodePoints build() {
            ranges.sort((a, b) -> Integer.compare(a[0], b[0]));
            List<Integer> merged = new ArrayList<>();
            int first = 0;
            int last = -2;
            for (int[] range : ranges) {
                if (range[0] > last + 1) {
                    put(merged, first, last);
                    first = range[0];
                    last = range[1];
                } else {
                    last = Math.max(last, range[1]);
                }
            }
            put(merged, first, last);
            return new CodePoints(List.copyOf(merged));
        }

        /** Without surrogates, which no UTF-8 has. */
        private static void put(List<Integer> merged, int first, int last) {
            int before = Math.min(last, Character.MIN_SURROGATE - 1);
            int behind = Math.max(first, Character.MAX_SURROGATE + 1);
            if (first <= before) {
                merged.add(first);
                merged.add(before);
            }
            if (behind <= last) {
                merged.add(behind);
                merged.add(last);
            }
        }
    }
}
