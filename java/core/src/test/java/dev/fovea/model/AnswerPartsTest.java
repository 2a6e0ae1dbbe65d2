package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.chat.CallFormat;
import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of pieces, wherever they are cut. */
class AnswerPartsTest {
    private static final Chat CHAT = Chat.of(List.of(ChatMessage.user("go on")));

    private static final GeneratedText GENERATED =
            new GeneratedText("", new int[0], new float[0], 1, GeneratedText.Finish.END, List.of());

    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder content = new StringBuilder();
    private Tokenizer tokenizer;

    @BeforeEach
    void open(@TempDir Path directory) throws IOException {
        tokenizer = Tokenizer.load(TinyGenerator.tokenizer(directory));
    }

    @AfterEach
    void close() {
        tokenizer.close();
    }

    private static ExpectedAnswer expected(boolean isOpen) {
        return new ExpectedAnswer(CHAT, new int[] {0}, SamplingOptions.greedy(), isOpen, "", true, null);
    }

    private AnswerParts parts(boolean thinks, boolean isOpen, CallFormat calls) {
        reasoning.setLength(0);
        content.setLength(0);
        return new AnswerParts((part, text, _) -> (part == Part.REASONING ? reasoning : content).append(text) != null, tokenizer,
                thinks, expected(isOpen), calls);
    }

    /** What is told before the answer is complete, the same for pieces of each size. */
    private void assertTold(String thought, String said, String answer, boolean thinks, boolean isOpen, CallFormat calls) {
        for (int size = 1; size <= answer.length(); size++) {
            AnswerParts parts = parts(thinks, isOpen, calls);
            for (int at = 0; at < answer.length(); at += size) {
                parts.next(answer.substring(at, Math.min(answer.length(), at + size)), 0);
            }
            assertEquals(List.of(thought, said), List.of(reasoning.toString(), content.toString()), "pieces of " + size);
        }
    }

    @Test
    void shouldTellThoughtsApart() {
        String answer = " <think>\nIs 1 < 2?\n\n</thin> yes </think>\n\nSo it is: <b> [1] {2} ";
        assertTold("Is 1 < 2?\n\n</thin> yes", "So it is: <b> [1] {2} ", answer, true, false, null);
        assertTold("Is 1 < 2?\n\n</thin> yes", "So it is: <b> [1] {2}", answer, true, false, CallFormat.HERMES);
        assertTold("open", "said", "open</think>said", true, true, null);
        assertTold("open", "said", "<think>open</think>said", true, true, null);
        assertTold("", "<thin air> ", "<thin air> ", true, false, null);
        assertTold("", "x", "<think>\n\n</think>\n\nx", true, false, null);
        assertTold("", "</think> <think>", "</think> <think>", false, false, null);
        assertTold("", "<think>x</think> y", "<think>x</think> y", false, false, null);
    }

    @Test
    void shouldKeepWhatMayBeACall() {
        assertTold("", "Let me see.", "Let me see.\n<tool_call>{}</tool_call>", false, false, CallFormat.HERMES);
        assertTold("", "", "\n<tool_call>{}</tool_call>", true, false, CallFormat.HERMES);
        assertTold("", "x\n            <div>", "x\n            <div>", false, false, CallFormat.HERMES);
        assertTold("so", "a <tool> b", "<think>so</think>a <tool> b <tool_", true, false, CallFormat.HERMES);
        assertTold("", "", " {\"name\": 1} ", false, false, CallFormat.LLAMA);
        assertTold("", "a {\"name\": 1}", "a {\"name\": 1}", false, false, CallFormat.LLAMA);
        assertTold("", "a [0]", "a [0] [TOOL_CALLS][]", false, false, CallFormat.MISTRAL);
    }

    @Test
    void shouldTellAFormAsSoonAsItIsNoCall() {
        OutputFormat call = OutputFormat.call(Map.of("a", "{\"properties\": {\"x\": {\"const\": 1}}, \"additionalProperties\": false}"),
                List.of("{\"name\": \"", "\", \"parameters\": ", "}"));
        for (var told : Map.of("{\"name\": \"a\", \"parameters\": {\"x\": 1}}", "", "{\"name\": \"a\", \"parameters\": {\"y\"",
                "{\"name\": \"a\", \"parameters\": {\"y\"", "{\"name\": \"b\", \"é", "{\"name\": \"b\", \"é").entrySet()) {
            for (int size = 1; size <= told.getKey().length(); size++) {
                content.setLength(0);
                var parts = new AnswerParts((_, text, _) -> content.append(text) != null, tokenizer, false,
                        new ExpectedAnswer(CHAT, new int[] {0}, SamplingOptions.greedy(), false, "", true, call), CallFormat.LLAMA);
                for (int at = 0; at < told.getKey().length(); at += size) {
                    parts.next(told.getKey().substring(at, Math.min(told.getKey().length(), at + size)), 0);
                }
                assertEquals(told.getValue(), content.toString());
            }
        }
    }

    @Test
    void shouldTellTheRestWhereTheAnswerIsComplete() {
        AnswerParts parts = parts(true, false, CallFormat.LLAMA);
        parts.next("{1} is a set ", 0);
        assertEquals("", content.toString());
        parts.complete(new ChatAnswer("{1} is a set ", "", List.of(), GENERATED));
        assertEquals("{1} is a set ", content.toString());

        AnswerParts thinking = parts(true, false, null);
        thinking.next("<think> hm, </thi", 0);
        assertEquals("hm,", reasoning.toString());
        thinking.complete(new ChatAnswer("", "hm, </thi", List.of(), GENERATED));
        assertEquals("hm, </thi", reasoning.toString());

        AnswerParts calling = parts(true, false, CallFormat.HERMES);
        calling.next(" a <tool_call>{}</tool_call> b", 0);
        calling.complete(new ChatAnswer("a  b", "", List.of(), GENERATED));
        assertEquals(" a  b", content.toString());
    }

    @Test
    void shouldEndWhatNobodyWants() {
        var parts = new AnswerParts((_, _, _) -> false, tokenizer, true, expected(false), null);
        assertFalse(parts.next("a", 0));
        assertFalse(parts.next("", 0));
    }
}
