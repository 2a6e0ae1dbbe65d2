package dev.fovea.bench.start;

import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;

/** LangChain4j's class of the model, which finds the model in its own jar. */
final class LangChain4jStart {
    private LangChain4jStart() {}

    /** Loads the model and gives a text's vector. */
    static float[] firstVector(String text) {
        return new AllMiniLmL6V2EmbeddingModel().embed(text).content().vector();
    }
}
