package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.testing.ToyLanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model thinks, says and calls, whole and in streams. */
class ThoughtsTest {
    private static final String PATH = "/v1/chat/completions";
    private static final String ASK = "{'temperature': 0, 'max_tokens': 20, 'logprobs': true, 'top_logprobs': 2,"
            + " 'messages': [{'role': 'user', 'content': 'Hello'}]";
    private static final String TOOLS = ", 'tools': [{'type': 'function', 'function': {'name': 'weather', 'parameters':"
            + " {'type': 'object', 'properties': {'city': {'enum': ['Oslo']}}, 'required': ['city'], 'additionalProperties': false}}}]";

    private static TestServer server;

    @BeforeAll
    static void start(@TempDir Path directory) throws Exception {
        server = server(directory.resolve("toy"));
    }

    @AfterAll
    static void close() {
        server.close();
    }

    /** A server of a model that thinks and calls. */
    static TestServer server(Path directory) throws IOException {
        Path model = ToyLanguageModel.write(directory, """
                {# <tool_call> </think> #}
                {%- for message in messages %}{{ message['content'] + ' ' }}
                    {%- if message['reasoning_content'] %}{{ 'earlier ' }}{% endif %}{% endfor %}
                {%- if tools %}{{ tools[0]['function']['name'] }}{% elif messages | length > 1 %}{% else %}{{ '<assistant>' }}{% endif %}""", List.of(
                List.of("<assistant>", "<think>", "\n", "hm", " well", "\n</think>\n\n", "Glad", "ly"),
                List.of("earlier", "again"),
                List.of("<tool_call>", "{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>"),
                List.of("both", "<tool_call>\n", "{\"name\": \"both\", \"arguments\": ", "{\"city\": \"Oslo\"}}\n", "</tool_call>",
                        " and <tool_call>\n{\"name\": \"both\", \"arguments\": {}}\n</tool_call>"),
                List.of("weather", "<think>so</think>", " I", " see", " <tool_call>",
                        "{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}</tool_call>")));
        return TestServer.start(TestServer.options(), List.of(model.toString()), EncoderOptions.defaults(), GeneratorOptions.defaults());
    }

    private static JsonObject choice(String json) {
        return server.ask(PATH, json).getAsJsonObject().getAsJsonArray("choices").get(0).getAsJsonObject();
    }

    /** The choices of a stream's pieces. */
    private static List<JsonObject> stream(String json) {
        List<JsonObject> choices = new ArrayList<>();
        for (String event : server.post(PATH, (json + ", 'stream': true}").replace('\'', '"')).body().split("\n\n")) {
            if (!event.equals("data: [DONE]")) {
                choices.add(JsonParser.parseString(event.substring("data: ".length())).getAsJsonObject().getAsJsonArray("choices")
                        .get(0).getAsJsonObject());
            }
        }
        return choices;
    }

    private static String text(List<JsonObject> pieces, String field) {
        var text = new StringBuilder();
        for (JsonObject piece : pieces) {
            JsonElement one = piece.getAsJsonObject("delta").get(field);
            text.append(one == null ? "" : one.getAsString());
        }
        return text.toString();
    }

    /** The log probabilities of all pieces, one behind the other. */
    private static List<JsonElement> logProbabilities(List<JsonObject> pieces) {
        List<JsonElement> all = new ArrayList<>();
        pieces.stream().filter(piece -> piece.has("logprobs"))
                .forEach(piece -> all.addAll(piece.getAsJsonObject("logprobs").getAsJsonArray("content").asList()));
        return all;
    }

    @Test
    void shouldTellThoughtsApart() {
        JsonObject whole = choice(ASK + "}");
        JsonObject message = whole.getAsJsonObject("message");
        assertEquals("Gladly", message.get("content").getAsString());
        assertEquals("hm well", message.get("reasoning_content").getAsString());
        List<JsonObject> pieces = stream(ASK);
        assertEquals("Gladly", text(pieces, "content"));
        assertEquals("hm well", text(pieces, "reasoning_content"));
        assertTrue(pieces.get(1).getAsJsonObject("delta").has("reasoning_content"), "piece by piece: " + pieces);
        assertEquals("stop", pieces.getLast().get("finish_reason").getAsString());
    }

