package dev.fovea.internal.files;

import java.util.Collection;

/** Input as messages quote it: short, whatever its length, and harmless to a terminal or a log. */
public final class Excerpt {
    private static final int MAX_CHARS = 100;
    private static final int MAX_ELEMENTS = 8;

    private Excerpt() {}

    /** A text, of which the middle is left out if it has more than {@value #MAX_CHARS} chars. */
    public static String of(String text) {
        return of(text, MAX_CHARS);
    }

    /** A text of at most {@code maxChars} chars, at least 5; of a longer one, the middle is left out. */
    public static String of(String text, int maxChars) {
        return visible(shortened(text, maxChars));
    }

    /** A text with each control character as an escape, such as {@code \n} or {@code \u001b}. */
    public static String visible(String text) {
        StringBuilder visible = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (visible == null && Character.isISOControl(c)) {
                visible = new StringBuilder(text.length() + 8).append(text, 0, i);
            }
            if (visible != null) {
                append(visible, c);
            }
        }
        return visible == null ? text : visible.toString();
    }

    private static void append(StringBuilder visible, char c) {
        switch (c) {
            case '\n' -> visible.append("\\n");
            case '\r' -> visible.append("\\r");
            case '\t' -> visible.append("\\t");
            default -> {
                if (Character.isISOControl(c)) {
                    visible.append("\\u00").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
                } else {
                    visible.append(c);
                }
            }
        }
    }

    private static String shortened(String text, int maxChars) {
        if (text.length() <= maxChars) {
            return text;
        }
        int tail = maxChars / 4;
        int head = maxChars - tail - 1;
        if (Character.isHighSurrogate(text.charAt(head - 1))) {
            head--;
        }
        int from = text.length() - tail;
        if (Character.isLowSurrogate(text.charAt(from))) {
            from++;
        }
        return text.substring(0, head) + "…" + text.substring(from);
    }

    /** The first few of many names, with commas between them, and how many there are. */
    public static String of(Collection<String> names) {
        StringBuilder list = new StringBuilder();
        int listed = 0;
        for (String name : names) {
            if (listed == MAX_ELEMENTS || list.length() > MAX_CHARS) {
                return list + ", … (" + names.size() + " in all)";
            }
            list.append(listed++ == 0 ? "" : ", ").append(of(name, MAX_CHARS / 2));
        }
        return list.toString();
    }
}
