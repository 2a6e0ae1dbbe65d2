package dev.fovea.internal.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A set of code points: ranges, general categories, other properties, and sets in it. */
final class CharacterSet {
    private final int[] ranges;
    /** A bit for each category. */
    private final int categories;
    /** Of {@link Unicode}; one of them is enough. */
    private final int flags;
    private final CharacterSet[] parts;
    private final boolean negated;
    /** The first 128 code points. */
    private final long low;
    private final long high;

    private CharacterSet(Builder builder, boolean negated) {
        this.ranges = builder.ranges.stream().flatMapToInt(Arrays::stream).toArray();
        this.categories = builder.categories;
        this.flags = builder.flags;
        this.parts = builder.parts.toArray(new CharacterSet[0]);
        this.negated = negated;
        long[] bits = new long[2];
        for (int c = 0; c < 128; c++) {
            if (slowly(c)) {
                bits[c >> 6] |= 1L << c;
            }
        }
        this.low = bits[0];
        this.high = bits[1];
    }

    boolean contains(int codePoint) {
        if (codePoint < 128) {
            return ((codePoint < 64 ? low : high) >>> codePoint & 1) != 0;
        }
        return slowly(codePoint);
    }

    private boolean slowly(int codePoint) {
        int properties = Unicode.of(codePoint);
        boolean in = (categories >>> (properties & Unicode.CATEGORY) & 1) != 0 || (properties & flags) != 0;
        for (int i = 0; !in && i < ranges.length; i += 2) {
            in = codePoint >= ranges[i] && codePoint <= ranges[i + 1];
        }
        for (int i = 0; !in && i < parts.length; i++) {
            in = parts[i].contains(codePoint);
        }
        return in != negated;
    }

    /** A set that is being put together. */
    static final class Builder {
        private final List<int[]> ranges = new ArrayList<>();
        private int categories;
        private int flags;
        private final List<CharacterSet> parts = new ArrayList<>();

        Builder range(int first, int last) {
            ranges.add(new int[] {first, last});
            return this;
        }

        Builder categories(int bits) {
            categories |= bits;
            return this;
        }

        Builder flags(int bits) {
            flags |= bits;
            return this;
        }

        Builder part(CharacterSet set) {
            parts.add(set);
            return this;
        }

        CharacterSet build(boolean negated) {
            return new CharacterSet(this, negated);
        }
    }
}
