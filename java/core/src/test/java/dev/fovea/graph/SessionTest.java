package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.RecordingEngine;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SessionTest {
    private static final int VOCABULARY = Bert.small().vocabulary();

    static List<Engine> engines() {
        return Engines.all();
    }

    /**
     * All but the Vector API, whose vectors the JIT may leave on the heap, the one that records, and the emulated GPU,
     * which is too slow for as many runs.
     */
    static List<Engine> enginesWithoutGarbage() {
        return Engines.cpus().stream()
                .filter(engine -> engine.backend() != Backend.VECTOR && !(engine instanceof RecordingEngine)).toList();
    }

    static List<Engine> cpus() {
        return Engines.cpus();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldComputeWhatTheFormulasSay(Engine engine) {
        for (Pooling pooling : Pooling.values()) {
            try (Arena arena = Arena.ofConfined()) {
                Graph graph = new Bert(2, 40, 4, 72, VOCABULARY, 64, pooling).graph(arena);
                requireClose(graph, engine, Batch.random(3, VOCABULARY, 1, 17, 0, 64, 5), 1e-5, pooling.name());
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldComputeWhatTheFormulasSayOnRandomGraphs(Engine engine) {
        var batch = Batch.random(5, RandomGraph.VOCABULARY, 7, 0, 1, 13, RandomGraph.POSITIONS);
        for (long seed = 0; seed < (engine.backend() == Backend.CUDA ? 40 : 150); seed++) {
            try (Arena arena = Arena.ofConfined()) {
                requireClose(RandomGraph.of(seed, arena), engine, batch, 1e-4, "seed " + seed);
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveTheSameBitsAloneAndInABatch(Engine engine) {
        var batch = Batch.random(11, VOCABULARY, 3, 1, 64, 9, 31, 16, 7, 33, 12);
        try (Arena arena = Arena.ofConfined();
                Plan plan = Plan.compile(Bert.small().graph(arena), engine);
                Session session = plan.newSession(300, 16);
                Session narrow = plan.newSession(64, 1)) {
            float[][] together = batch.run(session, 0);
            float[][] reversed = new Batch(batch.sequences().reversed()).run(session, 0);
            for (int i = 0; i < together.length; i++) {
                float[] alone = new Batch(List.of(batch.sequences().get(i))).run(narrow, 0)[0];
                assertArrayEquals(alone, together[i], "alone, sequence " + i);
                assertArrayEquals(reversed[together.length - 1 - i], together[i], "reversed, sequence " + i);
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldNotCareWhatARunBeforeLeftInTheWorkspace(Engine engine) {
        var batch = Batch.random(1, VOCABULARY, 5, 8);
        try (Arena arena = Arena.ofConfined();
                Plan plan = Plan.compile(Bert.small().graph(arena), engine);
                Session session = plan.newSession(100, 4)) {
            float[][] first = batch.run(session, 0);
            Batch.random(2, VOCABULARY, 60, 0, 40).run(session, 0);
            float[][] again = batch.run(session, 0);
            assertArrayEquals(first, again);
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("enginesWithoutGarbage")
    @Timeout(120)
    void shouldAllocateNothingWhenWarm(Engine engine) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Arena arena = Arena.ofConfined();
                Plan plan = Plan.compile(Bert.small().graph(arena), engine);
                Session session = plan.newSession(32, 4)) {
            Batch.random(1, VOCABULARY, 5, 8, 11).writeTo(session);
            threads.getCurrentThreadAllocatedBytes();
            int quietRounds = 0;
            while (quietRounds < 3) { // the timeout ends a loop whose calls go on to allocate
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 200; i++) {
                    session.run(3);
                }
                quietRounds = threads.getCurrentThreadAllocatedBytes() == before ? quietRounds + 1 : 0;
            }
        }
    }

    @Test
    void shouldRunAnEmptyBatch() {
        try (Arena arena = Arena.ofConfined();
                Plan plan = Plan.compile(Bert.small().graph(arena), Engines.java());
                Session session = plan.newSession(8, 2)) {
            assertEquals(0, new Batch(List.of()).run(session, 0).length);
            assertArrayEquals(new float[2][40], new Batch(List.of(new int[0], new int[0])).run(session, 0));
        }
    }

    @Test
    void shouldGiveTheSameBitsAfterItGrew() {
        var batch = Batch.random(1, VOCABULARY, 5, 8);
        try (Arena arena = Arena.ofConfined();
                Plan plan = Plan.compile(Bert.small().graph(arena), Engines.java());
                Session session = plan.newSession(13, 2)) {
            float[][] before = batch.run(session, 0);
            session.ensureCapacity(5, 1);
            assertEquals(13, session.maxTokens());
            session.ensureCapacity(20, 1);
            assertEquals(20, session.maxTokens());
            assertEquals(2, session.maxSequences());
            session.ensureCapacity(1, 9);
            assertEquals(20, session.maxTokens());
            assertEquals(9, session.maxSequences());
            assertArrayEquals(before, batch.run(session, 0));
        }
    }

    @Test
    void shouldDescribeThePlan() {
        try (Arena arena = Arena.ofConfined(); Plan plan = Plan.compile(Bert.small().graph(arena), Engines.java())) {
            List<String> lines = plan.toString().lines().toList();

            assertTrue(lines.get(2).startsWith("\"query\" [tokens, 40] \"key\" [tokens, 40] \"value\" [tokens, 40]"
                    + " = linear bias \"embedding norm\" @"), lines.get(2));
            assertEquals("weights: " + plan.weightBytes() + " bytes", lines.get(lines.size() - 2));
            assertTrue(lines.getLast().startsWith("workspace: " + plan.workspaceBytesPerToken() + " bytes per token, "
                    + plan.workspaceBytesPerSequence() + " per sequence"), lines.getLast());
        }
    }

    private static void requireClose(Graph graph, Engine engine, Batch batch, double tolerance, String label) {
        List<double[][]> expected = Reference.evaluate(graph, batch.ids(), batch.offsets());
        try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(200, 9)) {
            for (int output = 0; output < expected.size(); output++) {
                requireClose(expected.get(output), batch.run(session, output), tolerance,
                        label + ", output " + output + " of\n" + plan);
            }
        }
    }

    /** Differences count relative to the largest element of the row, or to 1. */
    private static void requireClose(double[][] expected, float[][] actual, double tolerance, String label) {
        assertEquals(expected.length, actual.length, label);
        for (int r = 0; r < expected.length; r++) {
            double largest = 1;
            for (double element : expected[r]) {
                largest = Math.max(largest, Math.abs(element));
            }
            for (int c = 0; c < expected[r].length; c++) {
                assertEquals(expected[r][c], actual[r][c], tolerance * largest, label + "\nat " + r + ", " + c);
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("cpus")
    void shouldKeepWeightsInHalfOrAQuarterOfTheMemory(Engine engine) {
        try (Arena arena = Arena.ofConfined()) {
            Graph.Builder g = Graph.builder();
            Tensor words = Tensor.allocate(arena, DType.F32, Shape.of(3, 384));
            Value x = g.embedding(words, null, 0, null);
            Graph graph = g.build(g.pool(
                    g.linear(x, Tensor.allocate(arena, DType.F32, Shape.of(1536, 384)), null), Pooling.MEAN));
            long weights = 1536 * 384;
            requireBytes(4 * weights, 0, weightBytes(graph, engine, DType.F32));
            requireBytes(2 * weights, 0, weightBytes(graph, engine, DType.BF16));
            requireBytes(weights, 1536 * 8, weightBytes(graph, engine, DType.I8));
        }
    }

    /** A kernel may want a cache line behind the weights. */
    private static void requireBytes(long weights, long scales, long bytes) {
        assertTrue(bytes >= weights && bytes <= weights + scales + 64, "expected " + weights + ", got " + bytes);
    }

    private static long weightBytes(Graph graph, Engine engine, DType weights) {
        try (Plan plan = Plan.compile(graph, engine, weights)) {
            return plan.weightBytes();
        }
    }
}
