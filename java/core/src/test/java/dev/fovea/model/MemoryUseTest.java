package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.EngineOptions;
import dev.fovea.TestEngine;
import dev.fovea.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bytes of models and sessions: what is packed, mapped, worked in and kept. */
class MemoryUseTest {
    private static final Path DECODER = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder", "golden", "llama");
    private static final EngineOptions ONE = EngineOptions.defaults().withThreads(1);

    @TempDir
    private Path directory;

    static List<TestEngine> engines() {
        return TestEngine.devices();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCountWhatAnEncoderTakes(TestEngine on) throws Exception {
        Path model = new TinyModel(1).write(directory);
        try (var engine = on.create(); var encoder = TextEncoder.load(model, EncoderOptions.defaults().withEngine(engine))) {
            MemoryUse loaded = encoder.memory();
            // Four products of hidden · hidden and two of hidden · intermediate to a layer, without padding.
            long products = TinyModel.LAYERS * 4L * (4 * TinyModel.HIDDEN * TinyModel.HIDDEN
                    + 2 * TinyModel.HIDDEN * TinyModel.INTERMEDIATE);
            assertTrue(loaded.weights() >= products && loaded.weights() < 3 * products, loaded + ", products " + products);
            assertEquals(Files.size(model.resolve("model.safetensors")), loaded.mapped());
            assertEquals(0, loaded.workspaces());
            assertEquals(0, loaded.caches());
            assertEquals(loaded.weights(), loaded.taken());
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldCountSessionsWhileTheyAreOpen(TestEngine on) throws Exception {
        Path model = new TinyModel(1).write(directory);
        try (var engine = on.create(); var encoder = TextEncoder.load(model, EncoderOptions.defaults().withEngine(engine))) {
            try (var session = encoder.newSession(); var other = encoder.newSession(); Arena arena = Arena.ofConfined()) {
                long fresh = session.workspaceBytes();
                assertTrue(fresh > 64L * TinyModel.HIDDEN * 4, fresh + " bytes");
                assertEquals(2 * fresh, encoder.memory().workspaces());
                MemorySegment offsets = arena.allocate(ValueLayout.JAVA_INT, 11);
                for (int i = 0; i < 11; i++) {
                    offsets.setAtIndex(ValueLayout.JAVA_INT, i, 20 * i);
                }
                session.encode(arena.allocate(ValueLayout.JAVA_INT, 200), offsets,
                        arena.allocate(ValueLayout.JAVA_FLOAT, 10L * encoder.dimension()));
                assertTrue(session.workspaceBytes() >= fresh + 128L * TinyModel.HIDDEN * Float.BYTES,
                        session.workspaceBytes() + " after " + fresh);
                assertEquals(session.workspaceBytes() + other.workspaceBytes(), encoder.memory().workspaces());
            }
            assertEquals(0, encoder.memory().workspaces());
            encoder.encode("w1");
            assertTrue(encoder.memory().workspaces() > 0, "a session waits for the next call");
        }
    }

    @Test
    void shouldCountCachesOfAnswers() throws Exception {
        var options = GeneratorOptions.defaults().withEngineOptions(ONE).withContext(32);
        try (var model = TextGenerator.load(DECODER, options); var wide = TextGenerator.load(DECODER, options.withCache(DType.F32))) {
            assertEquals(0, model.memory().caches());
            var greedy = SamplingOptions.greedy().withMaxTokens(1);
            model.generate(new int[] {5}, greedy);
            wide.generate(new int[] {5}, greedy);
            assertTrue(model.memory().caches() > 0);
            assertEquals(2 * model.memory().caches(), wide.memory().caches());
            assertEquals(Files.size(DECODER.resolve("model.safetensors")), model.memory().mapped());
        }
    }

    @Test
    void shouldSayWhatThingsAre() throws Exception {
        Path tiny = new TinyModel(1).write(directory.resolve("tiny"));
        try (var encoder = TextEncoder.load(tiny, EncoderOptions.defaults().withEngineOptions(ONE));
                var session = encoder.newSession();
                var model = TextGenerator.load(DECODER, GeneratorOptions.defaults().withEngineOptions(ONE))) {
            String engine = encoder.engine().backend() + " engine (" + encoder.engine().isa() + ", 1 thread)";
            assertEquals(engine, encoder.engine().toString());
            assertEquals("TextEncoder[tiny, 33 dimensions, mean, F32, " + engine + "]", encoder.toString());
            assertEquals("EncoderSession[tiny, " + session.workspaceBytes() + " bytes]", session.toString());
            assertTrue(model.toString().matches("TextGenerator\\[llama, \\d+ tokens, .* engine \\(.*\\)]"), model.toString());
            String embedding = encoder.embedAll(List.of("w1 w2")).getFirst().toString();
            assertTrue(embedding.matches("TextEmbedding\\[4 tokens, 33 components: (-?\\d\\.\\d{4}, ){3}…]"), embedding);
            String answer = model.generate(new int[] {5, 9}, SamplingOptions.greedy().withMaxTokens(3).withIgnoresEnd(true)).toString();
            assertEquals("GeneratedText[\"\", 3 tokens behind 2, LENGTH]", answer);
        }
        assertEquals("SparseVector[4 terms: 1 0.5000, 3 1.2500, 7 0.1000, …]",
                new SparseEncoder.SparseVector(new int[] {1, 3, 7, 9}, new float[] {0.5f, 1.25f, 0.1f, 1}).toString());
        assertEquals("GeneratedText[\"a\\nb\", 1 tokens behind 2, END]",
                new GeneratedText("a\nb", new int[1], new float[0], 2, GeneratedText.Finish.END).toString());
    }
}
