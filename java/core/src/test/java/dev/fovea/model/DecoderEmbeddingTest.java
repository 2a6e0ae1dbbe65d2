package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Language models that embed and rerank, against {@code bench/goldens/embedders.py}. */
class DecoderEmbeddingTest {
    private static final Path PLACE = Path.of("src", "test", "resources", "dev", "fovea", "model", "embedder");
    private static final Path GOLDEN = PLACE.resolve("golden");
    private static final double TOLERANCE = 2e-6;

    @TempDir
    private Path directory;

    private static EncoderOptions on(Backend backend) {
        return EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withBackend(backend).withThreads(1));
    }

    private static JsonElement expected(String name) throws IOException {
        return JsonParser.parseString(Files.readString(GOLDEN.resolve(name).resolve("expected.json")));
    }

    private Path copy(String name) throws IOException {
        Path target = directory.resolve(name);
        try (Stream<Path> files = Files.walk(GOLDEN.resolve(name))) {
            for (Path file : files.toList()) {
                Files.copy(file, target.resolve(GOLDEN.resolve(name).relativize(file).toString()));
            }
        }
        return target;
    }

    private static void edit(Path file, String from, String to) throws IOException {
        String text = Files.readString(file);
        assertTrue(text.contains(from), from);
        Files.writeString(file, text.replace(from, to));
    }

    private static void assertVectors(Path model, String name, Backend backend) throws Exception {
        JsonObject vectors = expected(name).getAsJsonObject();
        List<String> texts = List.copyOf(vectors.keySet());
        try (var encoder = TextEncoder.load(model, on(backend))) {
            float[][] all = encoder.encodeAll(texts);
            for (int i = 0; i < texts.size(); i++) {
                List<JsonElement> want = vectors.getAsJsonArray(texts.get(i)).asList();
                assertEquals(want.size(), encoder.dimension());
                for (int c = 0; c < want.size(); c++) {
                    assertEquals(want.get(c).getAsDouble(), all[i][c], TOLERANCE, texts.get(i) + " [" + c + "]");
                }
                assertArrayEquals(all[i], encoder.encode(texts.get(i)), "alone");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    void shouldEmbedAsTheReferenceDoes(Backend backend) throws Exception {
        for (String name : List.of("qwen3-embedding", "e5-mistral", "embedding-gemma")) {
            assertVectors(GOLDEN.resolve(name), name, backend);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3-embedding", "embedding-gemma"})
    void shouldEmbedFilesOfLlamaCpp(String name) throws Exception {
        assertVectors(PLACE.resolve("gguf").resolve(name + ".gguf"), name, Backend.NATIVE);
        assertFalse(TextGenerator.takes(PLACE.resolve("gguf").resolve(name + ".gguf")));
        assertFalse(TextGenerator.takes(GOLDEN.resolve(name)));
    }

    @Test
    void shouldPutPromptsBeforeTextsAndKeepTheFirstDimensions() throws Exception {
        try (var encoder = TextEncoder.load(GOLDEN.resolve("qwen3-embedding"), on(Backend.NATIVE).withPrompt("query"));
                var plain = TextEncoder.load(GOLDEN.resolve("qwen3-embedding"), on(Backend.NATIVE).withDimensions(6))) {
            assertEquals("lasttoken", encoder.pooling());
            float[] whole = encoder.encode("w1 w2 w3");
            float[] few = plain.encode("w12 w13 w1 w2 w3");
            double length = 0;
            for (int i = 0; i < 6; i++) {
                length += whole[i] * whole[i];
            }
            for (int i = 0; i < 6; i++) {
                assertEquals(whole[i] / Math.sqrt(length), few[i], TOLERANCE);
            }
        }
    }

    @Test
    void shouldEndWithTheLastTokenWhenATextIsCut() throws Exception {
        Path model = copy("qwen3-embedding");
        Files.writeString(model.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 4}");
        try (var encoder = TextEncoder.load(model); var whole = TextEncoder.load(GOLDEN.resolve("qwen3-embedding"))) {
            float[] cut = encoder.encode("w1 w2 w3 w4 w5");
            assertArrayEquals(whole.encode("w1 w2 w3"), cut);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3-reranker", "qwen3-reranker-logit-score", "qwen3-sequence-classification"})
    void shouldRerankAsTheReferenceDoes(String name) throws Exception {
        for (Backend backend : List.of(Backend.NATIVE, Backend.JAVA)) {
            try (var reranker = Reranker.load(GOLDEN.resolve(name), on(backend))) {
                List<Double> scores = new ArrayList<>();
                for (JsonElement one : expected(name).getAsJsonArray()) {
                    JsonObject pair = one.getAsJsonObject();
                    String query = pair.get("query").getAsString();
                    String document = pair.get("document").getAsString();
                    scores.add(pair.get("score").getAsDouble());
                    assertEquals(pair.get("score").getAsDouble(), reranker.score(query, document), 5e-6, name);
                }
                assertEquals(scores.get(0) > scores.get(1) ? 0 : 1,
                        reranker.rank("w1 w2", List.of("w3 w4 w5", "w6")).getFirst().index());
            }
        }
    }

    @Test
    void shouldTellTheModelAnotherInstruction() throws Exception {
        Path model = GOLDEN.resolve("qwen3-reranker-logit-score");
        try (var plain = Reranker.load(model, on(Backend.NATIVE).withPrompt(""));
                var named = Reranker.load(model, on(Backend.NATIVE).withPrompt("web"))) {
            for (JsonElement one : expected("qwen3-reranker-logit-score").getAsJsonArray()) {
                JsonObject pair = one.getAsJsonObject();
                String query = pair.get("query").getAsString();
                String document = pair.get("document").getAsString();
                assertEquals(pair.get("plain").getAsDouble(), plain.score(query, document), 5e-6);
                assertEquals(pair.get("score").getAsDouble(), named.score(query, document), 5e-6);
            }
        }
        var failure = assertThrows(IllegalArgumentException.class,
                () -> Reranker.load(model, on(Backend.NATIVE).withPrompt("other")));
        assertTrue(failure.getMessage().contains("'other'"), failure.getMessage());
    }

    @Test
    void shouldKeepTheEndOfThePromptWhenAPairIsCut() throws Exception {
        Path model = copy("qwen3-reranker-logit-score");
        Files.writeString(model.resolve("sentence_bert_config.json"), "{\"max_seq_length\": 12}");
        String document = String.join(" ", Collections.nCopies(30, "w5"));
        try (var cut = Reranker.load(model); var whole = Reranker.load(GOLDEN.resolve("qwen3-reranker-logit-score"))) {
            // 12 tokens: w8 w10 w11 w4 w1 w2 w6, three of the document's, and the end
            assertEquals(whole.score("w1 w2", "w5 w5 w5"), cut.score("w1 w2", document));
        }
        try (var strict = Reranker.load(model, EncoderOptions.defaults().withLengthPolicy(LengthPolicy.ERROR))) {
            var failure = assertThrows(IllegalArgumentException.class, () -> strict.score("w1 w2", document));
            assertTrue(failure.getMessage().contains("12") && failure.getMessage().contains("39"), failure.getMessage());
        }
    }

    @Test
    void shouldRefuseWhatItDoesNotDo() throws Exception {
        Path none = copy("e5-mistral");
        Files.delete(none.resolve("modules.json"));
        String message = assertThrows(ModelNotFoundException.class, () -> TextEncoder.load(none)).getMessage();
        assertTrue(message.contains("modules.json"), message);

        Path windows = copy("embedding-gemma");
        edit(windows.resolve("config.json"), "\"use_bidirectional_attention\": true", "\"is_causal\": false");
        assertEquals("is_causal", assertThrows(FormatException.class, () -> TextEncoder.load(windows)).field());
        assertEquals("use_bidirectional_attention", assertThrows(FormatException.class,
                () -> TextGenerator.load(GOLDEN.resolve("embedding-gemma"))).field());

        Path ids = copy("qwen3-reranker-logit-score");
        edit(ids.resolve("1_LogitScore/config.json"), "\"true_token_id\": 36", "\"true_token_id\": 38");
        FormatException failure = assertThrows(FormatException.class, () -> Reranker.load(ids));
        assertEquals("true_token_id", failure.field());
        assertTrue(failure.getMessage().contains("38"), failure.getMessage());

        Path mistral = copy("qwen3-reranker");
        edit(mistral.resolve("config.json"), "\"qwen3\"", "\"llama\"");
        assertEquals("template", assertThrows(FormatException.class, () -> Reranker.load(mistral)).field());
        assertThrows(IllegalArgumentException.class,
                () -> Reranker.load(GOLDEN.resolve("qwen3-reranker"), EncoderOptions.defaults().withDimensions(3)));
    }

    @Test
    void shouldSeeAllTokensWhereTheConfigurationSaysSo() throws Exception {
        Path model = copy("qwen3-embedding");
        edit(model.resolve("config.json"), "\"tie_word_embeddings\"", "\"is_causal\": false, \"tie_word_embeddings\"");
        try (var both = TextEncoder.load(model); var causal = TextEncoder.load(GOLDEN.resolve("qwen3-embedding"))) {
            assertEquals(0, causal.explain("w1 w2 w3").at(0, 0, 0, 1));
            assertTrue(both.explain("w1 w2 w3").at(0, 0, 0, 1) > 0);
        }
    }
}
