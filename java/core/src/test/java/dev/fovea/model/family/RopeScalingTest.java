package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.family.RopeScaling.Linear;
import dev.fovea.model.family.RopeScaling.Llama3;
import dev.fovea.model.family.RopeScaling.None;
import dev.fovea.model.family.RopeScaling.Ntk;
import dev.fovea.model.family.RopeScaling.Yarn;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The frequencies against those that the formulas give in Python, in double. */
class RopeScalingTest {
    static Stream<Arguments> frequencies() {
        return Stream.of(
                Arguments.of(new None(), 1e4, new double[] {1.0, 0.31622776601683794, 0.1, 0.03162277660168379, 0.01,
                    0.0031622776601683794, 0.001, 0.00031622776601683794}),
                Arguments.of(new Linear(4), 1e4, new double[] {0.25, 0.07905694150420949, 0.025, 0.007905694150420948,
                    0.0025, 0.0007905694150420947, 0.00025, 7.905694150420948e-05}),
                Arguments.of(new Ntk(4), 1e4, new double[] {1.0, 0.2594128170149228, 0.0672950096316178,
                    0.017457188019584336, 0.004528618321319533, 0.0011747816359188909, 0.00030475341355111886,
                    7.905694150420948e-05}),
                Arguments.of(Yarn.of(4, 2048), 1e4, new double[] {1.0, 0.31622776601683794, 0.1, 0.02569350598886808,
                    0.00625, 0.0013834964763236657, 0.00025, 7.905694150420948e-05}),
                Arguments.of(new Yarn(8, 32768, 24, 2, 1), 1e6, new double[] {1.0, 0.17782794100389226,
                    0.03162277660168379, 0.005623413251903491, 0.0005625000000000001, 2.2228492625486534e-05,
                    3.952847075210474e-06, 7.029266564879364e-07}),
                Arguments.of(Yarn.of(2, 16), 1e4, new double[] {1.0, 0.05, 0.005, 0.0005}),
                Arguments.of(new Llama3(8, 1, 4, 8192), 5e5, new double[] {1.0, 0.19392274474868576,
                    0.03760603093086393, 0.0072926647372171085, 0.0005248461609929547, 3.428102195952591e-05,
                    6.647869871181236e-06, 1.2891731721515574e-06}),
                Arguments.of(new Llama3(32, 1, 4, 512), 1e4, new double[] {1.0, 0.31622776601683794, 0.1,
                    0.017090307415702256, 0.0003125, 9.882117688026184e-05, 3.125e-05, 9.882117688026186e-06}));
    }

    @ParameterizedTest
    @MethodSource("frequencies")
    void shouldTurnPairsAsTheFormulasSay(RopeScaling scaling, double theta, double[] expected) {
        double[] actual = scaling.frequencies(theta, 2 * expected.length);
        assertArrayEquals(new double[expected.length], relative(expected, actual), 1e-14, Arrays.toString(actual));
    }

    private static double[] relative(double[] expected, double[] actual) {
        double[] differences = new double[expected.length];
        for (int i = 0; i < expected.length; i++) {
            differences[i] = (actual[i] - expected[i]) / expected[i];
        }
        return differences;
    }

    @Test
    void shouldScaleQueriesAndKeysByYarnAlone() {
        assertEquals(1.138629436111989, Yarn.of(4, 2048).attentionFactor(), 1e-15);
        assertEquals(0.5, new Yarn(4, 2048, 32, 1, 0.5).attentionFactor());
        for (RopeScaling other : new RopeScaling[] {new None(), new Linear(2), new Ntk(2), new Llama3(8, 1, 4, 8192)}) {
            assertEquals(1, other.attentionFactor());
        }
    }

    @Test
    void shouldNameValuesThatMakeNoSense() {
        refused(() -> new Linear(0.5), "factor", "0.5");
        refused(() -> new Ntk(Double.NaN), "factor", "NaN");
        refused(() -> new Ntk(2).frequencies(1e4, 2), "4", "2");
        refused(() -> Yarn.of(2, 0), "original positions", "0");
        refused(() -> new Yarn(2, 16, 1, 2, 1), "beta_slow 2.0", "1.0");
        refused(() -> new Yarn(2, 16, 32, 1, 0), "attention_factor", "0.0");
        refused(() -> new Llama3(8, 4, 1, 8192), "low_freq_factor 4.0", "1.0");
        refused(() -> new Llama3(8, 1, 4, -1), "original positions", "-1");
    }

    private static void refused(Executable call, String... named) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(Arrays.stream(named).allMatch(message::contains), message);
    }
}
