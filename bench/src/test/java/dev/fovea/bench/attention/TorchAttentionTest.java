package dev.fovea.bench.attention;

import static dev.fovea.bench.attention.RandomInputs.bias;
import static dev.fovea.bench.attention.RandomInputs.keep;
import static dev.fovea.bench.attention.RandomInputs.random;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** PyTorch's attention, as it is called here, computes the formula. */
@EnabledOnOs(
        value = OS.LINUX,
        architectures = "amd64",
        disabledReason = "PyTorch's libraries are on the class path of x86-64 Linux alone")
class TorchAttentionTest {
    /** Of the results, which lie in (−1, 1). Measured were 1e-7. */
    private static final double TOLERANCE = 1e-6;

    private static final List<AttentionShape> SHAPES = List.of(
            new AttentionShape(1, 1, 1, 1, 1, 1, 1),
            new AttentionShape(2, 3, 3, 5, 7, 8, 8),
            new AttentionShape(2, 3, 3, 7, 5, 8, 8),
            new AttentionShape(2, 4, 2, 6, 9, 16, 5),
            new AttentionShape(1, 6, 1, 33, 65, 20, 20),
            // Past the fused kernel's blocks, of 32 queries and 512 keys here.
            new AttentionShape(1, 2, 2, 70, 1100, 64, 64));

    static Stream<Arguments> attentions() {
        List<Function<AttentionShape, AttentionOptions>> options = List.of(
                _ -> AttentionOptions.defaults(),
                _ -> AttentionOptions.defaults().withCausal(),
                _ -> AttentionOptions.defaults().withScale(0.3),
                shape -> AttentionOptions.defaults().withMask(keep(1, 1, shape)),
                shape -> AttentionOptions.defaults().withMask(keep(shape.batch(), 1, shape)),
                shape -> AttentionOptions.defaults().withMask(keep(shape.batch(), shape.heads(), shape)),
                shape -> AttentionOptions.defaults().withMask(bias(1, shape.heads(), shape)).withScale(0.3));
        List<Arguments> all = new ArrayList<>();
        for (AttentionShape shape : SHAPES) {
            options.forEach(each -> all.add(Arguments.of(shape, each.apply(shape))));
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("attentions")
    void shouldComputeTheFormula(AttentionShape shape, AttentionOptions options) {
        float[] query = random(1, shape.query());
        float[] key = random(2, shape.key());
        float[] value = random(3, shape.value());

        float[] actual = TorchAttention.attend(shape, options, query, key, value);

        double[] expected = new ReferenceAttention(shape, options).attend(query, key, value);
        assertArrayEquals(expected, doubles(actual), TOLERANCE);
    }

    @ParameterizedTest
    @MethodSource("maskedRows")
    void shouldGiveZerosToAQueryWhoseKeysAreAllHidden(int valueDim, AttentionMask mask) {
        var shape = new AttentionShape(1, 1, 1, 2, 3, 4, valueDim);
        float[] out = TorchAttention.attend(
                shape,
                AttentionOptions.defaults().withMask(mask),
                random(1, shape.query()),
                random(2, shape.key()),
                random(3, shape.value()));
        assertArrayEquals(new float[valueDim], Arrays.copyOf(out, valueDim));
    }

    /** Each mask with a value_dim for each of PyTorch's kernels. */
    static Stream<Arguments> maskedRows() {
        float hidden = Float.NEGATIVE_INFINITY;
        var keep = new AttentionMask.Keep(1, 1, new boolean[] {false, false, false, true, false, true});
        var bias = new AttentionMask.Bias(1, 1, new float[] {hidden, hidden, hidden, 0, hidden, 0});
        return Stream.of(Arguments.of(4, keep), Arguments.of(4, bias), Arguments.of(2, keep), Arguments.of(2, bias));
    }

    @Test
    void shouldTakeNoQueriesAndNoKeys() {
        var noQueries = new AttentionShape(1, 1, 1, 0, 3, 4, 4);
        assertEquals(
                0,
                TorchAttention.attend(
                                noQueries, AttentionOptions.defaults(), new float[0], new float[12], new float[12])
                        .length);
        var noKeys = new AttentionShape(1, 1, 1, 2, 0, 4, 4);
        assertArrayEquals(
                new float[8],
                TorchAttention.attend(noKeys, AttentionOptions.defaults(), new float[8], new float[0], new float[0]));
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        var shape = new AttentionShape(1, 1, 1, 2, 3, 4, 4);
        AttentionOptions plain = AttentionOptions.defaults();
        assertEquals(
                "expected 12 values in key [1, 1, 3, 4], got 11",
                refusal(shape, plain, new float[11]));
        assertEquals(
                "expected 6 values in mask [1, 1, 2, 3], got 5",
                refusal(shape, plain.withMask(new AttentionMask.Keep(1, 1, new boolean[5])), new float[12]));
        assertEquals(
                "expected is_causal or a mask, got both",
                refusal(shape, plain.withCausal().withMask(keep(1, 1, shape)), new float[12]));
    }

    private static String refusal(AttentionShape shape, AttentionOptions options, float[] key) {
        return assertThrows(
                        IllegalArgumentException.class,
                        () -> TorchAttention.attend(shape, options, new float[8], key, new float[12]))
                .getMessage();
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }
}
