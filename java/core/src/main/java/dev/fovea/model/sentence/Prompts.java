package dev.fovea.model.sentence;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a model wants before its texts, by name: {@code prompts} and {@code default_prompt_name} of
 * {@code config_sentence_transformers.json}.
 *
 * @param texts the prompt of each name
 * @param byDefault the text of the default prompt; empty for none
 */
public record Prompts(Map<String, String> texts, String byDefault) {
    /** A model without prompts. */
    public static final Prompts NONE = new Prompts(Map.of(), "");

    /** The prompts that sentence-transformers gives every model; both are empty. */
    private static final List<String> BUILT_IN = List.of("query", "document");

    private static final Pattern NAME = Pattern.compile("[\\w.-]+");

    /** Keeps the order of the texts. */
    public Prompts {
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
    }

    static Prompts read(JsonFile json) throws FormatException {
        Map<String, String> texts = json.strings("prompts");
        String name = json.string("default_prompt_name", null);
        if (name == null) {
            return new Prompts(texts, "");
        }
        if (!texts.containsKey(name) && !BUILT_IN.contains(name)) {
            throw json.wrong("default_prompt_name", texts.isEmpty() ? "null, as there are no prompts"
                    : "one of the prompts " + Excerpt.of(texts.keySet()));
        }
        return new Prompts(texts, texts.getOrDefault(name, ""));
    }

    /**
     * The text of a prompt.
     *
     * @param nameOrText one of the names; or a text that is none, for it has other characters than letters, digits,
     *     {@code _}, {@code .} and {@code -}; or nothing
     * @param model what an error calls the model
     * @throws IllegalArgumentException if it looks like a name, and is none
     */
    public String resolve(String nameOrText, String model) {
        String text = texts.get(nameOrText);
        if (text != null) {
            return text;
        }
        if (NAME.matcher(nameOrText).matches()) {
            throw new IllegalArgumentException("no prompt is called '" + Excerpt.of(nameOrText) + "'; model " + model
                    + (texts.isEmpty() ? " has none" : " has " + Excerpt.of(texts.keySet()))
                    + ", and a prompt's text has a space or a colon in it");
        }
        return nameOrText;
    }
}
