package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsConvertCommandTest {
    private static final Path GOLDEN =
            Path.of("..", "core", "src", "test", "resources", "dev", "fovea", "model", "decoder", "golden");

    @TempDir
    private Path directory;

    @Test
    void shouldWriteAFileThatGeneratesTheSame() throws Exception {
        String file = directory.resolve("model.gguf").toString();
        CliRun run = CliRun.of("models", "convert", GOLDEN.resolve("llama").toString(), file, "--type", "f32");
        assertEquals(0, run.status(), run.err());
        assertEquals("Wrote " + file + ", 0 MB\n", run.output());
        String[] tail = {"--token-ids", "3,4,5", "--max-tokens", "8", "--json"};
        String expected = CliRun.of(with("generate", "--model", GOLDEN.resolve("llama").toString(), tail)).out();
        assertTrue(expected.contains("tokens"), expected);
        assertEquals(expected, CliRun.of(with("generate", "--model", file, tail)).out());
    }

    private static String[] with(String command, String option, String value, String... more) {
        String[] all = new String[3 + more.length];
        all[0] = command;
        all[1] = option;
        all[2] = value;
        System.arraycopy(more, 0, all, 3, more.length);
        return all;
    }

    @Test
    void shouldSayInOneLineWhyItDoesNot() {
        Path file = directory.resolve("model.gguf");
        CliRun type = CliRun.of("models", "convert", "a", file.toString(), "--type", "q9");
        assertEquals(2, type.status());
        assertTrue(type.err().contains("q4_k_m") && type.err().contains("'q9'"), type.err());
        CliRun none = CliRun.of("models", "convert", directory.resolve("none").toString(), file.toString());
        assertEquals(1, none.status());
        assertTrue(none.err().contains("no model directory"), none.err());
        CliRun gelu = CliRun.of("models", "convert", GOLDEN.resolve("llama-bias-tied").toString(), file.toString());
        assertEquals(1, gelu.status());
        assertTrue(gelu.err().contains("hidden_act") && gelu.err().lines().count() == 1, gelu.err());
        assertFalse(Files.exists(file));
        String llama = GOLDEN.resolve("llama").toString();
        assertEquals("expected a file to write whose name ends in .gguf, by which it is read, got model.bin",
                CliRun.of("models", "convert", llama, "model.bin").error(1));
        Path nowhere = directory.resolve("nowhere");
        assertEquals("no such file or directory: " + nowhere,
                CliRun.of("models", "convert", llama, nowhere.resolve("model.gguf").toString()).error(1));
    }
}
