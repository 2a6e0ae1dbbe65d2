package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.grammar.Constraint;
import dev.fovea.model.grammar.Vocabulary;
import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
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
                var heard = new Heard();
                ChatAnswer answer = model.answer(CHAT, options, heard);
                assertEquals(Finish.END, answer.generated().finish());
                assertTrue(JsonParser.parseString(answer.content()).getAsJsonObject().has("n"), answer.generated().text());
                heard.assertTold(answer);
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
                var heard = new Heard();
                ChatAnswer answer = model.answer(begun, thinking(seed).withFormat(FORM), heard);
                assertTrue(answer.generated().text().contains("</think>"));
                assertTrue(JsonParser.parseString(answer.content()).isJsonObject(), answer.content());
                heard.assertTold(answer);
            }
        }
    }

    /** Without a form as with one: what is thought, what is said, and each token once, with its probability. */
    @Test
    void shouldTellThoughtsApartWhereThereIsNoForm() throws IOException {
        try (var model = load()) {
            int thought = 0;
            int ended = 0;
            for (int seed = 0; seed < 24; seed++) {
                var heard = new Heard();
                var options = thinking(seed).withLogitBias(Map.of(BEGIN, 7f, END, 6f)).withMaxTokens(40).withLogProbabilities(true).withAlternatives(2);
                Chat chat = seed % 4 == 3 ? CHAT.withVariables(Map.of("begins", true)) : CHAT;
                ChatAnswer answer = model.answer(chat, options, heard);
                GeneratedText generated = answer.generated();
                heard.assertTold(answer);
                String text = generated.text();
                boolean thinks = seed % 4 == 3 || text.stripLeading().startsWith("<think>");
                boolean ends = thinks && text.contains("</think>");
                assertEquals(thinks ? ends ? text.substring(text.indexOf("</think>") + 8).stripLeading() : "" : text,
                        answer.content());
                String thoughts = ends ? text.substring(0, text.indexOf("</think>")) : thinks ? text : "";
                assertEquals(thoughts.strip().replaceFirst("^<think>", "").strip(), answer.reasoning());
                thought += thinks ? 1 : 0;
                ended += ends ? 1 : 0;
                int[] told = IntStream.of(generated.tokens()).limit(heard.tokens.size()).toArray();
                assertEquals(IntStream.of(told).boxed().toList(), heard.tokens);
                assertTrue(generated.tokens().length - told.length <= 1, "all but the one that ends the text");
                for (int i = 0; i < told.length; i++) {
                    assertEquals(generated.logProbabilities()[i], heard.probabilities.get(i));
                    assertEquals(generated.alternatives().get(i), heard.alternatives.get(i));
                }
                assertEquals(answer.content(), model.answer(chat, options).content());
            }
            assertTrue(thought >= 8 && ended >= 4, thought + " of 24 think, " + ended + " come to an end of it");
        }
    }

    @Test
    void shouldEndWhereTheListenerWantsNoMore() throws IOException {
        try (var model = load()) {
            Chat begun = CHAT.withVariables(Map.of("begins", true));
            ChatAnswer answer = model.answer(begun, thinking(1), (part, _, _) -> part != ChatListener.Part.REASONING);
            assertEquals(Finish.CANCELLED, answer.generated().finish());
            assertEquals(1, answer.generated().tokens().length);
        }
    }

    /** What a listener hears. */
    private static final class Heard implements ChatListener {
        private final StringBuilder reasoning = new StringBuilder();
        private final StringBuilder content = new StringBuilder();
        private final List<Integer> tokens = new ArrayList<>();
        private final List<Float> probabilities = new ArrayList<>();
        private final List<List<Alternative>> alternatives = new ArrayList<>();

        @Override
        public boolean next(Part part, CharSequence text, int token) {
            assertTrue(part == Part.CONTENT || content.isEmpty(), "thoughts come first");
            (part == Part.REASONING ? reasoning : content).append(text);
            if (token >= 0) {
                tokens.add(token);
            }
            return true;
        }

        @Override
        public void probability(float logProbability, List<Alternative> alternatives) {
            probabilities.add(logProbability);
            this.alternatives.add(alternatives);
        }

        void assertTold(ChatAnswer answer) {
            assertEquals(answer.reasoning(), reasoning.toString());
            assertEquals(answer.content(), content.toString());
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
            ChatAnswer answer = model.answer(CHAT, options);
            assertEquals(Finish.LENGTH, answer.generated().finish());
            assertEquals("<think>".repeat(5), answer.generated().text());
            assertEquals("", answer.content());
            assertEquals("<think>".repeat(4), answer.reasoning());
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
