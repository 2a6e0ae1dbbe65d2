package dev.fovea.model.chat;

import java.util.List;
import java.util.Map;

/** JSON as Python's {@code json.dumps} writes it: with a space behind commas and colons, and no character escaped needlessly. */
final class PythonJson {
    private PythonJson() {}

    static String of(Object value, int indent) {
        var out = new StringBuilder();
        write(value, out, indent, 0);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out, int indent, int depth) {
        switch (value) {
            case null -> out.append("null");
            case Map<?, ?> map -> writeAll(map.entrySet(), "{}", out, indent, depth);
            case List<?> list -> writeAll(list, "[]", out, indent, depth);
            case Map.Entry<?, ?> entry -> {
                quote(String.valueOf(entry.getKey()), out);
                out.append(": ");
                write(entry.getValue(), out, indent, depth);
            }
            case Boolean flag -> out.append(flag);
            case Double number -> out.append(number == Math.rint(number) && Math.abs(number) < 1e16
                    ? String.format(java.util.Locale.ROOT, "%.1f", number) : number.toString());
            case Number number -> out.append(number);
            default -> quote(String.valueOf(value), out);
        }
    }

    private static void writeAll(Iterable<?> all, String brackets, StringBuilder out, int indent, int depth) {
        out.append(brackets.charAt(0));
        boolean first = true;
        for (Object one : all) {
            out.append(first ? "" : indent > 0 ? "," : ", ").append(indent > 0 ? line(indent * (depth + 1)) : "");
            write(one, out, indent, depth + 1);
            first = false;
        }
        out.append(first || indent == 0 ? "" : line(indent * depth)).append(brackets.charAt(1));
    }

    private static String line(int spaces) {
        return "\n" + " ".repeat(spaces);
    }

    private static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
