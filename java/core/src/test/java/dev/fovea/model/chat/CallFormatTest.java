package dev.fovea.model.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.fovea.model.chat.CallFormat.Answer;
import dev.fovea.model.chat.CallFormat.Call;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Answers as models write them, and what is left as text. */
class CallFormatTest {
    private static final Set<String> TOOLS = Set.of("weather", "time");
    private static final Call OSLO = new Call("weather", "{\"city\":\"Oslo\"}");
    private static final Call NOW = new Call("time", "{}");

    private static void assertReads(CallFormat format, String answer, String content, Call... calls) {
        assertEquals(new Answer(content, List.of(calls)), format.read(answer, TOOLS));
    }

    @Test
    void shouldReadCallsOfHermesAndQwen() {
        assertReads(CallFormat.HERMES, "Let me see.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>",
                "Let me see.", OSLO);
        assertReads(CallFormat.HERMES, "<tool_call>{\"arguments\": {\"city\": \"Oslo\"}, \"name\": \"weather\"}</tool_call>\n<tool_call>"
                + "{\"name\": \"time\"}", "", OSLO, NOW);
        assertReads(CallFormat.HERMES, "<tool_call>{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Oslo\\\"}\"}</tool_call>", "", OSLO);
        assertReads(CallFormat.HERMES, "<tool_call>{\"name\": \"other\", \"arguments\": {}}</tool_call>", "", new Call("other", "{}"));
        assertReads(CallFormat.HERMES, "<tool_call>{\"name\": \"time\", \"arguments\": {\"a\": \"</tool_call> \\\"<tool_call>\"}}</tool_call>!", "!",
                new Call("time", "{\"a\":\"</tool_call> \\\"<tool_call>\"}"));
        for (String text : new String[] {"no call", "<tool_call>{\"name\": \"time\", \"argu</tool_call>", "<tool_call>", "<tool_call>[1]</tool_call>",
            "<tool_call>{\"name\": 3}</tool_call>", "<tool_call>{\"name\": \"time\", \"arguments\": [1]}</tool_call>",
            "<tool_call>{\"name\": \"time\"} and</tool_call>"}) {
            assertReads(CallFormat.HERMES, text, text);
        }
        assertReads(CallFormat.HERMES, "<tool_call>x</tool_call> a <tool_call>{\"name\": \"time\"}</tool_call> b", "<tool_call>x</tool_call> a  b", NOW);
    }

    @Test
    void shouldReadCallsOfLlama() {
        String call = "{\"name\": \"weather\", \"parameters\": {\"city\": \"Oslo\"}}";
        assertReads(CallFormat.LLAMA, call, "", OSLO);
        assertReads(CallFormat.LLAMA, "<|python_tag|>" + call, "", OSLO);
        assertReads(CallFormat.LLAMA, call + "; {\"name\": \"time\", \"parameters\": {}}", "", OSLO, NOW);
        assertReads(CallFormat.LLAMA, "<|python_tag|>{\"name\": \"f\", \"parameters\": {\"a\": \"}{\\\"\"}}", "",
                new Call("f", "{\"a\":\"}{\\\"\"}"));
        for (String text : new String[] {"It is " + call, "{\"name\": \"Ann\", \"parameters\": {}}", "{\"answer\": 3}", call + " done",
            "<|python_tag|>brave_search.call(query=\"x\")", "{\"name\": \"time\""}) {
            assertReads(CallFormat.LLAMA, text, text);
        }
    }

    @Test
    void shouldReadCallsOfMistral() {
        assertReads(CallFormat.MISTRAL, "[TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"}, \"id\": \"abcdefghi\"},"
                + " {\"name\": \"time\", \"arguments\": {}}]", "", OSLO, NOW);
        assertReads(CallFormat.MISTRAL, "Well.[TOOL_CALLS]weather{\"city\": \"Oslo\"}[TOOL_CALLS]time[CALL_ID]abcdefghi[ARGS]{}", "Well.", OSLO, NOW);
        assertReads(CallFormat.MISTRAL, "a [TOOL_CALLS][{\"name\": \"time\", \"arguments\": {\"a\": \"[TOOL_CALLS]]\"}}][TOOL_CALLS]time{\"a\": \"[TOOL_CALLS]]\"}",
                "a", new Call("time", "{\"a\":\"[TOOL_CALLS]]\"}"), new Call("time", "{\"a\":\"[TOOL_CALLS]]\"}"));
        for (String text : new String[] {"[{\"name\": \"time\"}]", "[TOOL_CALLS] nothing", "[TOOL_CALLS][{\"name\": \"time\"", "[TOOL_CALLS]{}"}) {
            assertReads(CallFormat.MISTRAL, text, text);
        }
    }

    @Test
    void shouldTakeTheFormatThatATemplateSpeaksOf() {
        assertEquals(CallFormat.HERMES, CallFormat.of("{% if tools %}… <tool_call>\\n{\"name\""));
        assertEquals(CallFormat.MISTRAL, CallFormat.of("{{ '[TOOL_CALLS]' }}"));
        assertEquals(CallFormat.LLAMA, CallFormat.of("{% if tools is not none %}<|start_header_id|>"));
        assertNull(CallFormat.of("<|start_header_id|>{{ messages }}"));
        assertNull(CallFormat.of("{% if tools %}<tool_call>\\n<function=x>"));
        assertNull(CallFormat.of("{{ messages }}"));
    }
}
