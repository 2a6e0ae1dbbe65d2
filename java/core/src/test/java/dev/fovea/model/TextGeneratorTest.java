package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.management.ThreadMXBean;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.tensor.DType;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Texts of small random models: what is written, when it ends, and that nothing else changes it. */
class TextGeneratorTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder", "golden");
    private static final GeneratorOptions EXACT = GeneratorOptions.defaults().withWeights(WeightType.F32).withCache(DType.F32)
            .withEngineOptions(EngineOptions.defaults().withThreads(1));
    private static final int[] PROMPT = {5, 9, 17, 3};

    @TempDir
    private Path directory;

    static Stream<String> models() throws IOException {
        try (var folders = Files.list(GOLDEN)) {
            return folders.map(folder -> folder.getFileName().toString()).sorted().toList().stream();
        }
    }

    /** A model whose tokens are {@code é0} to {@code é30}, each in two pieces of a byte-level vocabulary's spelling. */
    private Path withTokenizer(String name) throws IOException {
        Path made = Files.createDirectories(directory.resolve(name));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(GOLDEN.resolve(name).resolve(file), made.resolve(file));
        }
        JsonObject vocabulary = new JsonObject();
        for (int i = 0; i < 31; i++) {
            vocabulary.addProperty(i == 7 ? "\u00c3" : i == 8 ? "\u00a9" : "w" + i, i); // the bytes of é
        }
        Files.writeString(made.resolve("tokenizer.json"), """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
                 "post_processor": null, "decoder": {"type": "ByteLevel"},
                 "model": {"type": "BPE", "vocab": %s, "merges": []}}""".formatted(vocabulary));
        return made;
    }

    @ParameterizedTest
    @MethodSource("models")
    void shouldTakeTheLikeliestTokenOfTransformersLogits(String name) throws IOException {
        JsonArray cases = JsonParser.parseString(Files.readString(GOLDEN.resolve(name).resolve("expected.json"))).getAsJsonArray();
        JsonObject one = cases.get(1).getAsJsonObject();
        int[] ids = one.getAsJsonArray("ids").asList().stream().mapToInt(id -> id.getAsInt()).toArray();
        JsonArray logits = one.getAsJsonArray("logits").get(2).getAsJsonArray();
        int likeliest = 0;
        double sum = 0;
        for (int i = 0; i < logits.size(); i++) {
            likeliest = logits.get(i).getAsDouble() > logits.get(likeliest).getAsDouble() ? i : likeliest;
            sum += Math.exp(logits.get(i).getAsDouble());
        }
        try (var model = TextGenerator.load(GOLDEN.resolve(name), EXACT.withContext(6))) {
            var options = SamplingOptions.greedy().withMaxTokens(2).withLogProbabilities(true).withIgnoresEnd(true);
            GeneratedText result = model.generate(ids, options);
            assertEquals(likeliest, result.tokens()[0]);
            assertEquals(logits.get(likeliest).getAsDouble() - Math.log(sum), result.logProbabilities()[0], 1e-5);
            assertEquals(2, result.tokens().length);
            assertEquals(Finish.LENGTH, result.finish());
            assertEquals(Finish.CONTEXT, model.generate(ids, options.withMaxTokens(9)).finish());
        }
    }

    @Test
    void shouldWriteTheSameWhateverElseIsWritten() throws Exception {
        List<SamplingOptions> all = new ArrayList<>();
        for (int seed = 0; seed < 12; seed++) {
            all.add(SamplingOptions.sampling(1.5f, seed).withMaxTokens(12).withTopP(0.95f).withPenalties(1.1f, 0.1f, 0.2f)
                    .withIgnoresEnd(true));
        }
        List<int[]> alone = new ArrayList<>();
        try (var model = TextGenerator.load(GOLDEN.resolve("qwen3"), EXACT)) {
            for (SamplingOptions options : all) {
                alone.add(model.generate(PROMPT, options).tokens());
            }
        }
        assertTrue(alone.stream().map(Arrays::toString).distinct().count() > 6);
        for (int threads : new int[] {1, 3}) {
            var options = EXACT.withEngineOptions(EngineOptions.defaults().withThreads(threads));
            try (var model = TextGenerator.load(GOLDEN.resolve("qwen3"), options);
                    var callers = Executors.newFixedThreadPool(4)) {
                List<Callable<int[]>> calls = new ArrayList<>();
                for (int i = 0; i < 36; i++) {
                    SamplingOptions one = all.get(i % 12);
                    // Prompts that begin alike reuse what is there.
                    calls.add(() -> model.generate(PROMPT, one).tokens());
                }
                var results = callers.invokeAll(calls);
                for (int i = 0; i < results.size(); i++) {
                    assertArrayEquals(alone.get(i % 12), results.get(i).get());
                }
            }
        }
    }

    @Test
    void shouldReadLongPromptsInPartsAndReuseTheirBeginnings() throws Exception {
        try (var model = TextGenerator.load(GOLDEN.resolve("llama"), EXACT);
                var other = TextGenerator.load(GOLDEN.resolve("llama"), EXACT)) {
            int[] prompt = {4, 4, 9, 28, 3, 11, 17, 20, 20, 7, 5, 6};
            var options = SamplingOptions.greedy().withMaxTokens(8).withIgnoresEnd(true).withLogProbabilities(true);
            for (int[] next : new int[][] {prompt, Arrays.copyOf(prompt, 5), prompt, {9, 9}, Arrays.copyOf(prompt, 7)}) {
                GeneratedText fresh;
                try (var third = TextGenerator.load(GOLDEN.resolve("llama"), EXACT)) {
                    fresh = third.generate(next, options);
                }
                GeneratedText reused = model.generate(next, options);
                assertArrayEquals(fresh.tokens(), reused.tokens());
                assertArrayEquals(fresh.logProbabilities(), reused.logProbabilities());
            }
        }
    }

    @Test
    void shouldGiveWholeCharactersAndEndWithStopTexts() throws IOException {
        Path path = withTokenizer("llama");
        try (var model = TextGenerator.load(path, EXACT)) {
            // The bytes of é, again and again.
            Map<Integer, Float> both = Map.of(7, 1e4f, 8, 1e4f);
            var options = SamplingOptions.greedy().withLogitBias(both).withMaxTokens(12).withPenalties(1, 0, 1e3f);
            var streamed = new StringBuilder();
            GeneratedText result = model.generate(PROMPT, options, (text, _) -> {
                streamed.append(text);
                return true;
            });
            assertEquals(result.text(), streamed.toString());
            assertEquals(result.text(), decoded(result.tokens()));
            var plain = model.generate(PROMPT, SamplingOptions.greedy().withMaxTokens(9).withIgnoresEnd(true));
            String text = plain.text();
            for (int from = 1; from < text.length() - 3; from++) {
                String stop = text.substring(from, from + 3);
                streamed.setLength(0);
                GeneratedText stopped = model.generate(PROMPT, SamplingOptions.greedy().withMaxTokens(9).withIgnoresEnd(true)
                        .withStops("never", stop), (piece, _) -> {
                            streamed.append(piece);
                            return true;
                        });
                assertEquals(text.substring(0, text.indexOf(stop)), stopped.text());
                assertEquals(stopped.text(), streamed.toString());
                assertEquals(Finish.STOP, stopped.finish());
            }
        }
    }

    private static String decoded(int[] tokens) {
        byte[] bytes = new byte[1000];
        int count = 0;
        for (int token : tokens) {
            if (token == 7 || token == 8) {
                bytes[count++] = (byte) (token == 7 ? 0xc3 : 0xa9);
            } else {
                for (char c : ("w" + token).toCharArray()) {
                    bytes[count++] = (byte) c;
                }
            }
        }
        return new String(bytes, 0, count, StandardCharsets.UTF_8);
    }

    @Test
    void shouldEndByTheEndTokenOrWhenTheListenerHasEnough() throws IOException {
        try (var model = TextGenerator.load(GOLDEN.resolve("llama"), EXACT)) {
            var options = SamplingOptions.greedy().withLogitBias(Map.of(2, 1e4f)); // </s>
            GeneratedText result = model.generate(PROMPT, options);
            assertArrayEquals(new int[] {2}, result.tokens());
            assertEquals(Finish.END, result.finish());
            assertEquals(3, model.generate(PROMPT, options.withIgnoresEnd(true).withMaxTokens(3)).tokens().length);
            int[] heard = {0};
            GeneratedText cut = model.generate(PROMPT, SamplingOptions.greedy().withIgnoresEnd(true), (_, _) -> ++heard[0] < 4);
            assertEquals(4, cut.tokens().length);
            assertEquals(Finish.CANCELLED, cut.finish());
            var e = assertThrows(UnsupportedOperationException.class, () -> model.generate("text", options));
            assertTrue(e.getMessage().contains("has no tokenizer.json"), e.getMessage());
        }
    }

    @Test
    void shouldAnswerChatsInTheModelsOwnForm() throws IOException {
        Path path = withTokenizer("llama");
        try (var model = TextGenerator.load(path, EXACT)) {
            var e = assertThrows(UnsupportedOperationException.class, () -> model.prompt(Chat.of(List.of(ChatMessage.user("w4")))));
            assertTrue(e.getMessage().endsWith("has no chat template"), e.getMessage());
        }
        Files.writeString(path.resolve("tokenizer_config.json"), "{\"chat_template\": \"{% for m in messages %}"
                + "{% if m.role == 'user' %}\u00e9{{ m.content }}{% elif m.role == 'tool' %}{{ raise_exception('no tools') }}"
                + "{% endif %}{% endfor %}{{ extra }}\"}");
        try (var model = TextGenerator.load(path, EXACT)) {
            List<ChatMessage> messages = List.of(ChatMessage.system("w1"), ChatMessage.user("\u00e9\u00e9"));
            assertEquals("\u00e9\u00e9\u00e9", model.prompt(Chat.of(messages)));
            assertEquals("\u00e9\u00e9\u00e9w9", model.prompt(Chat.of(messages).withVariables(Map.of("extra", "w9"))));
            var options = SamplingOptions.greedy().withMaxTokens(4).withIgnoresEnd(true);
            assertArrayEquals(model.generate("\u00e9\u00e9\u00e9", options).tokens(), model.chat(messages, options).tokens());
            assertEquals(6, model.chat(messages, options).promptTokens());
            var e = assertThrows(IllegalArgumentException.class, () -> model.chat(List.of(ChatMessage.tool("x")), options));
            assertTrue(e.getMessage().endsWith("refuses the messages: no tools"), e.getMessage());
        }
    }

    @Test
    void shouldStayUsableWhenAListenerThrows() throws IOException {
        try (var model = TextGenerator.load(GOLDEN.resolve("llama"), EXACT)) {
            var options = SamplingOptions.greedy().withMaxTokens(5).withIgnoresEnd(true);
            int[] before = model.generate(PROMPT, options).tokens();
            assertThrows(UnsupportedOperationException.class, () -> model.generate(PROMPT, options, (_, _) -> {
                throw new UnsupportedOperationException();
            }));
            assertArrayEquals(before, model.generate(PROMPT, options).tokens());
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFit() throws IOException {
        try (var model = TextGenerator.load(GOLDEN.resolve("llama"), EXACT.withContext(9))) {
            refused(() -> model.generate(new int[0], SamplingOptions.greedy()), "1 to 9 tokens", "0");
            refused(() -> model.generate(new int[10], SamplingOptions.greedy()), "1 to 9 tokens", "10");
            refused(() -> model.generate(new int[] {31}, SamplingOptions.greedy()), "vocabulary 31", "31");
            refused(() -> model.generate(PROMPT, SamplingOptions.greedy().withLogitBias(Map.of(31, 1f))),
                    "logit_bias", "31");
        }
        refused(() -> TextGenerator.load(GOLDEN.resolve("llama"), EXACT.withContext(33)), "at most the 32 tokens", "33");
        assertThrows(ModelNotFoundException.class, () -> TextGenerator.load(directory.resolve("nothing")));
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void refused(Action action, String expected, String got) {
        String message = assertThrows(IllegalArgumentException.class, action::run).getMessage();
        assertTrue(message.contains(expected) && message.endsWith("got " + got), message);
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    @Tag("slow")
    void shouldWriteTokensWithoutHeapAllocation(Backend backend) throws IOException {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Path path = withTokenizer("qwen3");
        Path config = path.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"max_position_embeddings\": 32",
                "\"max_position_embeddings\": 8192"));
        var engine = EngineOptions.defaults().withBackend(backend).withThreads(1);
        try (var model = TextGenerator.load(path, EXACT.withContext(4096).withEngineOptions(engine))) {
            var options = SamplingOptions.sampling(0.9f, 1).withTopK(20).withTopP(0.9f).withMinP(0.01f).withTypicalP(0.9f)
                    .withPenalties(1.1f, 0.1f, 0.1f).withLogProbabilities(true).withStops("\u0000never", "w1w1w1w1w1w1")
                    .withIgnoresEnd(true).withMaxTokens(2000);
            threads.getCurrentThreadAllocatedBytes();
            long bytes = -1;
            for (int round = 0; round < 30 && bytes != 0; round++) { // until all is compiled
                long[] allocated = new long[2];
                int[] count = {0};
                GeneratedText result = model.generate(PROMPT, options, (_, _) -> {
                    count[0]++;
                    if (count[0] == 500 || count[0] == 1500) {
                        allocated[count[0] / 1000] = threads.getCurrentThreadAllocatedBytes();
                    }
                    return true;
                });
                assertFalse(result.text().isEmpty());
                assertNotEquals(0, allocated[1]);
                bytes = allocated[1] - allocated[0];
            }
            assertEquals(0, bytes, "1000 tokens");
        }
    }
}
