package dev.fovea.model.chat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Python's methods of texts that templates call. */
final class PythonText {
    private static final String SPACE = " \t\n\r\u000b\f\u001c\u001d\u001e\u001f\u0085\u00a0\u2028\u2029\u3000";

    private PythonText() {}

    static Object call(String text, String name, Object[] given) {
        return switch (name) {
            case "strip" -> strip(text, characters(given), true, true);
            case "lstrip" -> strip(text, characters(given), true, false);
            case "rstrip" -> strip(text, characters(given), false, true);
            case "split" -> split(text, given);
            case "startswith" -> text.startsWith(argument(name, given, 0));
            case "endswith" -> text.endsWith(argument(name, given, 0));
            case "replace" -> text.replace(argument(name, given, 0), argument(name, given, 1));
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "title", "capitalize" -> text.isEmpty() ? text
                    : text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1).toLowerCase(Locale.ROOT);
            case "find" -> text.indexOf(argument(name, given, 0));
            case "join" -> String.join(text, ((List<?>) given[0]).stream().map(String::valueOf).toList());
            default -> throw new IllegalArgumentException("the template calls " + name + "() of a text, which is not known here");
        };
    }

    private static String argument(String name, Object[] given, int index) {
        if (index >= given.length || !(given[index] instanceof String text)) {
            throw new IllegalArgumentException("the template calls " + name + "() of a text without a text, got "
                    + Arrays.toString(given));
        }
        return text;
    }

    private static String characters(Object[] given) {
        return given.length == 0 || given[0] == null ? SPACE : String.valueOf(given[0]);
    }

    static String strip(String text, String characters, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && characters.indexOf(text.charAt(start)) >= 0) {
            start++;
        }
        while (right && end > start && characters.indexOf(text.charAt(end - 1)) >= 0) {
            end--;
        }
        return text.substring(start, end);
    }

    private static List<String> split(String text, Object[] given) {
        List<String> parts = new ArrayList<>();
        if (given.length == 0) {
            for (String word : text.strip().split("\\s+")) {
                if (!word.isEmpty()) {
                    parts.add(word);
                }
            }
            return parts;
        }
        String separator = argument("split", given, 0);
        if (separator.isEmpty()) {
            throw new IllegalArgumentException("the template splits a text at \"\"");
        }
        int most = given.length > 1 && given[1] instanceof Number number ? number.intValue() : -1;
        int from = 0;
        for (int at = text.indexOf(separator); at >= 0 && most != 0; at = text.indexOf(separator, from), most--) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        return parts;
    }
}
