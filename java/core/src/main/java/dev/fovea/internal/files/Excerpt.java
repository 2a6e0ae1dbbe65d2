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

    /** A text with each control character and each separator of lines as an escape, such as {@code \n} or {@code \u001b}. */
    public static String visible(String text) {
        if (text.chars().noneMatch(Excerpt::hides)) {
            return text;
        }
        StringBuilder line = new StringBuilder();
        text.chars().forEach(c -> {
            switch (c) {
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> line.append(hides(c) ? "\\u%04x".formatted(c) : String.valueOf((char) c));
            }
        });
        return line.toString();
    }

    private static boolean hides(int c) {
        return Character.isISOControl(c) || c == 0x2028 || c == 0x2029;
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
