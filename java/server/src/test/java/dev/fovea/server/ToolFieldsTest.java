package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tools, forms of answers and how they are chosen: what is taken, and what is refused by its name. */
class ToolFieldsTest {
    private static final String ASK = "{'model': 'writer', 'max_tokens': 4, 'messages': [{'role': 'user', 'content': 'w1'}], ";
    private static final String TOOLS = "'tools': [{'type': 'function', 'function': {'name': 'w7', 'strict': true,"
            + " 'parameters': {'type': 'object'}}}]";
    private static final String PATH = "/v1/chat/completions";

    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.shared();
    }

    private static JsonObject choice(String json) {
        return server.ask(PATH, json).getAsJsonObject().getAsJsonArray("choices").get(0).getAsJsonObject();
    }

    @Test
    void shouldTakeToolsAndWhatTheyAnswered() {
        assertEquals("length", choice(ASK + TOOLS + "}").get("finish_reason").getAsString());
        assertEquals("length", choice(ASK + TOOLS + ", 'tool_choice': 'none'}").get("finish_reason").getAsString());
        assertEquals("length", choice("{'max_tokens': 2, 'messages': [{'role': 'user', 'content': 'w1'}, {'role': 'assistant',"
                + " 'content': null, 'tool_calls': [{'id': 'call00001', 'type': 'function', 'function': {'name': 'w7',"
                + " 'arguments': '{}'}}]}, {'role': 'tool', 'tool_call_id': 'call00001', 'content': 'w3'}]}")
                .get("finish_reason").getAsString());
    }

    /** A text is what every answer is. Forms are another matter. */
    @Test
    void shouldTakeAFormatThatChangesNothingWhereAToolMustBeCalled() {
        String must = ASK + TOOLS + ", 'tool_choice': 'required', 'response_format': {'type': '";
        server.assertRefused(400, "the model's chat template does not say how calls of tools look, or in a way that is not known here",
                PATH, must + "text'}}");
        server.assertRefused(400, "response_format is not supported where tool_choice asks for a call", PATH, must + "json_object'}}");
    }

    /** What it keeps is in {@code ThoughtsTest}. */
    @Test
    void shouldTakeThatCallsAreNotParallel() {
        choice(ASK + TOOLS + ", 'parallel_tool_calls': false}");
        choice(ASK + "'parallel_tool_calls': false}");
        server.assertRefused(400, "the model's chat template does not say how calls of tools look, or in a way that is not known here",
                PATH, ASK + TOOLS + ", 'parallel_tool_calls': false, 'tool_choice': 'required'}");
        server.assertRefused(400, "expected parallel_tool_calls to be true or false, got 0", PATH, ASK + "'parallel_tool_calls': 0}");
    }

    @Test
    void shouldSayWhoKeepsAllTokensOut() {
        String all = IntStream.range(0, 31).mapToObj(id -> "'" + id + "': -100").collect(Collectors.joining(", "));
        server.assertRefused(400, "no token may follow: biases and the format keep all from being written", PATH,
                ASK + "'logit_bias': {" + all + "}}");
    }

    @Test
    void shouldTakeTheLikeliestTokenWhereTopPIsNothing() {
        assertEquals(choice(ASK + "'temperature': 0}"), choice(ASK + "'temperature': 2, 'top_p': 0}"));
    }

    @Test
    void shouldNameWhatIsWrong() {
        server.assertRefused(400, "expected tool_choice to be one of none, auto, required, got \"any\"", PATH,
                ASK + TOOLS + ", 'tool_choice': 'any'}");
        server.assertRefused(400, "expected tool_choice to be the name of one of the tools, got an object", PATH,
                ASK + TOOLS + ", 'tool_choice': {'type': 'function', 'function': {'name': 'w8'}}}");
        server.assertRefused(400, "expected tool_choice to be none or auto where there are no tools, got \"required\"", PATH,
                ASK + "'tool_choice': 'required'}");
        server.assertRefused(400, "expected tools[0].type to be one of function, got \"web_search\"", PATH,
                ASK + "'tools': [{'type': 'web_search'}]}");
        server.assertRefused(400, "expected messages[0].tool_calls[0].function.arguments to be an object in JSON, got \"[]\"", PATH,
                "{'messages': [{'role': 'assistant', 'tool_calls': [{'id': 'a', 'function': {'name': 'b', 'arguments': '[]'}}]}]}");
        server.assertRefused(400, "expected messages[0].tool_calls[0].function.arguments to be an object in JSON, got \"{a:1}\"", PATH,
                "{'messages': [{'role': 'assistant', 'tool_calls': [{'id': 'a', 'function': {'name': 'b', 'arguments': '{a:1}'}}]}]}");
        server.assertRefused(400, "expected tools[1].function.name to be a name that no tool before has, got \"w7\"", PATH,
                ASK + TOOLS.replace("]", ", {'type': 'function', 'function': {'name': 'w7'}}]}"));
        server.assertRefused(400, "expected tools[0].function.name to be a name that no tool before has, got \"\"", PATH,
                ASK + TOOLS.replace("w7", "") + "}");
        server.assertRefused(400, "expected tools[0].function.parameters to be an object, got an array of 0", PATH,
                ASK + TOOLS.replace("{'type': 'object'}", "[]") + "}");
        server.assertRefused(400, "the field response_format.json_schema is missing", PATH,
                ASK + "'response_format': {'type': 'json_schema'}}");
        server.assertRefused(400, "expected response_format.type to be one of text, json_object, json_schema, got \"xml\"", PATH,
                ASK + "'response_format': {'type': 'xml'}}");
    }
}
