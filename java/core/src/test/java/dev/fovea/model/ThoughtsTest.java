package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.grammar.Constraint;
import dev.fovea.model.grammar.Vocabulary;
import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Forms of answers behind what a model thinks first. */
class ThoughtsTest {
    /** As that of Qwen 3 ends. */
    private static final String TEMPLATE = """
            {%- for tool in tools %}<tool_call>{{ tool | tojson }}{% endfor %}
            {%- for message in messages %}{{- '<|im_start|>' + message.content + '<|im_end|>' }}{%- endfor %}
            {{- '<|im_start|>assistant\n' }}
            {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{%- endif %}
            {%- if begins is defined %}{{- '<think>\n' }}{%- endif %}""";
    private static final OutputFormat FORM = OutputFormat.jsonSchema("""
            {"type": "object", "properties": {"n": {"enum": [1, 2, 30]}, "of": {"$ref": "#/$defs/t"}}, "required": ["n"],
             "additionalProperties": false, "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}, "maxItems": 2}}}""");
    private static final int BEGIN = TinyGenerator.tokens().indexOf("perhaps");
    private static final int END = TinyGenerator.tokens().indexOf("world");
    private static final Chat CHAT = Chat.of(List.of(ChatMessage.user("go on")));

    @TempDir
    private Path directory;

    /** The marks are tokens, as they are of Qwen 3. */
    private TextGenerator load() throws IOException {
        TinyGenerator.write(directory, 1);
        Path tokenizer = directory.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"perhaps\"", "\"<think>\"")
                .replace("\"world\"", "\"</think>\""));
        JsonObject config = new JsonObject();
        config.addProperty("chat_template", TEMPLATE);
        Files.writeString(directory.resolve("tokenizer_config.json"), config.toString());
        return TextGenerator.load(directory, GeneratorOptions.defaults().withContext(1024)
                .withEngineOptions(EngineOptions.defaults().withThreads(1)));
    }

    /** The model likes to begin to think, and after some tokens that are drawn, to end. */
    private static SamplingOptions thinking(long seed) {
        return SamplingOptions.sampling(1, seed).withMaxTokens(400).withLogitBias(Map.of(BEGIN, 4f, END, 4f));
    }

    @Test
    void shouldFollowTheFormBehindThoughts() throws IOException {
        try (var model = load()) {
            int thought = 0;
            for (int seed = 0; seed < 12; seed++) {
                var options = thinking(seed).withFormat(FORM);
                var heard = new StringBuilder();
                TextListener listener = (text, _) -> heard.append(text) != null;
                ChatAnswer answer = model.answer(CHAT, options, listener.behindThoughts(model.prompt(CHAT)));
                assertEquals(Finish.END, answer.generated().finish());
                assertTrue(JsonParser.parseString(answer.content()).getAsJsonObject().has("n"), answer.generated().text());
                assertEquals(answer.content(), heard.toString());
                assertEquals(answer.generated().text(), model.chat(CHAT, options, (_, _) -> true).text());
                thought += answer.generated().text().contains("</think>") ? 1 : 0;
                assertEquals(answer.generated().text().startsWith("<think>"), answer.generated().text().contains("</think>"));
            }
            assertTrue(thought >= 6, thought + " of 12");
        }
    }

    @Test
    void shouldThinkOnWhereThePromptHasBegun() throws IOException {
        try (var model = load()) {
            Chat begun = CHAT.withVariables(Map.of("begins", true));
            for (int seed = 0; seed < 6; seed++) {
                var heard = new StringBuilder();
                TextListener listener = (text, _) -> heard.append(text) != null;
                ChatAnswer answer = model.answer(begun, thinking(seed).withFormat(FORM),
                        listener.behindThoughts(model.prompt(begun)));
                assertTrue(answer.generated().text().contains("</think>"));
                assertTrue(JsonParser.parseString(answer.content()).isJsonObject(), answer.content());
                assertEquals(answer.content(), heard.toString());
            }
        }
    }

    @Test
    void shouldNotThinkWhereTheTemplateEndedThat() throws IOException {
        try (var model = load()) {
            Chat off = CHAT.withVariables(Map.of("enable_thinking", false));
            for (int seed = 0; seed < 4; seed++) {
                String text = model.chat(off, thinking(seed).withFormat(FORM), (_, _) -> true).text();
                assertTrue(JsonParser.parseString(text).isJsonObject(), text);
            }
        }
    }

    @Test
    void shouldCallAToolBehindThoughts() throws IOException {
        try (var model = load()) {
            Chat chat = CHAT.withTools(List.of(Map.of("type", "function", "function", Map.of("name", "weather", "parameters",
                    Map.of("type", "object", "properties", Map.of("city", Map.of("enum", List.of("Oslo", "Rome"))),
                            "required", List.of("city"), "additionalProperties", false)))));
            int thought = 0;
            for (int seed = 0; seed < 8; seed++) {
                ChatAnswer answer = model.call(chat, thinking(seed));
                assertEquals(Finish.END, answer.generated().finish());
                assertEquals(List.of("weather"), answer.toolCalls().stream().map(ToolCall::name).toList(), answer.generated().text());
                assertEquals("", answer.content());
                thought += answer.generated().text().contains("</think>") ? 1 : 0;
            }
            assertTrue(thought >= 4, thought + " of 8");
            ChatAnswer off = model.call(chat.withVariables(Map.of("enable_thinking", false)), thinking(1));
            assertFalse(off.generated().text().contains("think"), off.generated().text());
            assertEquals(1, off.toolCalls().size());
        }
    }

    /** What did not come to an end of thoughts says nothing. */
    @Test
    void shouldTakeUnfinishedThoughtsForThoughts() throws IOException {
        try (var model = load()) {
            var options = SamplingOptions.greedy().withMaxTokens(5).withFormat(OutputFormat.choice("x"))
                    .withLogitBias(Map.of(BEGIN, 1e4f));
            ChatAnswer answer = model.answer(CHAT, options, (_, _) -> true);
            assertEquals(Finish.LENGTH, answer.generated().finish());
            assertEquals("<think>".repeat(5), answer.generated().text());
            assertEquals("", answer.content());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"<think></think>yes", "<think>\n\n</think>\n\nyes", "<think>a < b </thin </t<</thinks</</think> no",
        "<think>日本</think>yes", "yes", "<think><think></think>no"})
    void shouldTakeThoughtsOrNone(String text) throws IOException {
        assertTrue(ends(text, false), text);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            true | a</think>yes
            true | </think>yes
            false | a</think>yes
            false | <think>yes
            false | <think></think>maybe
            false | <think></think></think>yes
            true | yes""")
    void shouldTakeAnEndOnlyBehindABegin(boolean open, String text) throws IOException {
        assertEquals(open && text.contains("</think>"), ends(text, open), text);
    }

    /** Whether a text may end here, written byte by byte. */
    private boolean ends(String text, boolean open) throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(TinyGenerator.tokenizer(directory))) {
            OutputFormat format = OutputFormat.choice("yes", "no").behindThoughts(open);
            var vocabulary = new Vocabulary<OutputFormat>(tokenizer, tokenizer.vocabularySize(), new int[] {TinyGenerator.END});
            Constraint constraint = vocabulary.constraint(format, format.compiled(), 100);
            for (int id : tokenizer.encode(text)) {
                boolean allowed = (constraint.mask()[id >> 6] >>> id & 1) != 0;
                assertEquals(allowed, constraint.accept(id));
                if (!allowed) {
                    return false;
                }
            }
            return constraint.canEnd();
        }
    }
}
