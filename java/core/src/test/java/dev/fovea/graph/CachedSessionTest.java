package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sessions whose sequences go on from run to run. */
class CachedSessionTest {
    private static final int VOCABULARY = 29;
    private static final int WIDTH = 24;
    private static final int CAPACITY = 40;
    private static final AttentionSpec CAUSAL = AttentionSpec.of(4, 6).withKvHeads(2).withMask(Mask.causal());
    private static final AttentionSpec ACROSS = AttentionSpec.of(3, 5).withValueDim(7);

    private final Arena arena = Arena.ofConfined();
    private final List<CacheSet> caches = new ArrayList<>();

    @AfterEach
    void close() {
        caches.forEach(CacheSet::close);
        arena.close();
    }

    static List<Engine> engines() {
        return Engines.all();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveTheSameBitsTokenByTokenAsAllAtOnce(Engine engine) {
        for (AttentionSpec spec : List.of(CAUSAL, CAUSAL.withRope(Rope.of(Rope.Layout.HALF, 6, 10_000, CAPACITY)))) {
            var batch = Batch.random(1, VOCABULARY, 3, 0, 11, 1, 8);
            try (Plan plan = Plan.compile(graph(spec), engine)) {
                float[][] whole;
                try (Session session = plan.newSession(30, caches(engine, true, spec, 5))) {
                    whole = batch.run(session, 0);
                }
                try (Session session = plan.newSession(5, caches(engine, true, spec, 5))) {
                    for (int step = 0; step < 11; step++) {
                        Batch tokens = at(batch, step);
                        float[][] rows = tokens.run(session, 0);
                        for (int s = 0, row = 0; s < 5; s++) {
                            if (step < batch.sequences().get(s).length) {
                                assertArrayEquals(whole[batch.offsets()[s] + step], rows[row++], "step " + step);
                            }
                        }
                    }
                }
            }
        }
    }

    /** The token of this number of every sequence that has one. */
    private static Batch at(Batch batch, int step) {
        return new Batch(batch.sequences().stream()
                .map(ids -> step < ids.length ? new int[] {ids[step]} : new int[0])
                .toList());
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldComputeOnAnEmptyCacheWhatItComputesWithoutOne(Engine engine) {
        var batch = Batch.random(2, VOCABULARY, 9, 14);
        try (Plan plan = Plan.compile(graph(false), engine); Session session = plan.newSession(30, 2);
                Plan cached = Plan.compile(graph(CAUSAL, false), engine);
                Session onCache = cached.newSession(30, caches(engine, false, CAUSAL, 2))) {
            assertArrayEquals(batch.run(session, 0), batch.run(onCache, 0));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldKeepThePatternsOfCaches(Engine engine) {
        var batch = Batch.random(1, VOCABULARY, 3, 0, 11, 1, 8);
        try (Plan plan = Plan.compile(graph(CAUSAL), engine);
                Session session = plan.newExplainingSession(30, caches(engine, true, CAUSAL, 5))) {
            batch.run(session, 0);
            List<Tensor> patterns = session.patterns();
            assertEquals(2, patterns.size());
            assertEquals(Shape.of(4, 30, CAPACITY), patterns.get(0).shape());
            assertEquals(Shape.of(3, 30, CAPACITY), patterns.get(1).shape());
            for (int head = 0; head < 3; head++) {
                double sum = 0;
                for (int key = 0; key < 7; key++) {
                    sum += patterns.get(1).getFloat(head, 4, key);
                    assertEquals(key <= 1 ? 1 : 0, Math.signum(patterns.get(0).getFloat(head, 4, key)));
                }
                assertEquals(1, sum, 1e-6);
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("dev.fovea.graph.SessionTest#enginesWithoutGarbage")
    @Timeout(120)
    void shouldAllocateNothingWhenWarm(Engine engine) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Plan plan = Plan.compile(graph(CAUSAL), engine);
                Session session = plan.newSession(5, caches(engine, true, CAUSAL, 2))) {
            Batch.random(1, VOCABULARY, 2, 3).writeTo(session);
            threads.getCurrentThreadAllocatedBytes();
            int quietRounds = 0;
            while (quietRounds < 3) { // the timeout ends a loop whose calls go on to allocate
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 200; i++) {
                    session.run(2);
                    caches.getFirst().truncate(0, 0);
                    caches.getFirst().truncate(1, 0);
                }
                quietRounds = threads.getCurrentThreadAllocatedBytes() == before ? quietRounds + 1 : 0;
            }
        }
    }

    @Test
    void shouldRefuseWhatDoesNotFitItsCaches() {
        Engine engine = Engines.java();
        try (Plan plan = Plan.compile(graph(CAUSAL), engine); Plan plain = Plan.compile(graph(false), engine)) {
            List<CacheSet> two = caches(engine, true, CAUSAL, 2);
            refused(() -> plan.newSession(8, 2), "expected 2 caches, got 0");
            refused(() -> plan.newSession(8, List.of()), "got 0");
            refused(() -> plan.newSession(8, two.subList(0, 1)), "expected 2 caches, got 1");
            refused(() -> plain.newSession(8, two), "expected 0 caches, got 2");
            refused(() -> plan.newSession(8, two.reversed()), "layer 0 of cache 0 is not made for");
            CacheSet three = CacheSet.create(engine, List.of(ACROSS), 3, 4);
            caches.add(three);
            refused(() -> plan.newSession(8, List.of(two.getFirst(), three)), "caches of 2", "got 3 in cache 1");
            refused(() -> plan.newSession(8, List.of(two.getFirst(), two.getFirst())), "one set as cache 0 and 1");
            try (Session session = plan.newSession(8, two)) {
                Batch.random(1, VOCABULARY, 2).writeTo(session);
                refused(() -> session.run(1), "all 2 sequences", "got 1");
                refused(() -> session.ensureCapacity(9, 3), "expected 2", "3");
            }
        }
    }

    @Test
    void shouldRefuseMoreTokensThanTheCachesHold() {
        Engine engine = Engines.java();
        try (Plan plan = Plan.compile(graph(CAUSAL), engine);
                Session session = plan.newSession(CAPACITY, caches(engine, true, CAUSAL, 1))) {
            Batch.random(1, VOCABULARY, CAPACITY).run(session, 0);
            Batch.random(2, VOCABULARY, 1).writeTo(session);
            refused(() -> session.run(1), "40");
            caches.getFirst().truncate(0, CAPACITY - 1);
            session.run(1);
        }
    }

    @Test
    void shouldRefuseSlotsThatDoNotFit() {
        var g = Graph.builder();
        var weights = new RandomWeights(arena, new Random(1));
        Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), null, 0, null);
        CacheSlot slot = g.caches().slot(ACROSS);
        Value kv = g.linear(x, weights.matrix(12, WIDTH), null);
        refused(() -> g.attention(x, kv, kv, CAUSAL, slot), "2 kv_heads", "3");
        refused(() -> g.crossAttention(x, AttentionSpec.of(3, 8).withValueDim(7), slot), "head_dim 8", "5");
        refused(() -> g.crossAttention(g.linear(x, weights.matrix(15, WIDTH), null), ACROSS,
                Graph.builder().caches().slot(ACROSS)), "another builder");
    }

    private static void refused(Runnable call, String... names) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(Arrays.stream(names).allMatch(message::contains), message);
    }

    /** Caches for the graph, the last filled with the keys and values of s + 5 random tokens for sequence s. */
    private List<CacheSet> caches(Engine engine, boolean across, AttentionSpec spec, int sequences) {
        List<CacheSet> made = new ArrayList<>();
        made.add(CacheSet.create(engine, List.of(spec), sequences, CAPACITY));
        if (across) {
            made.add(CacheSet.create(engine, List.of(ACROSS), sequences, CAPACITY));
            var weights = new RandomWeights(arena, new Random(9));
            var g = Graph.builder();
            Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), null, 0, null);
            g.append(g.linear(x, weights.matrix(15, WIDTH), null), g.linear(x, weights.matrix(21, WIDTH), null),
                    g.caches().slot(ACROSS));
            int[] lengths = IntStream.range(5, 5 + sequences).toArray();
            try (Plan fill = Plan.compile(g.build(x), engine);
                    Session session = fill.newSession(Arrays.stream(lengths).sum(), made.subList(1, 2))) {
                Batch.random(9, VOCABULARY, lengths).run(session, 0);
            }
        }
        caches.addAll(made);
        return made;
    }

    private Graph graph(AttentionSpec spec) {
        return graph(spec, true);
    }

    private Graph graph(boolean across) {
        return graph(null, across);
    }

    /** Self-attention, on a cache if there is a spec for one, then attention to a cache. */
    private Graph graph(AttentionSpec onCache, boolean across) {
        var weights = new RandomWeights(arena, new Random(4));
        var g = Graph.builder();
        Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), 2, weights.matrix(CAPACITY, WIDTH), 0, null);
        Value q = g.linear(x, weights.matrix(24, WIDTH), null);
        Value k = g.linear(x, weights.matrix(12, WIDTH), null);
        Value v = g.linear(x, weights.matrix(12, WIDTH), null);
        x = g.add(x, onCache == null ? g.attention(q, k, v, CAUSAL)
                : g.attention(q, k, v, onCache, g.caches().slot(onCache)));
        if (across) {
            Value queries = g.linear(x, weights.matrix(15, WIDTH), null);
            x = g.rmsNorm(g.crossAttention(queries, ACROSS, g.caches().slot(ACROSS)), weights.gamma(21), 1e-5f);
        }
        return g.build(x);
    }
}
