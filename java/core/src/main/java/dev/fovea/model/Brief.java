package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import java.util.Locale;

/** The beginning of results, for people. */
final class Brief {
    private static final int VALUES = 3;
    private static final int CHARS = 60;

    private Brief() {}

    /** The first values, with four decimals. */
    static String of(float[] values) {
        var text = new StringBuilder();
        for (int i = 0; i < Math.min(VALUES, values.length); i++) {
            text.append(i == 0 ? "" : ", ").append(String.format(Locale.ROOT, "%.4f", values[i]));
        }
        return text.append(values.length > VALUES ? ", …" : "").toString();
    }

    /** The beginning of a text, without control characters, in quotes. */
    static String of(String text) {
        return '"' + Excerpt.of(text, CHARS) + '"';
    }
}
