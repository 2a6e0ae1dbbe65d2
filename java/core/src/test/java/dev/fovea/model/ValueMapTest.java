package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.graph.Value;
import dev.fovea.model.generation.TokenRows;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ValueMapTest {
    private static final int TOKENS = 7;
    private static final int D_MODEL = 20;
    private static final int HEADS = 4;
    private static final int RANK = 3;

    private final Arena arena = Arena.ofConfined();
    private final Random random = new Random(1);

    @AfterEach
    void close() {
        arena.close();
    }

    @Test
    void shouldAddUpToTheSameFoldedAndInFull() {
        List<ValueMap.LowRank> lowRank = new ArrayList<>();
        for (int head = 0; head < HEADS; head++) {
            lowRank.add(new ValueMap.LowRank(matrix(RANK, D_MODEL), matrix(D_MODEL, RANK)));
        }
        List<ValueMap.Full> full = lowRank.stream().map(map -> map.full(arena)).toList();
        Tensor x = matrix(TOKENS, D_MODEL);
        Tensor query = matrix(HEADS * 5, D_MODEL);
        Tensor key = matrix(HEADS * 5, D_MODEL);
        try (Engine engine = Engine.create()) {
            float[][] folded = run(engine, x, query, key, RANK, ValueMap.fold(arena, lowRank), null);
            List<Tensor> patterns = new ArrayList<>();
            float[][] inFull = run(engine, x, query, key, D_MODEL, ValueMap.fold(arena, full), patterns);
            double[][] expected = sumOverHeads(x, lowRank, patterns.getFirst());
            for (int t = 0; t < TOKENS; t++) {
                for (int c = 0; c < D_MODEL; c++) {
                    assertEquals(expected[t][c], folded[t][c], 1e-5);
                    assertEquals(expected[t][c], inFull[t][c], 1e-5);
                }
            }
        }
    }

    /** Σ over heads of up · (weights · down), in double. */
    private static double[][] sumOverHeads(Tensor x, List<ValueMap.LowRank> heads, Tensor pattern) {
        double[][] sum = new double[TOKENS][D_MODEL];
        for (int head = 0; head < HEADS; head++) {
            ValueMap.LowRank map = heads.get(head);
            for (int t = 0; t < TOKENS; t++) {
                for (int i = 0; i < RANK; i++) {
                    double mixed = 0;
                    for (int key = 0; key < TOKENS; key++) {
                        for (int c = 0; c < D_MODEL; c++) {
                            mixed += (double) pattern.getFloat(head, t, key) * map.down().getFloat(i, c)
                                    * x.getFloat(key, c);
                        }
                    }
                    for (int c = 0; c < D_MODEL; c++) {
                        sum[t][c] += map.up().getFloat(c, i) * mixed;
                    }
                }
            }
        }
        return sum;
    }

    /** The graph of one attention layer whose tokens are the rows of x; its patterns, where wanted, outlive it. */
    private float[][] run(Engine engine, Tensor x, Tensor query, Tensor key, int valueDim, ValueMap.Folded maps,
            List<Tensor> patterns) {
        var g = Graph.builder();
        Value tokens = g.embedding(x, null, 0, null);
        var spec = AttentionSpec.of(HEADS, 5).withValueDim(valueDim);
        Value mixed = g.attention(g.linear(tokens, query, null), g.linear(tokens, key, null),
                g.linear(tokens, maps.value(), null), spec);
        try (Plan plan = Plan.compile(g.build(g.linear(mixed, maps.output(), null)), engine);
                Session session = plan.newExplainingSession(TOKENS, 1)) {
            TokenRows.run(session, List.of(new int[] {0, 1, 2, 3, 4, 5, 6}));
            if (patterns != null) {
                Tensor pattern = session.patterns().getFirst();
                patterns.add(Tensor.copyOf(arena, pattern.segment().toArray(ValueLayout.JAVA_FLOAT), HEADS, TOKENS,
                        TOKENS));
            }
            return TokenRows.read(session.output(), TOKENS);
        }
    }

    @Test
    void shouldCountWhatGpt3Takes() {
        try (Arena brief = Arena.ofConfined()) {
            Tensor down = Tensor.allocate(brief, DType.F32, Shape.of(128, 12_288));
            var map = new ValueMap.LowRank(down, Tensor.allocate(brief, DType.F32, Shape.of(12_288, 128)));
            assertEquals(3_145_728, map.parameters());
            assertEquals(150_994_944, (long) map.dModel() * map.dModel());
            assertEquals(400, new ValueMap.Full(matrix(D_MODEL, D_MODEL)).parameters());
        }
    }

    @Test
    void shouldRefuseShapesThatDoNotFit() {
        refused(() -> new ValueMap.Full(matrix(3, 4)), "3", "4");
        refused(() -> new ValueMap.LowRank(matrix(3, 8), matrix(8, 4)), "4", "3");
        refused(() -> new ValueMap.LowRank(matrix(3, 8), matrix(9, 3)), "9", "8");
        refused(() -> ValueMap.fold(arena, List.of()), "0");
        var head = new ValueMap.LowRank(matrix(3, 8), matrix(8, 3));
        refused(() -> ValueMap.fold(arena, List.of(head, new ValueMap.LowRank(matrix(2, 8), matrix(8, 2)))),
                "rank of head 1", "3", "2");
        refused(() -> ValueMap.fold(arena, List.of(head, new ValueMap.LowRank(matrix(3, 6), matrix(6, 3)))),
                "d_model of head 1", "8", "6");
    }

    private static void refused(Executable call, String... names) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(Arrays.stream(names).allMatch(message::contains), message);
    }

    private Tensor matrix(int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() / Math.sqrt(columns));
        }
        return Tensor.copyOf(arena, values, rows, columns);
    }
}
