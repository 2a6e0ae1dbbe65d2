package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same model in other layouts of files gives the same vectors. */
class DirectoryLayoutTest {
    private static final String TEXT = "w3 w1 w4 w1 w5";

    private final TinyModel model = new TinyModel(31);

    @TempDir
    private Path directory;

    private ModelDirectory files;
    private float[] expected;

    @BeforeEach
    void encode() throws IOException {
        files = ModelDirectory.of(model, directory);
        expected = vector();
    }

    @Test
    void shouldReadShards() throws IOException {
        List<String> names = new ArrayList<>(model.weights.keySet());
        JsonObject map = new JsonObject();
        for (int shard = 0; shard < 3; shard++) {
            String file = "model-0000%d-of-00003.safetensors".formatted(shard + 1);
            Map<String, TinyModel.Weight> part = new LinkedHashMap<>();
            for (int i = shard; i < names.size(); i += 3) {
                part.put(names.get(i), model.weights.get(names.get(i)));
                map.addProperty(names.get(i), file);
            }
            files.tensors(file, part);
        }
        files.delete("model.safetensors").write("model.safetensors.index.json",
                "{\"metadata\": {\"total_size\": 1}, \"weight_map\": " + map + "}");
        assertArrayEquals(expected, vector());
    }

    @Test
    void shouldReadDoubles() throws IOException {
        Map<String, Object> header = new LinkedHashMap<>();
        long end = 0;
        for (var entry : model.weights.entrySet()) {
            long start = end;
            end += 8L * entry.getValue().values().length;
            header.put(entry.getKey(), Map.of(
                    "dtype", "F64", "shape", entry.getValue().shape(), "data_offsets", List.of(start, end)));
        }
        byte[] json = new Gson().toJson(header).getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + (int) end).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        for (var weight : model.weights.values()) {
            for (float value : weight.values()) {
                bytes.putDouble(value + Math.ulp(value) / 4.0);
            }
        }
        Files.write(directory.resolve("model.safetensors"), bytes.array());
        assertArrayEquals(expected, vector());
    }

    @Test
    void shouldReadTheTransformerOfAnOldLayout() throws IOException {
        files.sentence("{\"max_seq_length\": 9}");
        Path folder = Files.createDirectory(directory.resolve("0_Transformer"));
        for (String file : List.of("config.json", "tokenizer.json", "model.safetensors", "sentence_bert_config.json")) {
            Files.move(directory.resolve(file), folder.resolve(file));
        }
        files.write("modules.json", """
                [{"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},
                 {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
                """).pooling("mean");
        assertArrayEquals(expected, vector());
        try (var encoder = TextEncoder.load(directory)) {
            assertEquals(9, encoder.maxTokens());
        }
    }

    @Test
    void shouldReadAVocabularyAlone() throws IOException {
        StringBuilder lines = new StringBuilder("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
        for (int word = 0; word < 45; word++) {
            lines.append('w').append(word).append('\n');
        }
        files.delete("tokenizer.json").write("vocab.txt", lines.toString());
        assertArrayEquals(expected, vector());
    }

    @ParameterizedTest
    @CsvSource({"right, w0 w1 w2", "left, w2 w3 w4"})
    void shouldKeepTheEndThatTheTokenizersSettingsSay(String side, String kept) throws IOException {
        files.write("tokenizer_config.json", "{\"truncation_side\": \"" + side + "\", \"model_max_length\": 5}");
        try (var encoder = TextEncoder.load(directory)) {
            assertArrayEquals(encoder.encode(kept), encoder.encode("w0 w1 w2 w3 w4"));
        }
    }

    @Test
    void shouldRefuseAFileInPlaceOfADirectory() {
        Path file = directory.resolve("model.safetensors");
        String message = "expected a model's directory, got the file " + file + "; give the directory that has it, with"
                + " config.json and the tokenizer beside the weights, or a .gguf file";
        assertEquals(message, assertThrows(ModelNotFoundException.class, () -> TextEncoder.load(file)).getMessage());
        assertEquals(message,
                assertThrows(ModelNotFoundException.class, () -> TextEncoder.load(file.toString())).getMessage());
    }

    @Test
    void shouldShortenANameThatIsNone() {
        var e = assertThrows(ModelNotFoundException.class, () -> TextEncoder.load("x".repeat(400_000)));
        assertEquals("no model and no directory is called '" + "x".repeat(74) + "…" + "x".repeat(25) + "'; there are the models "
                + ModelCatalog.names(), e.getMessage());
    }

    private float[] vector() throws IOException {
        try (var encoder = TextEncoder.load(directory)) {
            return encoder.encode(TEXT);
        }
    }
}
