package dev.fovea.model.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What may begin a text with calls among it. */
class FormatReaderTest {
    private static final Map<String, String> TOOLS = Map.of("weather", """
            {"type": "object", "properties": {"city": {"enum": ["Oslo"]}}, "required": ["city"], "additionalProperties": false}""");

    /** Whether it may, however it is cut. */
    private static boolean begins(CompiledFormat format, String text) {
        boolean whole = format.reader().take(text);
        FormatReader pieces = format.reader();
        boolean last = true;
        for (int i = 0; i < text.length(); i++) {
            last = pieces.take(text.substring(i, i + 1));
        }
        assertEquals(whole, last, text);
        return whole;
    }

    @Test
    void shouldKeepCallsBehindAMarkToTheirSchemas() {
        var format = CompiledFormat.ofTextWithCalls(TOOLS, List.of("<tool_call>\n{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>"),
                "<tool_call>", true);
        String call = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";
        for (String text : List.of("", "a < b <tool <<tool_cal", call, "x" + call + " <b>y" + call + call + "<tool_call", "{\"name\": 1}")) {
            assertEquals(true, begins(format, text), text);
        }
        for (String text : List.of("<tool_call>{", "a<<tool_call> ", call + "<tool_call>\n{\"name\": \"time", call.replace("Oslo", "Rome"))) {
            assertEquals(false, begins(format, text), text);
        }
    }

    /** The reader of such calls takes white space of any kind from their begin. */
    @Test
    void shouldKeepWhatBeginsWithABraceToSchemas() {
        var format = CompiledFormat.ofTextWithCalls(TOOLS, List.of("{\"name\": \"", "\", \"parameters\": ", "}"), "<|python_tag|>", false);
        String call = "{\"name\": \"weather\", \"parameters\": {\"city\": \"Oslo\"}}";
        for (String text : List.of("", " ", call, "\f\u3000" + call, "a {", "<b> {", "<|python", "\u00a0{")) {
            assertEquals(true, begins(format, text), text);
        }
        for (String text : List.of("{}", "\f{\"name\": \"time", "\u3000" + call.replace("Oslo", "Rome"), call + ";", "<|python_tag|>", " <|python_tag|>{")) {
            assertEquals(false, begins(format, text), text);
        }
    }

    @Test
    void shouldKeepAMarkOut() {
        var format = CompiledFormat.ofTextWithout("[TOOL_CALLS]");
        assertEquals(true, begins(format, "[1, 2] [TOOL_CALL [[TOOL_CALLS"));
        assertEquals(false, begins(format, "Well. [[TOOL_CALLS]"));
        assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofTextWithout("<<x"));
    }
}
