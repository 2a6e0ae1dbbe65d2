package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;

/** The kinds of normalizers or pre-tokenizers that a tokenizer may be made of, and their settings. */
enum TextPipeline {
    /** What changes the characters of a text before it is split. */
    NORMALIZERS("normalizers", Map.ofEntries(
            Map.entry("BertNormalizer", List.of("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")),
            Map.entry("ByteLevel", List.of()),
            Map.entry("Lowercase", List.of()),
            Map.entry("NFC", List.of()),
            Map.entry("NFD", List.of()),
            Map.entry("NFKC", List.of()),
            Map.entry("NFKD", List.of()),
            Map.entry("Nmt", List.of()),
            Map.entry("Precompiled", List.of("precompiled_charsmap")),
            Map.entry("Prepend", List.of("prepend")),
            Map.entry("Replace", List.of("pattern", "content")),
            Map.entry("Strip", List.of("strip_left", "strip_right")),
            Map.entry("StripAccents", List.of()))),
    /** What splits a text into words. */
    PRE_TOKENIZERS("pretokenizers", Map.ofEntries(
            Map.entry("BertPreTokenizer", List.of()),
            Map.entry("CharDelimiterSplit", List.of("delimiter")),
            Map.entry("ByteLevel", List.of("add_prefix_space", "trim_offsets", "use_regex")),
            Map.entry("Metaspace", List.of("replacement", "add_prefix_space", "prepend_scheme", "split")),
            Map.entry("Punctuation", List.of("behavior")),
            Map.entry("Split", List.of("pattern", "behavior", "invert")),
            Map.entry("UnicodeScripts", List.of()),
            Map.entry("Digits", List.of("individual_digits")),
            Map.entry("Whitespace", List.of()),
            Map.entry("WhitespaceSplit", List.of())));

    private static final String SEQUENCE = "Sequence";
    private static final int MAX_DEPTH = 8;
    /** A text goes through all of them. */
    private static final int MAX_COMPONENTS = 100;
    private static final int MAX_CHARS = 2000;
    private static final Set<String> MANDATORY =
            Set.of("precompiled_charsmap", "pattern", "content", "prepend", "replacement",
                    "delimiter");

    private final String childrenKey;
    private final Map<String, List<String>> flags;

    TextPipeline(String childrenKey, Map<String, List<String>> flags) {
        this.childrenKey = childrenKey;
        this.flags = flags;
    }

    /** The component at {@code key}, or {@code null} where there is none, with nothing in it but what is known. */
    JsonElement check(JsonFields parent, String key) throws FormatException {
        return parent.has(key) ? check(parent.object(key), 0, new AtomicInteger()) : JsonNull.INSTANCE;
    }

    private JsonObject check(JsonFields component, int depth, AtomicInteger count) throws FormatException {
        String type = component.string("type");
        if (count.incrementAndGet() > MAX_COMPONENTS) {
            throw component.error("type", "expected at most " + MAX_COMPONENTS + " components, got more");
        }
        JsonObject json = new JsonObject();
        json.addProperty("type", type);
        if (type.equals(SEQUENCE) && depth < MAX_DEPTH) {
            JsonArray children = new JsonArray();
            for (JsonFields child : component.objects(childrenKey)) {
                children.add(check(child, depth + 1, count));
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
            if (component.has(setting) || MANDATORY.contains(setting)) {
                json.add(setting, setting(component, setting));
            }
        }
        return json;
    }

    /** Whether a normalizer, {@code null} of JSON included, takes no character away. */
    static boolean keepsCharacters(JsonElement normalizer) {
        if (normalizer.isJsonNull()) {
            return true;
        }
        JsonObject json = normalizer.getAsJsonObject();
        return switch (json.get("type").getAsString()) {
            case "NFC", "NFD" -> true;
            case SEQUENCE -> json.getAsJsonArray(NORMALIZERS.childrenKey).asList().stream()
                    .allMatch(TextPipeline::keepsCharacters);
            default -> false;
        };
    }

    /** A setting, of the kind that its name tells. */
    private static JsonElement setting(JsonFields component, String setting) throws FormatException {
        return switch (setting) {
            case "precompiled_charsmap" -> {
                Charsmap.check(component, setting);
                yield text(component, setting, Integer.MAX_VALUE);
            }
            case "prepend", "content" -> text(component, setting, MAX_CHARS);
            case "replacement", "delimiter" -> text(component, setting, 1);
            case "prepend_scheme" -> oneOf(component, setting, "always", "first", "never");
            case "behavior" -> oneOf(component, setting, "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
                    "Contiguous");
            case "pattern" -> {
                JsonFields pattern = component.object(setting);
                String kind = pattern.has("Regex") ? "Regex" : "String";
                JsonObject json = new JsonObject();
                json.add(kind, text(pattern, kind, MAX_CHARS));
                yield json;
            }
            default -> new JsonPrimitive(component.flag(setting));
        };
    }

    /** A text that is not empty, of at most so many code points. */
    private static JsonPrimitive text(JsonFields component, String setting, int most) throws FormatException {
        String text = component.string(setting);
        int length = text.codePointCount(0, text.length());
        boolean mayBeEmpty = setting.equals("content");
        if (length > most || length == 0 && !mayBeEmpty) {
            throw component.error(setting, "expected a text of 1 to " + most + " characters, got " + length);
        }
        return new JsonPrimitive(text);
    }

    private static JsonPrimitive oneOf(JsonFields component, String setting, String... known) throws FormatException {
        String text = component.string(setting);
        if (!List.of(known).contains(text)) {
            throw component.error(setting, "expected one of " + List.of(known) + ", got '" + Excerpt.of(text) + "'");
        }
        return new JsonPrimitive(text);
    }
}
