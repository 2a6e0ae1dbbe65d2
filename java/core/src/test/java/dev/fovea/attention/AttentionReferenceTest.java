package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.attention.AttentionReference.Precision;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The reference against itself written in other ways. */
class AttentionReferenceTest {
    private static final int HEADS = 2;
    private static final int DIM = 6;
    private static final int QUERIES = 5;
    private static final int KEYS = 9;

    private final Random random = new Random(11);
    private final float[] q = values(QUERIES * HEADS * DIM);
    private final float[] k = values(KEYS * HEADS * DIM);
    private final float[] v = values(KEYS * HEADS * DIM);

    private float[] values(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    private AttentionReference.Result reference(AttentionSpec spec, Precision precision) {
        var problem = new AttentionProblem(spec, new int[] {QUERIES}, new int[] {KEYS}, new float[][] {q},
                new float[][] {k}, new float[][] {v}, DType.F32, null, null);
        return AttentionReference.of(problem, 1, precision);
    }

    @Test
    void shouldEqualFloatLoopsWhenSinglePrecision() {
        AttentionSpec spec = AttentionSpec.of(HEADS, DIM);
        float[] out = new float[QUERIES * HEADS * DIM];
        for (int i = 0; i < QUERIES; i++) {
            for (int h = 0; h < HEADS; h++) {
                float[] s = new float[KEYS];
                float max = Float.NEGATIVE_INFINITY;
                for (int j = 0; j < KEYS; j++) {
                    for (int e = 0; e < DIM; e++) {
                        s[j] += q[(i * HEADS + h) * DIM + e] * k[(j * HEADS + h) * DIM + e];
                    }
                    s[j] *= spec.scale();
                    max = Math.max(max, s[j]);
                }
                float sum = 0;
                for (int j = 0; j < KEYS; j++) {
                    s[j] = (float) Math.exp(s[j] - max);
                    sum += s[j];
                }
                for (int j = 0; j < KEYS; j++) {
                    for (int e = 0; e < DIM; e++) {
                        out[(i * HEADS + h) * DIM + e] += s[j] / sum * v[(j * HEADS + h) * DIM + e];
                    }
                }
            }
        }
        double[] actual = reference(spec, Precision.SINGLE).out()[0];
        for (int i = 0; i < out.length; i++) {
            assertEquals(out[i], (float) actual[i]);
            assertEquals((float) actual[i], actual[i]);
        }
    }

    @Test
    void shouldTurnByComplexPowersWhenRope() {
        Rope rope = Rope.of(Rope.Layout.INTERLEAVED, 4, 10_000, 64);
        AttentionSpec spec = AttentionSpec.of(HEADS, DIM).withMask(Mask.causal()).withRope(rope);
        var actual = reference(spec, Precision.DOUBLE);
        for (int i = 0; i < QUERIES; i++) {
            for (int h = 0; h < HEADS; h++) {
                int d = i + KEYS - QUERIES;
                double sum = 0;
                for (int j = 0; j <= d; j++) {
                    sum += Math.exp(relativeScore(i, j, h, d - j) * spec.scale());
                }
                assertEquals(Math.log(sum), actual.lse()[0][i * HEADS + h], 1e-6);
            }
        }
    }

    /** Re(q · conj(k) · e^(i · distance · frequency)) for each pair, and the plain product of what is not turned. */
    private double relativeScore(int i, int j, int h, int distance) {
        double score = 0;
        int query = (i * HEADS + h) * DIM;
        int key = (j * HEADS + h) * DIM;
        for (int p = 0; p < 2; p++) {
            double angle = distance * Math.pow(10_000, -p / 2.0);
            double re = (double) q[query + 2 * p] * k[key + 2 * p] + (double) q[query + 2 * p + 1] * k[key + 2 * p + 1];
            double im = (double) q[query + 2 * p + 1] * k[key + 2 * p] - (double) q[query + 2 * p] * k[key + 2 * p + 1];
            score += re * Math.cos(angle) - im * Math.sin(angle);
        }
        return score + (double) q[query + 4] * k[key + 4] + (double) q[query + 5] * k[key + 5];
    }

    @Test
    void shouldSplitAtAnyKeyByLogSumExp() {
        // Two halves of the keys, weighed by e^lse, make the whole: the identity behind tiled kernels.
        AttentionSpec spec = AttentionSpec.of(HEADS, DIM).withSoftcap(2).withAlibi(Alibi.forHeads(HEADS))
                .withMask(Mask.none().topLeft());
        var whole = reference(spec, Precision.DOUBLE);
        double[] merged = new double[whole.out()[0].length];
        double[] total = new double[QUERIES * HEADS];
        for (int half = 0; half < 2; half++) {
            float[] mask = new float[KEYS];
            for (int j = 0; j < KEYS; j++) {
                mask[j] = j % 2 == half ? 1 : 0;
            }
            var problem = new AttentionProblem(spec, new int[] {QUERIES}, new int[] {KEYS}, new float[][] {q},
                    new float[][] {k}, new float[][] {v}, DType.F32,
                    new AttentionProblem.Pairs(1, 1, 1, KEYS, mask), null);
            var part = AttentionReference.of(problem, 1, Precision.DOUBLE);
            for (int i = 0; i < merged.length; i++) {
                double share = Math.exp(part.lse()[0][i / DIM] - whole.lse()[0][i / DIM]);
                merged[i] += share * part.out()[0][i];
                total[i / DIM] += i % DIM == 0 ? share : 0;
            }
        }
        assertArrayEquals(whole.out()[0], merged, 1e-12);
        for (double each : total) {
            assertEquals(1, each, 1e-12);
        }
    }
}
