package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The kinds of normalizers or pre-tokenizers that a tokenizer may be made of, and their settings. */
enum TextPipeline {
    /** What changes the characters of a text before it is split. */
    NORMALIZERS("normalizers", Map.of(
            "BertNormalizer", List.of("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"),
            "Lowercase", List.of(),
            "NFC", List.of(),
            "NFD", List.of(),
            "NFKC", List.of(),
            "NFKD", List.of(),
            "Strip", List.of("strip_left", "strip_right"),
            "StripAccents", List.of())),
    /** What splits a text into words. */
    PRE_TOKENIZERS("pretokenizers", Map.of(
            "BertPreTokenizer", List.of(),
            "Digits", List.of("individual_digits"),
            "Whitespace", List.of(),
            "WhitespaceSplit", List.of()));

    private static final String SEQUENCE = "Sequence";
    private static final int MAX_DEPTH = 8;

    private final String childrenKey;
    private final Map<String, List<String>> flags;

    TextPipeline(String childrenKey, Map<String, List<String>> flags) {
        this.childrenKey = childrenKey;
        this.flags = flags;
    }

    /** The component at {@code key}, or {@code null} where there is none, with nothing in it but what is known. */
    JsonElement check(JsonFields parent, String key) throws FormatException {
        return parent.has(key) ? check(parent.object(key), 0) : JsonNull.INSTANCE;
    }

    private JsonObject check(JsonFields component, int depth) throws FormatException {
        String type = component.string("type");
        JsonObject json = new JsonObject();
        json.addProperty("type", type);
        if (type.equals(SEQUENCE) && depth < MAX_DEPTH) {
            JsonArray children = new JsonArray();
            for (JsonFields child : component.objects(childrenKey)) {
                children.add(check(child, depth + 1));
            }
            json.add(childrenKey, children);
            return json;
        }
        List<String> settings = flags.get(type);
        if (settings == null) {
            throw component.error("type", "'" + Excerpt.of(type) + "' is not supported, but " + new TreeSet<>(flags.keySet())
                    + " and " + SEQUENCE + " to a depth of " + MAX_DEPTH);
        }
        for (String setting : settings) {
            if (component.has(setting)) {
                json.addProperty(setting, component.flag(setting));
            }
        }
        return json;
    }
}
