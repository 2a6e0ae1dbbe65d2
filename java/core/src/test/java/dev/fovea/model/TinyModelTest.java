package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Directories in the layouts of Hugging Face and sentence-transformers, against a forward pass in double. */
class TinyModelTest {
    private static final int[] WORDS = {3, 1, 4, 1, 5, 9, 2, 6};

    @TempDir
    private Path directory;

    @ParameterizedTest
    @MethodSource("dev.fovea.TestEngine#devices")
    void shouldAgreeWithTheReferenceOnEachBackend(TestEngine backend) throws Exception {
        TinyModel model = new TinyModel(1);
        model.write(directory);
        double[] expected = ReferenceBert.mean(ReferenceBert.bert(model).hidden(TinyModel.ids(WORDS)));
        try (Engine engine = backend.create();
                var encoder = TextEncoder.load(directory, EncoderOptions.defaults().withEngine(engine))) {
            assertEquals(TinyModel.HIDDEN, encoder.dimension());
            assertEquals(TinyModel.POSITIONS, encoder.maxTokens());
            assertEquals("mean", encoder.pooling());
            assertEquals(directory.getFileName().toString(), encoder.name());
            assertClose(expected, encoder.encode(TinyModel.text(WORDS)));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "pooling_mode_mean_tokens, mean, true", "pooling_mode_mean_tokens, mean, false",
        "pooling_mode_cls_token, cls, true", "pooling_mode_lasttoken, lasttoken, false"
    })
    void shouldPoolAsTheModulesSay(String flag, String pooling, boolean normalize) throws Exception {
        TinyModel model = new TinyModel(2);
        model.write(directory);
        TinyModel.writeSentenceFiles(directory, flag, normalize, 12);
        double[][] hidden = ReferenceBert.bert(model).hidden(TinyModel.ids(WORDS));
        double[] pooled = switch (pooling) {
            case "mean" -> ReferenceBert.mean(hidden);
            case "cls" -> hidden[0];
            default -> hidden[hidden.length - 1];
        };
        try (var encoder = TextEncoder.load(directory)) {
            assertEquals(pooling, encoder.pooling());
            assertEquals(12, encoder.maxTokens());
            assertClose(normalize ? ReferenceBert.normalized(pooled) : pooled, encoder.encode(TinyModel.text(WORDS)));
        }
    }

    @ParameterizedTest
    @CsvSource({"bert, 'bert.', 0", "roberta, 'roberta.', 1", "xlm-roberta, '', 1"})
    void shouldReadEachFamily(String type, String prefix, int padTokenId) throws Exception {
        TinyModel model = new TinyModel(3);
        model.config.addProperty("model_type", type);
        model.config.addProperty("pad_token_id", padTokenId);
        model.prefix = prefix;
        model.write(directory);
        int firstPosition = type.equals("bert") ? 0 : padTokenId + 1;
        var reference = new ReferenceBert(model, firstPosition, 1e-12, ReferenceBert::geluErf);
        try (var encoder = TextEncoder.load(directory)) {
            assertEquals(TinyModel.POSITIONS - firstPosition, encoder.maxTokens());
            assertClose(ReferenceBert.mean(reference.hidden(TinyModel.ids(WORDS))),
                    encoder.encode(TinyModel.text(WORDS)));
        }
    }

    @Test
    void shouldTakeActivationAndEpsilonFromTheConfig() throws Exception {
        TinyModel model = new TinyModel(4);
        model.config.addProperty("hidden_act", "gelu_new");
        model.config.addProperty("layer_norm_eps", 0.25);
        model.write(directory);
        var reference = new ReferenceBert(model, 0, 0.25, ReferenceBert::geluTanh);
        try (var encoder = TextEncoder.load(directory)) {
            assertClose(ReferenceBert.mean(reference.hidden(TinyModel.ids(WORDS))),
                    encoder.encode(TinyModel.text(WORDS)));
        }
    }

    @Test
    void shouldReadTheNormNamesOfTheFirstCheckpoints() throws Exception {
        TinyModel model = new TinyModel(5);
        double[] expected = ReferenceBert.mean(ReferenceBert.bert(model).hidden(TinyModel.ids(WORDS)));
        for (String name : List.copyOf(model.weights.keySet())) {
            String old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
            model.weights.put(old, model.weights.remove(name));
        }
        model.write(directory);
        try (var encoder = TextEncoder.load(directory)) {
            assertClose(expected, encoder.encode(TinyModel.text(WORDS)));
        }
    }

    @Test
    void shouldKeepTheFirstTokensWhenTruncating() throws Exception {
        new TinyModel(6).write(directory);
        int[] many = new int[30];
        int[] kept = new int[TinyModel.POSITIONS - 2];
        try (var encoder = TextEncoder.load(directory)) {
            TextEmbedding whole = encoder.embedAll(List.of(TinyModel.text(kept))).getFirst();
            TextEmbedding cut = encoder.embedAll(List.of(TinyModel.text(many))).getFirst();
            assertArrayEquals(whole.vector(), cut.vector());
            assertFalse(whole.truncated());
            assertTrue(cut.truncated());
            assertEquals(TinyModel.POSITIONS, whole.tokens());
            assertEquals(TinyModel.POSITIONS, cut.tokens());
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void shouldWeighTheMeanOfChunksByTheirTokens(boolean normalize) throws Exception {
        TinyModel model = new TinyModel(7);
        model.write(directory);
        TinyModel.writeSentenceFiles(directory, "pooling_mode_mean_tokens", normalize, 10);
        int[] words = new int[19];
        double[] expected = new double[TinyModel.HIDDEN];
        int tokens = 0;
        for (int start = 0; start < words.length; start += 8) {
            int[] chunk = new int[Math.min(8, words.length - start)];
            for (int i = 0; i < chunk.length; i++) {
                words[start + i] = (start + i) * 7 % 45;
                chunk[i] = words[start + i];
            }
            int[] ids = TinyModel.ids(chunk);
            double[] pooled = ReferenceBert.mean(ReferenceBert.bert(model).hidden(ids));
            for (int i = 0; i < expected.length; i++) {
                expected[i] += pooled[i] * ids.length / 25;
            }
            tokens += ids.length;
        }
        var options = EncoderOptions.defaults().withLengthPolicy(LengthPolicy.CHUNK_MEAN);
        try (var encoder = TextEncoder.load(directory, options)) {
            TextEmbedding embedding = encoder.embedAll(List.of("w1", TinyModel.text(words), "w2")).get(1);
            assertEquals(25, tokens);
            assertEquals(25, embedding.tokens());
            assertFalse(embedding.truncated());
            assertClose(normalize ? ReferenceBert.normalized(expected) : expected, embedding.vector());
        }
    }

    @Test
    void shouldEncodeMoreTextsThanFitIntoOneBatch() throws Exception {
        new TinyModel(8).write(directory);
        try (var encoder = TextEncoder.load(directory)) {
            List<String> texts = IntStream.range(0, 1000)
                    .mapToObj(i -> TinyModel.text(new int[i % 25]).replace("w0", "w" + i % 45))
                    .toList();
            Map<String, float[]> alone = new HashMap<>();
            float[][] all = encoder.encodeAll(texts);
            assertEquals(texts.size(), all.length);
            for (int i = 0; i < all.length; i++) {
                assertArrayEquals(alone.computeIfAbsent(texts.get(i), encoder::encode), all[i], texts.get(i));
            }
            assertEquals(0, encoder.encodeAll(List.of()).length);
        }
    }

    private static void assertClose(double[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 5e-6, "component " + i);
        }
    }
}
