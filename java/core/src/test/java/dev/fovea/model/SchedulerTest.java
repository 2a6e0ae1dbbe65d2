package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.EmulatedGpu;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.generation.SchedulerOptions;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many callers of one small random model: each hears what it would hear alone, and in its turn. */
@Timeout(value = 2, unit = TimeUnit.HOURS)
class SchedulerTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder", "golden");
    private static final int VOCABULARY = 31;
    private static final int CONTEXT = 320;
    private static final int SCHEDULES = Integer.getInteger("fovea.soak.schedules", 100);
    private static final List<Engine> ENGINES = new ArrayList<>();
    private static final ExecutorService CALLERS = Executors.newCachedThreadPool();

    @TempDir
    private static Path directory;

    /** One that somebody may ask for, and what comes of it alone, its prompt read at once. */
    private record Question(int[] prompt, SamplingOptions options, GeneratedText alone) {}

    @BeforeAll
    static void open() {
        for (int threads : new int[] {1, 2, 4}) {
            ENGINES.add(Engine.create(EngineOptions.defaults().withThreads(threads)));
        }
    }

    @AfterAll
    static void close() {
        CALLERS.shutdownNow();
        ENGINES.forEach(Engine::close);
    }

    /** A model that reads more tokens than the golden one. */
    static Path model(String name, Path directory) throws IOException {
        Path made = Files.createDirectories(directory.resolve(name));
        if (Files.exists(made.resolve("config.json"))) {
            return made;
        }
        Files.copy(GOLDEN.resolve(name).resolve("model.safetensors"), made.resolve("model.safetensors"));
        String config = Files.readString(GOLDEN.resolve(name).resolve("config.json"));
        String longer = config.replaceAll("\"max_position_embeddings\": \\d+", "\"max_position_embeddings\": 8192");
        Files.writeString(made.resolve("config.json"), longer);
        return made;
    }

    private static Path model(String name) throws IOException {
        return model(name, directory);
    }

    private static GeneratorOptions options(Engine engine) {
        return GeneratorOptions.defaults().withWeights(WeightType.F32).withCache(DType.F32).withContext(CONTEXT).withEngine(engine);
    }

    private static SchedulerOptions whole() {
        return new SchedulerOptions(64, CONTEXT, CONTEXT, false, 0);
    }

    private static List<Question> questions(Path path, GeneratorOptions kept, Random random, int count) throws IOException {
        List<Question> questions = new ArrayList<>();
        int[] base = random.ints(270, 0, VOCABULARY).toArray();
        try (var model = TextGenerator.load(path, kept.withEngine(ENGINES.getFirst()).withConcurrency(1), whole())) {
            for (int i = 0; i < count; i++) {
                int shared = random.nextInt(3) > 0 ? random.nextInt(base.length) : 0;
                int[] prompt = Arrays.copyOf(base, shared + 1 + random.nextInt(CONTEXT - shared) * random.nextInt(2));
                for (int j = shared; j < prompt.length; j++) {
                    prompt[j] = random.nextInt(VOCABULARY);
                }
                var greedy = SamplingOptions.greedy().withMaxTokens(1 + random.nextInt(30)).withLogProbabilities(true)
                        .withIgnoresEnd(random.nextInt(4) > 0);
                SamplingOptions options = switch (random.nextInt(3)) {
                    case 0 -> greedy;
                    case 1 -> greedy.withTemperature(1.5f).withSeed(random.nextLong()).withTopP(0.95f);
                    default -> greedy.withTemperature(0.3f).withSeed(random.nextLong()).withPenalties(1.1f, 0.1f, 0.2f);
                };
                questions.add(new Question(prompt, options, model.generate(prompt, options)));
            }
        }
        return questions;
    }

    /** What may be done to a request. */
    private static void ask(TextGenerator model, Question question, Random random) throws Exception {
        int enough = random.nextInt(4) == 0 ? random.nextInt(20) : Integer.MAX_VALUE;
        RequestOptions request = RequestOptions.defaults().withPriority(random.nextInt(3));
        if (random.nextInt(8) == 0) {
            request = request.withTimeLimit(Duration.ofNanos(random.nextInt(20_000_000)));
        }
        Thread caller = Thread.currentThread();
        Future<?> interruption = random.nextInt(8) > 0 ? null : CALLERS.submit(() -> {
            Thread.sleep(random.nextInt(10));
            caller.interrupt();
            return null;
        });
        int[] heard = {0};
        GeneratedText text = model.generate(question.prompt, question.options, request, (_, token) -> {
            heard[0] += token >= 0 ? 1 : 0;
            if (random.nextInt(50) == 0) {
                Thread.yield();
            }
            return heard[0] < enough;
        });
        if (interruption != null) {
            while (!interruption.isDone() && !Thread.interrupted()) {
                Thread.onSpinWait();
            }
            Thread.interrupted();
        }
        GeneratedText alone = question.alone;
        boolean whole = text.finish() != Finish.CANCELLED && text.finish() != Finish.TIMEOUT;
        int count = text.tokens().length;
        assertTrue(count <= alone.tokens().length);
        assertArrayEquals(Arrays.copyOf(alone.tokens(), count), text.tokens());
        assertArrayEquals(Arrays.copyOf(alone.logProbabilities(), count), text.logProbabilities());
        if (whole) {
            assertEquals(alone.finish(), text.finish());
            assertEquals(alone.tokens().length, count);
        } else if (text.finish() == Finish.CANCELLED && interruption == null) {
            assertEquals(enough == 0 ? 1 : enough, count);
        }
    }

    @Test
    void shouldWriteTheSameInAnySchedule() throws Exception {
        long seed = Long.getLong("fovea.soak.seed", 1);
        for (int round = 0; round < SCHEDULES; round += 20) {
            var random = new Random(seed + round);
            boolean wide = random.nextBoolean();
            Path path = wide ? WideDecoder.write(directory.resolve("wide"))
                    : model(List.of("qwen3", "llama", "gemma3", "phi3").get(random.nextInt(4)));
            WeightType weights = wide ? WeightType.values()[random.nextInt(WeightType.values().length)]
                    : List.of(WeightType.F32, WeightType.BF16, WeightType.INT8).get(random.nextInt(3));
            Layout cache = List.of(Layout.F32, Layout.F16, Layout.BF16, Layout.Q8_0).get(random.nextInt(wide ? 4 : 3));
            GeneratorOptions kept = options(ENGINES.getFirst()).withWeights(weights).withCache(cache);
            List<Question> questions = questions(path, kept, random, 12);
            for (int i = round; i < Math.min(round + 20, SCHEDULES); i++) {
                runSchedule(path, kept, questions, seed + i);
            }
        }
    }

    private static void runSchedule(Path path, GeneratorOptions kept, List<Question> questions, long seed) throws Exception {
        var random = new Random(seed);
        int chunk = List.of(1, 7, 32, 256).get(random.nextInt(4));
        var scheduling = new SchedulerOptions(64, chunk, 1 + random.nextInt(chunk), random.nextBoolean(),
                random.nextBoolean() ? 0 : 1 + random.nextInt(5));
        int concurrency = 1 + random.nextInt(5);
        GeneratorOptions options = kept.withEngine(ENGINES.get(random.nextInt(3))).withConcurrency(concurrency)
                .withCacheTokens(1 + random.nextInt(1500));
        if (random.nextInt(3) == 0) { // of the same vocabulary, and of weights of its own or not
            options = options.withSpeculation(Speculation.model(random.nextBoolean() || path.endsWith("wide") ? path : model("mistral"),
                    Math.max(1, scheduling.drafts())));
        }
        run(path, questions, seed, random, options, scheduling);
    }

    private static void run(Path path, List<Question> questions, long seed, Random random, GeneratorOptions options,
            SchedulerOptions scheduling) throws Exception {
        try (var model = TextGenerator.load(path, options, scheduling)) {
            List<Callable<Void>> callers = new ArrayList<>();
            for (int c = 1 + random.nextInt(7); c > 0; c--) {
                long own = random.nextLong();
                callers.add(() -> {
                    var ownRandom = new Random(own);
                    for (int n = 1 + ownRandom.nextInt(3); n > 0; n--) {
                        ask(model, questions.get(ownRandom.nextInt(questions.size())), ownRandom);
                    }
                    return null;
                });
            }
            for (Future<Void> result : CALLERS.invokeAll(callers, 2, TimeUnit.MINUTES)) { // else somebody is stuck
                try {
                    result.get();
                } catch (Exception e) {
                    throw new AssertionError("seed " + seed + ", " + options + ", " + scheduling, e);
                }
            }
        }
    }

    @Test
    void shouldRefuseMoreCallersThanMayWait() throws Exception {
        try (var model = TextGenerator.load(model("llama"), options(ENGINES.getFirst()).withConcurrency(1).withQueue(1))) {
            var inside = new CountDownLatch(1);
            var goOn = new CountDownLatch(1);
            var options = SamplingOptions.greedy().withMaxTokens(3).withIgnoresEnd(true);
            Future<GeneratedText> first = CALLERS.submit(() -> model.generate(new int[] {5}, options, (_, _) -> {
                inside.countDown();
                return await(goOn);
            }));
            inside.await();
            // A slow listener keeps its place, but not others from theirs.
            var started = new CountDownLatch(1);
            Future<GeneratedText> second = CALLERS.submit(() -> model.generate(new int[] {6}, options, (_, _) -> {
                started.countDown();
                return await(goOn);
            }));
            started.await();
            var e = assertThrows(RejectedExecutionException.class, () -> model.generate(new int[] {7}, options));
            assertEquals("the model has 2 requests, as many as it takes: 1 that are written at once (concurrency) and 1 that "
                    + "wait (queue)", e.getMessage());
            goOn.countDown();
            assertEquals(3, first.get().tokens().length);
            assertEquals(3, second.get().tokens().length);
            assertEquals(3, model.generate(new int[] {7}, options).tokens().length);
        }
    }

    private static boolean await(CountDownLatch latch) {
        try {
            latch.await();
            return true;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldEndWhenTimeIsUpOrTheThreadIsInterrupted() throws Exception {
        try (var model = TextGenerator.load(model("llama"), options(ENGINES.getFirst()))) {
            var options = SamplingOptions.greedy().withMaxTokens(300).withIgnoresEnd(true);
            var now = RequestOptions.defaults().withTimeLimit(Duration.ZERO);
            GeneratedText late = model.generate(new int[] {5}, options, now, (_, _) -> true);
            assertEquals(Finish.TIMEOUT, late.finish());
            assertEquals(0, late.tokens().length);
            Thread.currentThread().interrupt();
            assertEquals(Finish.CANCELLED, model.generate(new int[] {5}, options).finish());
            assertTrue(Thread.interrupted());
            GeneratedText cut = model.generate(new int[] {5}, options, (_, token) -> {
                if (token >= 0) {
                    Thread.currentThread().interrupt();
                }
                return true;
            });
            assertEquals(1, cut.tokens().length);
            assertTrue(Thread.interrupted());
            var e = assertThrows(IllegalArgumentException.class,
                    () -> RequestOptions.defaults().withTimeLimit(Duration.ofSeconds(-1)));
            assertTrue(e.getMessage().endsWith("got PT-1S"), e.getMessage());
        }
    }

    @Test
    void shouldPreferHigherPriorities() throws Exception {
        try (var model = TextGenerator.load(model("llama"), options(ENGINES.getFirst()).withConcurrency(1))) {
            var options = SamplingOptions.greedy().withMaxTokens(200).withIgnoresEnd(true);
            int[] alone = model.generate(new int[] {5}, options).tokens();
            int[] whenUrgent = {-1};
            int[] heard = {0};
            Future<?>[] urgent = {null};
            GeneratedText slow = model.generate(new int[] {5}, options, (_, _) -> {
                heard[0]++;
                if (heard[0] == 5) {
                    urgent[0] = CALLERS.submit(() -> {
                        var high = RequestOptions.defaults().withPriority(1);
                        int[] tokens = model.generate(new int[] {6}, options.withMaxTokens(20), high, (_, _) -> true).tokens();
                        whenUrgent[0] = heard[0];
                        return tokens;
                    });
                    try {
                        urgent[0].get(); // it is written while this one has the only place
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                }
                return true;
            });
            assertEquals(5, whenUrgent[0]);
            assertArrayEquals(alone, slow.tokens());
        }
    }

    /** Logits of all sequences in every run, and no guesses. */
    @Test
    void shouldShareAGpu() throws Exception {
        EmulatedGpu.require();
        var sampling = SamplingOptions.greedy().withMaxTokens(4).withIgnoresEnd(true);
        int[] prompt = new Random(1).ints(140, 0, VOCABULARY).toArray();
        List<int[]> alone = new ArrayList<>();
        try (var model = TextGenerator.load(model("llama"), options(ENGINES.getFirst()))) {
            for (int i = 0; i < 3; i++) {
                alone.add(model.generate(Arrays.copyOf(prompt, 138 + i), sampling).tokens());
            }
        }
        try (Engine gpu = EmulatedGpu.engine();
                var model = TextGenerator.load(model("llama"), options(gpu).withConcurrency(2))) {
            List<Callable<int[]>> calls = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int[] own = Arrays.copyOf(prompt, 138 + i);
                calls.add(() -> model.generate(own, sampling).tokens());
            }
            var results = CALLERS.invokeAll(calls);
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(alone.get(i), results.get(i).get());
            }
            GeneratorSession session = model.newSession();
            session.append(prompt);
            session.save(directory.resolve("gpu.kv"));
            assertArrayEquals(prompt, model.restore(directory.resolve("gpu.kv")).tokens());
            var e = assertThrows(IllegalArgumentException.class, () -> TextGenerator.load(model("llama"),
                    options(gpu).withSpeculation(Speculation.promptLookup(3))));
            assertTrue(e.getMessage().contains("no speculation on the backend CUDA"), e.getMessage());
        }
    }

    @Test
    void shouldFinishWhatIsWrittenWhenItIsClosed() throws Exception {
        var model = TextGenerator.load(model("llama"), options(ENGINES.get(1)));
        var options = SamplingOptions.greedy().withMaxTokens(200).withIgnoresEnd(true);
        var inside = new CountDownLatch(3);
        List<Future<GeneratedText>> results = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int[] heard = {0};
            results.add(CALLERS.submit(() -> model.generate(new int[] {5}, options, (_, _) -> {
                if (heard[0]++ == 0) {
                    inside.countDown();
                }
                return true;
            })));
        }
        inside.await();
        model.close();
        for (Future<GeneratedText> result : results) {
            assertEquals(200, result.get().tokens().length);
        }
        assertThrows(IllegalStateException.class, () -> model.generate(new int[] {5}, options));
    }
}
