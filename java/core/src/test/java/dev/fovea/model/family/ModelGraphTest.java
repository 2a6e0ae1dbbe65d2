package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.model.family.Description.QueryKeyNorm;
import dev.fovea.model.family.Norms.Kind;
import dev.fovea.model.family.Norms.Place;
import dev.fovea.model.generation.TokenRows;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Graphs of small random models from all over the space of descriptions, against a forward pass in double. */
class ModelGraphTest {
    private static final int VOCABULARY = 37;
    private static final int WIDTH = 20;
    private static final int MAX_TOKENS = 24;
    private static final FeedForward RELU = new FeedForward(29, Activation.RELU, false, true);
    private static final Description BASE =
            Description.of(VOCABULARY, WIDTH, 2, MAX_TOKENS, Attention.of(4, 5), RELU);

    private static final List<Engine> ENGINES = Stream.of(Backend.values())
            .filter(backend -> Engine.unavailable(backend).isEmpty())
            .map(backend -> Engine.create(EngineOptions.defaults().withBackend(backend).withSpinMicros(0)))
            .toList();

    @AfterAll
    static void close() {
        ENGINES.forEach(Engine::close);
    }

    private static Map<String, Description> descriptions() {
        Map<String, Description> all = new LinkedHashMap<>();
        for (Kind kind : Kind.values()) {
            for (Place place : Place.values()) {
                all.put("norms " + kind + ' ' + place, BASE.withNorms(Norms.of(kind, place, 1e-5f)));
            }
        }
        all.put("layer norms without bias", BASE.withNorms(
                new Norms(Kind.LAYER, Place.BEFORE, 1e-5f, false, false, false, true)));
        all.put("norm after embeddings, epsilon", BASE.withNorms(
                new Norms(Kind.LAYER, Place.AFTER, 0.1f, true, false, true, true)));
        all.put("gamma from 1", BASE.withNorms(new Norms(Kind.RMS, Place.SANDWICH, 1e-6f, false, true, false, true)));
        all.put("token types, scale", BASE.withEmbedding(new Embedding((float) Math.sqrt(WIDTH), 3)));

        attention(all, "grouped queries", Attention.of(4, 5).withKvHeads(2));
        attention(all, "one key/value head", Attention.of(4, 5).withKvHeads(1));
        attention(all, "head_dim apart from width", Attention.of(3, 8));
        attention(all, "value_dim apart from head_dim", Attention.of(3, 8).withKvHeads(3).withValueDim(6));
        attention(all, "no biases", Attention.of(4, 5).withBiases(false, false));
        attention(all, "biases of inputs", Attention.of(4, 5).withBiases(true, false));
        attention(all, "scale and softcap", Attention.of(4, 5).withScores(0.7f, 1.5f));
        attention(all, "norm of queries and keys", Attention.of(3, 8).withQueryKeyNorm(QueryKeyNorm.ALL_HEADS));
        attention(all, "causal", Attention.of(4, 5).withMasks(Mask.causal()));
        attention(all, "windows in turn", Attention.of(4, 5).withMasks(Mask.window(2, 2), Mask.none()));

        for (boolean gated : new boolean[] {false, true}) {
            for (Activation activation : List.of(Activation.SILU, Activation.GELU_TANH)) {
                all.put("feed-forward " + activation + (gated ? " gated" : ""), Description.of(VOCABULARY, WIDTH, 2,
                        MAX_TOKENS, Attention.of(4, 5), new FeedForward(31, activation, gated, !gated)));
            }
        }

        all.put("learned positions", BASE.withPositions(new Positions.Learned(30, 2)));
        all.put("sinusoidal positions", BASE.withPositions(new Positions.Sinusoidal()));
        all.put("linear bias", BASE.withPositions(new Positions.LinearBias()));
        all.put("relative bias", BASE.withPositions(new Positions.RelativeBias(8, 6)));
        all.put("relative bias and learned positions",
                BASE.withPositions(new Positions.RelativeBias(32, 128, new Positions.Learned(30, 2))));
        Description narrow = BASE.withEmbedding(new Description.Embedding(1, 2, false, new Description.Projection(12, true, true)));
        all.put("projected embeddings", narrow.withPositions(new Positions.Learned(30, 0)));
        Description rotary = BASE.withAttention(Attention.of(2, 12));
        Positions.Rotary rope = Positions.Rotary.of(500, 12);
        all.put("RoPE", rotary.withPositions(rope));
        all.put("RoPE of a part", rotary.withPositions(Positions.Rotary.of(500, 8)));
        all.put("RoPE interleaved", rotary.withPositions(
                new Positions.Rotary(500, 12, Rope.Layout.INTERLEAVED, new RopeScaling.None())));
        for (RopeScaling scaling : List.of(new RopeScaling.Linear(2), new RopeScaling.Ntk(3),
                RopeScaling.Yarn.of(4, 100), new RopeScaling.Llama3(8, 1, 4, 100))) {
            all.put("RoPE " + scaling, rotary.withPositions(rope.withScaling(scaling)));
        }
        decoders(all);
        return all;
    }

