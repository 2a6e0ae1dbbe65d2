package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.attention.AttentionReference.Precision;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Attentions drawn at random over the whole table of the semantics, on every backend, kernel table and number of
 * threads, against the formula in double precision.
 *
 * <p>A result may be off by twice the error of the naive computation in single precision, and 1e-6. A case is
 * drawn from a seed of its own, which a failure names: {@code -Dfovea.attention.seed=SEED -Dfovea.attention.cases=1}
 * runs it alone. The long run is {@code -Dfovea.attention.cases=1000000}, with any seed.
 */
@Tag("slow")
class AttentionPropertyTest {
    private static final int CASES = Integer.getInteger("fovea.attention.cases", 10_000);
    private static final long SEED = Long.getLong("fovea.attention.seed", 20_251_103);
    private static final double SLACK = 1e-6;

    /** The emulated GPU is slow, and takes a part of the cases. */
    private static final int GPU_EVERY = Integer.getInteger("fovea.attention.gpu", 50);

    @Test
    void shouldAgreeWithFormulaWhateverIsAsked() {
        for (int i = 0; i < CASES; i++) {
            AttentionCase drawn = RandomAttention.of(SEED + i);
            Optional<String> failure = failure(drawn, i % GPU_EVERY == 0);
            if (failure.isPresent()) {
                AttentionCase smallest = shrink(drawn);
                fail("seed " + (SEED + i) + ": " + failure.get() + "\n  drawn: " + drawn + "\n  shrunk: " + smallest
                        + "\n  which fails by: " + failure(smallest, true).orElse("nothing any more"));
            }
        }
    }

    @Test
    void shouldDrawTheWholeTable() {
        Set<Object> seen = new HashSet<>();
        for (int i = 0; i < 2000; i++) {
            AttentionCase drawn = RandomAttention.of(i);
            AttentionSpec spec = drawn.spec();
            seen.addAll(EnumSet.of(drawn.qLayout(), drawn.kLayout(), drawn.vLayout(), drawn.outLayout()));
            seen.add("q " + drawn.qType() + " kv " + drawn.kvType());
            seen.add("cache " + drawn.cache());
            seen.add("head_dim " + spec.headDim());
            seen.add("mask " + drawn.mask());
            seen.add("bias " + drawn.bias());
            seen.add(spec.mask().alignment() + " left " + (spec.mask().left() >= 0) + " right " + spec.mask().right());
            seen.add(spec.kvHeads() == spec.heads() ? "mha" : spec.kvHeads() == 1 ? "mqa" : "gqa");
            seen.add(spec.rope() == null ? spec.alibi() != null : spec.rope().layout());
            seen.add("softcap " + (spec.softcap() > 0) + " poison " + drawn.poison() + " lse " + drawn.lse());
            for (int s = 0; s < drawn.run(); s++) {
                seen.add("queries " + drawn.queries().get(s));
                seen.add("keys " + drawn.keys().get(s));
            }
        }
        for (int length : new int[] {0, 1, 2, 17, 64, 97, 257, 1025}) {
            assertTrue(seen.contains("queries " + length) && seen.contains("keys " + length), "length " + length);
        }
        for (int dim : new int[] {1, 2, 8, 17, 32, 40, 59, 64, 80, 96, 111, 128, 192, 256}) {
            assertTrue(seen.contains("head_dim " + dim), "head_dim " + dim);
        }
        for (DType type : EnumSet.of(DType.F32, DType.F16, DType.BF16)) {
            assertTrue(seen.contains("cache " + type) && seen.contains("q " + type + " kv " + type), type.toString());
        }
        for (int form = -1; form < 16; form++) {
            boolean exists = form < 0 || form >= AttentionCase.RANK_4 || (form & AttentionCase.PER_QUERY) == form;
            assertEquals(exists, seen.contains("mask " + form) && seen.contains("bias " + form), "form " + form);
        }
        assertTrue(seen.containsAll(Arrays.asList(AttentionCase.Layout.values())), "layouts");
        assertTrue(seen.containsAll(Arrays.asList(Rope.Layout.values())), "RoPE");
        assertTrue(seen.containsAll(List.of("mha", "gqa", "mqa", true)), "heads and ALiBi");
    }

    /** The simplest case near a failing one that fails as well. */
    private static AttentionCase shrink(AttentionCase failing) {
        AttentionCase smallest = failing;
        Iterator<AttentionCase> candidates = smallest.simpler().iterator();
        for (int attempts = 0; attempts < 1000 && candidates.hasNext(); attempts++) {
            AttentionCase candidate = candidates.next();
            if (failure(candidate, true).isPresent()) {
                smallest = candidate;
                candidates = smallest.simpler().iterator();
            }
        }
        return smallest;
    }

