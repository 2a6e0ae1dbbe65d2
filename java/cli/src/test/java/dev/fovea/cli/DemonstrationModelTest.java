package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.fovea.model.Chat;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The model that answers where none is given. */
class DemonstrationModelTest {
    private static final String STORY = " a gentle girl called Emma lived in a cottage in the forest.";

    @ParameterizedTest
    @ValueSource(strings = {"native", "java"})
    void shouldAnswerInPlainEnglish(String backend) {
        byte[] messages = "Hello\nWho are you?\n/clear\nWhat is a river?\nThank you\n".getBytes(StandardCharsets.UTF_8);
        CliRun run = CliRun.withInput(messages, "chat", "--backend", backend);
        assertEquals(0, run.status(), run.err());
        assertEquals("""
                Hello! I am glad to meet you.
                I am the demonstration model of Fovea. I am small, and I know very little.
                A river is water that flows from the hills to the sea.
                You are welcome. Is there anything else?
                """, run.out());
        assertEquals("fovea: " + DemonstrationModel.NOTICE + "\n", run.err());
    }

    @Test
    void shouldSayWhyAnAnswerIsNotWhole() {
        CliRun limit = chat("Hello\n", "--max-tokens", "3");
        assertEquals(1, limit.out().lines().count(), limit.out());
        assertTrue(limit.err().endsWith("fovea: the answer has all 3 tokens that --max-tokens gives it\n"), limit.err());
        CliRun full = chat("Hello\n".repeat(6), "--context", "64");
        assertTrue(full.err().contains("fovea: the chat has all 64 tokens of the context; /clear begins anew\n"), full.err());
    }

    @Test
    void shouldAnswerAgainByAnotherSeedAndForgetTheSystemsText() {
        CliRun again = chat("What is a river?\n/again\n/again\n/again\n  /exit\n/exit \nHello\n", "--temperature", "3");
        assertEquals(0, again.status(), again.err());
        assertTrue(again.out().lines().distinct().count() > 1, again.out());
        CliRun system = chat("/system\nHello\n/system \nHello\n");
        assertEquals("fovea: " + DemonstrationModel.NOTICE + "\n", system.err());
        assertEquals("Hello! I am glad to meet you.\n".repeat(2), system.out());
    }

    private static CliRun chat(String lines, String... options) {
        List<String> all = new ArrayList<>(List.of("chat", "--threads", "1"));
        all.addAll(List.of(options));
        return CliRun.withInput(lines.getBytes(StandardCharsets.UTF_8), all.toArray(String[]::new));
    }

    @Test
    void shouldTellAStoryWhereGenerateIsGivenNoModel() {
        CliRun run = CliRun.of("generate", "Once upon a time", "--max-tokens", "13", "--threads", "1");
        assertEquals(0, run.status(), run.err());
        assertEquals(STORY + "\n", run.out());
        assertEquals("fovea: " + DemonstrationModel.NOTICE + "\n", run.err());
    }

    @Test
    void shouldSayNothingOfItWhereAModelIsGiven() {
        Path qwen = Path.of("..", "core", "src", "test", "resources", "dev", "fovea", "model", "decoder", "golden", "qwen3");
        CliRun.of("generate", "--model", qwen.toString(), "--token-ids", "5,9,17", "--max-tokens", "2").output();
    }

    @Test
    void shouldRefuseLongerContextsThanItWasTrainedFor() {
        String error = CliRun.of("generate", "--context", "513", "Hello").error(1);
        assertTrue(error.contains("at most the 512 tokens that the model of") && error.endsWith("got 513"), error);
    }

    @Test
    void shouldRenderChatsByItsTemplate() throws IOException {
        try (TextGenerator model = TextGenerator.load(DemonstrationModel.file())) {
            var chat = Chat.of(List.of(ChatMessage.system("Be brief."), ChatMessage.user("Hi"), ChatMessage.assistant("Hello!"),
                    ChatMessage.user("Who are you?")));
            assertEquals("<|system|>Be brief.<|end|><|user|>Hi<|end|><|assistant|>Hello!<|end|><|user|>Who are you?<|end|>"
                    + "<|assistant|>", model.prompt(chat));
        }
    }

    @Test
    void shouldWriteTheSameWithAnyNumberOfThreads() throws IOException {
        int[] expected = null;
        for (String threads : List.of("1", "2", "4")) {
            CliRun run = CliRun.of("generate", "Tell me", "--json", "--max-tokens", "40", "--threads", threads);
            int[] tokens = JsonParser.parseString(run.out()).getAsJsonObject().getAsJsonArray("tokens").asList()
                    .stream().mapToInt(JsonElement::getAsInt).toArray();
            expected = expected == null ? tokens : expected;
            assertArrayEquals(expected, tokens);
        }
    }

    @Test
    void shouldBeSmallAndInEightBits() throws IOException {
        try (InputStream in = DemonstrationModel.class.getResourceAsStream("fovea-demo.gguf")) {
            assertTrue(in.readAllBytes().length < 4_000_000);
        }
        String weights = TextGenerator.properties(DemonstrationModel.file()).toString();
        assertTrue(weights.contains("29 Q8_0"), weights);
    }

    /** What a user wants to see: that the same seed draws the same text, and another seed another one. */
    @Test
    void shouldDrawByTheSeed() throws IOException {
        try (TextGenerator model = TextGenerator.load(DemonstrationModel.file())) {
            var options = SamplingOptions.sampling(0.8f, 7).withMaxTokens(30);
            String first = model.generate("Once upon a time", options).text();
            assertEquals(first, model.generate("Once upon a time", options).text());
        }
    }
}
