package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;

/** Texts whose surrogates all come in pairs, which is what native code can be given. */
final class Utf16 {
    private static final char REPLACEMENT = '\uFFFD';

    private Utf16() {}

    static boolean isWellFormed(String text) {
        return firstLoneSurrogate(text) == text.length();
    }

    /** Whether all texts in a JSON value are so, the names of its fields among them. */
    static boolean isWellFormed(JsonElement value) {
        if (value instanceof JsonArray array) {
            for (JsonElement element : array) {
                if (!isWellFormed(element)) {
                    return false;
                }
            }
        } else if (value instanceof JsonObject object) {
            for (var field : object.entrySet()) {
                if (!isWellFormed(field.getKey()) || !isWellFormed(field.getValue())) {
                    return false;
                }
            }
        }
        return !value.isJsonPrimitive() || isWellFormed(value.getAsString());
    }

    /** The text with each surrogate that has no partner replaced by U+FFFD; the text itself where there is none. */
    static String wellFormed(String text) {
        int first = firstLoneSurrogate(text);
        if (first == text.length()) {
            return text;
        }
        StringBuilder replaced = new StringBuilder(text.length()).append(text, 0, first);
        text.substring(first).codePoints().forEach(codePoint ->
                replaced.appendCodePoint(isSurrogate(codePoint) ? REPLACEMENT : codePoint));
        return replaced.toString();
    }

    private static int firstLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (isSurrogate(text.codePointAt(i))) {
                    return i;
                }
                i++;
            }
        }
        return text.length();
    }

    private static boolean isSurrogate(int codePoint) {
        return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    }
}
