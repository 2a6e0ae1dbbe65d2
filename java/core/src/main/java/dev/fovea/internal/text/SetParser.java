package dev.fovea.internal.text;

import java.util.List;

/** Reads what a regular expression says about single characters: literals, escapes and sets in brackets. */
final class SetParser {
    /** Characters beyond ASCII whose case is that of a letter of ASCII: a long s, and the sign of Kelvin. */
    private static final int LONG_S = 0x17F;
    private static final int KELVIN = 0x212A;
    private static final int MOST_DEPTH = 20;

    private final int[] pattern;
    private int at;
    private int depth;

    SetParser(int[] pattern) {
        this.pattern = pattern;
    }

    /** Where what was read ends. */
    int end() {
        return at;
    }

    CharacterSet literal(int c, boolean ignoresCase) {
        CharacterSet.Builder set = new CharacterSet.Builder();
        add(set, c, c, ignoresCase);
        return set.build(false);
    }

    private void add(CharacterSet.Builder set, int first, int last, boolean ignoresCase) {
        set.range(first, last);
        if (!ignoresCase) {
            return;
        }
        for (int c = first; c <= last; c++) {
            if (c >= 0x80) {
                if (Character.toLowerCase(c) != c || Character.toUpperCase(c) != c) {
                    throw error("letters beyond ASCII, whatever their case");
                }
            } else if (Character.isLetter(c)) {
                set.range(c ^ 0x20, c ^ 0x20);
                int lower = c | 0x20;
                if (lower == 's' || lower == 'k') {
                    set.range(lower == 's' ? LONG_S : KELVIN, lower == 's' ? LONG_S : KELVIN);
                }
            }
            if (c > first + 0x1000) {
                throw error("so large a set, whatever its case");
            }
        }
    }

    /** The escape that begins at {@code from}. */
    CharacterSet escape(int from, boolean ignoresCase) {
        at = from + 1;
        CharacterSet.Builder set = new CharacterSet.Builder();
        int literal = escape(set, ignoresCase);
        if (literal >= 0) {
            add(set, literal, literal, ignoresCase);
        }
        return set.build(false);
    }

    /** Adds what an escape stands for; gives it instead if it is one character. */
    private int escape(CharacterSet.Builder set, boolean ignoresCase) {
        if (at >= pattern.length) {
            throw error("an escape of nothing");
        }
        int c = pattern[at++];
        switch (c) {
            case 'n' -> {
                return '\n';
            }
            case 'r' -> {
                return '\r';
            }
            case 't' -> {
                return '\t';
            }
            case 'f' -> {
                return '\f';
            }
            case 'v' -> {
                return 0xB;
            }
            case 'a' -> {
                return 7;
            }
            case 'e' -> {
                return 27;
            }
            case 'x', 'u' -> {
                return hexadecimal(c);
            }
            case 's' -> set.flags(Unicode.REGEX_SPACE);
            case 'S' -> set.part(new CharacterSet.Builder().flags(Unicode.REGEX_SPACE).build(true));
            case 'w' -> set.part(word(false));
            case 'W' -> set.part(word(true));
            case 'd' -> set.categories(categories("Nd"));
            case 'D' -> set.part(new CharacterSet.Builder().categories(categories("Nd")).build(true));
            case 'p', 'P' -> property(set, c == 'P', ignoresCase);
            default -> {
                if (c < 0x80 && Character.isLetterOrDigit(c)) {
                    throw error("the escape \\" + (char) c);
                }
                return c;
            }
        }
        return -1;
    }

    /** Characters of words, or all others. In brackets, superscripts and fractions of Latin-1 are none. */
    private CharacterSet word(boolean negated) {
        CharacterSet.Builder others = new CharacterSet.Builder().part(
                new CharacterSet.Builder().flags(Unicode.REGEX_WORD).build(true));
        if (depth > 0) {
            others.range(0xB2, 0xB3).range(0xB9, 0xB9).range(0xBC, 0xBE);
        }
        return others.build(!negated);
    }

