package dev.fovea.model.chat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says in the library's way what templates of models say in others: Jinjava reads {@code not x is y} as {@code (not x) is
 * y}, the value of a named argument up to its first operator, no steps of slices, and no condition behind the list of a
 * loop.
 */
final class TemplateSource {
    /** Python's way to turn a list round. */
    private static final Pattern REVERSED = Pattern.compile("\\[\\s*:\\s*:\\s*-1\\s*]");
    private static final Pattern NOT_IS = Pattern.compile("\\bnot\\s+([\\w.]+(?:\\[[^\\[\\]]*])*(?:\\.\\w+)*)\\s+is\\s+(?!not\\b)");
    private static final Pattern NAMESPACE = Pattern.compile("\\bnamespace\\(([^()]*)\\)");
    private static final Pattern NAMED = Pattern.compile("(\\w+)\\s*=\\s*([^,]+)");
    private static final Pattern LOOP =
            Pattern.compile("(\\{%[-+]?\\s*for\\s+)([\\w\\s,]+?)(\\s+in\\s+)((?:(?!%}).)+?)(\\s*-?%})", Pattern.DOTALL);
    private static final Pattern MARK = Pattern.compile("(\\{%[-+]?\\s*)(end)?generation(\\s*[-+]?%})");

    private TemplateSource() {}

    static String of(String source) {
        String text = REVERSED.matcher(source).replaceAll("|reverse");
        text = NOT_IS.matcher(text).replaceAll("$1 is not ");
        text = NAMESPACE.matcher(text).replaceAll(found -> Matcher.quoteReplacement(
                "namespace(" + NAMED.matcher(found.group(1)).replaceAll("$1=($2)") + ")"));
        text = LOOP.matcher(text).replaceAll(found -> Matcher.quoteReplacement(loop(found.group(1), found.group(2),
                found.group(3), found.group(4), found.group(5))));
        return MARK.matcher(text).replaceAll(found -> Matcher.quoteReplacement(
                found.group(1) + (found.group(2) == null ? "if true" : "endif") + found.group(3)));
    }

    /** {@code for x in list if condition}: the list without the others. */
    private static String loop(String head, String names, String in, String list, String tail) {
        int at = condition(list);
        if (at < 0) {
            return head + names + in + list + tail;
        }
        String condition = list.substring(at + " if ".length()).strip();
        return head + names + in + JinjaTemplate.PICK + "('" + names.strip() + "', " + list.substring(0, at).strip() + ", '"
                + condition.replace("\\", "\\\\").replace("'", "\\'") + "')" + tail;
    }

    /** Where a condition begins outside of texts and brackets, without an else behind it; −1 if there is none. */
    private static int condition(String list) {
        int depth = 0;
        char quote = 0;
        for (int i = 0; i < list.length(); i++) {
            char c = list.charAt(i);
            if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if ("([{".indexOf(c) >= 0) {
                depth++;
            } else if (")]}".indexOf(c) >= 0) {
                depth--;
            } else if (depth == 0 && list.startsWith(" if ", i)) {
                return list.indexOf(" else ", i) < 0 ? i : -1;
            }
        }
        return -1;
    }
}
