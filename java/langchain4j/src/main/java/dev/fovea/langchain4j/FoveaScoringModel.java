package dev.fovea.langchain4j;

import dev.fovea.model.EncoderInput;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.EncoderQueue;
import dev.fovea.model.QueueOptions;
import dev.fovea.model.Reranker;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.model.scoring.ScoringModel;
import dev.langchain4j.model.scoring.request.ScoringRequest;
import dev.langchain4j.model.scoring.response.ScoringResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * Scores of texts against a query by a {@link Reranker}. Safe to share between threads: calls at the same time share
 * batches.
 *
 * <pre>{@code
 * ScoringModel model = FoveaScoringModel.builder().model(Path.of("ms-marco-MiniLM-L6-v2")).build();
 * double score = model.score("About 3.7 million people live in Berlin.", "How many people live in Berlin?").content();
 * }</pre>
 */
public final class FoveaScoringModel implements ScoringModel, AutoCloseable {
    private final Reranker reranker;
    private final boolean owned;
    private final EncoderQueue<Float> queue;

    private FoveaScoringModel(Builder builder) {
        if (builder.reranker == null && builder.model == null) {
            throw new IllegalArgumentException("expected a directory of a reranker, or a reranker, got neither");
        }
        this.owned = builder.reranker == null;
        this.reranker = owned ? load(builder) : builder.reranker;
        this.queue = EncoderQueue.of(reranker, builder.queue);
    }

    private static Reranker load(Builder builder) {
        try {
            return Reranker.load(builder.model, builder.options);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** A builder. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
        List<EncoderInput<Float>> inputs = inputs(segments.stream().map(TextSegment::text).toList(), query);
        try {
            return Response.from(scores(queue.runAll(inputs)), usage(inputs));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the scores were computed", e);
        }
    }

    @Override
    public CompletableFuture<ScoringResponse> doScoreAsync(ScoringRequest request) {
        String name = request.parameters().modelName();
        if (name != null && !name.equals(reranker.name())) {
            return CompletableFuture.failedFuture(new UnsupportedFeatureException(
                    "the modelName '" + name + "' is not supported; this is the model " + reranker.name()));
        }
        List<EncoderInput<Float>> inputs = inputs(request.documents(), request.query());
        CompletableFuture<List<Float>> call = queue.submitAll(inputs);
        CompletableFuture<ScoringResponse> response = call.thenApply(scores -> ScoringResponse.builder()
                .scores(scores(scores)).modelName(reranker.name()).tokenUsage(usage(inputs)).build());
        Futures.cancelWith(response, call);
        return response;
    }

    private List<EncoderInput<Float>> inputs(List<String> documents, String query) {
        return documents.stream().map(document -> reranker.input(query, document)).toList();
    }

    private static List<Double> scores(List<Float> scores) {
        return scores.stream().map(Float::doubleValue).toList();
    }

    private static TokenUsage usage(List<EncoderInput<Float>> inputs) {
        return new TokenUsage(inputs.stream().mapToInt(EncoderInput::tokens).sum());
    }

    /** Closes the queue, and the reranker if this has loaded it. */
    @Override
    public void close() {
        queue.close();
        if (owned) {
            reranker.close();
        }
    }

    /** What the model is made of. */
    public static final class Builder {
        private Path model;
        private EncoderOptions options = EncoderOptions.defaults();
        private Reranker reranker;
        private QueueOptions queue = QueueOptions.defaults();

        private Builder() {}

        /** The directory of a reranker, as {@link Reranker#load(Path, EncoderOptions)} takes it. */
        public Builder model(Path directory) {
            this.model = Objects.requireNonNull(directory, "directory");
            return this;
        }

        /** How it is loaded. */
        public Builder options(EncoderOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            return this;
        }

        /** A reranker that is loaded already and stays the caller's. */
        public Builder reranker(Reranker reranker) {
            this.reranker = Objects.requireNonNull(reranker, "reranker");
            return this;
        }

        /** How batches are made. */
        public Builder queue(QueueOptions queue) {
            this.queue = Objects.requireNonNull(queue, "queue");
            return this;
        }

        /**
         * Loads the model.
         *
         * @throws IllegalArgumentException if there is neither a directory nor a reranker
         * @throws UncheckedIOException if it cannot be loaded; the message says why
         */
        public FoveaScoringModel build() {
            return new FoveaScoringModel(this);
        }
    }
}
