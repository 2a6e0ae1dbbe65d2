package dev.fovea.bench.transformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.bench.transformer.TorchTransformer.Vectors;
import dev.fovea.model.Transformer;
import dev.fovea.model.TransformerConfig;
import dev.fovea.model.TransformerConfig.Architecture;
import dev.fovea.model.TransformerConfig.FeedForward;
import dev.fovea.model.TransformerConfig.Norm;
import dev.fovea.model.TransformerConfig.Positions;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Fovea's Transformer gives what libtorch's gives, on ragged batches where libtorch has padding: within 1e-5 of its
 * results in float, and no farther from its results in double than twice those.
 */
@EnabledOnOs(
        value = OS.LINUX,
        architectures = "amd64",
        disabledReason = "PyTorch's libraries are on the class path of x86-64 Linux alone")
class TransformerAgreementTest {
    private static final double TOLERANCE = 1e-5;
    private static final int VOCABULARY = 60;
    private static final int[][] SIZES = {{1, 16, 1, 40}, {2, 32, 4, 64}, {3, 60, 5, 100}, {6, 128, 8, 512}};
    private static final List<int[]> SOURCES = Stream.of(13, 1, 29).map(length -> ids(length, length)).toList();
    private static final List<int[]> TARGETS = Stream.of(7, 18, 2).map(length -> ids(99 + length, length)).toList();

    private static final List<Engine> ENGINES = engines();

    private static List<Engine> engines() {
        var options = EngineOptions.defaults().withSpinMicros(0);
        List<Engine> engines = new ArrayList<>();
        engines.add(Engine.create(options.withBackend(Backend.JAVA)));
        var ofNative = options.withBackend(Backend.NATIVE).withThreads(2);
        List<String> isas;
        try (Engine best = Engine.create(ofNative)) {
            isas = best.availableIsas();
        }
        isas.forEach(isa -> engines.add(Engine.create(ofNative.withIsa(isa))));
        return engines;
    }

    @AfterAll
    static void close() {
        ENGINES.forEach(Engine::close);
    }

    private static int[] ids(long seed, int count) {
        return new Random(seed).ints(count, 0, VOCABULARY).toArray();
    }

    static List<TransformerConfig> configs() {
        List<TransformerConfig> configs = new ArrayList<>();
        for (int[] size : SIZES) {
            for (boolean normFirst : new boolean[] {false, true}) {
                for (FeedForward feedForward : List.of(FeedForward.RELU, FeedForward.GELU)) {
                    configs.add(TransformerConfig.base(Architecture.ENCODER_DECODER, VOCABULARY)
                            .withPositions(Positions.NONE, 64).withSizes(size[0], size[1], size[2], size[3])
                            .withNorm(Norm.LAYER_NORM, normFirst).withFinalNorm(true).withFeedForward(feedForward)
                            .withEmbeddings(true, 1));
                }
            }
        }
        return configs;
    }

    @ParameterizedTest
    @MethodSource("configs")
    void shouldAgreeWithTransformer(TransformerConfig config) {
        requireAgreement(config, TransformerAgreementTest::decoded,
                (peer, source, target, _) -> peer.transform(source, target));
    }

    @ParameterizedTest
    @MethodSource("configs")
    void shouldAgreeWithTransformerEncoder(TransformerConfig config) {
        requireAgreement(config.withFinalNorm(config.normFirst()), model -> model.encodeAll(SOURCES),
                (peer, source, _, _) -> peer.encode(source, false));
    }

    @ParameterizedTest
    @MethodSource("configs")
    void shouldAgreeWithTransformerEncoderUnderALookAheadMask(TransformerConfig config) {
        requireAgreement(decoderAlone(config),
                model -> SOURCES.stream().map(ids -> model.decode(new int[0], ids)).toList(),
                (peer, source, _, _) -> peer.encode(source, true));
    }

    /** The memory is that of Fovea's encoder, so that what differs is the decoder's. */
    @ParameterizedTest
    @MethodSource("configs")
    void shouldAgreeWithTransformerDecoder(TransformerConfig config) {
        requireAgreement(config.withFinalNorm(config.normFirst()), TransformerAgreementTest::decoded,
                (peer, _, target, model) -> peer.decode(target, vectors(model.encodeAll(SOURCES))));
    }

    private static List<float[][]> decoded(Transformer model) {
        List<float[][]> results = new ArrayList<>();
        for (int i = 0; i < SOURCES.size(); i++) {
            results.add(model.decode(SOURCES.get(i), TARGETS.get(i)));
        }
        return results;
    }

