package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.tensor.DType;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** T5, against {@code bench/goldens/translators.py}. */
class TranslatorTest {
    private static final Path PLACE = Path.of("src", "test", "resources", "dev", "fovea", "model", "translator");
    private static final Path GOLDEN = PLACE.resolve("golden");

    @TempDir
    private Path directory;

    private static GeneratorOptions on(Backend backend) {
        return GeneratorOptions.defaults().withCache(DType.F32).withWeights(WeightType.F32)
                .withEngineOptions(EngineOptions.defaults().withBackend(backend).withThreads(1));
    }

    private static JsonElement expected(String name) throws IOException {
        return JsonParser.parseString(Files.readString(GOLDEN.resolve(name).resolve("expected.json")));
    }

    private static SamplingOptions greedy(int tokens) {
        return SamplingOptions.greedy().withMaxTokens(tokens).withIgnoresEnd(true).withLogProbabilities(true);
    }

    private static void assertWrites(TextGenerator model, JsonArray cases) {
        for (JsonElement one : cases) {
            JsonObject wanted = one.getAsJsonObject();
            int[] tokens = wanted.getAsJsonArray("tokens").asList().stream().mapToInt(JsonElement::getAsInt).toArray();
            String source = wanted.get("text").getAsString();
            GeneratedText answer = model.generate(source, greedy(tokens.length));
            assertArrayEquals(tokens, answer.tokens(), source);
            assertEquals(source.split(" ").length + 1, answer.promptTokens());
            for (int i = 0; i < tokens.length; i++) {
                assertEquals(wanted.getAsJsonArray("log_probabilities").get(i).getAsDouble(), answer.logProbabilities()[i],
                        1e-4, source + " at " + i);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"flan-t5, NATIVE", "flan-t5, JAVA", "t5, NATIVE", "t5, JAVA"})
    void shouldWriteAsTheReferenceDoes(String name, Backend backend) throws Exception {
        try (var model = TextGenerator.load(GOLDEN.resolve(name), on(backend))) {
            assertWrites(model, expected(name).getAsJsonArray());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"flan-t5", "t5"})
    void shouldWriteTheSameOfFilesOfLlamaCpp(String name) throws Exception {
        Path file = PLACE.resolve("gguf").resolve(name + ".gguf");
        assertTrue(TextGenerator.takes(file));
        try (var model = TextGenerator.load(file, on(Backend.NATIVE))) {
            assertWrites(model, expected(name).getAsJsonArray());
        }
        String family = TextGenerator.properties(file).get("family");
        assertEquals("t5, an encoder of 3 and a decoder of 2 layers of width 24 with 3 heads of 10, feed-forward 40", family);
    }

    @Test
    void shouldWriteTheSameInAnyCompany() throws Exception {
        JsonArray cases = expected("flan-t5").getAsJsonArray();
        try (var model = TextGenerator.load(GOLDEN.resolve("flan-t5"), on(Backend.NATIVE))) {
            List<Thread> threads = new ArrayList<>();
            List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
            for (int t = 0; t < 3; t++) {
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        assertWrites(model, cases);
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(List.of(), failures);
        }
    }

    @Test
    void shouldEndAndStopAndStreamAsOtherModelsDo() throws Exception {
        try (var model = TextGenerator.load(GOLDEN.resolve("flan-t5"), on(Backend.NATIVE).withContext(9))) {
            assertEquals(9, model.context());
            var said = new StringBuilder();
            GeneratedText answer = model.generate("w1 w2", SamplingOptions.sampling(1, 7).withMaxTokens(50).withIgnoresEnd(true),
                    (text, _) -> {
                        said.append(text);
                        return true;
                    });
            assertEquals(GeneratedText.Finish.CONTEXT, answer.finish());
            assertEquals(9, answer.tokens().length);
            assertEquals(answer.text(), said.toString());
            assertArrayEquals(answer.tokens(), model.generate("w1 w2",
                    SamplingOptions.sampling(1, 7).withMaxTokens(50).withIgnoresEnd(true)).tokens());
            assertEquals(GeneratedText.Finish.CANCELLED,
                    model.generate("w1 w2", greedy(5), (_, _) -> false).finish());
            assertThrows(IllegalArgumentException.class, () -> model.generate("w1 w2 w3 w4 w5 w6 w7 w8 w9", greedy(1)));
            assertThrows(UnsupportedOperationException.class,
                    () -> model.chat(List.of(ChatMessage.user("w1")), greedy(1)));
        }
    }

    @Test
    void shouldEmbedByTheEncoderAlone() throws Exception {
        assertFalse(TextGenerator.takes(GOLDEN.resolve("sentence-t5")));
        for (String kind : List.of("dense", "plain")) {
            Path path = kind.equals("dense") ? GOLDEN.resolve("sentence-t5") : PLACE.resolve("gguf/t5-encoder.gguf");
            try (var encoder = TextEncoder.load(path)) {
                for (var one : expected("sentence-t5").getAsJsonObject().entrySet()) {
                    float[] vector = encoder.encode(one.getKey());
                    List<JsonElement> wanted = one.getValue().getAsJsonObject().getAsJsonArray(kind).asList();
                    assertEquals(wanted.size(), vector.length);
                    for (int i = 0; i < vector.length; i++) {
                        assertEquals(wanted.get(i).getAsDouble(), vector[i], 2e-6, kind + " " + one.getKey());
                    }
                }
            }
        }
    }

    @Test
    void shouldRefuseWhatItDoesNotDo() throws Exception {
        Path model = directory.resolve("t5");
        try (Stream<Path> files = Files.walk(GOLDEN.resolve("t5"))) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(GOLDEN.resolve("t5").relativize(file).toString()));
            }
        }
        Path config = model.resolve("config.json");
        String good = Files.readString(config);
        for (String[] change : new String[][] {{"\"relu\"", "\"gated-swiglu\"", "feed_forward_proj"},
            {"\"decoder_start_token_id\": 0", "\"decoder_start_token_id\": 38", "decoder_start_token_id"},
            {"\"relative_attention_num_buckets\": 8", "\"relative_attention_num_buckets\": 7", "relative_attention_num_buckets"}}) {
            assertTrue(good.contains(change[0]), change[0]);
            Files.writeString(config, good.replace(change[0], change[1]));
            FormatException failure = assertThrows(FormatException.class, () -> TextGenerator.load(model));
            assertEquals(change[2], failure.field());
            assertTrue(failure.getMessage().contains(change[1].replaceAll(".*: |\"", "")), failure.getMessage());
        }
    }
}
