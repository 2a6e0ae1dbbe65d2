package dev.fovea.springai;

import dev.fovea.model.TextEmbedding;
import dev.fovea.model.TextEncoder;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.document.MetadataMode;
import org.springframework.ai.embedding.AbstractEmbeddingModel;
import org.springframework.ai.embedding.BatchingStrategy;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationContext;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationDocumentation;

/**
 * Embeddings by a {@link TextEncoder}, on the thread that calls. Safe to share between threads. The encoder stays its
 * owner's, who closes it.
 *
 * <p>Models that want other words before queries than before documents get them: documents are what comes as a {@link
 * Document}, as vector stores hand it over; all else is a query.
 */
public final class FoveaEmbeddingModel extends AbstractEmbeddingModel {
    /** What observations call the provider. */
    static final String PROVIDER = "fovea";

    private static final EmbeddingModelObservationConvention CONVENTION = new DefaultEmbeddingModelObservationConvention();

    private final TextEncoder encoder;
    private final String queryPrompt;
    private final String documentPrompt;
    private final ObservationRegistry observations;
    private volatile EmbeddingModelObservationConvention convention = CONVENTION;

    /** An embedding model with the encoder's prompt before queries and documents. */
    public FoveaEmbeddingModel(TextEncoder encoder) {
        this(encoder, null, null, ObservationRegistry.NOOP);
    }

    /**
     * An embedding model.
     *
     * @param queryPrompt what stands before queries, as {@link dev.fovea.model.EncoderOptions#withPrompt} takes it; null for
     *     the encoder's own
     * @param documentPrompt likewise before documents
     * @param observations who hears of each call
     */
    public FoveaEmbeddingModel(TextEncoder encoder, String queryPrompt, String documentPrompt,
            ObservationRegistry observations) {
        this.encoder = Objects.requireNonNull(encoder, "encoder");
        this.queryPrompt = queryPrompt != null ? queryPrompt : encoder.prompt();
        this.documentPrompt = documentPrompt != null ? documentPrompt : encoder.prompt();
        this.observations = Objects.requireNonNull(observations, "observations");
    }

    /** Names observations by another convention. */
    public void setObservationConvention(EmbeddingModelObservationConvention convention) {
        this.convention = Objects.requireNonNull(convention, "convention");
    }

    /**
     * The vector of each text of a request, in order.
     *
     * @throws IllegalArgumentException if there is no text, the request names another model, or {@code dimensions} are not
     *     those of a vector
     */
    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
        List<String> texts = request.getInstructions();
        if (texts.isEmpty()) {
            throw new IllegalArgumentException("expected at least 1 text to embed, got 0");
        }
        FoveaEmbeddingOptions options = FoveaEmbeddingOptions.of(request.getOptions());
        if (options.model() != null && !options.model().equals(encoder.name())) {
            throw new IllegalArgumentException("expected a request for the model " + encoder.name() + ", got " + options.model());
        }
        // What is observed names the model.
        FoveaEmbeddingOptions named = new FoveaEmbeddingOptions(encoder.name(), options.dimensions(), options.prompt());
        EmbeddingModelObservationContext context = EmbeddingModelObservationContext.builder()
                .embeddingRequest(new EmbeddingRequest(texts, named)).provider(PROVIDER).build();
        return EmbeddingModelObservationDocumentation.EMBEDDING_MODEL_OPERATION
                .observation(convention, CONVENTION, () -> context, observations)
                .observe(() -> {
                    EmbeddingResponse response = response(texts, named);
                    context.setResponse(response);
                    return response;
                });
    }

    private EmbeddingResponse response(List<String> texts, FoveaEmbeddingOptions options) {
        List<TextEmbedding> results = encoder.embedAll(texts, options.prompt() != null ? options.prompt() : queryPrompt);
        List<Embedding> embeddings = new ArrayList<>(results.size());
        int tokens = 0;
        for (TextEmbedding result : results) {
            float[] vector = options.dimensions() == null ? result.vector()
                    : encoder.shortened(result.vector(), options.dimensions());
            embeddings.add(new Embedding(vector, embeddings.size()));
            tokens += result.tokens();
        }
        return new EmbeddingResponse(embeddings, new EmbeddingResponseMetadata(encoder.name(), new DefaultUsage(tokens, 0)));
    }

    @Override
    public float[] embed(Document document) {
        return call(new EmbeddingRequest(List.of(getEmbeddingContent(document)), ofDocuments(null))).getResult().getOutput();
    }

    @Override
    public List<float[]> embed(List<Document> documents, EmbeddingOptions options, BatchingStrategy batches) {
        return super.embed(documents, ofDocuments(options), batches);
    }

    @Override
    public String getEmbeddingContent(Document document) {
        return document.getFormattedContent(MetadataMode.NONE);
    }

    private FoveaEmbeddingOptions ofDocuments(EmbeddingOptions options) {
        FoveaEmbeddingOptions own = FoveaEmbeddingOptions.of(options);
        return own.prompt() != null ? own : own.withPrompt(documentPrompt);
    }

    @Override
    public int dimensions() {
        return encoder.dimension();
    }
}
