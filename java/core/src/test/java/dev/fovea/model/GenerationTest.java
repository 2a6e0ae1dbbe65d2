package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.model.TransformerConfig.Architecture;
import dev.fovea.model.TransformerConfig.FeedForward;
import dev.fovea.model.TransformerConfig.Norm;
import dev.fovea.model.TransformerConfig.Positions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Decoding step by step on caches against computing the whole prefix anew for each token. */
@Tag("slow")
class GenerationTest {
    private static final int VOCABULARY = 41;
    private static final int START = 0;
    private static final int END = 7;
    private static final int MAX_TOKENS = 24;
    private static final List<int[]> SOURCES = IntStream.of(5, 1, 13, 8, 2, 21, 3)
            .mapToObj(length -> TransformerTest.ids(length, length))
            .toList();
    private static final List<GenerationOptions> OPTIONS = List.of(
            GenerationOptions.greedy(START, END, MAX_TOKENS),
            GenerationOptions.greedy(START, END, MAX_TOKENS).withBeams(3, 0.6),
            GenerationOptions.greedy(START, END, 1).withBeams(2, 0),
            GenerationOptions.greedy(START, END, MAX_TOKENS).withBeams(5, 1.3));

    private static final List<Engine> ENGINES = engines();

    private static List<Engine> engines() {
        var options = EngineOptions.defaults().withSpinMicros(0);
        List<Engine> engines = new ArrayList<>();
        engines.add(Engine.create(options.withBackend(Backend.JAVA).withThreads(1)));
        if (Engine.unavailable(Backend.NATIVE).isEmpty()) {
            engines.add(Engine.create(options.withBackend(Backend.NATIVE).withThreads(1)));
            engines.add(Engine.create(options.withBackend(Backend.NATIVE).withThreads(2)));
        }
        return engines;
    }

    @AfterAll
    static void close() {
        ENGINES.forEach(Engine::close);
    }

    static List<TransformerConfig> configs() {
        var base = TransformerConfig.base(Architecture.ENCODER_DECODER, VOCABULARY)
                .withPositions(Positions.SINUSOIDAL, 60).withSizes(2, 24, 4, 50);
        return List.of(base,
                base.withPositions(Positions.ROPE, 60).withNorm(Norm.RMS_NORM, true).withKvHeads(2)
                        .withFeedForward(FeedForward.SWIGLU).withEmbeddings(false, 1),
                TransformerConfig.base(Architecture.DECODER, VOCABULARY).withSizes(2, 24, 4, 50)
                        .withPositions(Positions.LEARNED, 60).withNorm(Norm.LAYER_NORM, true),
                TransformerConfig.base(Architecture.DECODER, VOCABULARY).withSizes(1, 24, 4, 50)
                        .withPositions(Positions.ALIBI, 60));
    }

