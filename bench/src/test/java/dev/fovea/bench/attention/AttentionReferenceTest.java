package dev.fovea.bench.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the suite's sides are checked against, itself checked against the tests' reference. */
class AttentionReferenceTest {
    private static final float TOLERANCE = 1e-7f;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldComputeTheFormula(boolean causal) {
        AttentionWork work = new AttentionWork(37, 8, 3, causal, false);
        AttentionInputs inputs = AttentionInputs.random(work.elements());
        AttentionReference reference = AttentionReference.of(work);
        float[] all = expected(work, inputs);
        assertArrayEquals(all, reference.expected(inputs), TOLERANCE);
        assertArrayEquals(all, reference.sampled(all));
    }

    @Test
    void shouldTakeTheSameQueriesOfBothWhereItTakesSome() {
        int tokens = 20_000;
        AttentionReference reference = new AttentionReference(2, tokens, tokens, 64, i -> i, i -> i + 1);
        float[] rows = new float[2 * tokens * 64];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = i / 64;
        }
        // A query that sees one key gets its value.
        AttentionInputs inputs = new AttentionInputs(new float[rows.length], new float[rows.length], rows);
        assertArrayEquals(reference.sampled(rows), reference.expected(inputs));
    }

    @Test
    void shouldAlwaysTakeTheLastQuery() {
        AttentionWork work = new AttentionWork(4096, 128, 32, false, false);
        float[] result = new float[work.elements()];
        result[result.length - 1] = 1;
        float[] sample = AttentionReference.of(work).sampled(result);
        assertEquals(1, sample[sample.length - 1]);
    }

    @Test
    void shouldCountThePairsThatAMaskShows() {
        for (String mask : List.of(LongAttention.FULL, LongAttention.CAUSAL, LongAttention.WINDOW)) {
            List<Integer> pairs = new ArrayList<>();
            int queries = 400;
            int keys = 1000;
            for (int i = 0; i < queries; i++) {
                for (int j = 0; j < keys; j++) {
                    int behind = i + keys - queries - j;
                    boolean seen = switch (mask) {
                        case LongAttention.FULL -> true;
                        case LongAttention.CAUSAL -> behind >= 0;
                        default -> behind >= 0 && behind <= 256;
                    };
                    if (seen) {
                        pairs.add(j);
                    }
                }
            }
            assertEquals(5.0 * pairs.size(), LongAttention.pairs(mask, queries, keys, 5), mask);
        }
    }

    /** Of every query: [heads, tokens, head_dim]. */
    static float[] expected(AttentionWork work, AttentionInputs inputs) {
        AttentionShape shape = new AttentionShape(
                1, work.heads(), work.heads(), work.tokens(), work.tokens(), work.headDim(), work.headDim());
        AttentionOptions options =
                work.causal() ? AttentionOptions.defaults().withCausal() : AttentionOptions.defaults();
        double[] values =
                new ReferenceAttention(shape, options).attend(inputs.query(), inputs.key(), inputs.value());
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }
}
