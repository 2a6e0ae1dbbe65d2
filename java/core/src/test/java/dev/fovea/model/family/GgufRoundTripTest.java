package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.model.GgufConversion;
import dev.fovea.model.GgufFileType;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWeights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every language model of {@link GoldenDecoderTest}, written as GGUF, gives the logits of its directory. */
class GgufRoundTripTest {

    @TempDir
    private Path directory;

    static Stream<String> models() throws Exception {
        try (var folders = Files.list(GoldenDecoderTest.GOLDEN.resolve("golden"))) {
            return folders.map(folder -> folder.getFileName().toString()).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void shouldGiveTheLogitsOfTheDirectory(String name) throws Exception {
        Path source = GoldenDecoderTest.GOLDEN.resolve("golden").resolve(name);
        Path file = directory.resolve(name + ".gguf");
        if (Set.of("llama-bias-tied", "qwen2-window", "smollm3").contains(name)) {
            String field = assertThrows(FormatException.class,
                    () -> GgufConversion.convert(source, file, GgufFileType.F32, (_, _) -> { })).field();
            assertEquals(Map.of("llama-bias-tied", "hidden_act", "qwen2-window", "layer_types", "smollm3",
                    "no_rope_layer_interval").get(name), field);
            assertFalse(Files.exists(file));
            return;
        }
        long[] seen = new long[2];
        GgufConversion.convert(source, file, GgufFileType.F32, (done, total) -> {
            assertTrue(done >= seen[0] && done <= total);
            seen[0] = done;
            seen[1] = total;
        });
        assertEquals(seen[1], seen[0]);
        try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(1)); GgufWeights weights = GgufWeights.open(file)) {
            DecoderConfig config = GgufDecoder.read(weights);
            for (JsonElement one : JsonParser.parseString(Files.readString(source.resolve("expected.json"))).getAsJsonArray()) {
                // Beyond the context of the training the directory scales by need, which a file does not.
                if (config.positions() >= one.getAsJsonObject().getAsJsonArray("ids").size()) {
                    GoldenDecoderTest.check(one.getAsJsonObject(), config, weights, engine);
                }
            }
        }
        try (var left = Files.list(directory)) {
            assertEquals(1, left.count());
        }
    }
}
