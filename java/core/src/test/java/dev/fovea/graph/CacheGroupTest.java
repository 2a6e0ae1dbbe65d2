package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How ops of a graph use caches: what is read is written, and positions are those of the first group. */
class CacheGroupTest {
    private static final int WIDTH = 8;
    private static final AttentionSpec SPEC = AttentionSpec.of(2, 4);

    private final Arena arena = Arena.ofConfined();
    private final Tensor words = new RandomWeights(arena, new Random(1)).matrix(10, WIDTH);
    private final Graph.Builder g = Graph.builder();
    private final CacheGroup group = g.caches();
    private final CacheSlot slot = group.slot(SPEC);

    @AfterEach
    void close() {
        arena.close();
    }

    static List<Engine> engines() {
        return Engines.all();
    }

    /** Group 1 is appended to before group 0, and longer. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldCountPositionsByTheFirstGroup(Engine engine) {
        Tensor positions = new RandomWeights(arena, new Random(2)).matrix(16, WIDTH);
        CacheGroup second = g.caches();
        CacheSlot other = second.slot(SPEC);
        Value x = g.embedding(words, positions, 0, null);
        g.append(x, x, other);
        g.append(x, x, slot);
        Graph.Builder h = Graph.builder();
        Value y = h.embedding(words, null, 0, null);
        h.append(y, y, h.caches().slot(SPEC));
        try (Plan plan = Plan.compile(g.build(x), engine); Plan filling = Plan.compile(h.build(y), engine);
                CacheSet shorter = group.create(engine, 1, 64); CacheSet longer = second.create(engine, 1, 64);
                Session fill = filling.newSession(20, List.of(longer));
                Session session = plan.newSession(20, List.of(shorter, longer))) {
            Batch.random(1, 10, 20).run(fill, 0);
            float[][] rows = new Batch(List.of(new int[] {7, 3})).run(session, 0);
            for (int t = 0; t < 2; t++) {
                for (int c = 0; c < WIDTH; c++) {
                    assertEquals(words.getFloat(t == 0 ? 7 : 3, c) + positions.getFloat(t, c), rows[t][c]);
                }
            }
            assertEquals(2, shorter.length(0));
            assertEquals(22, longer.length(0));
        }
    }

    @Test
    void shouldRefuseToReadACacheBeforeItIsFilled() {
        Value x = g.embedding(words, null, 0, null);
        g.named("reader").crossAttention(x, SPEC, slot);
        rejects(() -> g.append(x, x, slot), "cache 0.0 is already used by \"reader\"");
        rejects(() -> g.attention(x, x, x, SPEC, slot), "cache 0.0 is already used by \"reader\"");
    }

    @Test
    void shouldRefuseToFillACacheTwice() {
        Value x = g.embedding(words, null, 0, null);
        Value y = g.named("first").attention(x, x, x, SPEC, slot);
        rejects(() -> g.attention(y, y, y, SPEC, slot), "cache 0.0 is already used by \"first\"");
        rejects(() -> g.append(y, y, slot), "cache 0.0 is already used by \"first\"");
    }

    @Test
    void shouldRefuseAGroupThatIsFilledInPart() {
        CacheSlot never = group.slot(SPEC);
        Value x = g.embedding(words, null, 0, null);
        Value y = g.crossAttention(g.attention(x, x, x, SPEC, slot), SPEC, never);
        rejects(() -> g.build(y), "nothing appends to layer 1 of cache 0, but to 1 of its 2 layers");
    }

    @Test
    void shouldTakeNoLayersOnceTheGraphIsBuilt() {
        Value x = g.embedding(words, null, 0, null);
        g.build(g.crossAttention(x, SPEC, slot));
        String message = assertThrows(IllegalStateException.class, () -> group.slot(SPEC)).getMessage();
        assertEquals("the graph of cache 0 is built, it takes no more layers", message);
        assertEquals(1, group.specs().size());
    }

    /** A query that continues the keys has no position where there are fewer keys than queries. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldRefuseQueriesWithoutAPosition(Engine engine) {
        AttentionSpec turned = SPEC.withRope(Rope.of(Rope.Layout.HALF, 4, 10_000, 64));
        Graph.Builder h = Graph.builder();
        CacheGroup keys = h.caches();
        Value y = h.embedding(words, null, 0, null);
        h.append(y, y, keys.slot(turned));
        Graph.Builder r = Graph.builder();
        Graph reading = r.build(r.crossAttention(r.embedding(words, null, 0, null), turned, r.caches().slot(turned)));
        try (CacheSet set = CacheSet.create(engine, List.of(turned), 1, 64);
                Plan filling = Plan.compile(h.build(y), engine); Plan plan = Plan.compile(reading, engine);
                Session fill = filling.newSession(8, List.of(set)); Session session = plan.newSession(8, List.of(set))) {
            Batch.random(1, 10, 3).run(fill, 0);
            float[][] rows = Batch.random(2, 10, 3).run(session, 0);
            rejects(() -> Batch.random(2, 10, 5).run(session, 0), "sequence 0: expected positions 0 to 63 of RoPE, got -2 to 2"
                    + " for 5 queries and 3 keys");
            assertEquals(3, set.length(0));
            assertArrayEquals(rows, Batch.random(2, 10, 3).run(session, 0));
        }
    }

    /** An append's value is that of its keys, as long as it is needed. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldKeepWhatAnAppendYields(Engine engine) {
        var weights = new RandomWeights(arena, new Random(3));
        Tensor first = weights.matrix(WIDTH, WIDTH);
        Value x = g.embedding(words, null, 0, null);
        Value k = g.linear(x, first, null);
        g.append(k, k, slot);
        Value appended = g.build(x).values().getLast();
        Value other = g.linear(g.activate(g.linear(x, weights.matrix(WIDTH, WIDTH), null), Activation.RELU), first, null);
        Batch batch = Batch.random(4, 10, 5);
        try (Plan plan = Plan.compile(g.build(appended, other), engine); CacheSet set = group.create(engine, 1, 64);
                Session session = plan.newSession(8, List.of(set));
                Plan keys = Plan.compile(g.build(k), engine); CacheSet second = group.create(engine, 1, 64);
                Session alone = keys.newSession(8, List.of(second))) {
            assertArrayEquals(batch.run(alone, 0), batch.run(session, 0));
        }
    }

    @Test
    void shouldRefuseMoreColumnsThanAnIntCounts() {
        Value wide = g.named("wide").embedding(Tensor.allocate(arena, DType.F32, Shape.of(1, 65_536)), null, 0, null);
        Value one = g.embedding(Tensor.allocate(arena, DType.F32, Shape.of(1, 1)), null, 0, null);
        rejects(() -> g.transposedMatmul(wide, wide), "expected at most 2147483647 columns, got 65536 columns of a times"
                + " 65536 columns of b");
        rejects(() -> g.attention(wide, one, wide, AttentionSpec.of(65_536, 1).withKvHeads(1).withValueDim(65_536)),
                "expected at most 2147483647 columns, got 65536 heads times 65536 value_dim");
    }

    @Test
    void shouldRefuseSizesWithoutLayers() {
        Engine engine = Engines.java();
        List<AttentionSpec> none = List.of();
        rejects(() -> CacheSet.create(engine, none, 0, 4), "sequences must be at least 1, got 0");
        rejects(() -> CacheSet.create(engine, none, -1, 4), "sequences must be at least 1, got -1");
        rejects(() -> CacheSet.create(engine, none, 1, 0), "capacity must be at least 1, got 0");
        rejects(() -> CacheSet.create(engine, none, 1, 4, DType.I32), "F32, F16, BF16 or Q8_0, got I32");
        rejects(() -> CacheSet.create(engine, none, 1 << 20, Integer.MAX_VALUE), "got 1048576 sequences of 2147483647");
        NullPointerException e = assertThrows(NullPointerException.class, () -> CacheSet.create(engine, none, 1, 4, (Layout) null));
        assertEquals("type", e.getMessage());
    }

    @Test
    void shouldNameTheClosedSet() {
        Value x = g.embedding(words, null, 0, null);
        try (Plan plan = Plan.compile(g.build(g.crossAttention(x, SPEC, slot)), Engines.java());
                CacheSet set = group.create(Engines.java(), 1, 4); Session session = plan.newSession(2, List.of(set))) {
            set.close();
            for (Executable use : List.<Executable>of(() -> plan.newSession(2, List.of(set)), () -> session.run(1),
                    () -> session.ensureCapacity(4, 1))) {
                String message = assertThrows(IllegalStateException.class, use).getMessage();
                assertTrue(message.contains("cache set is closed"), message);
            }
        }
    }

    private static void rejects(Executable call, String part) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(part), message);
    }
}
