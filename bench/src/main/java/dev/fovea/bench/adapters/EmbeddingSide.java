package dev.fovea.bench.adapters;

import dev.fovea.EngineOptions;
import dev.fovea.bench.encode.Artifact;
import dev.fovea.bench.encode.Sentences;
import dev.fovea.bench.study.Verdict;
import dev.fovea.bench.text.LangChain4j;
import dev.fovea.langchain4j.FoveaEmbeddingModel;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.WeightType;
import dev.langchain4j.model.embedding.EmbeddingModel;
import java.util.List;

/** Who stands behind {@code EmbeddingModel}. */
final class EmbeddingSide {
    /** {@code FoveaEmbeddingModel}. */
    static final String FOVEA = "Fovea";

    /** LangChain4j's model in the JVM. */
    static final String LANGCHAIN4J = "LangChain4j";

    /** {@code FoveaEmbeddingModel} on weights of 8 bits. */
    static final String FOVEA_INT8 = "Fovea int8";

    /** LangChain4j's model in the JVM with weights of 8 bits. */
    static final String LANGCHAIN4J_INT8 = "LangChain4j int8";

    private EmbeddingSide() {}

    /** Sentences of 12 words for calls of one text, else the first {@code texts}, which are of mixed length. */
    static List<String> texts(int texts) {
        if (texts > Sentences.ALL.size()) {
            throw new IllegalArgumentException("expected " + texts + " sentences, there are " + Sentences.ALL.size());
        }
        return texts > 1 ? Sentences.ALL.subList(0, texts)
                : Sentences.ALL.stream().filter(text -> Sentences.words(text) == 12).limit(8).toList();
    }

    /**
     * Loads a side.
     *
     * @param threads that share one call
     * @throws Verdict.NotTimed if the side is absent, which is then said already
     */
    static EmbeddingModel load(String side, int threads) throws Exception {
        try {
            return switch (side) {
                case FOVEA -> fovea(WeightType.F32, threads);
                case FOVEA_INT8 -> fovea(WeightType.INT8, threads);
                case LANGCHAIN4J -> LangChain4j.model(threads);
                case LANGCHAIN4J_INT8 -> LangChain4j.int8(threads);
                default -> throw new IllegalArgumentException("no side embeds as " + side);
            };
        } catch (NoClassDefFoundError e) {
            throw Verdict.absent("not on the class path: " + e.getMessage());
        }
    }

    private static EmbeddingModel fovea(WeightType weights, int threads) {
        return FoveaEmbeddingModel.builder().model("all-minilm-l6-v2").options(EncoderOptions.defaults().withWeights(weights)
                .withEngineOptions(EngineOptions.defaults().withThreads(threads))).build();
    }

    /** The side whose vectors, in fp32, those of {@code side} are compared with. */
    static String reference(String side) {
        return isFovea(side) ? LANGCHAIN4J : FOVEA;
    }

    /** The cosine that a vector of a side has to its reference, or more. */
    static double leastCosine(String side) {
        return switch (side) {
            case FOVEA_INT8 -> 0.98;
            case LANGCHAIN4J_INT8 -> 0.97;
            default -> 0.9999;
        };
    }

    private static boolean isFovea(String side) {
        return side.equals(FOVEA) || side.equals(FOVEA_INT8);
    }

    /** Says a side's version and how it runs. */
    static void describe(String side, int threads) {
        Verdict.version(isFovea(side) ? Artifact.fovea() : LangChain4j.version());
        Verdict.setting(isFovea(side) ? "threads " + threads : threads == 1 ? "one text after the other, 1 thread each"
                : "as many texts at once as there are processors, " + threads + " intra-op threads each");
    }
}
