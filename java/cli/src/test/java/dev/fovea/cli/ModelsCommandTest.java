package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsCommandTest {
    @Test
    void shouldListTheModels() {
        List<String> lines = CliRun.of("models").output().lines().toList();
        assertEquals(List.of("name", "dimension", "limit", "pooling", "licence", "present"),
                List.of(lines.getFirst().split(" +")));
        assertEquals(5, lines.size());
        assertTrue(lines.get(1).matches("all-minilm-l6-v2 +384 +256 +mean +Apache-2.0 +yes"), lines.get(1));
    }

    @Test
    void shouldWriteJson() {
        JsonArray models = JsonParser.parseString(CliRun.of("models", "--json").output()).getAsJsonArray();
        assertEquals(4, models.size());
        JsonObject first = models.get(0).getAsJsonObject();
        assertEquals("all-minilm-l6-v2", first.get("name").getAsString());
        assertEquals(256, first.get("limit").getAsInt());
        assertTrue(first.get("present").getAsBoolean());
    }

    @Test
    void shouldNotPullWhatIsPresent() {
        String output = CliRun.of("models", "pull", "all-minilm-l6-v2").output();
        assertTrue(output.startsWith("all-minilm-l6-v2 is present: "), output);
    }

    @Test
    void shouldRepairWhatIsDamaged(@TempDir Path directory) throws Exception {
        // Loads the libraries from the cache that stays: a process does so once, and remembers where from.
        assertEquals(0, CliRun.of("similar", "a", "b").status());
        String cache = System.setProperty("fovea.cache", directory.toString());
        try {
            assertEquals(0, CliRun.of("similar", "a", "b").status());
            Path weights;
            try (var files = Files.walk(directory)) {
                weights = files.filter(file -> file.endsWith("model.onnx")).findFirst().orElseThrow();
            }
            byte[] damaged = Files.readAllBytes(weights);
            Arrays.fill(damaged, 0, 1000, (byte) -1);
            Files.write(weights, damaged);
            String message = CliRun.of("similar", "a", "b").error(1);
            assertTrue(message.contains("./fovea models pull all-minilm-l6-v2"), message);
            String repaired = CliRun.of("models", "pull", "all-minilm-l6-v2").output();
            assertEquals("all-minilm-l6-v2 was damaged and has been repaired: " + weights.getParent() + "\n", repaired);
            CliRun.of("similar", "a", "b").output();
        } finally {
            System.setProperty("fovea.cache", cache);
        }
    }

    @Test
    void shouldNotPullWhatHasNoName() {
        String message = CliRun.of("models", "pull", "gpt-9").error(1);
        assertTrue(message.startsWith("no model has the name 'gpt-9'; the names are all-minilm-l6-v2, "), message);
    }
}
