package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.weights.FormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rerankers and sparse encoders as sentence-transformers writes them, on the directories of {@link HeadsTest}. */
class SentenceHeadsTest {
    private static final int VOCABULARY = 29;

    @TempDir
    private Path directory;

    private static String words(JsonObject golden) {
        return golden.getAsJsonArray("ids").asList().stream().map(id -> "w" + id).collect(Collectors.joining(" "));
    }

    /** In batches of several sizes, and whatever stands beside it, a pair has the same score. */
    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    void shouldScoreDocumentsInAnyCompany(Backend backend) throws Exception {
        Path made = HeadsTest.model(directory, "gte-new", "id2label", "{\"0\": \"LABEL_0\"}");
        var options = EncoderOptions.defaults()
                .withEngineOptions(EngineOptions.defaults().withBackend(backend).withThreads(1));
        try (var reranker = Reranker.load(made, options)) {
            List<String> documents = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                documents.add(("w" + i % VOCABULARY + " ").repeat(i % 23));
            }
            float[] scores = reranker.score("w1 w2 w3", documents);
            for (int i = 0; i < documents.size(); i++) {
                assertEquals(reranker.score("w1 w2 w3", documents.get(i)), scores[i]);
            }
            assertThrows(NullPointerException.class, () -> reranker.score("w1", Arrays.asList("w2", null)));
            assertEquals(scores[7], reranker.score("w1 w2 w3", documents.get(7)));
        }
        try (var reranker = Reranker.load(made, options.withLengthPolicy(LengthPolicy.ERROR))) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> reranker.score("w1 w2", List.of("w3", "w3 ".repeat(reranker.maxTokens())))).getMessage();
            assertTrue(message.startsWith("texts[1]: expected at most " + reranker.maxTokens() + " tokens")
                    && message.endsWith("got " + (reranker.maxTokens() + 2)), message);
        }
    }

    @Test
    void shouldFollowTheModulesOfSparseEncoders() throws Exception {
        Path made = HeadsTest.model(directory, "bert");
        String list = """
                [{"type": "sentence_transformers.sparse_encoder.models.MLMTransformer", "path": ""},
                 {"type": "sentence_transformers.sparse_encoder.models.SpladePooling", "path": "pooling"}]""";
        Files.writeString(made.resolve("modules.json"), list);
        var missing = assertThrows(ModelNotFoundException.class, () -> SparseEncoder.load(made));
        assertEquals("the model in " + made + " has no pooling/config.json, which modules.json names", missing.getMessage());
        Path pooling = Files.createDirectories(made.resolve("pooling")).resolve("config.json");
        Files.writeString(pooling, "{\"pooling_strategy\": \"sum\", \"activation_function\": \"log1p_relu\"}");
        JsonObject golden = JsonParser.parseString(Files.readString(HeadsTest.GOLDEN.resolve("bert").resolve("expected.json"))).getAsJsonArray().get(0)
                .getAsJsonObject();
        double[] want = new double[VOCABULARY];
        for (JsonElement row : golden.getAsJsonArray("words")) {
            for (int term = 0; term < VOCABULARY; term++) {
                want[term] += Math.log1p(Math.log1p(Math.max(0, row.getAsJsonArray().get(term).getAsDouble())));
            }
        }
        try (var encoder = SparseEncoder.load(made)) {
            SparseEncoder.SparseVector vector = encoder.encode(words(golden));
            for (int i = 0; i < vector.ids().length; i++) {
                assertEquals(want[vector.ids()[i]], vector.weights()[i], 1e-5);
            }
        }
        Path settings = made.resolve("config_sentence_transformers.json");
        requireRefused(made, settings, "{\"max_active_dims\": 8}", "max_active_dims");
        requireRefused(made, settings, "{\"model_type\": \"SentenceTransformer\"}", "model_type");
        requireRefused(made, settings, "{\"prompts\": {\"query\": \"q: \"}, \"default_prompt_name\": \"query\"}",
                "default_prompt_name");
        requireRefused(made, pooling, "{\"pooling_strategy\": \"mean\"}", "pooling_strategy");
        requireRefused(made, pooling, "{\"threshold\": 1}", "threshold");
        Files.writeString(pooling, "{}");
        for (String other : List.of(list.replace("SpladePooling", "CSRSparsity"), list.replace("MLMTransformer", "Router"),
                list.replace("sentence_transformers.sparse_encoder.models.Splade", "own.Splade"), list.replace("]",
                        ", {\"type\": \"sentence_transformers.models.Normalize\", \"path\": \"\"}]"))) {
            requireRefused(made, made.resolve("modules.json"), other, "type");
        }
    }

    /** Refused with one file's text, and not without it. */
    private static void requireRefused(Path made, Path file, String text, String field) throws Exception {
        String before = Files.exists(file) ? Files.readString(file) : null;
        Files.writeString(file, text);
        var e = assertThrows(FormatException.class, () -> SparseEncoder.load(made));
        assertEquals(file, e.file());
        assertEquals(field, e.field());
        if (before == null) {
            Files.delete(file);
        } else {
            Files.writeString(file, before);
        }
        SparseEncoder.load(made).close();
    }

    @Test
    void shouldRefuseWhatStandsBesideAReranker() throws Exception {
        Path made = HeadsTest.model(directory, "gte-new", "id2label", "{\"0\": \"LABEL_0\"}");
        String transformer = "{\"type\": \"sentence_transformers.models.Transformer\", \"path\": \"\"}";
        Files.writeString(made.resolve("modules.json"), "[" + transformer + "]");
        Reranker.load(made).close();
        Files.writeString(made.resolve("modules.json"), "[" + transformer + ", " + transformer.replace("Transformer", "Dense") + "]");
        assertEquals("type", assertThrows(FormatException.class, () -> Reranker.load(made)).field());
        Files.delete(made.resolve("modules.json"));
        Files.writeString(made.resolve("config_sentence_transformers.json"), "{\"model_type\": \"SparseEncoder\"}");
        assertEquals("model_type", assertThrows(FormatException.class, () -> Reranker.load(made)).field());
    }
}