    private int hexadecimal(int kind) {
        boolean braces = kind == 'x' && at < pattern.length && pattern[at] == '{';
        int most = braces ? 8 : kind == 'x' ? 2 : 4;
        at += braces ? 1 : 0;
        int begin = at;
        long value = 0;
        while (at < pattern.length && at - begin < most && Character.digit(pattern[at], 16) >= 0) {
            value = 16 * value + Character.digit(pattern[at++], 16);
        }
        if (at == begin || kind == 'u' && at - begin < 4 || value > Character.MAX_CODE_POINT || kind == 'x' && !braces
                && value >= 0x80) {
            throw error("an escape of hexadecimal digits");
        }
        if (braces && (at >= pattern.length || pattern[at++] != '}')) {
            throw error("'}' expected");
        }
        return (int) value;
    }

    private void property(CharacterSet.Builder set, boolean negated, boolean ignoresCase) {
        if (at >= pattern.length || pattern[at] != '{') {
            throw error("'{' expected");
        }
        at++;
        boolean not = negated;
        if (at < pattern.length && pattern[at] == '^') {
            not = !not;
            at++;
        }
        StringBuilder name = new StringBuilder();
        while (at < pattern.length && pattern[at] != '}' && name.length() < 20) {
            name.appendCodePoint(pattern[at++]);
        }
        if (at >= pattern.length || pattern[at++] != '}') {
            throw error("'}' expected");
        }
        CharacterSet.Builder inside = not ? new CharacterSet.Builder() : set;
        Character.UnicodeScript script = List.of("Han", "Hiragana", "Katakana", "Hangul", "Latin", "Cyrillic", "Greek",
                "Thai", "Arabic", "Hebrew").contains(name.toString())
                ? Character.UnicodeScript.forName(name.toString()) : null;
        int bits = script != null ? 0 : categories(name.toString());
        if (ignoresCase && (bits == categories("Lu") || bits == categories("Ll") || bits == categories("Lt"))) {
            throw error("a case, whatever it is");
        }
        if (script == null) {
            inside.categories(bits);
        } else {
            inside.part(Scripts.of(script));
        }
        if (not) {
            set.part(inside.build(true));
        }
    }

    /** The bits of a category, or of all that begin with a letter. */
    private int categories(String name) {
        int bits = 0;
        for (int i = 0; 2 * i < Unicode.CATEGORIES.length(); i++) {
            if (!name.isEmpty() && Unicode.CATEGORIES.substring(2 * i, 2 * i + 2).startsWith(name)) {
                bits |= 1 << i;
            }
        }
        if (bits == 0) {
            throw error("the property " + name);
        }
        return bits;
    }

    /** The set in brackets that begins at {@code from}. */
    CharacterSet brackets(int from, boolean ignoresCase) {
        at = from;
        return brackets(ignoresCase);
    }

    private CharacterSet brackets(boolean ignoresCase) {
        if (++depth > MOST_DEPTH) {
            throw error("sets to a depth of more than " + MOST_DEPTH);
        }
        at++;
        boolean negated = at < pattern.length && pattern[at] == '^';
        at += negated ? 1 : 0;
        CharacterSet.Builder set = new CharacterSet.Builder();
        while (at < pattern.length && pattern[at] != ']') {
            if (pattern[at] == '&' && at + 1 < pattern.length && pattern[at + 1] == '&') {
                throw error("an intersection of sets");
            }
            if (pattern[at] == '[') {
                if (at + 1 < pattern.length && pattern[at + 1] == ':') {
                    throw error("a set by its POSIX name");
                }
                set.part(brackets(ignoresCase));
                continue;
            }
            int first = element(set, ignoresCase);
            if (first >= 0) {
                add(set, first, last(first, set, ignoresCase), ignoresCase);
            }
        }
        if (at >= pattern.length) {
            throw error("'[' without ']'");
        }
        at++;
        depth--;
        return set.build(negated);
    }

    /** The end of a range, or its begin if it is none. */
    private int last(int first, CharacterSet.Builder set, boolean ignoresCase) {
        if (at + 1 >= pattern.length || pattern[at] != '-' || pattern[at + 1] == ']') {
            return first;
        }
        at++;
        int last = pattern[at] == '[' ? -1 : element(set, ignoresCase);
        if (last < first) {
            throw error("a range without an end");
        }
        return last;
    }

    private int element(CharacterSet.Builder set, boolean ignoresCase) {
        int c = pattern[at++];
        return c == '\\' ? escape(set, ignoresCase) : c;
    }

    private IllegalArgumentException error(String problem) {
        return new IllegalArgumentException("a pattern that is not supported: " + problem + ", at character " + at);
    }
}
