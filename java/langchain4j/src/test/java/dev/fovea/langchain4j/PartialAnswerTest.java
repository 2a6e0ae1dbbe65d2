package dev.fovea.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.langchain4j.data.message.AiMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is told of pieces, wherever they are cut. */
class PartialAnswerTest {
    private final StringBuilder thoughts = new StringBuilder();
    private final StringBuilder text = new StringBuilder();

    private PartialAnswer partial(Consumer<PartialAnswer> expect) {
        thoughts.setLength(0);
        text.setLength(0);
        var partial = new PartialAnswer(() -> true, thoughts::append, text::append);
        expect.accept(partial);
        return partial;
    }

    /** What is told before the answer is complete, the same for pieces of each size. */
    private void assertTold(String thought, String said, String answer, Consumer<PartialAnswer> expect) {
        for (int size = 1; size <= answer.length(); size++) {
            PartialAnswer partial = partial(expect);
            for (int at = 0; at < answer.length(); at += size) {
                partial.next(answer.substring(at, Math.min(answer.length(), at + size)), 0);
            }
            assertEquals(List.of(thought, said), List.of(thoughts.toString(), text.toString()), "pieces of " + size);
        }
    }

    private static void expectAll(PartialAnswer partial) {
        partial.expectThoughts(false);
        partial.expectCalls(_ -> "");
    }

    @Test
    void shouldTellThoughtsApart() {
        String answer = " <think>\nIs 1 < 2?\n\n</thin> yes </think>\n\nSo it is: <b> [1] {2} ";
        assertTold("Is 1 < 2?\n\n</thin> yes", "So it is: <b> [1] {2} ", answer, partial -> partial.expectThoughts(false));
        assertTold("Is 1 < 2?\n\n</thin> yes", "So it is:", answer, PartialAnswerTest::expectAll);
        assertTold("open", "said", "open</think>said", partial -> partial.expectThoughts(true));
        assertTold("", "<thin air> ", "<thin air> ", partial -> partial.expectThoughts(false));
        assertTold("", "</think> <think>", "</think> <think>", _ -> { });
        assertTold("", "x", "<think>\n\n</think>\n\nx", partial -> partial.expectThoughts(false));
    }

    @Test
    void shouldKeepWhatMayBeACallUntilTheAnswerIsComplete() {
        assertTold("", "Let me see.", "Let me see.\n<tool_call>{}</tool_call>", PartialAnswerTest::expectAll);
        PartialAnswer partial = partial(PartialAnswerTest::expectAll);
        for (String piece : List.of("a", "[0] ", "is b")) {
            partial.next(piece, 0);
        }
        assertEquals("a", text.toString());
        partial.complete(AiMessage.from("a[0] is b"));
        assertEquals("a[0] is b", text.toString());
    }

    @Test
    void shouldKeepWhatIsBehindASpecialToken() {
        PartialAnswer partial = partial(it -> it.expectCalls(id -> id == 7 ? "[TOOL_CALLS]" : "w"));
        partial.next("I see.", 1);
        partial.next("", 7);
        partial.next("weather", 1);
        assertEquals("I see.", text.toString());
    }

    @Test
    void shouldEndWhatNobodyWants() {
        List<String> told = new ArrayList<>();
        assertFalse(new PartialAnswer(told::isEmpty, told::add, told::add).next("a", 0));
    }
}
