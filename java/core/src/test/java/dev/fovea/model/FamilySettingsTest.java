package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Prompts, dimensions, pipelines and the search for NaN, with every family and with heads. */
class FamilySettingsTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "family", "golden");

    @TempDir
    private Path directory;

    static Stream<String> families() throws IOException {
        try (var folders = Files.list(GOLDEN)) {
            return folders.map(folder -> folder.getFileName().toString()).sorted().toList().stream();
        }
    }

    /** A model whose words are {@code w0} to {@code w28}; nothing is put around texts. */
    private Path model(String family) throws IOException {
        Path made = Files.createDirectories(directory.resolve(family));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(GOLDEN.resolve(family).resolve(file), made.resolve(file));
        }
        JsonObject vocabulary = new JsonObject();
        for (int i = 0; i < 29; i++) {
            vocabulary.addProperty("w" + i, i);
        }
        Files.writeString(made.resolve("tokenizer.json"), """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
                 "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
                 "model": {"type": "WordLevel", "unk_token": "w0", "vocab": %s}}""".formatted(vocabulary));
        return made;
    }

    /** Gives a model three labels, as many as the head of the golden has. */
    private static void label(Path model) throws IOException {
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config)
                .replaceFirst("\\{", "{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}, "));
    }

    /** Makes the element of a tensor NaN, whatever the type of floating-point numbers. */
    private static void spoil(Path model, String tensor, int element) throws IOException {
        Path file = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        JsonObject entry = JsonParser.parseString(new String(bytes, 8, header, StandardCharsets.UTF_8)).getAsJsonObject()
                .getAsJsonObject(tensor);
        int size = entry.get("dtype").getAsString().equals("F32") ? 4 : 2;
        JsonArray offsets = entry.getAsJsonArray("data_offsets");
        int at = 8 + header + offsets.get(0).getAsInt() + element * size;
        Arrays.fill(bytes, at, at + size, (byte) 0xff);
        Files.write(file, bytes);
    }

    @ParameterizedTest
    @MethodSource("families")
    void shouldFollowPromptsDimensionsAndPipelines(String family) throws IOException {
        Path made = model(family);
        float[] plain;
        try (var encoder = TextEncoder.load(made)) {
            plain = encoder.encode("w4 w1 w2 w3");
            assertArrayEquals(plain, encoder.embedAll(List.of("w1 w2 w3"), "w4 ").getFirst().vector());
        }
        Files.writeString(made.resolve("modules.json"), """
                [{"type": "sentence_transformers.models.Transformer", "path": ""},
                 {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
                 {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}]""");
        Files.createDirectories(made.resolve("1_Pooling"));
        Files.writeString(made.resolve("1_Pooling/config.json"), "{\"pooling_mode\": [\"mean\", \"max\"]}");
        Files.writeString(made.resolve("config_sentence_transformers.json"),
                "{\"prompts\": {\"query\": \"w4 \"}, \"default_prompt_name\": \"query\"}");
        try (var encoder = TextEncoder.load(made, EncoderOptions.defaults().withDimensions(4))) {
            float[] vector = encoder.encode("w1 w2 w3");
            assertEquals(4, vector.length);
            double norm = 0;
            for (int i = 0; i < 4; i++) {
                norm += (double) plain[i] * plain[i];
            }
            for (int i = 0; i < 4; i++) {
                assertEquals(plain[i] / Math.sqrt(norm), vector[i], 1e-6);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "bert, bert.encoder.layer.0.output.dense.weight", "distilbert, distilbert.embeddings.LayerNorm.bias",
        "mpnet, mpnet.encoder.relative_attention_bias.weight", "deberta-v2, deberta.encoder.rel_embeddings.weight",
        "modernbert, model.layers.0.mlp.Wi.weight", "gte-new, new.encoder.layer.0.mlp.up_gate_proj.weight"
    })
    void shouldRefuseWeightsThatAreNotFinite(String family, String tensor) throws IOException {
        Path made = model(family);
        spoil(made, tensor, 3);
        var e = assertThrows(FormatException.class, () -> TextEncoder.load(made));
        assertTrue(e.problem().startsWith("expected finite numbers, got NaN at ["), e.problem());
        assertEquals(tensor, e.field());
    }

    @Test
    void shouldRefuseHeadsThatAreNotFinite() throws IOException {
        Path made = model("bert");
        label(made);
        spoil(made, "classifier.weight", 1);
        TextEncoder.load(made).close();
        var e = assertThrows(FormatException.class, () -> TextClassifier.load(made));
        assertEquals("classifier.weight: expected finite numbers, got NaN at [0, 1]", e.field() + ": " + e.problem());
        Path words = model("roberta");
        spoil(words, "roberta.embeddings.word_embeddings.weight", 5);
        TextEncoder.load(words).close();
        // The matrix of the head, too.
        assertThrows(FormatException.class, () -> SparseEncoder.load(words));
    }

    @Test
    void shouldNameTheWordThatMakesScoresNaN() throws IOException {
        Path made = model("bert");
        label(made);
        int width = JsonParser.parseString(Files.readString(made.resolve("config.json"))).getAsJsonObject()
                .get("hidden_size").getAsInt();
        spoil(made, "bert.embeddings.word_embeddings.weight", 7 * width);
        try (var classifier = TextClassifier.load(made)) {
            classifier.classify("w1 w2");
            var e = assertThrows(ArithmeticException.class, () -> classifier.classify("w1 w7"));
            assertTrue(e.getMessage().contains("bert.embeddings.word_embeddings.weight"), e.getMessage());
            assertTrue(e.getMessage().endsWith("has NaN at [0] of row 7"), e.getMessage());
        }
    }

    @Test
    void shouldFollowTheSettingsOfModelsWithHeads() throws IOException {
        Path made = model("roberta");
        Files.createDirectories(made.resolve("0_MLMTransformer"));
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json")) {
            Files.move(made.resolve(file), made.resolve("0_MLMTransformer").resolve(file));
        }
        Files.writeString(made.resolve("modules.json"), """
                [{"type": "sentence_transformers.sparse_encoder.models.MLMTransformer", "path": "0_MLMTransformer"},
                 {"type": "sentence_transformers.sparse_encoder.models.SpladePooling", "path": "1_SpladePooling"}]""");
        Files.createDirectories(made.resolve("1_SpladePooling"));
        Files.writeString(made.resolve("1_SpladePooling/config.json"), "{\"pooling_strategy\": \"max\"}");
        Path sentence = made.resolve("0_MLMTransformer/sentence_bert_config.json");
        Files.writeString(sentence, "{\"max_seq_length\": 600}");
        assertEquals("max_seq_length", assertThrows(FormatException.class, () -> SparseEncoder.load(made)).field());
        Files.writeString(sentence, "{\"max_seq_length\": 2}");
        try (var encoder = SparseEncoder.load(made)) {
            assertArrayEquals(encoder.encode("w1 w2").weights(), encoder.encode("w1 w2 w3").weights());
        }
        Files.writeString(sentence, "{\"do_lower_case\": true}");
        assertEquals("do_lower_case", assertThrows(FormatException.class, () -> SparseEncoder.load(made)).field());
        Files.delete(sentence);
        Path tokenizer = made.resolve("0_MLMTransformer/tokenizer_config.json");
        Files.writeString(tokenizer, "{\"truncation_side\": \"left\"}");
        assertEquals("truncation_side", assertThrows(FormatException.class, () -> SparseEncoder.load(made)).field());
        Files.delete(tokenizer);
        assertThrows(IllegalArgumentException.class,
                () -> SparseEncoder.load(made, EncoderOptions.defaults().withPrompt("query: ")));
        assertThrows(IllegalArgumentException.class,
                () -> SparseEncoder.load(made, EncoderOptions.defaults().withDimensions(3)));
    }
}
