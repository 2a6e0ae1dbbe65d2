package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Token types, and biases by distance that queries and keys weigh, in whole graphs. */
class BatchOpTest {
    private static final int HEADS = 2;
    private static final int DIM = 4;
    private static final int WIDTH = HEADS * DIM;
    private static final int[] IDS = {3, 1, 4, 1, 5, 2, 6, 0};
    private static final int[] OFFSETS = {0, 5, 5, 8};

    private final Random random = new Random(1);

    private Weight weight(long... sizes) {
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(sizes));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return Weight.of(tensor);
    }

    @Test
    void shouldAttendWithWhatDistancesAreWorth() {
        var buckets = DistanceBuckets.of(6, 3, distance -> Math.floorMod(distance, 3));
        Graph.Builder g = Graph.builder();
        Value x = g.embedding(weight(7, WIDTH), null, 0, null);
        Value q = g.linear(x, weight(WIDTH, WIDTH), null);
        Value k = g.linear(x, weight(WIDTH, WIDTH), null);
        Value byQuery = g.headLinear(HEADS, q, weight(HEADS * 3, DIM));
        Value byKey = g.headLinear(HEADS, k, weight(HEADS * 3, DIM));
        Value bias = g.relativeBias(HEADS, null, byQuery, byKey, buckets);
        Value same = g.relativeBias(HEADS, weight(1, HEADS * 3), null, null, buckets);
        var spec = AttentionSpec.of(HEADS, DIM);
        Graph graph = g.build(g.attention(q, k, x, spec, bias), g.attention(q, k, x, spec, same));
        var expected = Reference.evaluate(graph, IDS, OFFSETS);
        for (Engine engine : Engines.all()) {
            try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(8, 3)) {
                session.run(3, MemorySegment.ofArray(IDS), MemorySegment.ofArray(OFFSETS));
                for (int output = 0; output < 2; output++) {
                    for (int t = 0; t < 8; t++) {
                        for (int c = 0; c < WIDTH; c++) {
                            assertEquals(expected.get(output)[t][c], session.output(output).getFloat(t, c), 1e-5);
                        }
                    }
                }
                int[] longer = {0, 7};
                assertThrows(IllegalArgumentException.class,
                        () -> session.run(1, MemorySegment.ofArray(IDS), MemorySegment.ofArray(longer)));
            }
        }
    }

    /** Any value may be a bias; it has a column for each key and head, and so bounds the sequences. */
    @Test
    void shouldRefuseSequencesOfMoreKeysThanABiasHas() {
        Graph.Builder g = Graph.builder();
        Value x = g.embedding(weight(7, WIDTH), null, 0, null);
        Value bias = g.linear(x, weight(HEADS * 4, WIDTH), null);
        Graph graph = g.build(g.attention(x, x, x, AttentionSpec.of(HEADS, DIM), bias));
        var expected = Reference.evaluate(graph, new int[] {3, 1, 4, 1}, new int[] {0, 4});
        for (Engine engine : Engines.all()) {
            try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(8, 3)) {
                String message = assertThrows(IllegalArgumentException.class,
                        () -> session.run(3, MemorySegment.ofArray(IDS), MemorySegment.ofArray(OFFSETS))).getMessage();
                assertTrue(message.contains("sequence 0 has 5 tokens") && message.contains("at most 4"), message);
                session.run(1, MemorySegment.ofArray(IDS), MemorySegment.ofArray(new int[] {0, 4}));
                for (int t = 0; t < 4; t++) {
                    for (int c = 0; c < WIDTH; c++) {
                        assertEquals(expected.getFirst()[t][c], session.output().getFloat(t, c), 1e-5);
                    }
                }
            }
        }
    }

    @Test
    void shouldEmbedTheTypeOfEachToken() {
        Weight table = weight(2, WIDTH);
        Graph.Builder g = Graph.builder();
        g.embedding(weight(7, WIDTH), null, 0, null);
        Graph graph = g.build(g.tokenTypes(table));
        int[] types = {0, 0, 1, 1, 0, 1, 0, 1};
        for (Engine engine : Engines.all()) {
            try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(8, 3)) {
                session.run(3, MemorySegment.ofArray(IDS), MemorySegment.ofArray(types), MemorySegment.ofArray(OFFSETS));
                requireTypes(table, types, session);
                session.run(3, MemorySegment.ofArray(IDS), MemorySegment.ofArray(OFFSETS));
                requireTypes(table, new int[8], session);
                int[] wrong = {0, 0, 2, 0, 0, 0, 0, 0};
                String message = assertThrows(IllegalArgumentException.class, () -> session.run(3,
                        MemorySegment.ofArray(IDS), MemorySegment.ofArray(wrong), MemorySegment.ofArray(OFFSETS)))
                        .getMessage();
                assertTrue(message.contains("token type 2 at 2"), message);
                assertThrows(IllegalArgumentException.class, () -> session.run(3, MemorySegment.ofArray(IDS),
                        MemorySegment.ofArray(new int[7]), MemorySegment.ofArray(OFFSETS)));
            }
        }
    }

    private static void requireTypes(Weight table, int[] types, Session session) {
        float[] row = new float[WIDTH];
        for (int t = 0; t < types.length; t++) {
            table.read(types[t], 0, WIDTH, row, 0);
            for (int c = 0; c < WIDTH; c++) {
                assertEquals(row[c], session.output().getFloat(t, c));
            }
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        var buckets = DistanceBuckets.of(6, 3, _ -> 0);
        Graph.Builder g = Graph.builder();
        Value x = g.embedding(weight(7, WIDTH), null, 0, null);
        assertThrows(IllegalArgumentException.class, () -> g.relativeBias(HEADS, null, null, null, buckets));
        assertThrows(IllegalArgumentException.class, () -> g.relativeBias(HEADS, weight(1, 6), x, null, buckets));
        assertThrows(IllegalArgumentException.class, () -> g.relativeBias(HEADS, weight(2, 6), null, null, buckets));
        assertThrows(IllegalArgumentException.class, () -> g.relativeBias(HEADS, weight(1, 5), null, null, buckets));
        assertThrows(IllegalArgumentException.class, () -> g.relativeBias(0, weight(1, 6), null, null, buckets));
        assertThrows(IllegalArgumentException.class, () -> g.relativeBias(HEADS, null, x, null, buckets));
        assertThrows(IllegalArgumentException.class, () -> g.headLinear(HEADS, x, weight(6, DIM + 1)));
        assertThrows(IllegalArgumentException.class, () -> g.headLinear(HEADS, x, weight(5, DIM)));
        Value bias = g.relativeBias(HEADS, weight(1, 6), null, null, buckets);
        assertThrows(IllegalArgumentException.class, () -> g.attention(x, x, x, AttentionSpec.of(8, 1), bias));
        assertEquals(HEADS * 6, bias.columns());
    }
}
