package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.EngineOptions;
import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.GeneratedText.Finish;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tools in chats, from the chat to the call and on with what the tool answered. */
class ToolCallTest {
    private static final String TEMPLATE = """
            {%- for tool in tools %}{{ tool | tojson }}{% endfor %}
            {%- for message in messages %}
                {{- '<|im_start|>' + message.role + '\\n' + message.content }}
                {%- for call in message.tool_calls %}
                    {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson + '}\\n</tool_call>' }}
                {%- endfor %}
                {{- '<|im_end|>\\n' }}
            {%- endfor %}
            {{- '<|im_start|>assistant\\n' }}{# </think> #}""";
    private static final List<Map<String, Object>> TOOLS = List.of(
            Map.of("type", "function", "function", Map.of("name", "weather", "parameters", Map.of("type", "object", "properties",
                    Map.of("city", Map.of("enum", List.of("Oslo", "Rome"))), "required", List.of("city"), "additionalProperties", false))),
            Map.of("type", "function", "function", Map.of("name", "time \"now\"", "parameters", Map.of("type", "object", "properties",
                    Map.of("utc", Map.of("$ref", "#/$defs/flag")), "additionalProperties", false, "$defs", Map.of("flag", Map.of("type", "boolean"))))));

    private static final List<Map<String, Object>> STRICT = List.of(Map.of("type", "function", "function", Map.of("name", "weather", "strict", true,
            "parameters", Map.of("type", "object", "properties", Map.of("city", Map.of("enum", List.of("Oslo", "Rome"))),
            "required", List.of("city"), "additionalProperties", false))));
    private static final OutputFormat FORM = OutputFormat.jsonSchema("""
            {"type": "object", "properties": {"n": {"enum": [1, 2, "<tool_call>\\n{\\"name\\": \\"weather\\"}"]}}, "required": ["n"],
             "additionalProperties": false}""");

    @TempDir
    private Path directory;

    private TextGenerator load(String template) throws IOException {
        TinyGenerator.write(directory, 1);
        JsonObject config = new JsonObject();
        config.addProperty("chat_template", template);
        Files.writeString(directory.resolve("tokenizer_config.json"), config.toString());
        return TextGenerator.load(directory, GeneratorOptions.defaults().withContext(2048)
                .withEngineOptions(EngineOptions.defaults().withThreads(1)));
    }

    @Test
    void shouldCallAToolWhereTheModelMust() throws IOException {
        try (var model = load(TEMPLATE)) {
            Chat chat = Chat.of(List.of(ChatMessage.user("go on"))).withTools(TOOLS);
            Map<String, Integer> names = new HashMap<>();
            for (int seed = 0; seed < 12; seed++) {
                ChatAnswer answer = model.call(chat, SamplingOptions.sampling(2, seed).withMaxTokens(500));
                assertEquals(Finish.END, answer.generated().finish());
                assertEquals(1, answer.toolCalls().size(), answer.generated().text());
                ToolCall call = answer.toolCalls().getFirst();
                names.merge(call.name(), 1, Integer::sum);
                assertEquals("call00001", call.id());
                assertEquals("", answer.content());
                assertTrue(call.name().equals("weather") ? List.of("Oslo", "Rome").contains(call.values().get("city"))
                        : call.values().isEmpty() || call.values().get("utc") instanceof Boolean, call.toString());
            }
            assertEquals(2, names.size(), names.toString());
            var options = SamplingOptions.greedy();
            for (Map<String, Object> wrong : List.of(TOOLS.getFirst(), Map.<String, Object>of("function", Map.of("name", "")), Map.<String, Object>of("x", 1))) {
                Chat more = chat.withTools(List.of(TOOLS.getFirst(), wrong));
                assertThrows(IllegalArgumentException.class, () -> model.call(more, options));
                var told = new StringBuilder();
                assertThrows(IllegalArgumentException.class, () -> model.answer(more, options, (_, text, _) -> told.append(text) != null));
                assertEquals("", told.toString());
            }
            assertThrows(IllegalArgumentException.class, () -> model.call(chat.withTools(List.of()), options));
            assertThrows(IllegalArgumentException.class, () -> model.call(chat, options.withFormat(OutputFormat.json())));
        }
    }

