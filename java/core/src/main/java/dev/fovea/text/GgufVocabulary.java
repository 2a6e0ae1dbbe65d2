package dev.fovea.text;

import com.google.gson.JsonObject;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;

/**
 * The tokenizer in the metadata of a GGUF file, of another kind than WordPiece, which {@link GgufWordPiece} reads.
 *
 * @param json what a {@code tokenizer.json} would say beside the model
 * @param model what makes tokens of a word
 * @param roles what special tokens are for
 */
record GgufVocabulary(JsonObject json, TokenizerModel model, Roles roles) {
    private static final String MODEL = GgufTokens.PREFIX + "model";

    /** Whether a file's tokenizer is WordPiece. */
    static boolean isWordPiece(GgufMetadata metadata) throws FormatException {
        return metadata.string(MODEL).equals("bert");
    }

    /** Reads the tokenizer of a file that has another. */
    static GgufVocabulary read(GgufMetadata metadata) throws FormatException {
        String model = metadata.string(MODEL);
        return switch (model) {
            case "gpt2" -> GgufPairs.ofBytes(new GgufTokens(metadata));
            case "llama" -> GgufPairs.ofScores(new GgufTokens(metadata));
            case "gemma4" -> GgufPairs.ofCharacters(new GgufTokens(metadata));
            case "t5" -> GgufPieces.of(new GgufTokens(metadata));
            default -> throw metadata.error(MODEL, "expected one of [bert, gemma4, gpt2, llama, t5], got '" + Excerpt.of(model)
                    + "'; give a directory with the tokenizer.json and the weights as safetensors");
        };
    }
}