    /** Those that language models have. */
    private static void decoders(Map<String, Description> all) {
        Attention each = Attention.of(2, 12).withKvHeads(1).withMasks(Mask.causal(), Mask.window(4, 0))
                .withQueryKeyNorm(QueryKeyNorm.EACH_HEAD);
        all.put("norm of each head", BASE.withNorms(Norms.of(Kind.RMS, Place.BEFORE, 1e-5f)).withAttention(each));
        all.put("norm of each head from 1", BASE.withNorms(new Norms(Kind.RMS, Place.SANDWICH, 1e-6f, false, true, false, true))
                .withAttention(each).withPositions(Positions.Rotary.of(500, 12)));
        Positions.Rotary rope = Positions.Rotary.of(500, 12);
        Description rotary = BASE.withAttention(Attention.of(2, 12));
        all.put("RoPE in some layers", rotary.withPositions(new Positions.RotaryInTurn(List.of(rope, new Positions.None()))));
        all.put("RoPE of two bases", rotary.withPositions(new Positions.RotaryInTurn(List.of(rope, Positions.Rotary.of(50, 12)))));
        all.put("RoPE of a part, with a factor",
                rotary.withPositions(Positions.Rotary.of(500, 8).withScaling(RopeScaling.Yarn.of(4, 100))));
        all.put("RoPE of factors", rotary.withPositions(
                rope.withScaling(new RopeScaling.Factors(List.of(1.0, 1.5, 2.0, 4.0, 7.0, 9.5), 1.2))));
    }

    private static void attention(Map<String, Description> all, String name, Attention attention) {
        all.put(name, BASE.withAttention(attention));
    }

