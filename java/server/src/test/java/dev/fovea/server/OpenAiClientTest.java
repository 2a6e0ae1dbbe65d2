package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** OpenAI's own client gets from the server what the library gives. */
class OpenAiClientTest {
    private static final String KEY = "a-key-of-a-test";

    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start(TestServer.options().withApiKeys(List.of("another-key", KEY)));
        client = client(KEY);
    }

    @AfterAll
    static void end() {
        client.close();
        server.close();
    }

    private static OpenAIClient client(String key) {
        return OpenAIOkHttpClient.builder().baseUrl(server.address() + "/v1").apiKey(key).maxRetries(0).build();
    }

    private static float[] floats(List<Float> list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = list.get(i);
        }
        return values;
    }

    @Test
    void shouldEmbedTextsAndTokenIds() throws Exception {
        try (var encoder = TextEncoder.load(TestServer.EMBEDDER)) {
            // The client asks for Base64 where it is not told.
            CreateEmbeddingResponse many = client.embeddings().create(EmbeddingCreateParams.builder().model(TestServer.EMBEDDER)
                    .inputOfArrayOfStrings(List.of("a cat", "a dog")).build());
            assertArrayEquals(encoder.encode("a cat"), floats(many.data().get(0).embedding()));
            assertArrayEquals(encoder.encode("a dog"), floats(many.data().get(1).embedding()));
            assertEquals(8, many.usage().totalTokens());
            CreateEmbeddingResponse one = client.embeddings().create(EmbeddingCreateParams.builder().model(TestServer.EMBEDDER)
                    .input("a cat").encodingFormat(EmbeddingCreateParams.EncodingFormat.FLOAT).build());
            assertArrayEquals(encoder.encode("a cat"), floats(one.data().get(0).embedding()));
            List<Long> ids = Arrays.stream(encoder.tokenizer().encode("a cat")).asLongStream().boxed().toList();
            CreateEmbeddingResponse ofIds = client.embeddings().create(EmbeddingCreateParams.builder().model(TestServer.EMBEDDER)
                    .inputOfArrayOfTokens(ids).build());
            assertArrayEquals(encoder.encode("a cat"), floats(ofIds.data().get(0).embedding()));
            CreateEmbeddingResponse ofTwo = client.embeddings().create(EmbeddingCreateParams.builder().model(TestServer.EMBEDDER)
                    .inputOfArrayOfTokenArrays(List.of(ids, List.of(1L))).dimensions(8).build());
            assertEquals(8, ofTwo.data().get(1).embedding().size());
        }
    }

    @SuppressWarnings("deprecation") // seed is, without another one
    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder().model("writer").addSystemMessage("w1").addUserMessage("w2 w3").seed(7)
                .maxCompletionTokens(12);
    }

    private static GeneratedText expected() throws Exception {
        try (var model = TextGenerator.load(TestServer.models().resolve("writer"),
                GeneratorOptions.defaults().withContext(TestServer.CONTEXT))) {
            return model.generate(model.tokenizer().encode("w1 w2 w3 "),
                    SamplingOptions.sampling(1, 7).withMaxTokens(12).withLogProbabilities(true).withAlternatives(3));
        }
    }

    @Test
    void shouldChat() throws Exception {
        ChatCompletion answer = client.chat().completions().create(chat().logprobs(true).build());
        var expected = expected();
        ChatCompletion.Choice choice = answer.choices().getFirst();
        assertEquals(expected.text(), choice.message().content().orElseThrow());
        assertEquals(ChatCompletion.Choice.FinishReason.LENGTH, choice.finishReason());
        assertEquals(3, answer.usage().orElseThrow().promptTokens());
        assertEquals(12, answer.usage().orElseThrow().completionTokens());
        var logprobs = choice.logprobs().orElseThrow().content().orElseThrow();
        assertEquals(12, logprobs.size());
        for (int i = 0; i < 12; i++) {
            assertEquals(expected.logProbabilities()[i], (float) logprobs.get(i).logprob());
        }
        String stop = expected.text().split(" ")[4];
        ChatCompletion stopped = client.chat().completions().create(chat().stop(stop).build());
        assertEquals(expected.text().substring(0, expected.text().indexOf(stop)),
                stopped.choices().getFirst().message().content().orElseThrow());
        assertEquals(ChatCompletion.Choice.FinishReason.STOP, stopped.choices().getFirst().finishReason());
    }

    @Test
    void shouldTellTheLikeliestTokens() throws Exception {
        var expected = expected();
        var places = client.chat().completions().create(chat().logprobs(true).topLogprobs(3).build()).choices().getFirst()
                .logprobs().orElseThrow().content().orElseThrow();
        var choice = client.completions().create(CompletionCreateParams.builder().model("writer").prompt("w1 w2 w3").seed(7)
                .maxTokens(12).logprobs(3).build()).choices().getFirst().logprobs().orElseThrow();
        for (int i = 0; i < 12; i++) {
            var likeliest = places.get(i).topLogprobs();
            List<Float> values = likeliest.stream().map(one -> (float) one.logprob()).toList();
            assertEquals(expected.alternatives().get(i).stream().map(GeneratedText.Alternative::logProbability).toList(), values);
            Map<String, JsonValue> byText = choice.topLogprobs().orElseThrow().get(i)._additionalProperties();
            assertEquals(likeliest.getFirst().logprob(), byText.get(likeliest.getFirst().token()).convert(Double.class));
            String written = choice.tokens().orElseThrow().get(i);
            assertEquals(expected.logProbabilities()[i], byText.get(written).convert(Double.class).floatValue());
            assertEquals(likeliest.stream().anyMatch(one -> one.token().equals(written)) ? 3 : 4, byText.size());
        }
        assertTrue(assertThrows(BadRequestException.class, () -> client.chat().completions().create(chat().topLogprobs(3).build()))
                .getMessage().contains("top_logprobs needs logprobs to be true"));
        assertTrue(assertThrows(BadRequestException.class, () -> client.chat().completions().create(chat().logprobs(true)
                .topLogprobs(21).build())).getMessage().contains("top_logprobs to be a whole number from 0 to 20, got 21"));
    }

    @Test
    void shouldStreamAChat() throws Exception {
        try (StreamResponse<ChatCompletionChunk> stream = client.chat().completions().createStreaming(chat().logprobs(true)
                .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build()).build())) {
            List<ChatCompletionChunk> chunks = stream.stream().toList();
            String text = chunks.stream().flatMap(chunk -> chunk.choices().stream())
                    .map(choice -> choice.delta().content().orElse("")).collect(Collectors.joining());
            assertEquals(expected().text(), text);
            assertTrue(chunks.size() > 10, "in pieces: " + chunks.size());
            assertEquals("assistant", chunks.getFirst().choices().getFirst().delta().role().orElseThrow().asString());
            assertEquals(15, chunks.getLast().usage().orElseThrow().totalTokens());
            var last = chunks.get(chunks.size() - 2).choices().getFirst();
            assertEquals("length", last.finishReason().orElseThrow().asString());
            List<Float> values = chunks.stream().flatMap(chunk -> chunk.choices().stream())
                    .flatMap(choice -> choice.logprobs().stream()).flatMap(some -> some.content().orElseThrow().stream())
                    .map(token -> (float) token.logprob()).toList();
            assertEquals(12, values.size());
            for (int i = 0; i < 12; i++) {
                assertEquals(expected().logProbabilities()[i], values.get(i));
            }
            assertTrue(chunks.get(1).choices().getFirst().logprobs().isPresent(), "piece by piece");
        }
    }

    @Test
    void shouldComplete() throws Exception {
        Completion whole = client.completions().create(CompletionCreateParams.builder().model("writer").prompt("w1 w2 w3")
                .seed(7).maxTokens(12).logprobs(1).build());
        assertEquals(expected().text(), whole.choices().getFirst().text());
        assertEquals(12, whole.choices().getFirst().logprobs().orElseThrow().tokens().orElseThrow().size());
        Completion ofIds = client.completions().create(CompletionCreateParams.builder().model("writer")
                .promptOfArrayOfTokens(List.of(1L, 2L, 3L)).seed(7).maxTokens(12).build());
        assertEquals(expected().text(), ofIds.choices().getFirst().text());
        try (StreamResponse<Completion> stream = client.completions().createStreaming(CompletionCreateParams.builder()
                .model("writer").prompt("w1 w2 w3").seed(7).maxTokens(12).logprobs(1).build())) {
            List<CompletionChoice> pieces = stream.stream().map(piece -> piece.choices().getFirst()).toList();
            assertEquals(expected().text(), pieces.stream().map(CompletionChoice::text).collect(Collectors.joining()));
            var all = whole.choices().getFirst().logprobs().orElseThrow();
            assertEquals(all.textOffset().orElseThrow(), pieces.stream().flatMap(piece -> piece.logprobs().stream())
                    .flatMap(some -> some.textOffset().orElseThrow().stream()).toList());
            assertEquals(all.tokenLogprobs().orElseThrow(), pieces.stream().flatMap(piece -> piece.logprobs().stream())
                    .flatMap(some -> some.tokenLogprobs().orElseThrow().stream()).toList());
        }
    }

    @Test
    void shouldListModels() {
        assertEquals(List.of("all-minilm-l6-v2", "ranker", "labels", "terms", "writer"),
                client.models().list().data().stream().map(model -> model.id()).toList());
        assertEquals("fovea", client.models().retrieve("writer").ownedBy());
    }

    @Test
    void shouldGiveErrorsThatTheClientKnows() {
        OpenAIClient stranger = client("wrong-key");
        assertThrows(UnauthorizedException.class, () -> stranger.models().list());
        stranger.close();
        NotFoundException none = assertThrows(NotFoundException.class, () -> client.chat().completions()
                .create(chat().model("gpt-4").build()));
        assertTrue(none.getMessage().contains("no model is called 'gpt-4'; there are all-minilm-l6-v2"), none.getMessage());
        assertEquals("model_not_found", none.code().orElseThrow());
        BadRequestException two = assertThrows(BadRequestException.class, () -> client.chat().completions()
                .create(chat().n(2).build()));
        assertTrue(two.getMessage().contains("n is not supported, but for 1; got 2"), two.getMessage());
        BadRequestException hot = assertThrows(BadRequestException.class, () -> client.chat().completions()
                .create(chat().temperature(3).build()));
        assertTrue(hot.getMessage().contains("expected temperature to be a number from 0.0 to 2.0, got 3"), hot.getMessage());
        BadRequestException full = assertThrows(BadRequestException.class, () -> client.completions()
                .create(CompletionCreateParams.builder().model("writer").prompt("w1 ".repeat(TestServer.CONTEXT + 1)).build()));
        assertEquals("context_length_exceeded", full.code().orElseThrow());
    }
}