    @Test
    void shouldTakeAnswersApart() throws IOException {
        try (var model = load(TEMPLATE)) {
            Chat chat = Chat.of(List.of(ChatMessage.user("go on"))).withTools(TOOLS);
            String text = "<think>hm\n</think>\n\nLet me see.<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"n\": 2, \"x\":"
                    + " [1.5, null]}}</tool_call><tool_call>{\"name\": \"weather\"}</tool_call>";
            var forced = SamplingOptions.greedy().withMaxTokens(300).withFormat(OutputFormat.choice(text));
            ChatAnswer answer = model.answer(chat, forced);
            assertEquals("Let me see.", answer.content());
            assertEquals("hm", answer.reasoning());
            assertEquals(List.of("call00001", "call00002"), answer.toolCalls().stream().map(ToolCall::id).toList());
            assertEquals(2L, answer.toolCalls().getFirst().values().get("n"));
            assertEquals(text, answer.generated().text());
            Chat next = new Chat(List.of(ChatMessage.user("go on"), answer.message(), ChatMessage.tool(answer.toolCalls().getFirst(), "sunny")),
                    TOOLS, Map.of());
            String prompt = model.prompt(next);
            assertTrue(prompt.contains("Let me see.<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"n\": 2,"
                    + " \"x\": [1.5, null]}}\n</tool_call><tool_call>"), prompt);
            assertTrue(prompt.contains("<|im_start|>tool\nsunny<|im_end|>"), prompt);
            assertEquals("call00003", model.answer(next, forced).toolCalls().getFirst().id());
            // Without tools, it is what the model says.
            ChatAnswer plain = model.answer(Chat.of(chat.messages()), forced);
            assertEquals(text.substring(text.indexOf("Let")), plain.content());
            assertEquals(List.of(), plain.toolCalls());
        }
    }

    /** Each answer is of the form or a call, whatever a model writes, and told as it comes. */
    private static void assertFormOrCall(TextGenerator model, Chat chat, int least) {
        int calls = 0;
        for (int seed = 0; seed < 24; seed++) {
            var told = new StringBuilder();
            ChatAnswer answer = model.answer(chat, SamplingOptions.sampling(2, seed).withMaxTokens(600).withFormat(FORM),
                    (part, text, _) -> part == Part.REASONING || told.append(text) != null);
            assertEquals(Finish.END, answer.generated().finish());
            assertEquals(answer.content(), told.toString());
            if (answer.toolCalls().isEmpty()) {
                assertTrue(JsonParser.parseString(answer.content()).getAsJsonObject().has("n"), answer.generated().text());
            } else {
                assertEquals("", answer.content());
                assertTrue(List.of("weather", "time \"now\"").contains(answer.toolCalls().getFirst().name()), answer.toString());
                calls++;
            }
        }
        assertTrue(calls >= least && calls <= 24 - least, calls + " calls");
    }

