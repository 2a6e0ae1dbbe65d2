package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.EngineOptions;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Weight;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.GgufWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models with an encoder, and language models that embed and rerank, as GGUF. */
class GgufConvertedModelsTest {
    private static final SamplingOptions OPTIONS =
            SamplingOptions.greedy().withMaxTokens(12).withIgnoresEnd(true).withLogProbabilities(true);

    @TempDir
    private Path directory;

    private static GeneratorOptions options() {
        return GeneratorOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1)).withContext(64)
                .withCache(DType.F32);
    }

    private Path convert(Path source, String name, GgufFileType type) throws Exception {
        Path file = directory.resolve(name + ".gguf");
        GgufConversion.convert(source, file, type, (_, _) -> { });
        return file;
    }

    /** A small model of the goldens whose tokenizer is SentencePiece's Unigram, with the same tokens of the goldens' texts. */
    private Path golden(String kind, String name) throws Exception {
        Path source = Path.of("src", "test", "resources", "dev", "fovea", "model", kind, "golden", name);
        Path made = directory.resolve(name);
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : files.toList()) {
                Files.copy(file, made.resolve(source.relativize(file).toString()));
            }
        }
        JsonArray vocabulary = new JsonArray();
        List<String> pieces = new ArrayList<>(List.of("<unk>", "<s>", "</s>", "\u2581", "w"));
        IntStream.range(0, 10).forEach(digit -> pieces.add(Integer.toString(digit)));
        pieces.add("\u2581w");
        IntStream.range(0, 20).forEach(word -> pieces.add("\u2581w" + word));
        pieces.addAll(List.of("yes", "no"));
        for (String piece : pieces) {
            JsonArray one = new JsonArray();
            one.add(piece);
            one.add(vocabulary.size() < 3 ? 0 : piece.length() > 2 ? -1 - vocabulary.size() / 64.0 : -20);
            vocabulary.add(one);
        }
        Path tokenizer = made.resolve("tokenizer.json");
        JsonObject json = JsonParser.parseString(Files.readString(tokenizer)).getAsJsonObject();
        String space = "{\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": \"always\", \"split\": true}";
        json.add("pre_tokenizer", JsonParser.parseString("{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\":"
                + " \"WhitespaceSplit\"}, " + space + "]}"));
        json.add("decoder", JsonParser.parseString(space));
        JsonObject model = JsonParser.parseString("{\"type\": \"Unigram\", \"unk_id\": 0, \"byte_fallback\": false}").getAsJsonObject();
        model.add("vocab", vocabulary);
        json.add("model", model);
        Files.writeString(tokenizer, json.toString());
        Files.writeString(made.resolve("tokenizer_config.json"),
                "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"unk_token\": \"<unk>\"}");
        return made;
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "flan-t5"})
    void shouldConvertAModelWithAnEncoder(String name) throws Exception {
        Path source = golden("translator", name);
        Path file = convert(source, name, GgufFileType.F16);
        JsonArray cases = JsonParser.parseString(Files.readString(source.resolve("expected.json"))).getAsJsonArray();
        try (var before = TextGenerator.load(source, options()); var after = TextGenerator.load(file, options())) {
            for (JsonElement one : cases) {
                String text = one.getAsJsonObject().get("text").getAsString();
                var options = OPTIONS.withMaxTokens(24);
                int[] expected = one.getAsJsonObject().getAsJsonArray("tokens").asList().stream().mapToInt(JsonElement::getAsInt).toArray();
                assertArrayEquals(expected, after.generate(text, options).tokens());
                assertEquals(before.generate(text, options).text(), after.generate(text, options).text());
            }
        }
        Files.delete(source.resolve("tokenizer.json"));
        try (var ids = TextGenerator.load(convert(source, "ids", GgufFileType.Q8_0), options())) {
            assertFalse(ids.hasTokenizer());
            assertEquals(4, ids.generate(new int[] {20, 21, 2}, OPTIONS.withMaxTokens(4)).tokens().length);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3-embedding", "e5-mistral", "embedding-gemma"})
    void shouldConvertALanguageModelThatEmbeds(String name) throws Exception {
        Path source = golden("embedder", name);
        JsonObject expected = JsonParser.parseString(Files.readString(source.resolve("expected.json"))).getAsJsonObject();
        try (var encoder = TextEncoder.load(convert(source, name, GgufFileType.F16))) {
            for (String text : expected.keySet()) {
                float[] got = encoder.encode(text);
                for (int i = 0; i < got.length; i++) {
                    assertEquals(expected.getAsJsonArray(text).get(i).getAsDouble(), got[i], 2e-6, text + " [" + i + "]");
                }
            }
        }
        Path modules = source.resolve("modules.json");
        Files.writeString(modules, Files.readString(modules).replace("Normalize", "Dropout"));
        assertThrows(FormatException.class, () -> convert(source, name, GgufFileType.F16));
    }

    @Test
    void shouldRerankByFilesOfTheWholeModelAndOfScoresAlone() throws Exception {
        Path source = golden("embedder", "qwen3-reranker");
        Path config = source.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 512"));
        Path whole = convert(source, "whole", GgufFileType.F32);
        Path rank = directory.resolve("rank.gguf");
        try (GgufWeights file = GgufWeights.open(whole)) {
            var writer = new GgufWriter();
            file.metadata().keys().stream().filter(key -> !key.equals("general.alignment")).forEach(key -> copy(writer, file, key));
            writer.put("qwen3.pooling_type", 4).put("qwen3.classifier.output_labels", List.of("yes", "no"));
            for (String name : file.names()) {
                writer.tensor(name, Layout.F32, file.weight(name));
            }
            Weight words = file.weight("token_embd.weight");
            writer.tensor("cls.output.weight", Layout.F32, Shape.of(2, words.size(1)),
                    (row, column, count, target) -> words.read(36 + row, column, count, target, 0));
            writer.write(rank, _ -> { });
        }
        assertTrue(Reranker.takes(rank));
        assertFalse(Reranker.takes(whole));
        assertTrue(TextGenerator.takes(whole));
        assertFalse(TextGenerator.takes(rank));
        try (var before = Reranker.load(source); var after = Reranker.load(whole); var scores = Reranker.load(rank);
                var told = Reranker.load(rank, EncoderOptions.defaults().withPrompt("w10 w11"))) {
            for (String document : List.of("w3 w4 w5", "w6")) {
                float expected = before.score("w1 w2", document);
                assertEquals(expected, after.score("w1 w2", document), 1e-5);
                assertEquals(expected, scores.score("w1 w2", document), 1e-5);
                assertNotEquals(expected, told.score("w1 w2", document));
            }
            assertNotEquals(scores.score("w1 w2", "w6"), scores.score("w1 w2", "w3 w4 w5"));
            assertEquals(before.maxTokens(), scores.maxTokens());
        }
        Path other = convert(golden("embedder", "e5-mistral"), "other", GgufFileType.F16);
        assertEquals("general.architecture", assertThrows(FormatException.class, () -> Reranker.load(other)).field());
    }

    private static void copy(GgufWriter writer, GgufWeights file, String key) {
        try {
            writer.copy(file.metadata(), key);
        } catch (FormatException e) {
            throw new AssertionError(e);
        }
    }
}
