package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code fovea generate} and {@code fovea models show} of language models. */
class GenerateCommandTest {
    private static final Path MODELS =
            Path.of("..", "core", "src", "test", "resources", "dev", "fovea", "model", "decoder");
    private static final String QWEN = MODELS.resolve("golden/qwen3").toString();

    @TempDir
    private Path directory;

    @Test
    void shouldWriteOneLineOfJson() {
        CliRun run = CliRun.of("generate", "--model", QWEN, "--token-ids", "5,9,17", "--max-tokens", "4", "--json",
                "--log-probabilities", "--ignore-end");
        assertEquals(0, run.status(), run.err());
        assertEquals(1, run.out().lines().count());
        JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
        assertEquals(4, json.getAsJsonArray("tokens").size());
        assertEquals(4, json.getAsJsonArray("log_probabilities").size());
        assertEquals("length", json.get("finish").getAsString());
        assertEquals(3, json.get("prompt_tokens").getAsInt());
        assertEquals("", json.get("text").getAsString());
    }

    @Test
    void shouldWriteTheSameOfAFileOfLlamaCpp() {
        String[] rest = {"--token-ids", "5,9,17", "--max-tokens", "9", "--cache", "f32", "--threads", "1"};
        String file = MODELS.resolve("gguf/qwen3.gguf").toString();
        CliRun directory = CliRun.of(concat(new String[] {"generate", "--model", QWEN}, rest));
        CliRun gguf = CliRun.of(concat(new String[] {"generate", "--model", file}, rest));
        assertEquals(0, gguf.status(), gguf.err());
        assertEquals(directory.out(), gguf.out());
        assertTrue(gguf.out().matches("\\d+(,\\d+){0,8}\n"), gguf.out());
    }

    @Test
    void shouldWriteTheSameWhereItGuesses() {
        String[] plain = {"generate", "--model", QWEN, "--token-ids", "5,9,5,9,5", "--max-tokens", "12", "--ignore-end"};
        String expected = CliRun.of(plain).output();
        assertEquals(expected, CliRun.of(concat(plain, new String[] {"--lookup", "4"})).output());
        assertEquals(expected, CliRun.of(concat(plain, new String[] {"--draft", MODELS.resolve("golden/llama").toString()})).output());
        assertEquals(expected, CliRun.of(concat(plain, new String[] {"--draft", QWEN, "--draft-tokens", "2"})).output());
    }

    @Test
    void shouldTakeAPromptBehindAnOptionWhoseNumberMayBeMissing() {
        String[] demo = {"generate", "--max-tokens", "2", "--threads", "1", "--probabilities"};
        CliRun five = CliRun.of(concat(demo, new String[] {"Once upon a time"}));
        assertEquals(0, five.status(), five.err());
        assertTrue(five.out().startsWith(" a gentle\n\n"), five.out());
        assertEquals(2 * (1 + 5), five.out().split(" %", -1).length - 1, five.out());
        CliRun two = CliRun.of(concat(demo, new String[] {"2", "Once upon a time"}));
        assertEquals(2 * (1 + 2), two.out().split(" %", -1).length - 1, two.out());
        assertLine(2, "'x' is not an int", "generate", "--probabilities=x", "Once upon a time");
        assertLine(2, "alternatives must be 0 to 64, got 65", "generate", "--probabilities", "65", "Once upon a time");
    }

    @Test
    void shouldNameTheFileOfAFormThatIsWrong() throws Exception {
        Path file = Files.write(directory.resolve("form"), new byte[] {'r', (byte) 0xff});
        String[] each = {"--json-schema", "--grammar"};
        for (String option : each) {
            assertLine(1, "expected UTF-8 in " + file, "generate", "--model", QWEN, option, file.toString(), "text");
            assertLine(1, "is a directory: " + directory, "generate", "--model", QWEN, option, directory.toString(), "text");
        }
        Files.writeString(file, "root ::= (");
        assertLine(2, file + ": not a grammar: ')' expected", "generate", "--model", QWEN, "--grammar", file.toString(), "text");
        assertLine(2, "fovea: --regex=REGEX, --choice=TEXT are mutually exclusive", "generate", "--model", QWEN, "--regex", "a",
                "--choice", "b", "text");
        assertLine(2, "fovea: value for option '--logit-bias' (ID=X) should be in KEY=VALUE format but was 5", "generate",
                "--model", QWEN, "--logit-bias", "5", "text");
    }