    @Test
    void shouldAnswerInTheFormOrCall() throws IOException {
        Chat chat = Chat.of(List.of(ChatMessage.user("go on"))).withTools(TOOLS);
        try (var model = load(TEMPLATE)) {
            assertFormOrCall(model, chat, 1);
            // Raw, the answer is in the form.
            assertTrue(model.chat(chat, SamplingOptions.greedy().withMaxTokens(600).withFormat(FORM), (_, _) -> true).text().contains("\"n\""));
            String inside = "{\"n\":\"<tool_call>\\n{\\\"name\\\": \\\"weather\\\"}\"}";
            var form = OutputFormat.jsonSchema("{\"const\": {\"n\": \"<tool_call>\\n{\\\"name\\\": \\\"weather\\\"}\"}}");
            var names = new HashSet<String>();
            for (int seed = 0; seed < 24; seed++) {
                ChatAnswer answer = model.answer(chat, SamplingOptions.sampling(2, seed).withMaxTokens(600).withFormat(form));
                names.add(answer.toolCalls().isEmpty() ? answer.content() : "call");
            }
            assertEquals(Set.of("call", inside), names);
        }
        try (var model = load("{{ tools }}<|start_header_id|>{% for m in messages %}{{ m.content }}{% endfor %}")) {
            assertFormOrCall(model, chat, 1);
            // What has the form may look like a call of a tool by whose schema it is not valid.
            var form = OutputFormat.jsonSchema("{\"const\": {\"name\": \"weather\", \"parameters\": {\"city\": \"Bonn\"}}}");
            var said = new HashSet<String>();
            for (int seed = 0; seed < 24; seed++) {
                ChatAnswer answer = model.answer(chat, SamplingOptions.sampling(2, seed).withMaxTokens(600).withFormat(form));
                said.add(answer.toolCalls().isEmpty() ? answer.content() : "call");
                assertTrue(answer.toolCalls().stream().noneMatch(call -> call.arguments().contains("Bonn")), answer.toString());
            }
            assertEquals(Set.of("call", "{\"name\":\"weather\",\"parameters\":{\"city\":\"Bonn\"}}"), said);
        }
    }