    /** Keeps tokens alone, and computes everything from them when it is asked. */
    private record Recomputing(Transformer model, List<int[]> sources, int beams, List<int[]> prefixes)
            implements NextTokens {
        @Override
        public void append(List<int[]> tokens) {
            for (int s = 0; s < tokens.size(); s++) {
                int[] before = prefixes.get(s);
                int[] longer = Arrays.copyOf(before, before.length + tokens.get(s).length);
                System.arraycopy(tokens.get(s), 0, longer, before.length, tokens.get(s).length);
                prefixes.set(s, longer);
            }
        }

        @Override
        public float[] logits(int sequence) {
            boolean hasEncoder = model.config().architecture().hasEncoder();
            return model.logits(hasEncoder ? sources.get(sequence / beams) : new int[0], prefixes.get(sequence));
        }

        @Override
        public void fork(int from, int to) {
            prefixes.set(to, prefixes.get(from));
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void shouldWriteTheTokensOfRecomputingTheWholePrefix(TransformerConfig config) {
        for (GenerationOptions options : OPTIONS) {
            List<List<List<Integer>>> ofNative = new ArrayList<>();
            for (Engine engine : ENGINES) {
                try (Transformer model = Transformer.random(config, 4, engine)) {
                    List<int[]> prefixes = new ArrayList<>();
                    for (int i = 0; i < SOURCES.size() * options.beams(); i++) {
                        prefixes.add(new int[0]);
                    }
                    List<int[]> prompts = config.architecture().hasEncoder()
                            ? SOURCES.stream().map(_ -> new int[] {START}).toList() : SOURCES;
                    var recomputing = new Recomputing(model, SOURCES, options.beams(), prefixes);
                    List<int[]> expected = BeamSearch.search(recomputing, prompts, options, (_, _) -> { });
                    List<List<Integer>> streamed = new ArrayList<>();
                    SOURCES.forEach(_ -> streamed.add(new ArrayList<>()));
                    List<int[]> written = model.generateAll(SOURCES, options, (s, token) -> streamed.get(s).add(token));
                    for (int s = 0; s < SOURCES.size(); s++) {
                        assertArrayEquals(expected.get(s), written.get(s), options + ", source " + s);
                        assertEquals(boxed(expected.get(s)), streamed.get(s));
                        assertArrayEquals(expected.get(s), model.generate(SOURCES.get(s), options), "alone");
                    }
                    if (engine.backend() == Backend.NATIVE) {
                        ofNative.add(written.stream().map(GenerationTest::boxed).toList());
                    }
                    assertTrue(written.stream().mapToInt(tokens -> tokens.length).sum() > 0);
                }
            }
            ofNative.forEach(written -> assertEquals(ofNative.getFirst(), written, "1 and 2 threads"));
        }
    }

    private static List<Integer> boxed(int[] tokens) {
        return Arrays.stream(tokens).boxed().toList();
    }

    @ParameterizedTest
    @MethodSource("configs")
    void shouldGiveTheSameLogitsWithOneThreadAndWithTwo(TransformerConfig config) {
        List<Engine> natives = ENGINES.stream().filter(engine -> engine.backend() == Backend.NATIVE).toList();
        List<float[]> logits = new ArrayList<>();
        for (Engine engine : natives) {
            try (Transformer model = Transformer.random(config, 4, engine)) {
                int[] source = config.architecture().hasEncoder() ? SOURCES.get(2) : new int[0];
                logits.add(model.logits(source, SOURCES.get(5)));
            }
        }
        logits.forEach(each -> assertArrayEquals(logits.getFirst(), each));
    }

    /** A language of tokens a, b and end whose probabilities are given: [after nothing, after a, after b]. */
    private record Language(double[][] probabilities, List<int[]> sequences) implements NextTokens {
        static final int FIRST = 3;

        Language(double[][] probabilities, int beams) {
            this(probabilities, new ArrayList<>());
            for (int i = 0; i < beams; i++) {
                sequences.add(new int[0]);
            }
        }

        @Override
        public void append(List<int[]> tokens) {
            for (int s = 0; s < tokens.size(); s++) {
                if (tokens.get(s).length > 0) {
                    sequences.set(s, tokens.get(s));
                }
            }
        }

        @Override
        public float[] logits(int sequence) {
            int last = sequences.get(sequence)[0];
            double[] row = probabilities[last == FIRST ? 0 : last + 1];
            float[] logits = new float[row.length];
            for (int i = 0; i < row.length; i++) {
                logits[i] = (float) Math.log(row[i]);
            }
            return logits;
        }

        @Override
        public void fork(int from, int to) {
            sequences.set(to, sequences.get(from));
        }
    }

    @Test
    void shouldFindWhatGreedySearchMisses() {
        double[][] probabilities = {{0.6, 0.4, 0, 0}, {0.3, 0.3, 0.4, 0}, {0.05, 0.05, 0.9, 0}};
        var greedy = GenerationOptions.greedy(Language.FIRST, 2, 5);
        assertArrayEquals(new int[] {0}, search(probabilities, greedy));
        assertArrayEquals(new int[] {1}, search(probabilities, greedy.withBeams(2, 0)));
    }

    @Test
    void shouldPreferLongerTargetsByTheLengthPenalty() {
        double[][] probabilities = {{0.5, 0.05, 0.45, 0}, {0.1, 0.1, 0.8, 0}, {0.3, 0.3, 0.4, 0}};
        var options = GenerationOptions.greedy(Language.FIRST, 2, 5);
        assertArrayEquals(new int[] {}, search(probabilities, options.withBeams(2, 0)));
        assertArrayEquals(new int[] {0}, search(probabilities, options.withBeams(2, 1)));
    }

    private static int[] search(double[][] probabilities, GenerationOptions options) {
        var language = new Language(probabilities, options.beams());
        return BeamSearch.search(language, List.of(new int[] {Language.FIRST}), options, (_, _) -> { }).getFirst();
    }
}
