package dev.fovea.model.sentence;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * How many tokens of a text a model takes, and which.
 *
 * @param folder that of the Transformer
 * @param tokenizer the settings of its tokenizer
 * @param specials tokens that the tokenizer puts around each text
 */
record TextLimits(Path folder, JsonFile tokenizer, Description model, int specials) {
    static TextLimits of(Path folder, Description model, int specials) throws IOException {
        return new TextLimits(folder, JsonFile.readIfPresent(folder.resolve("tokenizer_config.json")), model, specials);
    }

    /** As many as {@code max_seq_length} of the Transformer's config says, or the tokenizer's settings. */
    int maxTokens(JsonFile config) throws FormatException {
        if (!config.has("max_seq_length")) {
            return defaultMaxTokens();
        }
        int maxTokens = config.integer("max_seq_length", 1);
        if (maxTokens <= specials) {
            throw config.wrong("max_seq_length", "more than the " + specials + " special tokens");
        }
        if (maxTokens > model.maxTokens()) {
            throw config.wrong("max_seq_length", "at most the " + model.maxTokens() + " positions of config.json");
        }
        return maxTokens;
    }

    /** Whether {@code truncation_side} is the left: of the tokenizer's settings or else of its own file. */
    boolean keepsEnd() throws FormatException {
        if (!tokenizer.has("truncation_side")) {
            return false;
        }
        return switch (tokenizer.string("truncation_side")) {
            case "right" -> false;
            case "left" -> true;
            default -> throw tokenizer.wrong("truncation_side", "\"right\" or \"left\"");
        };
    }

    /** Refuses {@link #keepsEnd}, for models with a head. */
    void requireFirstTokens() throws FormatException {
        if (keepsEnd()) {
            throw tokenizer.wrong("truncation_side", "\"right\", of a model with a head");
        }
    }

    /** As many as there are positions, unless the tokenizer's settings say less. */
    private int defaultMaxTokens() throws FormatException {
        if (model.maxTokens() <= specials) {
            throw new FormatException(folder.resolve("config.json"), -1, "max_position_embeddings",
                    "expected room for more than the " + specials + " special tokens, got " + model.maxTokens()
                            + " positions");
        }
        // Tokenizers without a limit state 1e30.
        int maxTokens = (int) Math.min(model.maxTokens(), tokenizer.positive("model_max_length", model.maxTokens()));
        if (maxTokens <= specials) {
            throw tokenizer.wrong("model_max_length", "more than the " + specials + " special tokens");
        }
        return maxTokens;
    }
}
