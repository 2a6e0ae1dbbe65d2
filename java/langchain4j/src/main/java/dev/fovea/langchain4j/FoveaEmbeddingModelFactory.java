package dev.fovea.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.spi.model.embedding.EmbeddingModelFactory;

/**
 * Gives those parts of LangChain4j a model that look for one by themselves, such as {@code EmbeddingStoreIngestor}: the one
 * that the system property {@code fovea.langchain4j.embedding-model} names, by default {@code all-minilm-l6-v2}.
 */
public final class FoveaEmbeddingModelFactory implements EmbeddingModelFactory {
    @Override
    public EmbeddingModel create() {
        return FoveaEmbeddingModel.builder()
                .model(System.getProperty("fovea.langchain4j.embedding-model", "all-minilm-l6-v2")).build();
    }
}