    private static String[] concat(String[] first, String[] second) {
        return java.util.stream.Stream.of(first, second).flatMap(java.util.Arrays::stream).toArray(String[]::new);
    }

    @Test
    void shouldSayInALineWhatIsWrong() {
        assertLine(2, "expected a PROMPT or --token-ids, got neither", "generate", "--model", QWEN);
        assertLine(2, "got both", "generate", "--model", QWEN, "--token-ids", "1", "text");
        assertLine(1, "reads token ids alone, not texts", "generate", "--model", QWEN, "text");
        assertLine(1, "below the vocabulary 31 and not negative, got 31", "generate", "--model", QWEN, "--token-ids", "31");
        assertLine(2, "temperature must be at least 0 and finite, got -1.0 (see 'fovea generate --help')", "generate",
                "--model", QWEN, "--token-ids", "3", "--temperature", "-1");
        assertLine(2, "top_p must be above 0 and at most 1, got 0.0", "generate", "--model", QWEN, "--token-ids", "3",
                "--top-p", "0");
        assertLine(2, "presence_penalty must be finite, got NaN", "generate", "--model", QWEN, "--token-ids", "3",
                "--presence-penalty", "NaN");
        assertLine(2, "context must be at least 1, or 0 for the model's own, got -1", "generate", "--model", QWEN,
                "--token-ids", "3", "--context", "-1");
        assertLine(2, "--weights-file chooses among the files of an encoder, and " + QWEN, "models", "show",
                "--weights-file", "x", QWEN);
        assertLine(2, "expected f32, f16, bf16 or q8_0, got 'i8'", "generate", "--model", QWEN, "--token-ids", "3", "--cache", "i8");
        assertLine(2, "expected a speculation of 1 to 64 tokens, got 65 (see 'fovea generate --help')", "generate", "--model", QWEN,
                "--token-ids", "3", "--lookup", "65");
        assertLine(2, "--lookup", "generate", "--model", QWEN, "--token-ids", "3", "--lookup", "3", "--draft", QWEN);
        assertLine(2, "--draft", "generate", "--model", QWEN, "--token-ids", "3", "--draft-tokens", "3");
        assertLine(1, "no model directory nowhere", "generate", "--model", QWEN, "--token-ids", "3", "--draft", "nowhere");
        assertLine(1, "no model directory nowhere", "generate", "--model", "nowhere", "--token-ids", "3");
        assertLine(1, "no file nowhere.gguf", "generate", "--model", "nowhere.gguf", "--token-ids", "3");
        assertLine(1, "expected a model's directory, got the file pom.xml", "generate", "--model", "pom.xml", "--token-ids", "3");
    }

    @Test
    void shouldRefuseToChatBeforeTheFirstMessage() {
        CliRun model = CliRun.withInput("Hello\n".getBytes(StandardCharsets.UTF_8), "chat", QWEN);
        assertTrue(model.error(1).contains("reads token ids alone, not texts"), model.err());
        assertEquals("max_tokens must be at least 1, got 0 (see 'fovea chat --help')",
                CliRun.of("chat", QWEN, "--max-tokens", "0").error(2));
    }

    private static void assertLine(int status, String text, String... args) {
        CliRun run = CliRun.of(args);
        assertEquals(status, run.status(), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(text), run.err());
    }

    @Test
    void shouldShowWhatALanguageModelIs() {
        CliRun run = CliRun.of("models", "show", MODELS.resolve("gguf/gemma2.gguf").toString());
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("gemma2, 3 layers of width 24 with 4 heads on 2 of 8"), run.out());
        assertTrue(run.out().contains("22 F16"), run.out());
        assertTrue(run.out().contains("32 tokens"), run.out());
    }

    @Test
    void shouldCountWeightsThatShareATensor() {
        String out = CliRun.of("models", "show", MODELS.resolve("gguf/gpt2.gguf").toString()).output();
        assertTrue(out.contains("36 in 28 tensors: 13 F16, 23 F32"), out);
    }
}
