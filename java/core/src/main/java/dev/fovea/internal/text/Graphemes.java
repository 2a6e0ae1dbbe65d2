package dev.fovea.internal.text;

/** Where characters as readers see them end: extended grapheme clusters (UAX 29). */
final class Graphemes {
    private static final int JOINER = 0x200D;
    private static final int NON_JOINER = 0x200C;

    private Graphemes() {}

    /** The end of the character that begins at {@code from}. */
    static int end(int[] codes, int from, int size) {
        int at = from + 1;
        int flags = 0; // of the state below
        flags = after(flags, codes[from], Unicode.of(codes[from]));
        int previous = codes[from];
        int properties = Unicode.of(previous);
        int regionals = isRegional(previous) ? 1 : 0;
        while (at < size) {
            int next = codes[at];
            int nextProperties = Unicode.of(next);
            if (breaks(previous, properties, next, nextProperties, flags, regionals)) {
                return at;
            }
            flags = after(flags, next, nextProperties);
            regionals += isRegional(next) ? 1 : 0;
            previous = next;
            properties = nextProperties;
            at++;
        }
        return at;
    }

    /** A pictograph and what extends it came before; then a joiner. */
    private static final int PICTOGRAPH = 1;
    private static final int JOINED_PICTOGRAPH = 2;
    /** A consonant came before; then a sign that links it to the next. */
    private static final int CONSONANT = 4;
    private static final int LINKED_CONSONANT = 8;

    private static int after(int flags, int code, int properties) {
        boolean extend = (properties & Unicode.JOINS) != 0 && (1 << (properties & Unicode.CATEGORY) & 1 << 7) == 0;
        int after = 0;
        if ((properties & Unicode.PICTOGRAPHIC) != 0) {
            after |= PICTOGRAPH;
        } else if (code == JOINER && (flags & PICTOGRAPH) != 0) {
            after |= JOINED_PICTOGRAPH;
        } else if (extend && (flags & PICTOGRAPH) != 0) {
            after |= PICTOGRAPH;
        }
        if ((properties & Unicode.LINKS) != 0) {
            after |= CONSONANT;
        } else if (isLinker(code) && (flags & (CONSONANT | LINKED_CONSONANT)) != 0) {
            after |= LINKED_CONSONANT;
        } else if (extend && code != NON_JOINER) {
            after |= flags & (CONSONANT | LINKED_CONSONANT);
        }
        return after;
    }

    private static boolean breaks(int previous, int properties, int next, int nextProperties, int flags, int regionals) {
        if (previous == '\r' && next == '\n') {
            return false;
        }
        if (((properties | nextProperties) & Unicode.CONTROL) != 0) {
            return true;
        }
        if ((nextProperties & Unicode.JOINS) != 0 || (properties & Unicode.PREPENDS) != 0) {
            return false;
        }
        if (isSyllable(previous, next)
                || (flags & LINKED_CONSONANT) != 0 && (nextProperties & Unicode.LINKS) != 0
                || (flags & JOINED_PICTOGRAPH) != 0 && (nextProperties & Unicode.PICTOGRAPHIC) != 0) {
            return false;
        }
        return !(isRegional(previous) && isRegional(next) && regionals % 2 == 1);
    }

    private static boolean isLinker(int code) {
        return switch (code) {
            case 0x94D, 0x9CD, 0xACD, 0xB4D, 0xC4D, 0xD4D -> true;
            default -> false;
        };
    }

    private static boolean isRegional(int code) {
        return code >= 0x1F1E6 && code <= 0x1F1FF;
    }

    private static boolean isSyllable(int first, int second) {
        boolean syllable = first >= 0xAC00 && first <= 0xD7A3;
        boolean leading = first >= 0x1100 && first <= 0x115F || first >= 0xA960 && first <= 0xA97C;
        if (leading) {
            return second >= 0x1100 && second <= 0x115F || second >= 0xA960 && second <= 0xA97C || isVowel(second)
                    || second >= 0xAC00 && second <= 0xD7A3;
        }
        if (isVowel(first) || syllable && (first - 0xAC00) % 28 == 0) {
            return isVowel(second) || isTrailing(second);
        }
        return (isTrailing(first) || syllable) && isTrailing(second);
    }

    private static boolean isVowel(int code) {
        return code >= 0x1160 && code <= 0x11A7 || code >= 0xD7B0 && code <= 0xD7C6 || code == 0x16D63
                || code >= 0x16D67 && code <= 0x16D6A;
    }

    private static boolean isTrailing(int code) {
        return code >= 0x11A8 && code <= 0x11FF || code >= 0xD7CB && code <= 0xD7FB;
    }
}