    /** What is wrong on the first engine on which anything is. */
    private static Optional<String> failure(AttentionCase drawn, boolean onGpu) {
        AttentionProblem problem = AttentionProblem.of(drawn);
        var exact = AttentionReference.of(problem, drawn.run(), Precision.DOUBLE);
        var naive = AttentionReference.of(problem, drawn.run(), Precision.SINGLE);
        try (var memory = new AttentionMemory(drawn, problem)) {
            AttentionMemory.Results last = null;
            String lastIsa = null;
            for (Engine engine : onGpu ? AttentionEngines.all() : AttentionEngines.cpus()) {
                try {
                    AttentionMemory.Results results = memory.run(engine);
                    new Comparison(drawn, problem, exact, naive, engine.backend() == Backend.CUDA).check(results);
                    if (engine.isa().equals(lastIsa)) {
                        assertSameBits(last, results);
                    }
                    last = results;
                    lastIsa = engine.isa();
                } catch (AssertionError | RuntimeException e) {
                    return Optional.of(AttentionEngines.name(engine) + ": " + e);
                }
            }
        }
        return Optional.empty();
    }

    private static void assertSameBits(AttentionMemory.Results expected, AttentionMemory.Results actual) {
        // NaN, whose bits are no one's promise, is equal to NaN here, and 0 differs from -0.
        assertSameBits("out", expected.out(), actual.out());
        assertSameBits("lse", expected.lse(), actual.lse());
        assertSameBits("weights", expected.weights(), actual.weights());
    }

    private static void assertSameBits(String name, float[][] expected, float[][] actual) {
        for (int s = 0; expected != null && s < expected.length; s++) {
            assertArrayEquals(expected[s], actual[s], name + " of sequence " + s + " with another number of threads");
        }
    }

    /** One run's results against the formula's. */
    private record Comparison(AttentionCase drawn, AttentionProblem problem, AttentionReference.Result exact,
            AttentionReference.Result naive, boolean gpu) {
        void check(AttentionMemory.Results results) {
            assertEquals(0, results.touched(), "elements written outside the results");
            check("out", exact.out(), naive.out(), results.out(), s -> drawn.spec().valueDim(), slack());
            if (results.lse() != null) {
                check("lse", exact.lse(), naive.lse(), results.lse(), s -> 1, slack());
            }
            if (results.weights() != null) {
                checkPatterns(results.weights());
            }
        }

        private void check(String name, double[][] expected, double[][] naive, float[][] actual,
                IntUnaryOperator width, double slack) {
            double bound = slack;
            for (int s = 0; s < actual.length; s++) {
                for (int i = 0; i < actual[s].length; i++) {
                    if (!exact.tainted()[s][i / width.applyAsInt(s)]) {
                        bound = Math.max(bound, 2 * error(expected[s][i], naive[s][i]) + slack);
                    }
                }
            }
            for (int s = 0; s < actual.length; s++) {
                for (int i = 0; i < actual[s].length; i++) {
                    int row = i / width.applyAsInt(s);
                    if (!exact.tainted()[s][row] && !(error(expected[s][i], actual[s][i]) <= bound)) {
                        fail(name + " of sequence " + s + ", query " + row / drawn.spec().heads() + ", head "
                                + row % drawn.spec().heads() + ", element " + i % width.applyAsInt(s) + ": expected "
                                + expected[s][i] + " up to " + bound + ", got " + actual[s][i]);
                    }
                }
            }
        }

        private void checkPatterns(float[][] weights) {
            for (int s = 0; s < weights.length; s++) {
                int keys = problem.keys()[s];
                for (int row = 0; keys > 0 && row < weights[s].length / keys; row++) {
                    checkPattern(weights[s], s, row, keys);
                }
            }
            check("weights", exact.weights(), naive.weights(), weights, s -> problem.keys()[s], slack());
        }

        private void checkPattern(float[] weights, int s, int row, int keys) {
            int heads = drawn.spec().heads();
            double sum = 0;
            int attended = 0;
            for (int j = 0; j < keys; j++) {
                if (problem.attends(s, row % heads, row / heads, j)) {
                    attended++;
                } else {
                    assertEquals(0, weights[row * keys + j], "weight of a masked key");
                }
                sum += weights[row * keys + j];
            }
            double expected = attended == 0 ? 0 : 1;
            // Each weight is rounded, so that their sum drifts with their number.
            double bound = attended == 0 ? 0 : SLACK * Math.max(1, attended / 100.0);
            assertTrue(exact.tainted()[s][row] || Math.abs(sum - expected) <= bound, "row " + row + " sums to " + sum);
        }

        private static double error(double expected, double actual) {
            return expected == actual ? 0 : Math.abs(expected - actual);
        }

        /** 1e-6; and keys that are turned, then stored in half precision, may lie across a rounding border. */
        private double slack() {
            double slack = SLACK;
            if (drawn.spec().rope() != null && drawn.cache() != null && drawn.cache() != DType.F32) {
                slack += (drawn.cache() == DType.F16 ? 0x1p-10 : 0x1p-7) * drawn.range();
            }
            if (gpu && (drawn.qType() != DType.F32 || drawn.kvType() != DType.F32 || drawn.cache() != null)) {
                // Tensor cores multiply half types: what is turned, and the weights of values, are rounded to them.
                boolean fine = drawn.qType() != DType.BF16 && drawn.kvType() != DType.BF16
                        && drawn.cache() != DType.BF16;
                slack += (fine ? 0x1p-10 : 0x1p-7) * drawn.range();
            }
            return slack;
        }
    }
}
