package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Pooling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows of spans are those that each span's tokens have as the end of a sequence. */
class SpansTest {
    private static final int VOCABULARY = 23;
    private static final int WIDTH = 16;
    private static final AttentionSpec CAUSAL = AttentionSpec.of(4, 4).withKvHeads(2).withMask(Mask.causal());

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void close() {
        arena.close();
    }

    static List<Engine> engines() {
        return Engines.all().stream().filter(engine -> Plan.compile(Bert.small().graph(Arena.ofAuto()), engine).takesSpans())
                .toList();
    }

    /** Logits behind the last tokens. */
    private Graph graph() {
        var g = Graph.builder();
        var weights = new RandomWeights(arena, new Random(4));
        Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), null, 0, null);
        Value q = g.linear(x, weights.matrix(WIDTH, WIDTH), null);
        Value k = g.linear(x, weights.matrix(8, WIDTH), null);
        Value mixed = g.attention(q, k, g.linear(x, weights.matrix(8, WIDTH), null), CAUSAL, g.caches().slot(CAUSAL));
        return g.build(g.linear(g.pool(g.add(x, mixed), Pooling.LAST), weights.matrix(VOCABULARY, WIDTH), null));
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveEachSpanTheRowOfItsLastToken(Engine engine) {
        var batch = Batch.random(1, VOCABULARY, 5, 0, 1, 9);
        Graph graph = graph();
        try (Plan plan = Plan.compile(graph, engine);
                CacheSet set = graph.caches().getFirst().create(engine, 4, 20);
                CacheSet alone = graph.caches().getFirst().create(engine, 1, 20);
                Session session = plan.newSession(16, 7, List.of(set));
                Session single = plan.newSession(16, List.of(alone))) {
            int[] ends = {3, 4, 5, 6, 6, 13};
            batch.writeTo(session);
            Batch.write(session.spans(), 0, 3, 4, 5, 6, 6, 13);
            session.runSpans(4, 6);
            int[] ids = batch.ids();
            for (int span = 0; span < ends.length; span++) {
                int end = ends[span];
                int start = end <= 5 ? 0 : end == 6 ? 5 : 6;
                float[] expected = new float[VOCABULARY];
                if (span != 4) { // an empty one gives 0
                    alone.reset();
                    expected = new Batch(List.of(Arrays.copyOfRange(ids, start, end))).run(single, 0)[0];
                }
                float[] row = new float[VOCABULARY];
                MemorySegment.copy(session.output().segment(), ValueLayout.JAVA_FLOAT,
                        span * session.output().stride(0) * Float.BYTES, row, 0, row.length);
                assertArrayEquals(expected, row, "span " + span);
            }
            assertEquals(9, set.length(3));
            // As many rows as sequences, if nothing else is said; and none.
            batch.writeTo(session);
            session.runSpans(4, 0);
            set.reset();
            session.run(4);
            float[] last = new float[VOCABULARY];
            MemorySegment.copy(session.output().segment(), ValueLayout.JAVA_FLOAT,
                    3 * session.output().stride(0) * Float.BYTES, last, 0, last.length);
            alone.reset();
            assertArrayEquals(new Batch(List.of(Arrays.copyOfRange(ids, 6, 15))).run(single, 0)[0], last);
        }
    }

    @Test
    void shouldRefuseSpansThatDoNotFit() {
        Graph graph = graph();
        Engine engine = Engines.java();
        try (Plan plan = Plan.compile(graph, engine);
                CacheSet set = graph.caches().getFirst().create(engine, 1, 20);
                Session session = plan.newSession(16, 2, List.of(set));
                CacheSet other = graph.caches().getFirst().create(engine, 1, 20);
                Session without = plan.newSession(16, List.of(other))) {
            Batch.random(1, VOCABULARY, 3).writeTo(session);
            refused(session, 3, "capacity for 2 spans, got 3");
            refused(session, -1, "got -1");
            Batch.write(session.spans(), 1, 2, 3);
            refused(session, 2, "got 1 at 0");
            Batch.write(session.spans(), 0, 2, 1);
            refused(session, 2, "got 1 at 2");
            Batch.write(session.spans(), 0, 2, 4);
            refused(session, 2, "at most the 3 tokens, got 4 at 2");
            assertEquals(0, set.length(0));
            Batch.random(1, VOCABULARY, 3).writeTo(without);
            refused(without, 1, "capacity for 0 spans, got 1");
            String message = assertThrows(IllegalArgumentException.class, () -> plan.newSession(16, 0, List.of(set)))
                    .getMessage();
            assertTrue(message.endsWith("got capacity for 0"), message);
        }
    }

    private static void refused(Session session, int spans, String expected) {
        String message = assertThrows(IllegalArgumentException.class, () -> session.runSpans(1, spans)).getMessage();
        assertTrue(message.contains(expected), message);
    }
}