    static Stream<Arguments> models() {
        return descriptions().entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    /** Those that go on token by token. */
    static Stream<Arguments> decoders() {
        return descriptions().entrySet().stream()
                .filter(entry -> !(entry.getValue().positions() instanceof Positions.RelativeBias)
                        && entry.getValue().embedding().projection() == null)
                .map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void shouldReadSequencesAsTheFormulasSay(String name, Description description) {
        List<int[]> sequences = List.of(ids(1, 13), ids(2, 1), ids(3, 8));
        try (Arena arena = Arena.ofShared()) {
            RandomModel random = RandomModel.of(description, "encoder", 5, arena);
            double[][] expected = sequences.stream()
                    .flatMap(ids -> Stream.of(random.reference().hidden(ids, null))).toArray(double[][]::new);
            for (Engine engine : ENGINES) {
                Graph graph = ModelGraph.encoder(description, random.modelWeights());
                try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(22, 3)) {
                    run(session, sequences);
                    assertClose(expected, session.output(0));
                }
            }
        }
    }

    /** Descriptions as they are, but causal, with the logits of the next token. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("decoders")
    void shouldGoOnTokenByTokenAsTheFormulasSay(String name, Description whole) {
        boolean tied = name.length() % 2 == 0;
        Mask[] masks = whole.attention().masks().stream().map(mask -> new Mask(mask.left(), 0, mask.alignment()))
                .toArray(Mask[]::new);
        Description description = whole.withAttention(whole.attention().withMasks(masks))
                .withHead(new Head.NextToken(tied, 0));
        int[] ids = ids(4, 14);
        try (Arena arena = Arena.ofShared()) {
            RandomModel random = RandomModel.of(description, "decoder", 6, arena);
            double[][] expected = random.reference().hidden(ids, null);
            Graph graph = ModelGraph.decoder(description, random.modelWeights());
            for (Engine engine : ENGINES) {
                try (CacheSet caches = graph.caches().getFirst().create(engine, 1, MAX_TOKENS);
                        Plan plan = Plan.compile(graph, engine);
                        Session session = plan.newSession(9, List.of(caches))) {
                    for (int start = 0, step = 9; start < ids.length; start += step, step = 1) {
                        int end = Math.min(start + step, ids.length);
                        run(session, List.of(Arrays.copyOfRange(ids, start, end)));
                        assertClose(Arrays.copyOfRange(expected, start, end), session.output(0));
                        double[] logits = random.reference().logits(expected[end - 1]);
                        assertClose(new double[][] {logits}, session.output(1));
                        assertEquals(VOCABULARY, session.output(2).size(1));
                    }
                }
            }
        }
    }

    static Stream<Arguments> crossed() {
        return decoders().filter(arguments -> {
            Description description = (Description) arguments.get()[1];
            return description.norms().place() != Place.PARALLEL;
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("crossed")
    void shouldAttendToAnEncoderAsTheFormulasSay(String name, Description encoder) {
        Description decoder = encoder.withAttention(encoder.attention().withMasks(Mask.causal()))
                .withCrossAttention(true);
        int[] source = ids(7, 11);
        int[] target = ids(8, 6);
        try (Arena arena = Arena.ofShared()) {
            RandomModel encoding = RandomModel.of(encoder, "encoder", 7, arena);
            RandomModel decoding = RandomModel.of(decoder, "decoder", 8, arena);
            double[][] memory = encoding.reference().hidden(source, null);
            double[][] expected = decoding.reference().hidden(target, memory);
            Graph reading = ModelGraph.encoder(encoder, encoding.modelWeights(), decoder, decoding.modelWeights());
            Graph writing = ModelGraph.decoder(decoder, decoding.modelWeights());
            assertEquals(writing.caches().get(1).specs(), reading.caches().getFirst().specs());
            for (Engine engine : ENGINES) {
                List<CacheGroup> groups = writing.caches();
                try (CacheSet own = groups.get(0).create(engine, 1, MAX_TOKENS);
                        CacheSet cross = groups.get(1).create(engine, 1, MAX_TOKENS);
                        Plan read = Plan.compile(reading, engine); Plan write = Plan.compile(writing, engine);
                        Session encoderSession = read.newSession(11, List.of(cross));
                        Session decoderSession = write.newSession(6, List.of(own, cross))) {
                    run(encoderSession, List.of(source));
                    assertClose(memory, encoderSession.output(0));
                    run(decoderSession, List.of(target));
                    assertClose(expected, decoderSession.output(0));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("heads")
    void shouldMakeVectorsOfSequences(Head.Pooled head) {
        try (Arena arena = Arena.ofShared()) {
            RandomModel random = RandomModel.of(BASE.withHead(head), "encoder", 9, arena);
            double[][] hidden = random.reference().hidden(ids(5, 7), null);
            double[] pooled = new double[WIDTH];
            for (int c = 0; c < WIDTH; c++) {
                for (double[] row : hidden) {
                    pooled[c] += row[c] / hidden.length;
                }
                pooled[c] = switch (head.pooling()) {
                    case MEAN -> pooled[c];
                    case CLS -> hidden[0][c];
                    case LAST -> hidden[6][c];
                };
            }
            double length = Math.sqrt(Arrays.stream(pooled).map(component -> component * component).sum());
            double[] vector = head.normalize() ? Arrays.stream(pooled).map(c -> c / length).toArray() : pooled;
            Graph graph = ModelGraph.encoder(random.description(), random.modelWeights());
            assertEquals(head.keepPooled() ? 2 : 1, graph.outputs().size());
            for (Engine engine : ENGINES) {
                try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(7, 1)) {
                    run(session, List.of(ids(5, 7)));
                    assertClose(new double[][] {vector}, session.output(0));
                    if (head.keepPooled()) {
                        assertClose(new double[][] {pooled}, session.output(1));
                    }
                }
            }
        }
    }

    static Stream<Head.Pooled> heads() {
        return Stream.of(Pooling.values()).flatMap(pooling -> Stream.of(new Head.Pooled(pooling, false, false),
                new Head.Pooled(pooling, true, false), new Head.Pooled(pooling, true, true)));
    }

    @Test
    void shouldRefuseWhatNoOpComputes() {
        refused(BASE.withNorms(Norms.of(Kind.LAYER, Place.BEFORE, 1e-5f)).withHead(new Head.NextToken(true, 30)), "softcap of logits");
    }

    /** Sequences of different pasts in one batch: each counts its own distances. */
    @Test
    void shouldCountDistancesToWhatACacheHolds() {
        Description description = BASE.withPositions(new Positions.RelativeBias(8, 6)).withMaxTokens(9)
                .withAttention(BASE.attention().withMasks(Mask.causal()));
        try (Arena arena = Arena.ofShared()) {
            Graph graph = ModelGraph.decoder(description, RandomModel.of(description, "encoder", 1, arena).modelWeights());
            for (Engine engine : ENGINES) {
                try (Plan plan = Plan.compile(graph, engine);
                        CacheSet cache = graph.caches().getFirst().create(engine, 2, 9);
                        Session session = plan.newSession(18, List.of(cache))) {
                    int[] first = ids(3, 8);
                    int[] second = ids(4, 5);
                    run(session, List.of(first, second));
                    float[][] whole = TokenRows.read(session.output(0), 13);
                    cache.reset();
                    run(session, List.of(Arrays.copyOf(first, 6), Arrays.copyOf(second, 1)));
                    run(session, List.of(Arrays.copyOfRange(first, 6, 7), new int[0]));
                    run(session, List.of(Arrays.copyOfRange(first, 7, 8), Arrays.copyOfRange(second, 1, 5)));
                    float[][] parts = TokenRows.read(session.output(0), 5);
                    assertArrayEquals(whole[7], parts[0]);
                    for (int i = 0; i < 4; i++) {
                        assertArrayEquals(whole[9 + i], parts[1 + i]);
                    }
                    assertThrows(IllegalArgumentException.class, () -> run(session, List.of(ids(1, 2), new int[0])));
                }
            }
        }
    }

    private static void refused(Description description, String named) {
        try (Arena arena = Arena.ofConfined()) {
            ModelWeights weights = RandomModel.of(description, "encoder", 1, arena).modelWeights();
            String message = assertThrows(UnsupportedOperationException.class,
                    () -> ModelGraph.encoder(description, weights)).getMessage();
            assertTrue(message.contains(named), message);
        }
    }

    @Test
    void shouldRefuseSequencesThatAreTooLong() {
        try (Arena arena = Arena.ofShared()) {
            RandomModel random = RandomModel.of(BASE.withMaxTokens(5), "encoder", 1, arena);
            Graph graph = ModelGraph.encoder(random.description(), random.modelWeights());
            assertEquals(5, graph.maxTokens());
            try (Plan plan = Plan.compile(graph, ENGINES.getFirst()); Session session = plan.newSession(9, 2)) {
                String message = assertThrows(IllegalArgumentException.class,
                        () -> run(session, List.of(ids(1, 3), ids(1, 6)))).getMessage();
                assertTrue(message.contains("sequence 1 has 6 tokens") && message.contains("at most 5"), message);
            }
        }
    }

    private static int[] ids(long seed, int count) {
        return new Random(seed).ints(count, 0, VOCABULARY).toArray();
    }

    private static void run(Session session, List<int[]> sequences) {
        int[] offsets = new int[sequences.size() + 1];
        for (int s = 0; s < sequences.size(); s++) {
            offsets[s + 1] = offsets[s] + sequences.get(s).length;
        }
        int[] ids = sequences.stream().flatMapToInt(Arrays::stream).toArray();
        session.run(sequences.size(), MemorySegment.ofArray(ids), MemorySegment.ofArray(offsets));
    }

    /** Differences count relative to the largest element of the row, or to 1. */
    private static void assertClose(double[][] expected, Tensor actual) {
        for (int t = 0; t < expected.length; t++) {
            double largest = Math.max(1, Arrays.stream(expected[t]).map(Math::abs).max().orElseThrow());
            double[] row = new double[expected[t].length];
            for (int c = 0; c < row.length; c++) {
                row[c] = actual.getFloat(t, c);
            }
            assertArrayEquals(expected[t], row, 2e-5 * largest, "row " + t);
        }
    }
}