    /** {@code <think>}, a line, and two words. */
    @Test
    void shouldCountWhatIsThought() {
        JsonObject usage = server.ask(PATH, ASK + "}").getAsJsonObject().getAsJsonObject("usage");
        assertEquals(8, usage.get("completion_tokens").getAsInt());
        assertEquals(4, usage.getAsJsonObject("completion_tokens_details").get("reasoning_tokens").getAsInt());
        String stream = server.post(PATH, (ASK + ", 'stream': true, 'stream_options': {'include_usage': true}}").replace('\'', '"')).body();
        assertTrue(stream.contains("\"completion_tokens_details\":{\"reasoning_tokens\":4}"), stream);
    }

    @Test
    void shouldSendLogProbabilitiesWithTheirPieces() {
        JsonObject whole = choice(ASK + "}").getAsJsonObject("logprobs");
        List<JsonObject> pieces = stream(ASK);
        assertEquals(whole.getAsJsonArray("content").asList(), logProbabilities(pieces));
        for (JsonObject piece : pieces.subList(1, pieces.size() - 1)) {
            List<JsonElement> some = logProbabilities(List.of(piece));
            String told = text(List.of(piece), "content") + text(List.of(piece), "reasoning_content");
            assertTrue(some.getLast().getAsJsonObject().get("token").getAsString().endsWith(told), piece.toString());
            assertEquals(2, some.getLast().getAsJsonObject().getAsJsonArray("top_logprobs").size());
        }
        assertEquals("</s>", logProbabilities(pieces).getLast().getAsJsonObject().get("token").getAsString());
    }

    @Test
    void shouldStreamWhatIsBesideACall() {
        JsonObject message = choice(ASK + TOOLS + "}").getAsJsonObject("message");
        assertEquals("so", message.get("reasoning_content").getAsString());
        assertEquals("I see", message.get("content").getAsString());
        List<JsonObject> pieces = stream(ASK + TOOLS);
        assertEquals("so", text(pieces, "reasoning_content"));
        assertEquals("I see", text(pieces, "content"));
        JsonObject call = pieces.get(pieces.size() - 2).getAsJsonObject("delta").getAsJsonArray("tool_calls").get(0).getAsJsonObject();
        assertEquals("weather", call.getAsJsonObject("function").get("name").getAsString());
        assertEquals("tool_calls", pieces.getLast().get("finish_reason").getAsString());
        assertEquals(choice(ASK + TOOLS + "}").getAsJsonObject("logprobs").getAsJsonArray("content").asList(),
                logProbabilities(pieces));
    }

    private static JsonArray calls(String more) {
        return choice(ASK + TOOLS.replace("weather", "both").replace("'parameters'", more + "'parameters'") + "}")
                .getAsJsonObject("message").getAsJsonArray("tool_calls");
    }

    /** The second call of this model has not the city that the schema requires. */
    @Test
    void shouldKeepCallsOfStrictToolsToTheirSchemas() {
        assertEquals("{}", calls("").get(1).getAsJsonObject().getAsJsonObject("function").get("arguments").getAsString());
        assertEquals(1, calls("'strict': true, ").size());
        assertEquals(1, choice(ASK + TOOLS.replace("weather", "both") + ", 'parallel_tool_calls': false}").getAsJsonObject("message")
                .getAsJsonArray("tool_calls").size());
    }

    @Test
    void shouldStreamAForcedCall() {
        List<JsonObject> pieces = stream(ASK + TOOLS + ", 'tool_choice': 'required'");
        assertEquals("", text(pieces, "content") + text(pieces, "reasoning_content"));
        assertEquals("tool_calls", pieces.getLast().get("finish_reason").getAsString());
    }

    @Test
    void shouldTakeThoughtsBack() {
        String told = "{'temperature': 0, 'max_tokens': 20, 'messages': [{'role': 'user', 'content': 'Hello'}, {'role': 'assistant',"
                + " 'content': 'Gladly', 'reasoning_content': 'hm'}]}";
        assertEquals("again", choice(told).getAsJsonObject("message").get("content").getAsString());
    }
}
