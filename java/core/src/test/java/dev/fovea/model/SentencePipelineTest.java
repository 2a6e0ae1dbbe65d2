package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.ops.Similarity;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pipelines of sentence-transformers, against their definitions in double over a forward pass in double. */
class SentencePipelineTest {
    private static final int WIDTH = TinyModel.HIDDEN;
    private static final int[] WORDS = {3, 1, 4, 1, 5, 9, 2, 6};
    private static final String TEXT = TinyModel.text(WORDS);

    private final TinyModel model = new TinyModel(11);

    @TempDir
    private Path directory;

    private ModelDirectory files;

    @BeforeEach
    void write() throws IOException {
        files = ModelDirectory.of(model, directory);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "cls+max+mean",
        "mean+cls", "weightedmean+lasttoken+mean_sqrt_len_tokens", "max+max"})
    void shouldPoolByEveryModeAndTheirConcatenations(String modes) throws Exception {
        files.modules("Pooling").pooling(modes);
        double[] expected = pool(modes, hidden(WORDS), 0);
        try (var encoder = TextEncoder.load(directory)) {
            assertEquals(modes, encoder.pooling());
            assertEquals(modes, encoder.pipeline());
            assertEquals(expected.length, encoder.dimension());
            assertClose(expected, encoder.encode(TEXT));
        }
    }

    @ParameterizedTest
    @CsvSource({"torch.nn.modules.activation.Tanh, true", "torch.nn.modules.linear.Identity, false",
        "torch.nn.modules.activation.ReLU, true", "torch.nn.modules.activation.GELU, true",
        "torch.nn.modules.activation.Sigmoid, false", "torch.nn.modules.activation.SiLU, true"})
    void shouldRunADenseModule(String activation, boolean bias) throws Exception {
        var dense = new Dense(1, 2 * WIDTH, 7, bias);
        files.modules("Pooling", "Dense").pooling("mean+max").dense(2, dense, activation);
        double[] expected = dense.apply(pool("mean+max", hidden(WORDS), 0), function(activation));
        try (var encoder = TextEncoder.load(directory)) {
            assertEquals(7, encoder.dimension());
            assertClose(expected, encoder.encode(TEXT));
        }
    }

    @Test
    void shouldRunAllModulesInTheirOrder() throws Exception {
        var first = new Dense(2, WIDTH, 50, true);
        var second = new Dense(3, 50, 12, false);
        float[] beta = second.bias(50);
        files.modules("Pooling", "Dense", "LayerNorm", "Dense", "Normalize").pooling("cls")
                .dense(2, first, "torch.nn.modules.activation.Tanh")
                .layerNorm(3, first.bias, beta)
                .dense(4, second, "torch.nn.modules.linear.Identity");
        double[] x = first.apply(hidden(WORDS)[0], Math::tanh);
        x = second.apply(layerNorm(x, first.bias, beta), DoubleUnaryOperator.identity());
        try (var encoder = TextEncoder.load(directory)) {
            assertEquals("cls → Dense(33 → 50, tanh) → LayerNorm → Dense(50 → 12, identity) → Normalize",
                    encoder.pipeline());
            assertClose(ReferenceBert.normalized(x), encoder.encode(TEXT));
        }
    }

    @ParameterizedTest
    @CsvSource({"mean, true", "mean, false", "max+mean, true"})
    void shouldKeepTheFirstDimensions(String modes, boolean normalize) throws Exception {
        files.modules(normalize ? new String[] {"Pooling", "Normalize"} : new String[] {"Pooling"}).pooling(modes);
        double[] pooled = pool(modes, hidden(WORDS), 0);
        double[] first = Arrays.copyOf(pooled, 9);
        double[] expected = normalize ? ReferenceBert.normalized(first) : first;
        try (var encoder = TextEncoder.load(directory, EncoderOptions.defaults().withDimensions(9))) {
            assertEquals(9, encoder.dimension());
            assertClose(expected, encoder.encode(TEXT));
        }
        files.settings("{\"truncate_dim\": 9}");
        try (var encoder = TextEncoder.load(directory)) {
            assertClose(expected, encoder.encode(TEXT));
        }
        files.settings("{\"truncate_dim\": 9999}");
        try (var encoder = TextEncoder.load(directory)) {
            assertClose(normalize ? ReferenceBert.normalized(pooled) : pooled, encoder.encode(TEXT));
        }
        var e = assertThrows(IllegalArgumentException.class,
                () -> TextEncoder.load(directory, EncoderOptions.defaults().withDimensions(100)));
        assertEquals("expected at most the " + pooled.length + " dimensions of the model's vectors, got 100",
                e.getMessage());
    }

    @Test
    void shouldPutThePromptBeforeTexts() throws Exception {
        files.settings("""
                {"prompts": {"query": "w7 w8 ", "document": "w9"}, "default_prompt_name": "query",
                 "similarity_fn_name": "euclidean"}
                """);
        float[] query = alone("w7 w8 w1 w2");
        float[] document = alone("w9w1 w2");
        float[] text = alone("w4 w1 w2");
        float[] none = alone("w1 w2");
        try (var encoder = TextEncoder.load(directory)) {
            assertEquals("w7 w8 ", encoder.prompt());
            assertEquals(List.of("query", "document"), List.copyOf(encoder.prompts().keySet()));
            assertEquals(Similarity.EUCLIDEAN, encoder.similarity());
            assertArrayEquals(query, encoder.encode("w1 w2"));
            assertArrayEquals(document, encoder.embedAll(List.of("w1 w2"), "document").getFirst().vector());
            assertArrayEquals(none, encoder.embedAll(List.of("w1 w2"), "").getFirst().vector());
            assertEquals(6, encoder.embedAll(List.of("w1 w2")).getFirst().tokens());
            assertEquals(List.of("[CLS]", "w7", "w8", "w1", "[SEP]"), encoder.explain("w1").queryTokens());
        }
        for (var expected : List.of(List.of("document", document), List.of("w4 ", text), List.of("", none))) {
            var options = EncoderOptions.defaults().withPrompt((String) expected.get(0));
            try (var encoder = TextEncoder.load(directory, options)) {
                assertArrayEquals((float[]) expected.get(1), encoder.encode("w1 w2"));
            }
        }
        var e = assertThrows(IllegalArgumentException.class,
                () -> TextEncoder.load(directory, EncoderOptions.defaults().withPrompt("passage")));
        assertTrue(e.getMessage().startsWith("no prompt is called 'passage'; model "), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"mean", "max", "weightedmean", "lasttoken", "mean_sqrt_len_tokens", "mean+max"})
    void shouldLeaveThePromptOutOfThePooling(String modes) throws Exception {
        files.modules("Pooling").pooling(modes, "\"include_prompt\": false");
        try (var encoder = TextEncoder.load(directory, EncoderOptions.defaults().withPrompt("w7 w8 "))) {
            // The first three: [CLS] and the prompt.
            assertClose(pool(modes, hidden(7, 8, 3, 1, 4), 3), encoder.encode("w3 w1 w4"));
            assertClose(pool(modes, hidden(7, 8), 3), encoder.encode(""));
            assertClose(pool(modes, hidden(5), 0), encoder.embedAll(List.of("w5"), "").getFirst().vector());
        }
    }

    @Test
    void shouldAverageChunksBeforeTheLastNormalisation() throws Exception {
        files.modules("Pooling", "Normalize").pooling("max+mean").sentence("{\"max_seq_length\": 6}");
        double[] expected = new double[2 * WIDTH];
        for (int[] chunk : new int[][] {{3, 1, 4, 1}, {5, 9, 2, 6}}) {
            double[] pooled = pool("max+mean", hidden(chunk), 0);
            for (int i = 0; i < expected.length; i++) {
                expected[i] += pooled[i] * 6;
            }
        }
        var options = EncoderOptions.defaults().withLengthPolicy(LengthPolicy.CHUNK_MEAN).withDimensions(40);
        try (var encoder = TextEncoder.load(directory, options)) {
            List<TextEmbedding> both = encoder.embedAll(List.of(TEXT, "w3 w1"));
            assertClose(ReferenceBert.normalized(Arrays.copyOf(expected, 40)), both.get(0).vector());
            double[] whole = pool("max+mean", hidden(3, 1), 0);
            assertClose(ReferenceBert.normalized(Arrays.copyOf(whole, 40)), both.get(1).vector());
        }
    }

    @Test
    void shouldGiveTheSameBitsInAnyCompany() throws Exception {
        files.modules("Pooling", "Dense", "Normalize").pooling("cls+max+weightedmean")
                .dense(2, new Dense(4, 3 * WIDTH, 20, true), "torch.nn.modules.activation.Tanh");
        try (var encoder = TextEncoder.load(directory)) {
            List<String> texts = List.of("w1", TEXT, "w2 w3", TEXT + " w9", "");
            float[][] all = encoder.encodeAll(texts);
            for (int i = 0; i < all.length; i++) {
                assertArrayEquals(encoder.encode(texts.get(i)), all[i]);
            }
        }
    }

    @Test
    void shouldRunThePipelineInSessions() throws Exception {
        files.modules("Pooling", "Dense").pooling("max").dense(2, new Dense(5, WIDTH, 6, true),
                "torch.nn.modules.activation.Tanh");
        int[] ids = TinyModel.ids(WORDS);
        try (var encoder = TextEncoder.load(directory); var session = encoder.newSession(); Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(12 * Float.BYTES);
            session.encode(MemorySegment.ofArray(ids), MemorySegment.ofArray(new int[] {0, ids.length, ids.length}), out);
            float[] rows = out.toArray(ValueLayout.JAVA_FLOAT);
            assertArrayEquals(encoder.encode(TEXT), Arrays.copyOf(rows, 6));
        }
    }

    @Test
    void shouldNameWhatIsWrongWithTheWeightsOfAModule() throws Exception {
        files.modules("Pooling", "Dense").pooling("mean").dense(2, new Dense(6, WIDTH, 8, true),
                "torch.nn.modules.activation.Tanh");
        Path weights = directory.resolve("2_Dense/model.safetensors");
        Files.writeString(directory.resolve("2_Dense/config.json"),
                "{\"in_features\": 33, \"out_features\": 9, \"activation_function\": \"torch.nn.modules.linear.Identity\"}");
        assertProblem(weights, "linear.weight", "expected shape [9, 33] by the module's config.json, got [8, 33]");
        Files.move(weights, weights.resolveSibling("pytorch_model.bin"));
        assertProblem(weights.resolveSibling("pytorch_model.bin"), "Dense",
                "a Python pickle, which is not read; expected the module's weights in model.safetensors");
    }

    private void assertProblem(Path file, String field, String problem) {
        var e = assertThrows(FormatException.class, () -> TextEncoder.load(directory));
        assertEquals(List.of(file, field, problem), List.of(e.file(), e.field(), e.problem()));
    }

    /** The vector of a text without a prompt. */
    private float[] alone(String text) throws IOException {
        try (var encoder = TextEncoder.load(directory, EncoderOptions.defaults().withPrompt(""))) {
            return encoder.encode(text);
        }
    }

    private double[][] hidden(int... words) {
        return ReferenceBert.bert(model).hidden(TinyModel.ids(words));
    }

    private static double[] pool(String modes, double[][] rows, int from) {
        double[] all = {};
        for (String mode : modes.split("\\+")) {
            double[] pooled = pool(rows, mode, from);
            all = Arrays.copyOf(all, all.length + WIDTH);
            System.arraycopy(pooled, 0, all, all.length - WIDTH, WIDTH);
        }
        return all;
    }

    private static double[] pool(double[][] rows, String mode, int from) {
        double[] result = new double[WIDTH];
        for (int i = 0; i < WIDTH; i++) {
            double sum = 0;
            double weighted = 0;
            double weights = 0;
            double largest = Double.NEGATIVE_INFINITY;
            for (int t = from; t < rows.length; t++) {
                sum += rows[t][i];
                weighted += (t + 1) * rows[t][i];
                weights += t + 1;
                largest = Math.max(largest, rows[t][i]);
            }
            result[i] = switch (mode) {
                case "cls" -> rows[0][i];
                case "max" -> largest;
                case "mean" -> sum / (rows.length - from);
                case "mean_sqrt_len_tokens" -> sum / Math.sqrt(rows.length - from);
                case "weightedmean" -> weighted / weights;
                default -> rows[rows.length - 1][i];
            };
        }
        return result;
    }

    private static DoubleUnaryOperator function(String activation) {
        return switch (activation.substring(activation.lastIndexOf('.') + 1)) {
            case "Tanh" -> Math::tanh;
            case "ReLU" -> x -> Math.max(x, 0);
            case "GELU" -> ReferenceBert::geluErf;
            case "Sigmoid" -> x -> 1 / (1 + Math.exp(-x));
            case "SiLU" -> x -> x / (1 + Math.exp(-x));
            default -> DoubleUnaryOperator.identity();
        };
    }

    private static double[] layerNorm(double[] x, float[] gamma, float[] beta) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double[] result = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            result[i] = (x[i] - mean) / Math.sqrt(variance + 1e-5) * gamma[i] + beta[i];
        }
        return result;
    }

    /** A linear layer of random weights. */
    static final class Dense {
        final float[] weight; // [outputs, inputs]
        final float[] bias; // [outputs], or null
        final int inputs;
        final int outputs;
        private final Random random;

        Dense(long seed, int inputs, int outputs, boolean biased) {
            this.random = new Random(seed);
            this.inputs = inputs;
            this.outputs = outputs;
            this.weight = bias(inputs * outputs);
            this.bias = biased ? bias(outputs) : null;
        }

        float[] bias(int size) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) random.nextGaussian() / 3;
            }
            return values;
        }

        double[] apply(double[] x, DoubleUnaryOperator activation) {
            double[] result = new double[outputs];
            for (int o = 0; o < outputs; o++) {
                double sum = bias == null ? 0 : bias[o];
                for (int i = 0; i < inputs; i++) {
                    sum += weight[o * inputs + i] * x[i];
                }
                result[o] = activation.applyAsDouble(sum);
            }
            return result;
        }
    }

    private static void assertClose(double[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-5, "component " + i);
        }
    }
}
