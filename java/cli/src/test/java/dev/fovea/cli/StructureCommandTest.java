package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code generate}, {@code chat} and {@code attend} do with a language model that has a tokenizer. */
class StructureCommandTest {
    private static final Path GOLDEN =
            Path.of("..", "core", "src", "test", "resources", "dev", "fovea", "model", "decoder", "golden", "llama");

    @TempDir
    private static Path directory;

    /** Its 31 tokens are digits, brackets, some letters, and the end. */
    @BeforeAll
    static void write() throws IOException {
        for (String file : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(GOLDEN.resolve(file), directory.resolve(file));
        }
        JsonObject vocabulary = new JsonObject();
        vocabulary.addProperty("<unk>", 0);
        vocabulary.addProperty("<s>", 1);
        vocabulary.addProperty("</s>", 2);
        for (char c : "0123456789abcdefghno[]{},:\"Ġ".toCharArray()) {
            vocabulary.addProperty(String.valueOf(c), vocabulary.size());
        }
        Files.writeString(directory.resolve("tokenizer.json"), """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [{"id": 2, "content": "</s>", "special": true,
                 "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}], "normalizer": null,
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
                 "post_processor": null, "decoder": {"type": "ByteLevel"},
                 "model": {"type": "BPE", "vocab": %s, "merges": []}}""".formatted(vocabulary));
        Files.writeString(directory.resolve("tokenizer_config.json"),
                "{\"chat_template\": \"{% for m in messages %}{{ m.content }}{% endfor %}\"}");
    }

    private static CliRun generate(String... args) {
        String[] all = new String[args.length + 4];
        System.arraycopy(new String[] {"generate", "--model", directory.toString(), "ab"}, 0, all, 0, 4);
        System.arraycopy(args, 0, all, 4, args.length);
        return CliRun.of(all);
    }

    @Test
    void shouldWriteInTheFormThatIsAskedFor() throws IOException {
        Path schema = Files.writeString(directory.resolve("schema.json"), "{\"enum\": [[1, 2], {\"a\": 3}]}");
        String json = generate("--json-schema", schema.toString()).out().strip();
        assertTrue(json.equals("[1,2]") || json.equals("{\"a\":3}"), json);
        Path grammar = Files.writeString(directory.resolve("list.gbnf"), "root ::= \"[\" [0-9] \"]\"");
        assertTrue(generate("--grammar", grammar.toString()).out().matches("\\[[0-9]\\]\n"));
        assertTrue(generate("--regex", "[a-c]{3}").out().matches("[a-c]{3}\n"));
        assertTrue(generate("--choice", "gh", "--choice", "no").out().matches("(gh|no)\n"));
    }

    @Test
    void shouldSayInALineWhichFormIsNone() {
        assertEquals("no such file or directory: nothing.json", generate("--json-schema", "nothing.json").error(1));
        assertTrue(generate("--regex", "(").error(2).startsWith("a regular expression that is not supported: '(' without ')'"));
        assertTrue(generate("--regex", "a", "--choice", "b").error(2).contains("mutually exclusive"));
        assertEquals("--log-probabilities needs --json; --probabilities shows them as text (see 'fovea generate --help')",
                generate("--log-probabilities").error(2));
        assertEquals("alternatives must be 0 to 64, got 65 (see 'fovea generate --help')", generate("--probabilities=65").error(2));
    }

    @Test
    void shouldShowWhatElseWasConsidered() {
        String[] lines = generate("--probabilities=2", "--max-tokens", "3", "--ignore-end").out().split("\n");
        assertEquals(3, java.util.Arrays.stream(lines).filter(line -> line.matches(" *\\d+\\.\\d\\d %  '.*'   of(  '.*' +\\d+\\.\\d\\d %){2}")).count(),
                String.join("\n", lines));
        JsonArray all = JsonParser.parseString(generate("--probabilities=2", "--json", "--max-tokens", "3", "--ignore-end").out())
                .getAsJsonObject().getAsJsonArray("probabilities");
        assertEquals(3, all.size());
        JsonObject first = all.get(0).getAsJsonObject();
        JsonObject likeliest = first.getAsJsonArray("likeliest").get(0).getAsJsonObject();
        assertEquals(first.get("token"), likeliest.get("token"));
        assertEquals(first.get("probability"), likeliest.get("probability"));
    }

    @Test
    void shouldShowWhatAPromptAttendsTo() {
        CliRun run = CliRun.of("attend", "--model", directory.toString(), "ab cd");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("layer 1 of 3, mean of 4 heads; rows attend to columns"), run.out());
        assertEquals("--dimensions is of vectors, and this command writes none (see 'fovea attend --help')",
                CliRun.of("attend", "--dimensions", "3", "a").error(2));
        assertTrue(CliRun.of("attend", "--prompt", "x", "--model", directory.toString(), "a").error(2).startsWith("--prompt is of an encoder"));
    }

    @Test
    void shouldPrintNoPromptWhereNobodyTypes() {
        byte[] input = "ab\n/help\n/nope\n/again\n".getBytes(StandardCharsets.UTF_8);
        CliRun run = CliRun.withInput(input, "chat", directory.toString(), "--regex", "[0-9]{2}");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().matches("(?s)[0-9]{2}\n/help .*/exit .*Ctrl-C stops an answer\\.\n[0-9]{2}\n"), run.out());
        assertTrue(run.err().contains("fovea: no such command: /nope; /help shows those that there are\n"), run.err());
    }
}
