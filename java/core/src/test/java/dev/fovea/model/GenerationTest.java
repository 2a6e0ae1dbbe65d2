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
import dev.fovea.model.generation.BeamSearch;
import dev.fovea.model.generation.NextTokens;
import dev.fovea.model.generation.SearchOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
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
    private static final class Recomputing implements NextTokens {
        private final Transformer model;
        private final List<int[]> sources;
        private final int beams;
        private final List<int[]> prefixes = new ArrayList<>();

        /** For each prefix that has been asked about: the likeliest tokens and the logarithms of their probabilities. */
        private final Map<List<Integer>, List<double[]>> likeliest = new HashMap<>();

        Recomputing(Transformer model, List<int[]> sources, int beams) {
            this.model = model;
            this.sources = sources;
            this.beams = beams;
            for (int i = 0; i < sources.size() * beams; i++) {
                prefixes.add(new int[0]);
            }
        }

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
        public int candidates() {
            return VOCABULARY;
        }

        @Override
        public int token(int sequence, int rank) {
            return (int) likeliest(sequence).get(0)[rank];
        }

        @Override
        public double logProbability(int sequence, int rank) {
            return likeliest(sequence).get(1)[rank];
        }

        private List<double[]> likeliest(int sequence) {
            boolean hasEncoder = model.config().architecture().hasEncoder();
            int[] source = hasEncoder ? sources.get(sequence / beams) : new int[0];
            int[] prefix = prefixes.get(sequence);
            List<Integer> key = Stream.concat(Stream.of(sequence / beams), boxed(prefix).stream()).toList();
            return likeliest.computeIfAbsent(key, _ -> model.onTarget(source, prefix, false, decoding -> List.of(
                    IntStream.range(0, VOCABULARY).mapToDouble(rank -> decoding.token(0, rank)).toArray(),
                    IntStream.range(0, VOCABULARY).mapToDouble(rank -> decoding.logProbability(0, rank)).toArray())));
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
                    List<int[]> prompts = config.architecture().hasEncoder()
                            ? SOURCES.stream().map(_ -> new int[] {START}).toList() : SOURCES;
                    var recomputing = new Recomputing(model, SOURCES, options.beams());
                    List<int[]> expected = BeamSearch.search(recomputing, prompts, new SearchOptions(END,
                            options.maxTokens(), options.beams(), options.lengthPenalty()), (_, _) -> { });
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
    void shouldNameTheLikeliestTokensByTheirLogits(TransformerConfig config) {
        for (Engine engine : ENGINES) {
            try (Transformer model = Transformer.random(config, 4, engine)) {
                int[] source = config.architecture().hasEncoder() ? SOURCES.get(2) : new int[0];
                float[] logits = model.logits(source, SOURCES.get(5));
                double sum = 0;
                for (float logit : logits) {
                    sum += Math.exp(logit);
                }
                double normalizer = Math.log(sum);
                List<Integer> ranking = IntStream.range(0, VOCABULARY).boxed()
                        .sorted(Comparator.comparingDouble(token -> -logits[token])).toList();
                model.onTarget(source, SOURCES.get(5), false, decoding -> {
                    assertEquals(VOCABULARY, decoding.candidates());
                    for (int rank = 0; rank < VOCABULARY; rank++) {
                        assertEquals(ranking.get(rank), decoding.token(0, rank));
                        assertEquals(logits[ranking.get(rank)] - normalizer, decoding.logProbability(0, rank), 1e-5);
                    }
                    return null;
                });
            }
        }
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
}
