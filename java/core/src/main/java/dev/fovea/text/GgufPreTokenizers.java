package dev.fovea.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * How the tokenizers of byte-level BPE split a text into words, by the names that llama.cpp has for them in
 * {@code tokenizer.ggml.pre}. Normalizers and patterns are those of the models' own {@code tokenizer.json}.
 */
final class GgufPreTokenizers {
    private static final String RESOURCE = "gguf-pre-tokenizers.json";
    private static final String KEY = GgufTokens.PREFIX + "pre";

    private GgufPreTokenizers() {}

    /** The one that a file names: its normalizer, its pre-tokenizer and its flags. */
    static JsonObject find(GgufMetadata metadata) throws FormatException {
        String name = metadata.string(KEY, "");
        for (JsonElement element : table().getAsJsonArray()) {
            for (JsonElement one : element.getAsJsonObject().getAsJsonArray("names")) {
                if (one.getAsString().equals(name)) {
                    return element.getAsJsonObject();
                }
            }
        }
        throw metadata.error(KEY, "expected a known way to split texts into words, such as llama-bpe, qwen2, gpt-2 or tekken, got "
                + (name.isEmpty() ? "nothing" : "'" + Excerpt.of(name) + "'"));
    }

    /** All of them. */
    static JsonElement table() {
        try (InputStream in = GgufPreTokenizers.class.getResourceAsStream(RESOURCE);
                Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8)) {
            return JsonParser.parseReader(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether a flag of such an entry is set. */
    static boolean flag(JsonObject entry, String name) {
        return entry.has(name) && entry.get(name).getAsBoolean();
    }
}
