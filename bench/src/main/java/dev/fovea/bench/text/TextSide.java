package dev.fovea.bench.text;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.bench.encode.Artifact;
import dev.fovea.bench.study.Verdict;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.TextEncoder;
import java.io.IOException;

/** Turns a text into what is compared and, for a whole side, is its vector. */
interface TextSide {
    /** {@code TextEncoder.encode}. */
    String FOVEA = "Fovea";

    /** The part of Fovea's call that makes token ids of the text. */
    String TOKENIZER = "Fovea tokenizer alone";

    /** {@code EmbeddingModel.embed}, in process. */
    String LANGCHAIN4J = "LangChain4j";

    /** The work that is timed. */
    float[] encode(String text);

    /**
     * Loads a side and says its version and how it runs.
     *
     * @param threads that share one call
     * @throws Verdict.NotTimed if the side is absent, which is then said already
     */
    static TextSide load(String side, int threads) throws Exception {
        try {
            TextSide loaded = switch (side) {
                case FOVEA -> fovea(Backend.NATIVE, threads)::encode;
                case TOKENIZER -> tokenizer();
                case LANGCHAIN4J -> LangChain4j.load(threads);
                default -> throw new IllegalArgumentException("no side turns texts into vectors as " + side);
            };
            Verdict.version(side.equals(LANGCHAIN4J) ? LangChain4j.version() : Artifact.fovea());
            Verdict.setting(switch (side) {
                case FOVEA -> "encoder reused, threads " + threads;
                case TOKENIZER -> "Tokenizer.encode";
                default -> "model reused, ONNX Runtime session of " + threads + " intra-op threads";
            });
            return loaded;
        } catch (NoClassDefFoundError e) {
            throw Verdict.absent("not on the class path: " + e.getMessage());
        }
    }

    /** What a side is compared with: Fovea for its peer, and for Fovea the peer or, without it, plain Java. */
    static TextSide referenceOf(String side) throws Exception {
        try {
            return switch (side) {
                case FOVEA -> LangChain4j.load(1);
                case TOKENIZER -> LangChain4j.tokenizer();
                default -> fovea(Backend.NATIVE, 1)::encode;
            };
        } catch (NoClassDefFoundError e) {
            return side.equals(TOKENIZER) ? tokenizer() : fovea(Backend.JAVA, 1)::encode;
        }
    }

    private static TextEncoder fovea(Backend backend, int threads) throws IOException {
        EngineOptions engine = EngineOptions.defaults().withBackend(backend).withThreads(threads);
        return TextEncoder.load("all-minilm-l6-v2", EncoderOptions.defaults().withEngineOptions(engine));
    }

    private static TextSide tokenizer() throws IOException {
        // Its encoder stays reachable, and with it the tokenizer.
        TextEncoder encoder = fovea(Backend.NATIVE, 1);
        return text -> floats(encoder.tokenizer().encode(text));
    }

    /** Token ids in the type that results are compared in, which holds them exactly. */
    static float[] floats(int[] ids) {
        float[] floats = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            floats[i] = ids[i];
        }
        return floats;
    }
}
