package dev.fovea.langchain4j;

import static dev.langchain4j.model.embedding.request.EmbeddingRequestParameters.DIMENSIONS;
import static dev.langchain4j.model.embedding.request.EmbeddingRequestParameters.INPUT_TYPE;

import dev.fovea.model.EncoderInput;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.EncoderQueue;
import dev.fovea.model.QueueOptions;
import dev.fovea.model.TextEmbedding;
import dev.fovea.model.TextEncoder;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.DimensionAwareEmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingParameter;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.output.TokenUsage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Embeddings by a {@link TextEncoder}. Safe to share between threads.
 *
 * <pre>{@code
 * EmbeddingModel model = FoveaEmbeddingModel.builder().model("all-minilm-l6-v2").build();
 * Embedding embedding = model.embed("How do I reset my password?").content();
 * }</pre>
 *
 * <p>Blocking calls compute on the thread that calls. Asynchronous calls, and all calls if {@link Builder#queue} is given,
 * go through an {@link EncoderQueue}, which makes batches of what comes at the same time.
 *
 * <p>A request may choose {@code dimensions} (the first components, normalised again) and, where the model has prompts for it
 * or the builder gives them, an input type.
 */
public final class FoveaEmbeddingModel extends DimensionAwareEmbeddingModel implements AutoCloseable {
    private final TextEncoder encoder;
    private final boolean owned;
    private final Map<EmbeddingInputType, String> prompts;
    private final List<EmbeddingModelListener> listeners;
    private final EncoderQueue<TextEmbedding> queue;
    private final boolean always;

    private FoveaEmbeddingModel(Builder builder) {
        this.listeners = List.copyOf(builder.listeners);
        this.owned = builder.encoder == null;
        this.encoder = owned ? load(builder) : builder.encoder;
        this.prompts = prompts(builder);
        this.always = builder.queue != null;
        this.queue = EncoderQueue.of(encoder, always ? builder.queue : QueueOptions.defaults());
    }

    private static TextEncoder load(Builder builder) {
        try {
            return builder.path != null
                    ? TextEncoder.load(builder.path, builder.options) : TextEncoder.load(builder.model, builder.options);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** What stands before texts of each type: what the builder says, else the model's own prompt of that name. */
    private Map<EmbeddingInputType, String> prompts(Builder builder) {
        Map<String, String> own = encoder.prompts();
        String query = builder.queryPrompt != null ? builder.queryPrompt : own.get("query");
        String document = builder.documentPrompt != null ? builder.documentPrompt
                : own.getOrDefault("document", own.get("passage"));
        return query == null && document == null ? Map.of() : Map.of(
                EmbeddingInputType.QUERY, query == null ? "" : query,
                EmbeddingInputType.DOCUMENT, document == null ? "" : document);
    }

    /** A builder of {@code all-minilm-l6-v2}, until it is told another model. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public EmbeddingResponse doEmbed(EmbeddingRequest request) {
        if (always) {
            try {
                return response(queue.runAll(inputs(request)), request);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while the embeddings were computed", e);
            }
        }
        List<String> texts = request.inputs().stream().map(EmbeddingInput::text).toList();
        return response(encoder.embedAll(texts, prompt(request)), request);
    }

    @Override
    public CompletableFuture<EmbeddingResponse> doEmbedAsync(EmbeddingRequest request) {
        CompletableFuture<List<TextEmbedding>> call = queue.submitAll(inputs(request));
        CompletableFuture<EmbeddingResponse> response = call.thenApply(embeddings -> response(embeddings, request));
        Futures.cancelWith(response, call);
        return response;
    }

    private List<EncoderInput<TextEmbedding>> inputs(EmbeddingRequest request) {
        String prompt = prompt(request);
        return request.inputs().stream().map(input -> encoder.input(input.text(), prompt)).toList();
    }

    private String prompt(EmbeddingRequest request) {
        EmbeddingInputType type = request.parameters().inputType();
        return type == null ? encoder.prompt() : prompts.get(type);
    }

    private EmbeddingResponse response(List<TextEmbedding> embeddings, EmbeddingRequest request) {
        Integer dimensions = request.parameters().dimensions();
        return EmbeddingResponse.builder()
                .embeddings(embeddings.stream().map(embedding -> Embedding.from(dimensions == null ? embedding.vector()
                        : encoder.shortened(embedding.vector(), dimensions))).toList())
                .modelName(modelName())
                .tokenUsage(new TokenUsage(embeddings.stream().mapToInt(TextEmbedding::tokens).sum()))
                .build();
    }

    @Override
    public Set<EmbeddingParameter<?>> supportedParameters() {
        return prompts.isEmpty() ? Set.of(DIMENSIONS) : Set.of(DIMENSIONS, INPUT_TYPE);
    }

    @Override
    protected Integer knownDimension() {
        return encoder.dimension();
    }

    @Override
    public String modelName() {
        return encoder.name();
    }

    @Override
    public List<EmbeddingModelListener> listeners() {
        return listeners;
    }

    /** Closes the queue, and the encoder if this has loaded it. Calls that wait get an {@link IllegalStateException}. */
    @Override
    public void close() {
        queue.close();
        if (owned) {
            encoder.close();
        }
    }

    /** What the model is made of. */
    public static final class Builder {
        private String model = "all-minilm-l6-v2";
        private Path path;
        private EncoderOptions options = EncoderOptions.defaults();
        private TextEncoder encoder;
        private String queryPrompt;
        private String documentPrompt;
        private QueueOptions queue;
        private List<EmbeddingModelListener> listeners = List.of();

        private Builder() {}

        /** A name or a directory, as {@link TextEncoder#load(String, EncoderOptions)} takes it. */
        public Builder model(String nameOrDirectory) {
            this.model = Objects.requireNonNull(nameOrDirectory, "nameOrDirectory");
            this.path = null;
            return this;
        }

        /** A directory or a {@code .gguf} file, as {@link TextEncoder#load(Path, EncoderOptions)} takes it. */
        public Builder model(Path path) {
            this.path = Objects.requireNonNull(path, "path");
            return this;
        }

        /** How it is loaded: threads, type of the weights, what happens to texts that are too long. */
        public Builder options(EncoderOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            return this;
        }

        /** An encoder that is loaded already and stays the caller's, instead of a model's name and options. */
        public Builder encoder(TextEncoder encoder) {
            this.encoder = Objects.requireNonNull(encoder, "encoder");
            return this;
        }

        /** What stands before texts of the input type QUERY, such as {@code "query: "}; by default the model's own prompt. */
        public Builder queryPrompt(String text) {
            this.queryPrompt = text;
            return this;
        }

        /** What stands before texts of the input type DOCUMENT, such as {@code "passage: "}; by default the model's own. */
        public Builder documentPrompt(String text) {
            this.documentPrompt = text;
            return this;
        }

        /** Lets blocking calls of many threads share batches, too. */
        public Builder queue(QueueOptions queue) {
            this.queue = queue;
            return this;
        }

        /** Who hears of requests, responses and errors. */
        public Builder listeners(List<EmbeddingModelListener> listeners) {
            this.listeners = listeners;
            return this;
        }

        /**
         * Loads the model.
         *
         * @throws UncheckedIOException if it cannot be loaded; the message says why
         */
        public FoveaEmbeddingModel build() {
            return new FoveaEmbeddingModel(this);
        }
    }
}
