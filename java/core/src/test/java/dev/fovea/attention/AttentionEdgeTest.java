package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rows of the semantics that say what happens where there is little, nothing or too much. */
class AttentionEdgeTest {
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    private final Arena arena = Arena.ofConfined();
    private final Random random = new Random(5);

    static List<Engine> engines() {
        return AttentionEngines.all();
    }

    @AfterEach
    void close() {
        arena.close();
    }

    private Tensor random(long... sizes) {
        float[] values = new float[(int) Shape.of(sizes).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return Tensor.copyOf(arena, values, sizes);
    }

    private Tensor filled(float value, long... sizes) {
        float[] values = new float[(int) Shape.of(sizes).elements()];
        Arrays.fill(values, value);
        return Tensor.copyOf(arena, values, sizes);
    }

    private static float[] floats(Tensor tensor) {
        return tensor.segment().toArray(ValueLayout.JAVA_FLOAT);
    }

    private static void run(Engine engine, AttentionSpec spec, AttentionTensors tensors) {
        try (var attention = Attention.create(engine, spec)) {
            attention.run(tensors);
        }
    }

    private Tensor mask(int queries, int keys, String... rows) {
        Tensor mask = Tensor.allocate(arena, DType.U8, Shape.of(queries, keys));
        for (int i = 0; i < queries; i++) {
            for (int j = 0; j < keys; j++) {
                byte value = (byte) (rows[i].charAt(j) == '#' ? 1 : 0);
                mask.segment().set(ValueLayout.JAVA_BYTE, (long) i * keys + j, value);
            }
        }
        return mask;
    }

    private void assertSees(Engine engine, Mask mask, String... rows) {
        Tensor weights = filled(-1, 1, rows.length, rows[0].length());
        run(engine, AttentionSpec.of(1, 3).withMask(mask),
                AttentionTensors.of(random(rows.length, 1, 3), random(rows[0].length(), 1, 3),
                        random(rows[0].length(), 1, 3), random(rows.length, 1, 3)).withWeights(weights));
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length(); j++) {
                assertEquals(rows[i].charAt(j) == '#', weights.getFloat(0, i, j) > 0, mask + " at " + i + ", " + j);
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldSeeWhatTheDiagramsShow(Engine engine) {
        assertSees(engine, Mask.none(), "#####", "#####", "#####");
        assertSees(engine, Mask.causal(), "###..", "####.", "#####");
        assertSees(engine, Mask.causal().topLeft(), "#....", "##...", "###..");
        assertSees(engine, Mask.window(2, 0), "###..", ".###.", "..###");
        assertSees(engine, Mask.window(1, 1), ".###.", "..###", "...##");
        assertSees(engine, Mask.window(0, 0), "..#..", "...#.", "....#");
        assertSees(engine, Mask.window(0, -1), "..###", "...##", "....#");
        assertSees(engine, Mask.window(0, 1).topLeft(), "##", ".#", "..");
        assertSees(engine, Mask.causal(), "...", "#..", "##.", "###");
        assertSees(engine, Mask.window(1, -1), "##", "##", "##", "##");
        assertSees(engine, Mask.window(Integer.MAX_VALUE, Integer.MAX_VALUE), "##", "##", "##");
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveZeroAndMinusInfinityWhenNothingIsAttended(Engine engine) {
        Tensor out = filled(7, 3, 2, 4);
        Tensor lse = filled(7, 2, 3);
        Tensor weights = filled(7, 2, 3, 5);
        run(engine, AttentionSpec.of(2, 4), AttentionTensors.of(random(3, 2, 4), random(5, 2, 4), random(5, 2, 4), out)
                .withMask(mask(3, 5, "#.#..", ".....", "....#")).withLse(lse).withWeights(weights));
        for (int h = 0; h < 2; h++) {
            assertEquals(Float.NEGATIVE_INFINITY, lse.getFloat(h, 1));
            assertTrue(Float.isFinite(lse.getFloat(h, 0)) && Float.isFinite(lse.getFloat(h, 2)));
            for (int e = 0; e < 5; e++) {
                assertEquals(0, weights.getFloat(h, 1, e));
                assertEquals(0, out.getFloat(1, h, Math.min(e, 3)));
            }
            assertEquals(1, weights.getFloat(h, 2, 4));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveZeroWhenThereAreNoKeys(Engine engine) {
        Tensor out = filled(7, 3, 2, 4);
        Tensor lse = filled(7, 2, 3);
        run(engine, AttentionSpec.of(2, 4).withAlibi(Alibi.forHeads(2)),
                AttentionTensors.of(random(3, 2, 4), random(0, 2, 4), random(0, 2, 4), out).withLse(lse));
        assertArrayEquals(new float[24], floats(out));
        for (float each : floats(lse)) {
            assertEquals(Float.NEGATIVE_INFINITY, each);
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldDoNothingWhenThereIsNothing(Engine engine) {
        AttentionSpec spec = AttentionSpec.of(2, 4);
        run(engine, spec, AttentionTensors.of(random(0, 2, 4), random(5, 2, 4), random(5, 2, 4), random(0, 2, 4)));
        run(engine, spec, AttentionTensors.of(random(0, 2, 4), random(0, 2, 4), random(0, 2, 4), random(0, 2, 4)));
        run(engine, spec, AttentionTensors.of(random(0, 3, 2, 4), random(0, 3, 2, 4), random(0, 3, 2, 4),
                random(0, 3, 2, 4)));
        Tensor out = filled(7, 3, 2, 4);
        Tensor none = Tensor.copyOf(arena, new int[] {0});
        run(engine, spec, AttentionTensors.of(random(3, 2, 4), random(3, 2, 4), random(3, 2, 4), out)
                .withOffsets(none, none));
        try (var attention = Attention.create(engine, spec)) {
            attention.run(0, AttentionTensors.of(random(3, 2, 4), random(3, 2, 4), random(3, 2, 4), out));
        }
        for (float each : floats(out)) {
            assertEquals(7, each);
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveFirstQueriesNothingWhenMoreQueriesThanKeysAreCausal(Engine engine) {
        Tensor out = filled(7, 300, 1, 4);
        Tensor lse = filled(7, 1, 300);
        Tensor v = random(140, 1, 4);
        run(engine, AttentionSpec.of(1, 4).withMask(Mask.causal()),
                AttentionTensors.of(random(300, 1, 4), random(140, 1, 4), v, out).withLse(lse));
        for (int i = 0; i < 160; i++) {
            assertEquals(0, out.getFloat(i, 0, 3));
            assertEquals(Float.NEGATIVE_INFINITY, lse.getFloat(0, i));
        }
        assertEquals(v.getFloat(0, 0, 3), out.getFloat(160, 0, 3));
        assertTrue(Float.isFinite(lse.getFloat(0, 160)));
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldKeepNanAndInfinityOutWhenMasked(Engine engine) {
        for (float poison : new float[] {Float.NaN, INFINITY, -INFINITY}) {
            for (int at : new int[] {0, 1, 63, 127, 128, 199}) {
                AttentionSpec spec = AttentionSpec.of(2, 40);
                Tensor q = random(3, 2, 40);
                Tensor k = random(200, 2, 40);
                Tensor v = random(200, 2, 40);
                Tensor masked = mask(1, 200, "#".repeat(at) + "." + "#".repeat(199 - at));
                Tensor clean = filled(0, 3, 2, 40);
                run(engine, spec, AttentionTensors.of(q, k, v, clean).withMask(masked));
                for (int e = 0; e < 80; e++) {
                    k.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at * 80L + e, poison);
                    v.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at * 80L + e, poison);
                }
                Tensor out = filled(0, 3, 2, 40);
                run(engine, spec, AttentionTensors.of(q, k, v, out).withMask(masked));
                assertArrayEquals(floats(clean), floats(out), poison + " at " + at);
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldKeepNanOutOfQueriesThatDoNotReachIt(Engine engine) {
        Tensor q = random(200, 1, 8);
        Tensor k = random(200, 1, 8);
        Tensor v = random(200, 1, 8);
        for (int e = 0; e < 8; e++) {
            v.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 150 * 8 + e, Float.NaN);
            k.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 170 * 8 + e, INFINITY);
        }
        Tensor out = filled(0, 200, 1, 8);
        run(engine, AttentionSpec.of(1, 8).withMask(Mask.causal()), AttentionTensors.of(q, k, v, out));
        for (int i = 0; i < 200; i++) {
            assertEquals(i < 150, Float.isFinite(out.getFloat(i, 0, 5)), "query " + i);
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldStayFiniteWhenScoresAreHuge(Engine engine) {
        for (float sign : new float[] {1, -1}) {
            Tensor q = filled(sign * 1e15f, 3, 1, 1);
            Tensor k = filled(1e15f, 5, 1, 1);
            Tensor v = filled(0.5f, 5, 1, 2);
            k.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 3, sign * 2e15f);
            v.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 6, 0.25f);
            v.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 7, 0.25f);
            if (sign < 0) {
                k.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 3, 0.5e15f);
            }
            Tensor out = filled(7, 3, 1, 2);
            Tensor lse = filled(7, 1, 3);
            run(engine, AttentionSpec.of(1, 1).withValueDim(2), AttentionTensors.of(q, k, v, out).withLse(lse));
            for (float each : floats(out)) {
                assertEquals(0.25f, each, 1e-6f, "scores around " + sign * 1e30f);
            }
            for (float each : floats(lse)) {
                assertEquals(sign > 0 ? 2e30f : -0.5e30f, each, 1e24f);
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldStayFiniteWhenScoresOfBothSignsAreHuge(Engine engine) {
        Tensor bias = Tensor.copyOf(arena, new float[] {-1e30f, 1e30f, -3e38f, 3, 1e30f}, 1, 5);
        Tensor v = Tensor.copyOf(arena, new float[] {1, 2, 3, 4, 6}, 5, 1, 1);
        Tensor out = filled(7, 2, 1, 1);
        run(engine, AttentionSpec.of(1, 3).withValueDim(1),
                AttentionTensors.of(random(2, 1, 3), random(5, 1, 3), v, out).withBias(bias));
        assertArrayEquals(new float[] {4, 4}, floats(out), 1e-5f);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldAgreeWithFormulaWhenInputsAreDenormal(Engine engine) {
        Tensor v = filled(0.5f, 70, 1, 17);
        Tensor out = filled(7, 2, 1, 17);
        run(engine, AttentionSpec.of(1, 17),
                AttentionTensors.of(filled(1e-40f, 2, 1, 17), filled(1e-39f, 70, 1, 17), v, out));
        for (float each : floats(out)) {
            assertEquals(0.5f, each, 1e-6f);
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldGiveDenormalResultsOrZeroWhenValuesAreDenormal(Engine engine) {
        Tensor out = filled(7, 2, 1, 17);
        run(engine, AttentionSpec.of(1, 17),
                AttentionTensors.of(random(2, 1, 17), random(70, 1, 17), filled(1e-41f, 70, 1, 17), out));
        for (float each : floats(out)) {
            assertEquals(1e-41f, each, 1.01e-41f);
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldDependOnDistanceAloneWhenRope(Engine engine) {
        // One query, one key and their copies 5 positions further on: the same pattern.
        for (Rope.Layout layout : Rope.Layout.values()) {
            AttentionSpec spec = AttentionSpec.of(1, 8).withRope(Rope.of(layout, 8, 10_000, 64));
            Tensor q = random(1, 1, 8);
            float[] keys = floats(random(4, 1, 8));
            float[] shifted = new float[9 * 8];
            System.arraycopy(keys, 0, shifted, 5 * 8, keys.length);
            Tensor near = filled(0, 1, 1, 4);
            run(engine, spec, AttentionTensors.of(q, Tensor.copyOf(arena, keys, 4, 1, 8), random(4, 1, 8),
                    random(1, 1, 8)).withWeights(near));
            Tensor far = filled(0, 1, 1, 9);
            run(engine, spec, AttentionTensors.of(q, Tensor.copyOf(arena, shifted, 9, 1, 8), random(9, 1, 8),
                    random(1, 1, 8)).withWeights(far).withMask(mask(1, 9, ".....####")));
            assertArrayEquals(floats(near), Arrays.copyOfRange(floats(far), 5, 9), 1e-6f, layout.toString());
        }
    }

    @Test
    void shouldTakeSlopesFromThePaper() {
        assertArrayEquals(new float[] {1 / 2f, 1 / 4f, 1 / 8f, 1 / 16f, 1 / 32f, 1 / 64f, 1 / 128f, 1 / 256f},
                floats(Alibi.forHeads(8).slopes()));
        double[] twelve = {0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625, 0.7071067811865476,
            0.35355339059327384, 0.17677669529663692, 0.08838834764831849};
        for (int h = 0; h < 12; h++) {
            assertEquals((float) twelve[h], Alibi.forHeads(12).slopes().getFloat(h));
        }
        assertEquals(1 / 256f, Alibi.forHeads(1).slopes().getFloat(0));
    }

    @Test
    void shouldGiveDiagonalByAlignment() {
        assertEquals(2, Mask.causal().diagonal(0, 3, 5));
        assertEquals(-2, Mask.causal().diagonal(0, 5, 3));
        assertEquals(4, Mask.causal().topLeft().diagonal(4, 5, 3));
    }
}
