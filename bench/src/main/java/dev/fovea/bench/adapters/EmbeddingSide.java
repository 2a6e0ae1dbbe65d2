package dev.fovea.bench.adapters;

import dev.fovea.EngineOptions;
import dev.fovea.bench.encode.Artifact;
import dev.fovea.bench.study.Verdict;
import dev.fovea.bench.text.LangChain4j;
import dev.fovea.langchain4j.FoveaEmbeddingModel;
import dev.fovea.model.EncoderOptions;
import dev.langchain4j.model.embedding.EmbeddingModel;

/** Who stands behind {@code EmbeddingModel}. */
final class EmbeddingSide {
    /** {@code FoveaEmbeddingModel}. */
    static final String FOVEA = "Fovea";

    /** LangChain4j's model in the JVM. */
    static final String LANGCHAIN4J = "LangChain4j";

    private EmbeddingSide() {}

    /**
     * Loads a side.
     *
     * @param threads that share one call
     * @throws Verdict.NotTimed if the side is absent, which is then said already
     */
    static EmbeddingModel load(String side, int threads) throws Exception {
        try {
            return switch (side) {
                case FOVEA -> FoveaEmbeddingModel.builder().model("all-minilm-l6-v2").options(EncoderOptions.defaults()
                        .withEngineOptions(EngineOptions.defaults().withThreads(threads))).build();
                case LANGCHAIN4J -> LangChain4j.model(threads);
                default -> throw new IllegalArgumentException("no side embeds as " + side);
            };
        } catch (NoClassDefFoundError e) {
            throw Verdict.absent("not on the class path: " + e.getMessage());
        }
    }

    /** Says a side's version and how it runs. */
    static void describe(String side, int threads) {
        Verdict.version(side.equals(FOVEA) ? Artifact.fovea() : LangChain4j.version());
        Verdict.setting(side.equals(FOVEA) ? "threads " + threads : threads == 1 ? "one text after the other, 1 thread each"
                : "as many texts at once as there are processors, " + threads + " intra-op threads each");
    }
}
