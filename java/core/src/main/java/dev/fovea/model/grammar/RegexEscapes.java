package dev.fovea.model.grammar;

import java.util.List;

/** Escapes that stand for many characters: {@code \d}, {@code \w}, {@code \s}, {@code \p{…}} and their opposites. */
final class RegexEscapes {
    private static final CodePoints DIGITS = CodePoints.of('0', '9');
    private static final CodePoints WORD = DIGITS.union(CodePoints.of('a', 'z')).union(CodePoints.of('A', 'Z'))
            .union(CodePoints.of("_"));
    /** Spaces of ASCII: what all dialects call a space. None of those beyond is called one, or something else. */
    private static final CodePoints SPACE = CodePoints.of("\t\n\u000b\f\r ");
    private static final CodePoints ANY_SPACE = CodePoints.of("\t\n\u000b\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff\u0085")
            .union(CodePoints.of(0x2000, 0x200a));
    /** General categories, in the order of Java's numbers of them; number 17 is of none. */
    private static final List<String> CATEGORIES = List.of("Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Me", "Mc", "Nd", "Nl",
            "No", "Zs", "Zl", "Zp", "Cc", "Cf", "", "Co", "Cs", "Pd", "Ps", "Pe", "Pc", "Po", "Sm", "Sc", "Sk", "So", "Pi",
            "Pf");

    private RegexEscapes() {}

    /** The set of the escape whose letter is at a place; null if it stands for one character. */
    static CodePoints set(int[] codes, int at) {
        return set(codes, at, false);
    }

    /**
     * The set of the escape whose letter is at a place; null if it stands for one character. What only some dialects call a
     * space is in neither {@code \s} nor {@code \S}.
     *
     * @param excluded whether it is in brackets that begin with ^: then what some call a space is in both
     */
    static CodePoints set(int[] codes, int at, boolean excluded) {
        return switch (at < codes.length ? codes[at] : -1) {
            case 'd' -> DIGITS;
            case 'D' -> DIGITS.complement();
            case 'w' -> WORD;
            case 'W' -> WORD.complement();
            case 's' -> excluded ? ANY_SPACE : SPACE;
            case 'S' -> (excluded ? SPACE : ANY_SPACE).complement();
            case 'p' -> category(codes, at);
            case 'P' -> category(codes, at).complement();
            default -> null;
        };
    }

    /** Where that escape ends. */
    static int end(int[] codes, int at) {
        int end = at;
        if (codes[at] == 'p' || codes[at] == 'P') {
            while (codes[end] != '}') {
                end++;
            }
        }
        return end + 1;
    }

    private static CodePoints category(int[] codes, int at) {
        var name = new StringBuilder();
        int end = at + 2;
        while (end < codes.length && codes[end] != '}' && name.length() < 40) {
            name.appendCodePoint(codes[end++]);
        }
        String wanted = name.toString().replaceFirst("^(gc|General_Category)=", "");
        if (at + 1 >= codes.length || codes[at + 1] != '{' || end >= codes.length || codes[end] != '}' || wanted.isEmpty()
                || CATEGORIES.stream().noneMatch(category -> category.startsWith(wanted))) {
            throw new IllegalArgumentException("a regular expression that is not supported: the property \\p{" + wanted
                    + "}, but general categories, such as \\p{L} and \\p{Lu}");
        }
        return CodePoints.where(c -> CATEGORIES.get(Character.getType(c)).startsWith(wanted));
    }
}
