package dev.fovea.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.QueueOptions;
import dev.fovea.model.TextEncoder;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.spi.model.embedding.EmbeddingModelFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** LangChain4j's own suite for embedding models; of its flags, those for images are off. */
@Tag("slow")
class FoveaEmbeddingModelTest extends AbstractEmbeddingModelIT {
    private static TextEncoder encoder;
    private static FoveaEmbeddingModel model;
    private static FoveaEmbeddingModel queued;

    @BeforeAll
    static void load() throws IOException {
        encoder = TextEncoder.load("all-minilm-l6-v2", options());
        model = builder().build();
        queued = builder().queue(QueueOptions.defaults()).build();
    }

    @AfterAll
    static void close() {
        model.close();
        queued.close();
        encoder.close();
    }

    private static EncoderOptions options() {
        return EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
    }

    private static FoveaEmbeddingModel.Builder builder() {
        return FoveaEmbeddingModel.builder().encoder(encoder).queryPrompt("query: ").documentPrompt("passage: ");
    }

    @Override
    protected List<EmbeddingModel> models() {
        return List.of(builder().build(), builder().queue(QueueOptions.defaults()).build()); // JUnit closes them
    }

    @Override
    protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
        return builder().listeners(List.of(listener)).build();
    }

    @Override
    protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
        FoveaEmbeddingModel failing = FoveaEmbeddingModel.builder().options(options()).listeners(List.of(listener)).build();
        failing.close();
        return failing;
    }

    @Override
    protected boolean supportsInputTypeParameter() {
        return true;
    }

    @Override
    protected boolean supportsDimensionsParameter() {
        return true;
    }

    @Override
    protected int dimensionsParameter() {
        return 128;
    }

    @Override
    protected boolean supportsImageInput() {
        return false; // the model reads texts
    }

    @Override
    protected boolean supportsInterleavedInput() {
        return false; // likewise
    }

    /** The class path is that of the version that the build names. */
    @Test
    void shouldRunOnTheVersionThatItClaims() throws IOException {
        try (InputStream in = EmbeddingModel.class.getResourceAsStream(
                "/META-INF/maven/dev.langchain4j/langchain4j-core/pom.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            assertEquals(System.getProperty("langchain4j.version", "1.20.0"), properties.getProperty("version"));
        }
    }

    @Test
    void shouldGiveTheBitsOfTheEncoder() {
        String text = "How do I reset my password?";
        assertArrayEquals(encoder.encode(text), model.embed(text).content().vector());
        assertArrayEquals(encoder.encode(text), queued.embed(text).content().vector());
        EmbeddingRequest request = EmbeddingRequest.builder().textSegments(List.of(TextSegment.from(text)))
                .parameters(EmbeddingRequestParameters.builder().inputType(EmbeddingInputType.QUERY).build()).build();
        float[] query = encoder.embedAll(List.of(text), "query: ").getFirst().vector();
        assertArrayEquals(query, model.embed(request).embeddings().getFirst().vector());
        assertArrayEquals(query, model.embedAsync(request).join().embeddings().getFirst().vector());
        assertEquals(384, model.dimension());
        assertEquals("all-minilm-l6-v2", model.modelName());
        assertEquals(encoder.embedAll(List.of(text)).getFirst().tokens(), model.embed(text).tokenUsage().inputTokenCount());
    }

    @Test
    void shouldBeFoundByThoseWhoLookForAModel() {
        EmbeddingModelFactory factory = ServiceLoader.load(EmbeddingModelFactory.class).stream()
                .map(ServiceLoader.Provider::get).filter(FoveaEmbeddingModelFactory.class::isInstance).findFirst().orElseThrow();
        try (var made = assertInstanceOf(FoveaEmbeddingModel.class, factory.create())) {
            assertEquals("all-minilm-l6-v2", made.modelName());
        }
    }

    @Test
    void shouldSayWhyAModelCannotBeLoaded() {
        var failure = assertThrows(UncheckedIOException.class, () -> FoveaEmbeddingModel.builder().model("no-such-model").build());
        assertTrue(failure.getMessage().contains("'no-such-model'"), failure.getMessage());
    }

    @Test
    void shouldTakeAPathForADirectoryAndNotForAName() {
        var builder = FoveaEmbeddingModel.builder().model(Path.of("all-minilm-l6-v2"));
        var failure = assertThrows(UncheckedIOException.class, builder::build);
        assertTrue(failure.getMessage().startsWith("no model directory"), failure.getMessage());
    }
}
