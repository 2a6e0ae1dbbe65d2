package dev.fovea.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** A spec that makes no sense cannot be made, and one that does holds what it was given. */
class AttentionSpecTest {
    private static final Class<IllegalArgumentException> BAD = IllegalArgumentException.class;
    private static final Class<NullPointerException> MISSING = NullPointerException.class;
    private static final AttentionSpec SPEC = AttentionSpec.of(4, 8);

    /** @param names what the message must contain */
    private record Case(String name, Class<? extends Exception> thrown, Executable call, String... names) {}

    private static final List<Case> CASES = List.of(
            new Case("no heads", BAD, () -> AttentionSpec.of(0, 8), "heads", "0"),
            new Case("negative head_dim", BAD, () -> AttentionSpec.of(4, -8), "head_dim", "-8"),
            new Case("no kv_heads", BAD, () -> SPEC.withKvHeads(0), "kv_heads", "0"),
            new Case("kv_heads that do not divide", BAD, () -> SPEC.withKvHeads(3), "4", "3"),
            new Case("more kv_heads than heads", BAD, () -> SPEC.withKvHeads(8), "4", "8"),
            new Case("no value_dim", BAD, () -> SPEC.withValueDim(0), "value_dim", "0"),
            new Case("a scale of NaN", BAD, () -> SPEC.withScale(Float.NaN), "NaN"),
            new Case("an infinite scale", BAD, () -> SPEC.withScale(Float.POSITIVE_INFINITY), "Infinity"),
            new Case("a negative softcap", BAD, () -> SPEC.withSoftcap(-2), "-2"),
            new Case("a softcap of NaN", BAD, () -> SPEC.withSoftcap(Float.NaN), "NaN"),
            new Case("an infinite softcap", BAD, () -> SPEC.withSoftcap(Float.POSITIVE_INFINITY), "Infinity"),
            new Case("slopes of other heads", BAD, () -> SPEC.withAlibi(Alibi.forHeads(3)), "4", "3"),
            new Case("RoPE past head_dim", BAD, () -> SPEC.withRope(rope(10)), "8", "10"),
            new Case("ALiBi and RoPE", BAD, () -> SPEC.withAlibi(Alibi.forHeads(4)).withRope(rope(8)), "ALiBi", "RoPE"),
            new Case("no mask", MISSING, () -> SPEC.withMask(null), "mask"),
            new Case("no ALiBi", MISSING, () -> SPEC.withAlibi(null), "alibi"),
            new Case("no RoPE", MISSING, () -> SPEC.withRope(null), "rope"),
            new Case("a window to -2", BAD, () -> Mask.window(-2, 0), "left", "-2"),
            new Case("a window from -3", BAD, () -> Mask.window(0, -3), "right", "-3"),
            new Case("no alignment", MISSING, () -> new Mask(0, 0, null), "alignment"),
            new Case("no slopes", BAD, Alibi::of, "none"),
            new Case("an infinite slope", BAD, () -> Alibi.of(1, Float.NEGATIVE_INFINITY), "-Infinity"),
            new Case("slopes for no heads", BAD, () -> Alibi.forHeads(0), "0"),
            new Case("an odd RoPE", BAD, () -> rope(3), "3"),
            new Case("an empty RoPE", BAD, () -> rope(0), "0"),
            new Case("a theta of 0", BAD, () -> Rope.of(Rope.Layout.HALF, 8, 0, 9), "theta", "0"),
            new Case("a theta of NaN", BAD, () -> Rope.of(Rope.Layout.HALF, 8, Double.NaN, 9), "theta", "NaN"),
            new Case("no positions", BAD, () -> Rope.of(Rope.Layout.HALF, 8, 10_000, 0), "positions", "0"),
            new Case("no RoPE layout", MISSING, () -> Rope.of(null, 8, 10_000, 9), "layout"),
            new Case("no frequencies", BAD, () -> Rope.ofFrequencies(Rope.Layout.HALF, new double[0], 9), "none"),
            new Case("an infinite frequency", BAD,
                    () -> Rope.ofFrequencies(Rope.Layout.HALF, new double[] {1, Double.POSITIVE_INFINITY}, 9),
                    "Infinity", "1"));

    private static Rope rope(int dim) {
        return Rope.of(Rope.Layout.HALF, dim, 10_000, 9);
    }

    @TestFactory
    Stream<DynamicTest> shouldRefuse() {
        return CASES.stream().map(each -> dynamicTest(each.name(), () -> {
            Exception thrown = assertThrows(each.thrown(), each.call());
            for (String name : each.names()) {
                assertTrue(thrown.getMessage().contains(name), thrown.getMessage());
            }
        }));
    }

    @Test
    void shouldHoldWhatItIsGiven() {
        Rope rope = Rope.ofFrequencies(Rope.Layout.INTERLEAVED, new double[] {1, 0.5}, 3);
        AttentionSpec spec = AttentionSpec.of(6, 16).withKvHeads(2).withValueDim(24).withScale(-0.5f)
                .withMask(Mask.window(3, 1).topLeft()).withSoftcap(30).withRope(rope);
        Mask mask = new Mask(3, 1, Mask.Alignment.TOP_LEFT);
        assertEquals(new AttentionSpec(6, 2, 16, 24, -0.5f, mask, 30, null, rope), spec);
        assertEquals(0.25f, AttentionSpec.of(6, 16).scale());
        assertEquals(4, rope.dim());
        assertEquals(3, rope.positions());
        assertEquals((float) Math.cos(2), rope.table().getFloat(2, 0));
        assertEquals((float) Math.sin(0.5), rope.table().getFloat(1, 3));
    }
}
