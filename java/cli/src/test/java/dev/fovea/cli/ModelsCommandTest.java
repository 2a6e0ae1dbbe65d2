package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import org.junit.jupiter.api.Test;

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
    void shouldNotPullWhatHasNoName() {
        String message = CliRun.of("models", "pull", "gpt-9").error(1);
        assertTrue(message.startsWith("no model has the name 'gpt-9'; there are all-minilm-l6-v2, "), message);
    }
}
