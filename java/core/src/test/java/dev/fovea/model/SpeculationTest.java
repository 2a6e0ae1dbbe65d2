package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratedText.Finish;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Guesses change how many runs a text takes, and nothing of it. */
class SpeculationTest {
    private static final SamplingOptions GREEDY = SamplingOptions.greedy().withMaxTokens(40).withIgnoresEnd(true)
            .withLogProbabilities(true);
    private static Engine engine;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void open() {
        engine = Engine.create(EngineOptions.defaults().withThreads(1));
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static Path model(String name) throws Exception {
        return SchedulerTest.model(name, directory);
    }

    private static GeneratorOptions options() {
        return GeneratorOptions.defaults().withContext(200).withEngine(engine);
    }

    private static List<SamplingOptions> samplings() {
        return List.of(GREEDY, GREEDY.withPenalties(1.3f, 0.1f, 0.2f), GREEDY.withMaxTokens(1),
                GREEDY.withTemperature(0.2f).withSeed(3), GREEDY.withTemperature(1.2f).withSeed(4).withTopP(0.9f).withTopK(9),
                GREEDY.withIgnoresEnd(false).withTemperature(3).withSeed(5), GREEDY.withMaxTokens(1000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3", "gemma2", "llama", "phi3"})
    void shouldWriteTheSame(String name) throws Exception {
        List<Speculation> all = new ArrayList<>(List.of(Speculation.promptLookup(1), Speculation.promptLookup(7)));
        for (int tokens : new int[] {1, 2, 5}) {
            all.add(Speculation.model(model(name), tokens));
            all.add(Speculation.model(model("mistral"), tokens));
        }
        int[] prompt = new Random(1).ints(60, 0, 6).toArray();
        List<GeneratedText> plain = new ArrayList<>();
        try (var model = TextGenerator.load(model(name), options())) {
            for (SamplingOptions sampling : samplings()) {
                plain.add(model.generate(prompt, sampling));
            }
        }
        assertEquals(Finish.CONTEXT, plain.getLast().finish());
        for (Speculation speculation : all) {
            try (var model = TextGenerator.load(model(name), options().withSpeculation(speculation))) {
                for (int i = 0; i < plain.size(); i++) {
                    GeneratedText text = model.generate(prompt, samplings().get(i));
                    String what = speculation + ", " + samplings().get(i);
                    assertArrayEquals(plain.get(i).tokens(), text.tokens(), what);
                    assertArrayEquals(plain.get(i).logProbabilities(), text.logProbabilities(), what);
                    assertEquals(plain.get(i).finish(), text.finish());
                }
            }
        }
    }

    @Test
    void shouldTakeFewerRunsWhereGuessesAreRight() throws Exception {
        int[] prompt = {4, 9, 2, 11, 6};
        // A model that guesses what it would write itself: 5 tokens a run, behind one for the prompt.
        try (var model = TextGenerator.load(model("qwen3"), options().withSpeculation(Speculation.model(model("qwen3"), 4)))) {
            model.generate(prompt, GREEDY);
            assertEquals(1 + 8, model.runs());
            List<Callable<GeneratedText>> calls = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int[] own = {i, 9, 2, 11, 6};
                calls.add(() -> model.generate(own, GREEDY));
            }
            long before = model.runs();
            try (var callers = Executors.newFixedThreadPool(4)) {
                for (Future<GeneratedText> text : callers.invokeAll(calls)) {
                    assertEquals(40, text.get().tokens().length);
                }
            }
            assertTrue(model.runs() - before <= 4 * 9, "runs " + (model.runs() - before));
        }
        try (var model = TextGenerator.load(model("qwen3"), options().withSpeculation(Speculation.promptLookup(7)))) {
            var repeating = GREEDY.withLogitBias(Map.of(7, 1e4f));
            assertEquals(40, model.generate(prompt, repeating).tokens().length);
            assertTrue(model.runs() < 16, "runs " + model.runs());
            // Where guesses are wrong, few are made, and none twice.
            long before = model.runs();
            model.generate(prompt, GREEDY.withTemperature(100).withSeed(8));
            assertTrue(model.runs() - before <= 40);
        }
    }

    @Test
    void shouldRefuseWhatCannotGuess() throws Exception {
        var e = assertThrows(IllegalArgumentException.class, () -> Speculation.promptLookup(0));
        assertTrue(e.getMessage().endsWith("1 to 64 tokens, got 0"), e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> Speculation.model(Path.of("x"), 65));
        assertTrue(e.getMessage().endsWith("got 65"), e.getMessage());
        assertThrows(ModelNotFoundException.class, () -> TextGenerator.load(model("qwen3"),
                options().withSpeculation(Speculation.model(directory.resolve("nothing"), 3))));
        e = assertThrows(IllegalArgumentException.class, () -> options().withConcurrency(0));
        assertTrue(e.getMessage().endsWith("at least 1, got 0"), e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> options().withQueue(-1));
        assertTrue(e.getMessage().endsWith("got -1"), e.getMessage());
        e = assertThrows(IllegalArgumentException.class, () -> options().withCacheTokens(-1));
        assertTrue(e.getMessage().endsWith("got -1"), e.getMessage());
    }

    /** Three callers share the runs, which guess. */
    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    @Tag("slow")
    void shouldMakeNoGarbageForATokenWhoeverLeads(Backend backend) throws Exception {
        var engineOptions = EngineOptions.defaults().withBackend(backend).withThreads(1);
        for (Speculation speculation : List.of(Speculation.promptLookup(3), Speculation.model(model("mistral"), 2))) {
            var options = GeneratorOptions.defaults().withContext(2048).withEngineOptions(engineOptions)
                    .withSpeculation(speculation);
            try (var model = TextGenerator.load(model("qwen3"), options); var callers = Executors.newFixedThreadPool(3)) {
                long bytes = -1;
                for (int round = 0; round < 40 && bytes != 0; round++) { // until all is compiled
                    List<Callable<Long>> calls = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        int own = i;
                        calls.add(() -> allocated(model, own));
                    }
                    bytes = 0;
                    for (Future<Long> one : callers.invokeAll(calls)) {
                        bytes += one.get();
                    }
                }
                assertEquals(0, bytes, "3 × 300 tokens, " + speculation);
            }
        }
    }

    private static long allocated(TextGenerator model, int own) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var options = SamplingOptions.sampling(0.7f, own).withTopK(20).withStops("\u0000never").withIgnoresEnd(true)
                .withMaxTokens(500);
        long[] seen = new long[2];
        int[] count = {0};
        threads.getCurrentThreadAllocatedBytes();
        GeneratedText text = model.generate(new int[] {own, 4, 9, 4, 9}, options, (_, _) -> {
            count[0]++;
            if (count[0] == 100 || count[0] == 400) {
                seen[count[0] / 400] = threads.getCurrentThreadAllocatedBytes();
            }
            return true;
        });
        assertFalse(text.tokens().length < 500);
        return seen[1] - seen[0];
    }
}
