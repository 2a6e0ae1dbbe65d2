package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.fovea.model.ModelCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is in an argument or in a model's files does not command the terminal. */
class ControlCharactersTest {
    /** Red, by the escape of 7 bits and by that of 8. */
    private static final String RED = "\u001b[31mred\u009b31m\u007f";
    private static final String SHOWN = "\\u001b[31mred\\u009b31m\\u007f";

    @TempDir
    private Path directory;

    @BeforeAll
    static void unpackTheModel() throws IOException {
        ModelCatalog.directory(ModelCatalog.models().getFirst());
    }

    static List<List<String>> wrongCommands() {
        return List.of(List.of(RED), List.of("similar", "--" + RED, "a"), List.of("similar", "--model", RED, "a", "b"),
                List.of("models", "show", RED), List.of("models", "pull", RED, "--verbose"), List.of("embed", "--input", RED),
                List.of("embed", "--format", "npy", "--output", "/" + RED + "/x", "a"), List.of("attend", "--layer", RED, "a"),
                List.of("classify", "--model", RED, "a"), List.of("embed", "--precision", RED, "a"),
                List.of("similar", "--threads", RED, "a", "b"));
    }

    @ParameterizedTest
    @MethodSource("wrongCommands")
    void shouldEscapeArgumentsInErrors(List<String> command) {
        CliRun run = CliRun.of(command.toArray(String[]::new));
        assertTrue(run.status() != 0);
        requireVisible(run.out() + run.err());
    }

    @Test
    void shouldEscapeTextsInTablesAndJson() {
        for (String[] command : new String[][] {{"similar", RED, RED, "b"}, {"attend", RED}}) {
            requireVisible(CliRun.of(command).output());
        }
        assertTrue(CliRun.of("similar", "a", RED).output().contains(SHOWN));
        for (String[] command : new String[][] {{"similar", "--json", "a", RED}, {"embed", RED}}) {
            String json = CliRun.of(command).output();
            requireVisible(json);
            assertTrue(json.contains("\"text\": \"" + SHOWN + "\"") || json.contains("\"text\":\"" + SHOWN + "\""), json);
        }
        assertEquals(RED, JsonParser.parseString(CliRun.of("embed", RED).output()).getAsJsonObject().get("text").getAsString());
    }

    @Test
    void shouldEscapeWhatAModelsFilesSay() throws Exception {
        String json = asJson(RED);
        for (String config : List.of("{\"model_type\": \"" + json + "\"}", "{\"" + json + "\": 1, \"model_type\": \"bert\"}",
                "{\"model_type\": \"bert\", \"hidden_act\": \"" + json + "\"}", RED)) {
            Files.writeString(directory.resolve("config.json"), config);
            Files.writeString(directory.resolve("tokenizer.json"), "{\"" + json + "\": 1}");
            Files.writeString(directory.resolve("model.safetensors"), RED.repeat(9));
            for (String[] command : new String[][] {{"models", "show", directory.toString()},
                {"classify", "--model", directory.toString(), "a"}, {"embed", "--model", directory.toString(), "--verbose", "a"}}) {
                CliRun run = CliRun.of(command);
                assertEquals(1, run.status());
                requireVisible(run.out() + run.err());
            }
        }
    }

    @Test
    void shouldEscapeWhatAModelSaysOnATerminal() {
        assertEquals(SHOWN + "\n\tend\\r", Streams.onTerminal(RED + "\n\tend\r").toString());
        assertEquals("\ud83d\ude00é", Streams.onTerminal("\ud83d\ude00é").toString());
    }

    /** For the test's own files. */
    private static String asJson(String text) {
        StringBuilder json = new StringBuilder();
        text.chars().forEach(c -> json.append(String.format("\\u%04x", c)));
        return json.toString();
    }

    private static void requireVisible(String output) {
        output.chars().filter(c -> Character.isISOControl(c) && c != '\n' && c != '\t').findFirst().ifPresent(c -> {
            throw new AssertionError(String.format("U+%04X in: %s", c, output));
        });
    }
}
