package dev.fovea.bench.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.fovea.bench.encode.Artifact;
import dev.fovea.bench.encode.MiniLm;
import dev.fovea.model.ModelCatalog;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.AbstractInProcessEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.OnnxBertBiEncoder;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/**
 * LangChain4j's model in the JVM, as {@code AllMiniLmL6V2EmbeddingModel} makes it, but for the number of threads: that
 * class takes ONNX Runtime's default, a thread per core of the machine, and says nothing to change it.
 */
public final class LangChain4j extends AbstractInProcessEmbeddingModel {
    private final OnnxBertBiEncoder encoder;

    private LangChain4j(OnnxBertBiEncoder encoder, Executor executor) {
        super(executor);
        this.encoder = encoder;
    }

    static TextSide load(int threads) throws IOException, OrtException {
        EmbeddingModel model = model(threads);
        return text -> model.embed(text).content().vector();
    }

    /**
     * The model, for texts of which {@code threads} share each. Of a list, it embeds one after the other with one thread, else
     * as many at once as there are processors.
     */
    public static EmbeddingModel model(int threads) throws IOException, OrtException {
        return model(Files.readAllBytes(files().resolve("model.onnx")), threads);
    }

    /** The same of the model with weights of 8 bits, as {@code AllMiniLmL6V2QuantizedEmbeddingModel} has it. */
    public static EmbeddingModel int8(int threads) throws IOException, OrtException {
        return model(MiniLm.int8File(), threads);
    }

    private static EmbeddingModel model(byte[] onnx, int threads) throws IOException, OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                InputStream tokenizer = Files.newInputStream(files().resolve("tokenizer.json"))) {
            options.setIntraOpNumThreads(threads);
            OrtSession session = environment.createSession(onnx, options);
            return new LangChain4j(new OnnxBertBiEncoder(environment, session, tokenizer, PoolingMode.MEAN),
                    threads == 1 ? Runnable::run : Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors(),
                            Thread.ofPlatform().daemon().factory()));
        }
    }

    /** The same tokenizer by its own library. */
    static TextSide tokenizer() throws IOException {
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(files().resolve("tokenizer.json"),
                Map.of("padding", "false", "truncation", "false"));
        return text -> TextSide.floats(
                Arrays.stream(tokenizer.encode(text, false, false).getIds()).mapToInt(Math::toIntExact).toArray());
    }

    /** LangChain4j's and ONNX Runtime's. */
    public static String version() {
        return Artifact.version("dev.langchain4j", "langchain4j-embeddings") + " with ONNX Runtime "
                + OrtEnvironment.getEnvironment().getVersion();
    }

    private static Path files() throws IOException {
        return ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
    }

    @Override
    protected OnnxBertBiEncoder model() {
        return encoder;
    }
}
