package dev.fovea.cli.attend;

import java.util.Locale;
import java.util.Set;

/** How tokens look. */
final class Tokens {
    private static final Set<String> SPECIAL = Set.of("[CLS]", "[SEP]", "[PAD]", "[MASK]", "<s>", "</s>", "<pad>");

    private Tokens() {}

    /** Whether a token is none of the text but added around it, by its spelling. */
    static boolean isSpecial(String token) {
        return SPECIAL.contains(token);
    }

    /** A token as one line: what controls a terminal or reorders text is shown by its number. */
    static String visible(String token) {
        StringBuilder visible = new StringBuilder();
        token.codePoints().forEach(point -> {
            switch (Character.getType(point)) {
                case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED,
                        Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                        visible.append(String.format(Locale.ROOT, "U+%04X", point));
                default -> visible.appendCodePoint(point);
            }
        });
        return visible.toString();
    }

    /** The columns of a terminal that a string takes. */
    static int columns(String text) {
        return text.codePoints().map(Tokens::columns).sum();
    }

    /**
     * The columns of a terminal that a code point takes: 0 for marks on the one before, 2 for the wide ones of
     * Unicode's annex 11, of which blocks are enough here.
     */
    static int columns(int point) {
        int type = Character.getType(point);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        boolean wide = point >= 0x1100 && point <= 0x115F
                || point >= 0x2E80 && point <= 0xA4CF && point != 0x303F
                || point >= 0xA960 && point <= 0xA97F
                || point >= 0xAC00 && point <= 0xD7A3
                || point >= 0xF900 && point <= 0xFAFF
                || point >= 0xFE30 && point <= 0xFE6F
                || point >= 0xFF00 && point <= 0xFF60
                || point >= 0xFFE0 && point <= 0xFFE6
                || point >= 0x1F300 && point <= 0x1F64F
                || point >= 0x1F680 && point <= 0x1F6FF
                || point >= 0x1F900 && point <= 0x1FAFF
                || point >= 0x20000 && point <= 0x3FFFD;
        return wide ? 2 : 1;
    }

    /** The start of a text that takes at most {@code columns} columns, which ends in … where it is cut. */
    static String cut(String text, int columns) {
        if (columns(text) <= columns) {
            return text;
        }
        StringBuilder cut = new StringBuilder();
        int left = columns - 1;
        for (int point : text.codePoints().toArray()) {
            left -= columns(point);
            if (left < 0) {
                break;
            }
            cut.appendCodePoint(point);
        }
        return cut.append('…').toString();
    }

    /** Fills a text with spaces up to {@code columns} columns, at its end or before its start. */
    static String pad(String text, int columns, boolean before) {
        String spaces = " ".repeat(Math.max(0, columns - columns(text)));
        return before ? spaces + text : text + spaces;
    }
}