    private static TransformerConfig decoderAlone(TransformerConfig c) {
        return TransformerConfig.base(Architecture.DECODER, VOCABULARY).withPositions(Positions.NONE, c.maxTokens())
                .withSizes(c.layers(), c.dModel(), c.heads(), c.dFf()).withNorm(c.norm(), c.normFirst())
                .withFeedForward(c.feedForward()).withEmbeddings(true, 1);
    }

    private interface Ours {
        List<float[][]> of(Transformer model);
    }

    private interface Theirs {
        Vectors of(TorchTransformer peer, Vectors source, Vectors target, Transformer model);
    }

    private static void requireAgreement(TransformerConfig config, Ours ours, Theirs theirs) {
        Map<String, float[]> weights = weights(config);
        Vectors source = embedded(weights, config, SOURCES);
        Vectors target = embedded(weights, config, TARGETS);
        for (Engine engine : ENGINES) {
            try (Arena arena = Arena.ofConfined();
                    Transformer model = Transformer.of(config, tensors(config, weights, arena), engine)) {
                Vectors result = vectors(ours.of(model));
                Vectors peer = theirs.of(
                        new TorchTransformer(config, weights, ScalarType.Float), source, target, model);
                Vectors exact = theirs.of(
                        new TorchTransformer(config, weights, ScalarType.Double), source, target, model);
                String label = engine.isa() + ": " + config;
                assertEquals(0, distance(peer, result), TOLERANCE, label);
                double error = distance(exact, result);
                double peerError = distance(exact, peer);
                assertTrue(error <= 2 * peerError,
                        () -> label + ": expected an error of at most twice " + peerError + ", got " + error);
            }
        }
    }

    private static Vectors vectors(List<float[][]> sequences) {
        return new Vectors(sequences.stream().map(TransformerAgreementTest::widened).toList());
    }

    private static double distance(Vectors one, Vectors other) {
        double distance = 0;
        for (int s = 0; s < one.sequences().size(); s++) {
            double[][] rows = one.sequences().get(s);
            for (int t = 0; t < rows.length; t++) {
                for (int c = 0; c < rows[t].length; c++) {
                    distance = Math.max(distance, Math.abs(rows[t][c] - other.sequences().get(s)[t][c]));
                }
            }
        }
        return distance;
    }

    private static double[][] widened(float[][] rows) {
        double[][] wide = new double[rows.length][];
        for (int t = 0; t < rows.length; t++) {
            wide[t] = new double[rows[t].length];
            for (int c = 0; c < wide[t].length; c++) {
                wide[t][c] = rows[t][c];
            }
        }
        return wide;
    }

    private static Vectors embedded(Map<String, float[]> weights, TransformerConfig config, List<int[]> sequences) {
        List<double[][]> all = new ArrayList<>();
        for (int[] ids : sequences) {
            double[][] rows = new double[ids.length][config.dModel()];
            for (int t = 0; t < ids.length; t++) {
                for (int c = 0; c < config.dModel(); c++) {
                    rows[t][c] = weights.get("embedding.weight")[ids[t] * config.dModel() + c];
                }
            }
            all.add(rows);
        }
        return new Vectors(all);
    }

    /** Normally distributed weights by the names of Fovea's, all that the config demands. */
    private static Map<String, float[]> weights(TransformerConfig config) {
        Map<String, float[]> weights = new HashMap<>();
        config.weights().forEach((name, shape) -> {
            var random = new Random(name.hashCode());
            float[] values = new float[(int) shape.elements()];
            double deviation = name.startsWith("embedding") ? 1 : 0.1;
            if (shape.rank() == 2 && deviation < 1) {
                deviation = 1 / Math.sqrt(shape.size(1));
            }
            double mean = name.endsWith("norm.weight") ? 1 : 0;
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (mean + deviation * random.nextGaussian());
            }
            weights.put(name, values);
        });
        return weights;
    }

    private static Map<String, Tensor> tensors(TransformerConfig config, Map<String, float[]> weights, Arena arena) {
        Map<String, Tensor> tensors = new HashMap<>();
        config.weights().forEach((name, shape) -> tensors.put(name, shape.rank() == 1
                ? Tensor.copyOf(arena, weights.get(name), shape.size(0))
                : Tensor.copyOf(arena, weights.get(name), shape.size(0), shape.size(1))));
        return tensors;
    }
}
