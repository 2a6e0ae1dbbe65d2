package dev.fovea.springai;

import org.springframework.ai.embedding.EmbeddingOptions;

/**
 * What one request for embeddings may choose.
 *
 * @param model must be the loaded model's name, or null
 * @param dimensions how many of the first components are kept, normalised again if the model's vectors are; null for all
 * @param prompt what stands before each text, as {@link dev.fovea.model.EncoderOptions#withPrompt} takes it; null for the
 *     embedding model's own
 */
public record FoveaEmbeddingOptions(String model, Integer dimensions, String prompt) implements EmbeddingOptions {
    /** Nothing is chosen. */
    public static final FoveaEmbeddingOptions NONE = new FoveaEmbeddingOptions(null, null, null);

    /** The same of other options; null has none. */
    static FoveaEmbeddingOptions of(EmbeddingOptions options) {
        return switch (options) {
            case null -> NONE;
            case FoveaEmbeddingOptions own -> own;
            default -> new FoveaEmbeddingOptions(options.getModel(), options.getDimensions(), null);
        };
    }

    /** A copy with another prompt. */
    public FoveaEmbeddingOptions withPrompt(String prompt) {
        return new FoveaEmbeddingOptions(model, dimensions, prompt);
    }

    @Override
    public String getModel() {
        return model;
    }

    @Override
    public Integer getDimensions() {
        return dimensions;
    }
}
