package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A cache set holds one history, whatever is run, refused, truncated or forked. */
class CacheSetTest {
    private static final int VOCABULARY = 23;
    private static final int WIDTH = 16;
    private static final int CAPACITY = 300; // more than two pages
    private static final AttentionSpec SHALLOW = AttentionSpec.of(4, 4).withKvHeads(2).withMask(Mask.causal());
    /** Of whole blocks. */
    private static final AttentionSpec WIDE = AttentionSpec.of(4, 32).withKvHeads(2).withMask(Mask.causal());
    private static final AttentionSpec DEEP = AttentionSpec.of(2, 6).withMask(Mask.causal())
            .withRope(Rope.of(Rope.Layout.HALF, 6, 10_000, CAPACITY));

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void close() {
        arena.close();
    }

    static List<Engine> engines() {
        return Engines.all();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldLeaveEveryLayerAsItWasWhenARunIsRefused(Engine engine) {
        Graph graph = graph();
        try (Plan plan = Plan.compile(graph, engine); CacheSet own = graph.caches().getFirst().create(engine, 1, 4);
                Session session = plan.newSession(8, List.of(own))) {
            Batch.random(1, VOCABULARY, 3).run(session, 0);
            Batch.random(2, VOCABULARY, 6).writeTo(session);
            String message = assertThrows(IllegalArgumentException.class, () -> session.run(1)).getMessage();
            assertTrue(message.contains("holds 3 tokens of a capacity of 4, got 6 more"), message);
            assertEquals(3, own.length(0));
            float[][] next = Batch.random(3, VOCABULARY, 1).run(session, 0);
            assertEquals(4, own.length(0));
            try (CacheSet fresh = graph.caches().getFirst().create(engine, 1, 4);
                    Session again = plan.newSession(8, List.of(fresh))) {
                Batch.random(1, VOCABULARY, 3).run(again, 0);
                assertArrayEquals(Batch.random(3, VOCABULARY, 1).run(again, 0), next);
            }
        }
    }

    /** Two groups of one graph: where the second has no room, the first does not grow either. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldLeaveEveryGroupAsItWasWhenOneHasNoRoom(Engine engine) {
        var g = Graph.builder();
        var weights = new RandomWeights(arena, new Random(4));
        Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), null, 0, null);
        x = layer(g, weights, x, SHALLOW, g.caches().slot(SHALLOW));
        x = layer(g, weights, x, SHALLOW, g.caches().slot(SHALLOW));
        try (Plan plan = Plan.compile(g.build(x), engine);
                CacheSet large = CacheSet.create(engine, List.of(SHALLOW), 1, 40);
                CacheSet small = CacheSet.create(engine, List.of(SHALLOW), 1, 4);
                Session session = plan.newSession(8, List.of(large, small))) {
            Batch.random(1, VOCABULARY, 6).writeTo(session);
            assertThrows(IllegalArgumentException.class, () -> session.run(1));
            assertEquals(0, large.length(0));
            assertEquals(0, small.length(0));
            Batch.random(1, VOCABULARY, 4).run(session, 0);
            assertEquals(4, large.length(0));
            assertEquals(4, small.length(0));
        }
    }

    @Test
    void shouldRefuseOneSetForTwoGroups() {
        var g = Graph.builder();
        var weights = new RandomWeights(arena, new Random(4));
        Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), null, 0, null);
        x = layer(g, weights, x, SHALLOW, g.caches().slot(SHALLOW));
        x = layer(g, weights, x, SHALLOW, g.caches().slot(SHALLOW));
        Engine engine = Engines.java();
        try (Plan plan = Plan.compile(g.build(x), engine);
                CacheSet set = CacheSet.create(engine, List.of(SHALLOW), 1, 40)) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> plan.newSession(8, List.of(set, set))).getMessage();
            assertTrue(message.contains("one set as cache 0 and 1"), message);
        }
    }

    @Test
    void shouldRefuseASetOfAnotherEngine() {
        Graph graph = graph();
        try (Plan plan = Plan.compile(graph, Engines.java());
                CacheSet other = graph.caches().getFirst().create(Engines.all().get(1), 1, 4)) {
            assertTrue(assertThrows(IllegalArgumentException.class, () -> plan.newSession(8, List.of(other)))
                    .getMessage().contains("another engine"));
        }
    }

    @Test
    void shouldRefuseSizesOutOfRange() {
        Engine engine = Engines.java();
        List<AttentionSpec> layers = List.of(DEEP);
        assertRefused(() -> CacheSet.create(engine, layers, 0, 4), "sequences must be at least 1, got 0");
        assertRefused(() -> CacheSet.create(engine, layers, 1, 0), "capacity must be at least 1, got 0");
        assertRefused(() -> CacheSet.create(engine, layers, 1, CAPACITY + 1), "at most 300");
        assertRefused(() -> CacheSet.create(engine, layers, 1, 4, DType.I8), "F32, F16, BF16 or Q8_0, got I8");
        assertRefused(() -> CacheSet.create(engine, layers, 1, 4, Layout.Q4_0), "F32, F16, BF16 or Q8_0, got Q4_0");
        assertRefused(() -> CacheSet.create(engine, layers, 1, 4, Layout.Q8_0), "head_dim that is a multiple of 32, at most 4096, for a "
                + "cache of Q8_0, got 6");
        assertRefused(() -> CacheSet.create(engine, List.of(WIDE.withValueDim(40)), 1, 4, Layout.Q8_0), "value_dim that is a multiple of "
                + "32, at most 4096, for a cache of Q8_0, got 40");
        try (CacheSet set = CacheSet.create(engine, layers, 2, 4)) {
            assertRefused(() -> set.truncate(0, 1), "length of 0 to 0");
            assertThrows(IndexOutOfBoundsException.class, () -> set.fork(0, 2));
            assertThrows(IndexOutOfBoundsException.class, () -> set.length(-1));
            set.close();
            set.close();
            assertThrows(IllegalStateException.class, () -> set.length(0));
        }
    }

    /** A run that fails in the middle, not by a refusal, grows nothing. */
    @Test
    void shouldLeaveEveryLayerAsItWasWhenARunFails() {
        Engine engine = Engine.create(EngineOptions.defaults().withBackend(Backend.JAVA));
        Graph graph = graph();
        Plan plan = Plan.compile(graph, engine);
        CacheSet own = graph.caches().getFirst().create(engine, 1, 8);
        Session session = plan.newSession(8, List.of(own));
        Batch.random(1, VOCABULARY, 3).run(session, 0);
        engine.close();
        Batch.random(2, VOCABULARY, 2).writeTo(session);
        assertThrows(IllegalStateException.class, () -> session.run(1));
        assertEquals(3, own.length(0));
        session.close();
        own.close();
        plan.close();
    }

    /** Random histories; after each step every sequence computes what a fresh one computes from its tokens. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldComputeFromEveryHistoryWhatAFreshCacheComputes(Engine engine) {
        for (long seed = 0; seed < 12; seed++) {
            history(engine, seed, graph(SHALLOW, DEEP), Layout.F32);
            history(engine, seed, graph(SHALLOW, DEEP), Layout.BF16);
            if (engine.backend() != Backend.CUDA) {
                history(engine, seed, graph(WIDE, WIDE.withRope(Rope.of(Rope.Layout.HALF, 32, 10_000, CAPACITY))), Layout.Q8_0);
            }
        }
    }

    private void history(Engine engine, long seed, Graph graph, Layout type) {
        var random = new Random(seed);
        int sequences = 1 + random.nextInt(3);
        int capacity = random.nextBoolean() ? 20 + random.nextInt(20) : 140 + random.nextInt(100);
        List<AttentionSpec> layers = graph.caches().getFirst().specs();
        try (Plan plan = Plan.compile(graph, engine);
                CacheSet set = random.nextBoolean() ? CacheSet.create(engine, layers, sequences, capacity, type)
                        : CacheSet.create(engine, layers, sequences, capacity, type, random.nextInt(1000));
                Session session = plan.newSession(sequences * 64, List.of(set))) {
            List<int[]> held = new ArrayList<>();
            List<int[]> kept = new ArrayList<>(List.of(new int[0]));
            for (int s = 0; s < sequences; s++) {
                held.add(new int[0]);
            }
            for (int step = 0; step < 16; step++) {
                switch (random.nextInt(8)) {
                    case 0 -> {
                        int s = random.nextInt(sequences);
                        int length = random.nextInt(held.get(s).length + 1);
                        set.truncate(s, length);
                        held.set(s, Arrays.copyOf(held.get(s), length));
                    }
                    case 1 -> {
                        int from = random.nextInt(sequences);
                        int to = random.nextInt(sequences);
                        set.fork(from, to);
                        held.set(to, held.get(from).clone());
                    }
                    case 2 -> {
                        int s = random.nextInt(sequences);
                        set.reset(s);
                        held.set(s, new int[0]);
                    }
                    case 3 -> {
                        int s = random.nextInt(sequences);
                        int count = random.nextInt(held.get(s).length + 1);
                        set.keep(s, held.get(s), count);
                        kept.add(Arrays.copyOf(held.get(s), count));
                    }
                    case 4 -> {
                        int s = random.nextInt(sequences);
                        int[] tokens = kept.get(random.nextInt(kept.size()));
                        int[] wanted = concat(Arrays.copyOf(tokens, random.nextInt(tokens.length + 1)), new int[] {1, 2, 3});
                        int found = set.adopt(s, wanted, wanted.length);
                        held.set(s, Arrays.copyOf(wanted, found));
                    }
                    default -> run(random, session, set, held, plan, engine, type);
                }
                for (int s = 0; s < sequences; s++) {
                    assertEquals(held.get(s).length, set.length(s), "seed " + seed + ", step " + step);
                }
            }
        }
    }

    private static void run(Random random, Session session, CacheSet set, List<int[]> held, Plan plan, Engine engine,
            Layout type) {
        List<int[]> tokens = new ArrayList<>();
        boolean fits = true;
        for (int[] ids : held) {
            int count = random.nextInt(5) == 0 ? 0 : random.nextInt(40);
            tokens.add(random.ints(count, 0, VOCABULARY).toArray());
            fits &= ids.length + count <= set.capacity();
        }
        var batch = new Batch(tokens);
        if (!fits) {
            batch.writeTo(session);
            assertThrows(IllegalArgumentException.class, () -> session.run(tokens.size()));
            return;
        }
        int missing = 0;
        for (int s = 0; s < held.size(); s++) {
            missing += set.missingPages(s, tokens.get(s).length);
        }
        int before = set.availablePages();
        float[][] rows;
        try {
            rows = batch.run(session, 0);
        } catch (IllegalStateException e) {
            assertTrue(missing > before && e.getMessage().contains("in pages of 128, got a batch that takes"), e.getMessage());
            return;
        }
        for (int s = 0, row = 0; s < held.size(); s++) {
            int[] whole = concat(held.get(s), tokens.get(s));
            held.set(s, whole);
            float[][] expected = recomputed(whole, set.layers(), plan, engine, type);
            for (int t = whole.length - tokens.get(s).length; t < whole.length; t++) {
                // On a GPU the last bits depend on how many tokens a run has.
                assertArrayEquals(expected[t], rows[row++], engine.backend() == Backend.CUDA ? 1e-5f : 0);
            }
        }
    }

    private static float[][] recomputed(int[] ids, List<AttentionSpec> layers, Plan plan, Engine engine, Layout type) {
        if (ids.length == 0) {
            return new float[0][];
        }
        try (CacheSet fresh = CacheSet.create(engine, layers, 1, ids.length, type);
                Session session = plan.newSession(ids.length, List.of(fresh))) {
            return new Batch(List.of(ids)).run(session, 0);
        }
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldKeepWhatWasUsedLast(Engine engine) {
        Graph graph = graph();
        List<AttentionSpec> layers = graph.caches().getFirst().specs();
        try (Plan plan = Plan.compile(graph, engine);
                CacheSet set = CacheSet.create(engine, layers, 2, 256, DType.F32, 512); // 4 pages
                Session session = plan.newSession(512, List.of(set))) {
            int[][] texts = new int[3][];
            for (int i = 0; i < texts.length; i++) {
                texts[i] = new Random(i).ints(150, 0, VOCABULARY).toArray();
            }
            new Batch(List.of(texts[0], texts[1])).run(session, 0);
            set.keep(0, texts[0], 150);
            set.keep(1, texts[1], 150);
            assertEquals(0, set.availablePages());
            set.truncate(0, 0);
            set.truncate(1, 0);
            assertEquals(4, set.availablePages());
            assertEquals(140, set.adopt(0, texts[0], 140));
            assertEquals(2, set.availablePages());
            assertEquals(1, set.missingPages(0, 1), "a page that is shared is copied");
            assertEquals(2, set.missingPages(1, 129));
            assertEquals(0, set.adopt(1, texts[2], 150));
            new Batch(List.of(new int[0], texts[2])).run(session, 0); // in the room of the text that was used before
            assertEquals(0, set.availablePages());
            assertEquals(0, set.adopt(1, texts[1], 150));
            assertEquals(150, set.adopt(1, texts[0], 150));
            assertRefused(() -> set.keep(1, Arrays.copyOf(texts[0], 151), 151), "at most the 150 tokens that sequence 1 holds, got 151");
            set.reset(0);
            assertRefused(() -> set.keep(1, texts[2], 150), "are kept already, and as others");
            set.reset();
            assertEquals(0, set.adopt(0, texts[0], 150));
        }
    }

    private static void assertRefused(Runnable call, String message) {
        String got = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(got.contains(message), got);
    }

    /** Two layers of different heads in one group. */
    private Graph graph() {
        return graph(SHALLOW, DEEP);
    }

    private Graph graph(AttentionSpec first, AttentionSpec second) {
        var g = Graph.builder();
        var weights = new RandomWeights(arena, new Random(4));
        CacheGroup group = g.caches();
        Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), weights.matrix(CAPACITY, WIDTH), 0, null);
        x = layer(g, weights, x, first, group.slot(first));
        x = layer(g, weights, x, second, group.slot(second));
        return g.build(x);
    }

    private static Value layer(Graph.Builder g, RandomWeights weights, Value x, AttentionSpec spec, CacheSlot slot) {
        int keys = spec.kvHeads() * spec.headDim();
        Value q = g.linear(x, weights.matrix(spec.heads() * spec.headDim(), WIDTH), null);
        Value k = g.linear(x, weights.matrix(keys, WIDTH), null);
        Value v = g.linear(x, weights.matrix(keys, WIDTH), null);
        Value mixed = g.attention(q, k, v, spec, slot);
        return g.add(x, g.linear(mixed, weights.matrix(WIDTH, mixed.columns()), null));
    }
}
