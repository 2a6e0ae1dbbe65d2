package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sessions that keep what attention attended to. */
class PatternTest {
    private static final int VOCABULARY = 23;
    private static final int WIDTH = 24;
    private static final int MAX_TOKENS = 400;

    static List<Engine> engines() {
        return Engines.all();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldReproduceTheOutputFromPatternAndValues(Engine engine) {
        var mask = Mask.window(9, 0);
        for (AttentionSpec spec : List.of(AttentionSpec.of(4, 6), AttentionSpec.of(4, 5).withMask(Mask.causal()),
                AttentionSpec.of(6, 7).withKvHeads(2).withValueDim(3).withMask(mask))) {
            try (Arena arena = Arena.ofConfined(); Plan plan = Plan.compile(attention(spec, arena), engine);
                    Session session = plan.newExplainingSession(MAX_TOKENS, 5)) {
                var batch = Batch.random(3, VOCABULARY, 1, 130, 0, 17, 200);
                float[][] out = batch.run(session, 0);
                float[][] values = batch.run(session, 1);
                requireReproduced(spec, batch.offsets(), session.patterns().getFirst(), values, out);
            }
        }
    }

    private static void requireReproduced(AttentionSpec spec, int[] offsets, Tensor pattern, float[][] values,
            float[][] out) {
        for (int s = 0; s + 1 < offsets.length; s++) {
            int keys = offsets[s + 1] - offsets[s];
            for (int query = 0; query < keys; query++) {
                for (int head = 0; head < spec.heads(); head++) {
                    double[] mixed = new double[spec.valueDim()];
                    double sum = 0;
                    for (int key = 0; key < keys; key++) {
                        float weight = pattern.getFloat(head, offsets[s] + query, key);
                        if (!sees(spec.mask(), query, key)) {
                            assertEquals(0f, weight);
                        }
                        sum += weight;
                        int column = head / (spec.heads() / spec.kvHeads()) * spec.valueDim();
                        for (int c = 0; c < mixed.length; c++) {
                            mixed[c] += (double) weight * values[offsets[s] + key][column + c];
                        }
                    }
                    assertEquals(1, sum, 1e-6);
                    for (int c = 0; c < mixed.length; c++) {
                        assertEquals(mixed[c], out[offsets[s] + query][head * mixed.length + c], 2e-6);
                    }
                }
            }
        }
    }

    private static boolean sees(Mask mask, int query, int key) {
        return (mask.left() < 0 || key >= query - mask.left()) && (mask.right() < 0 || key <= query + mask.right());
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldNotChangeTheOutputs(Engine engine) {
        var batch = Batch.random(4, Bert.small().vocabulary(), 5, 31, 1);
        try (Arena arena = Arena.ofConfined(); Plan plan = Plan.compile(Bert.small().graph(arena), engine);
                Session plain = plan.newSession(64, 3); Session explaining = plan.newExplainingSession(64, 3)) {
            assertArrayEquals(batch.run(plain, 0), batch.run(explaining, 0));
            assertEquals(List.of(), plain.patterns());
            assertEquals(2, explaining.patterns().size());
            assertArrayEquals(batch.run(plain, 0), batch.run(explaining, 0));
        }
    }

    @Test
    void shouldGiveTheSamePatternAfterItGrew() {
        var batch = Batch.random(6, Bert.small().vocabulary(), 7);
        try (Arena arena = Arena.ofConfined(); Plan plan = Plan.compile(Bert.small().graph(arena), Engines.java());
                Session session = plan.newExplainingSession(7, 1)) {
            batch.run(session, 0);
            float before = session.patterns().getLast().getFloat(3, 5, 2);
            session.ensureCapacity(20, 2);
            batch.run(session, 0);
            assertEquals(before, session.patterns().getLast().getFloat(3, 5, 2));
            assertTrue(before > 0);
        }
    }

    @Test
    void shouldRefuseItsPatternsOnceClosed() {
        try (Arena arena = Arena.ofConfined(); Plan plan = Plan.compile(Bert.small().graph(arena), Engines.java())) {
            Session session = plan.newExplainingSession(7, 1);
            session.close();
            assertThrows(IllegalStateException.class, session::patterns);
        }
    }

    /** Attention on random queries, keys and values; its outputs are the result and the values. */
    private static Graph attention(AttentionSpec spec, Arena arena) {
        var weights = new RandomWeights(arena, new Random(1));
        var g = Graph.builder();
        Value x = g.embedding(weights.matrix(VOCABULARY, WIDTH), weights.matrix(MAX_TOKENS, WIDTH), 0, null);
        int kvWidth = spec.kvHeads() * spec.headDim();
        Value q = g.linear(x, weights.matrix(spec.heads() * spec.headDim(), WIDTH), null);
        Value k = g.linear(x, weights.matrix(kvWidth, WIDTH), weights.vector(kvWidth));
        Value v = g.linear(x, weights.matrix(spec.kvHeads() * spec.valueDim(), WIDTH), null);
        return g.build(g.attention(q, k, v, spec), v);
    }
}