    /** Wherever the model begins one, and whatever it says around it. */
    @Test
    void shouldCallStrictToolsByTheirSchemas() throws IOException {
        load(TEMPLATE).close();
        Path tokenizer = directory.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"perhaps\"", "\"<tool_call>\""));
        int begin = TinyGenerator.tokens().indexOf("perhaps");
        int end = TinyGenerator.END;
        Chat chat = Chat.of(List.of(ChatMessage.user("go on"))).withTools(STRICT);
        try (var model = TextGenerator.load(directory, GeneratorOptions.defaults().withContext(2048)
                .withEngineOptions(EngineOptions.defaults().withThreads(1)))) {
            assertFalse(model.prompt(chat).contains("strict"), model.prompt(chat));
            int silent = 0;
            int several = 0;
            int beside = 0;
            for (int seed = 0; seed < 24; seed++) {
                var options = SamplingOptions.sampling(2, seed).withMaxTokens(1000).withLogitBias(Map.of(begin, 8f, end, 7f));
                var told = new StringBuilder();
                ChatAnswer answer = model.answer(chat, options, (part, text, _) -> part == Part.REASONING || told.append(text) != null);
                assertEquals(Finish.END, answer.generated().finish());
                int calls = answer.generated().text().split("<tool_call>", -1).length - 1;
                assertEquals(calls, answer.toolCalls().size(), answer.generated().text());
                answer.toolCalls().forEach(call -> assertTrue(List.of("Oslo", "Rome").contains(call.values().get("city")), call.toString()));
                assertEquals(answer.content().strip(), told.toString().strip());
                silent += calls == 0 ? 1 : 0;
                several += calls > 1 ? 1 : 0;
                beside += calls > 0 && !answer.content().isEmpty() ? 1 : 0;
            }
            assertTrue(silent > 0 && several > 0 && beside > 0, silent + " without, " + several + " with several, " + beside + " beside text");
            var wrong = chat.withTools(List.of(Map.of("name", "weather", "strict", "yes")));
            assertEquals("expected true or false as strict of the tool weather, got \"yes\"",
                    assertThrows(IllegalArgumentException.class, () -> model.answer(wrong, SamplingOptions.greedy())).getMessage());
        }
        try (var model = load("{{ tools }}<|start_header_id|>{% for m in messages %}{{ m.content }}{% endfor %}")) {
            int called = 0;
            for (int seed = 0; seed < 24; seed++) {
                ChatAnswer answer = model.answer(chat, SamplingOptions.sampling(2, seed).withMaxTokens(1000)
                        .withLogitBias(Map.of(end, 7f, TinyGenerator.tokens().indexOf("{\""), 9f)));
                assertEquals(Finish.END, answer.generated().finish());
                assertEquals(answer.generated().text().stripLeading().startsWith("{"), !answer.toolCalls().isEmpty());
                called += answer.toolCalls().size();
            }
            assertTrue(called > 0 && called < 24, called + " calls");
        }
    }

    /** Such a model could not end its thoughts. */
    @Test
    void shouldRefuseStrictToolsWhereNoFormatHasTheMarksOfThoughts() throws IOException {
        load(TEMPLATE).close();
        Path tokenizer = directory.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace('"' + TinyGenerator.tokens().get(2) + '"', "\"</think>\""));
        Chat chat = Chat.of(List.of(ChatMessage.user("go on")));
        try (var model = TextGenerator.load(directory, GeneratorOptions.defaults().withContext(2048)
                .withEngineOptions(EngineOptions.defaults().withThreads(1)))) {
            var options = SamplingOptions.greedy().withMaxTokens(3);
            assertEquals("strict tools are not supported of a model whose thoughts begin or end with a special token: no format has it",
                    assertThrows(UnsupportedOperationException.class, () -> model.answer(chat.withTools(STRICT), options)).getMessage());
            model.answer(chat.withTools(TOOLS), options);
        }
    }

    /** No format has the token that begins calls of Mistral: what the model writes first decides. */
    @Test
    void shouldAnswerInTheFormOrCallWhereATokenBeginsCalls() throws IOException {
        String template = "{{ tools }}{% for m in messages %}{{ m.content }}{% endfor %}{# [TOOL_CALLS] #}";
        load(template).close();
        Path tokenizer = directory.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace('"' + TinyGenerator.tokens().get(1) + '"', "\"[TOOL_CALLS]\""));
        Chat chat = Chat.of(List.of(ChatMessage.user("go on"))).withTools(TOOLS);
        try (var model = TextGenerator.load(directory, GeneratorOptions.defaults().withContext(2048)
                .withEngineOptions(EngineOptions.defaults().withThreads(1)))) {
            for (float bias : new float[] {-50, 50}) {
                var options = SamplingOptions.sampling(1, 7).withMaxTokens(600).withFormat(FORM).withLogitBias(Map.of(1, bias));
                var told = new StringBuilder();
                ChatAnswer answer = model.answer(chat, options, (_, text, _) -> told.append(text) != null);
                assertEquals(answer.content(), told.toString());
                assertEquals(bias > 0, !answer.toolCalls().isEmpty(), answer.toString());
                assertEquals(bias > 0, answer.content().isEmpty());
                ChatAnswer strict = model.answer(chat.withTools(STRICT), options.withFormat(null));
                assertEquals(bias > 0, !strict.toolCalls().isEmpty(), strict.toString());
                strict.toolCalls().forEach(call -> assertTrue(List.of("Oslo", "Rome").contains(call.values().get("city"))));
                assertFalse(IntStream.of(strict.generated().tokens()).anyMatch(id -> id == 1), strict.toString());
            }
        }
    }

    @Test
    void shouldSayWhatIsMissing() throws IOException {
        Chat chat = Chat.of(List.of(ChatMessage.user("x"))).withTools(TOOLS);
        try (var model = load("{{ tools }}{% for m in messages %}{{ m.content }}{% endfor %}")) {
            var e = assertThrows(UnsupportedOperationException.class, () -> model.call(chat, SamplingOptions.greedy()));
            assertTrue(e.getMessage().startsWith("the model's chat template does not say how calls of tools look"), e.getMessage());
        }
        try (var model = load("{% for m in messages %}{{ m.content }}{% endfor %}")) {
            var e = assertThrows(UnsupportedOperationException.class, () -> model.answer(chat, SamplingOptions.greedy()));
            assertEquals("the chat template of " + directory.resolve("tokenizer_config.json") + " does not mention tools, so the model"
                    + " would not hear of the 2 of this chat", e.getMessage());
            assertEquals("x", model.prompt(chat.withTools(List.of())));
        }
    }
}
