package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.CallListener;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.HeapAllocation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the listener of an engine hears of calls: each once, with its numbers. */
class CallListenerTest {
    private static final Path DECODER = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder", "golden", "llama");

    @TempDir
    private Path directory;

    /** Writes down what it hears, and checks the times. */
    private static final class Heard implements CallListener {
        private final List<String> calls = new ArrayList<>();
        private RuntimeException thrown;

        @Override
        public void encoded(String model, int sequences, long tokens, long queueNanos, long runNanos) {
            assertTrue(queueNanos >= 0 && runNanos > 0, queueNanos + " " + runNanos);
            add("encoded " + sequences + " of " + tokens);
        }

        @Override
        public void generated(String model, int promptTokens, int keptTokens, int writtenTokens, long queueNanos,
                long firstNanos, long runNanos) {
            assertTrue(queueNanos >= 0 && firstNanos > 0 && runNanos >= firstNanos, queueNanos + " " + firstNanos + " " + runNanos);
            add(model + " generated " + promptTokens + " " + keptTokens + " " + writtenTokens);
        }

        @Override
        public void failed(String model, Throwable failure, long queueNanos, long runNanos) {
            assertTrue(queueNanos >= 0 && runNanos > 0, queueNanos + " " + runNanos);
            add("failed " + failure.getClass().getSimpleName());
        }

        private void add(String call) {
            calls.add(call);
            if (thrown != null) {
                throw thrown;
            }
        }

        List<String> take() {
            List<String> taken = List.copyOf(calls);
            calls.clear();
            return taken;
        }

        EngineOptions options() {
            return EngineOptions.defaults().withThreads(1).withListener(this);
        }
    }

    private final Heard heard = new Heard();

    private EncoderOptions encoderOptions() {
        return EncoderOptions.defaults().withEngineOptions(heard.options());
    }

    @Test
    void shouldHearOfTextsOnceForEachCall() throws Exception {
        try (var encoder = TextEncoder.load(new TinyModel(1).write(directory), encoderOptions())) {
            encoder.encode("w1 w2 w3");
            assertEquals(List.of("encoded 1 of 5"), heard.take());
            // 150 · 15 tokens are two batches, and one call.
            encoder.encodeAll(Collections.nCopies(150, "w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13"));
            assertEquals(List.of("encoded 150 of 2250"), heard.take());
            encoder.encodeAll(List.of());
            assertEquals(List.of("encoded 0 of 0"), heard.take());
        }
    }

    @Test
    void shouldHearOfTokenIds() throws Exception {
        try (var encoder = TextEncoder.load(new TinyModel(1).write(directory), encoderOptions());
                var session = encoder.newSession();
                Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, 2L * encoder.dimension());
            session.encode(ints(arena, 2, 7, 3, 2, 8, 9, 3), ints(arena, 0, 3, 7), out);
            assertEquals(List.of("encoded 2 of 7"), heard.take());
            assertThrows(IllegalArgumentException.class, () -> session.encode(ints(arena, 2, 7777, 3), ints(arena, 0, 3), out));
            assertEquals(List.of("failed IllegalArgumentException"), heard.take());
        }
    }

    @Test
    void shouldHearOfPairsAndHeads() throws Exception {
        var tiny = new TinyModel(1);
        tiny.addScores();
        tiny.write(directory);
        try (var reranker = Reranker.load(directory, encoderOptions())) {
            reranker.score("w1 w2", List.of("w3", "w4 w5"));
            assertEquals(List.of("encoded 2 of 7"), heard.take());
        }
        try (var classifier = TextClassifier.load(directory, encoderOptions())) {
            classifier.classifyAll(List.of("w1", "w2 w3", "w4"));
            assertEquals(List.of("encoded 3 of 10"), heard.take());
        }
    }

    @Test
    void shouldHearWhatAnAnswerReadAndWrote() throws Exception {
        var options = GeneratorOptions.defaults().withEngineOptions(heard.options());
        var greedy = SamplingOptions.greedy().withMaxTokens(4).withIgnoresEnd(true);
        try (var model = TextGenerator.load(DECODER, options)) {
            model.generate(new int[] {5, 9, 17, 3}, greedy);
            model.generate(new int[] {5, 9, 17, 8, 1}, greedy);
            assertEquals(List.of("llama generated 4 0 4", "llama generated 5 3 4"), heard.take());
            assertThrows(IllegalStateException.class, () -> model.generate(new int[] {5}, greedy, (_, _) -> {
                throw new IllegalStateException("no more");
            }));
            assertEquals(List.of("failed IllegalStateException"), heard.take());
        }
    }

    @Test
    void shouldGiveTheCallerWhatAListenerThrows() throws Exception {
        try (var encoder = TextEncoder.load(new TinyModel(1).write(directory),
                encoderOptions().withLengthPolicy(LengthPolicy.ERROR))) {
            heard.thrown = new IllegalStateException("of the listener");
            assertSame(heard.thrown, assertThrows(IllegalStateException.class, () -> encoder.encode("w1")));
            assertEquals(List.of("encoded 1 of 3"), heard.take(), "not told as a failure of the call");
            // Of a call that failed by itself, the caller gets that.
            var failure = assertThrows(IllegalArgumentException.class, () -> encoder.encode("w1 ".repeat(40)));
            assertSame(heard.thrown, failure.getSuppressed()[0]);
            heard.thrown = null;
            encoder.encode("w1");
            assertEquals(List.of("failed IllegalArgumentException", "encoded 1 of 3"), heard.take());
        }
    }

    @Test
    void shouldHearOfAllModelsOfAnEngine() throws Exception {
        Path model = new TinyModel(1).write(directory);
        try (Engine engine = Engine.create(heard.options());
                var one = TextEncoder.load(model, EncoderOptions.defaults().withEngine(engine));
                var other = TextEncoder.load(model, EncoderOptions.defaults().withEngine(engine))) {
            one.encode("w1");
            other.encode("w1 w2");
            assertEquals(List.of("encoded 1 of 3", "encoded 1 of 4"), heard.take());
        }
    }

    /** Counts without an object for each call. */
    private static final class Counter implements CallListener {
        private long tokens;

        @Override
        public void encoded(String model, int sequences, long tokens, long queueNanos, long runNanos) {
            this.tokens += tokens;
        }
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    @Tag("slow")
    void shouldAllocateNothingWithAListener(Backend backend) throws Exception {
        var counter = new Counter();
        var engine = EngineOptions.defaults().withThreads(1).withBackend(backend).withListener(counter);
        try (var encoder = TextEncoder.load(new TinyModel(1).write(directory), EncoderOptions.defaults().withEngineOptions(engine));
                var session = encoder.newSession();
                Arena arena = Arena.ofConfined()) {
            MemorySegment ids = ints(arena, 2, 7, 3, 2, 8, 9, 3);
            MemorySegment offsets = ints(arena, 0, 3, 7);
            MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT, 2L * encoder.dimension());
            HeapAllocation.requireNone(20_000, 1000, () -> session.encode(ids, offsets, out));
            assertTrue(counter.tokens >= 21_000 * 7L, () -> counter.tokens + " tokens");
        }
    }

    private static MemorySegment ints(Arena arena, int... values) {
        return arena.allocateFrom(ValueLayout.JAVA_INT, values);
    }
}
