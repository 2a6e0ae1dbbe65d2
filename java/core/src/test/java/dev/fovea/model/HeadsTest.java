package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.weights.FormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What callers get of models with heads, on directories made of the goldens of {@code bench/goldens}: their tokens are
 * the words {@code w0} to {@code w28}, and nothing is put around texts, so that texts have the goldens' ids.
 */
class HeadsTest {
    static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "family", "golden");
    private static final int VOCABULARY = 29;

    @TempDir
    private Path directory;

    private JsonArray cases;

    private Path model(String family, String... more) throws Exception {
        cases = JsonParser.parseString(Files.readString(GOLDEN.resolve(family).resolve("expected.json"))).getAsJsonArray();
        return model(directory, family, more);
    }

    /** Makes a model's directory in another, with more fields in its config. */
    static Path model(Path directory, String family, String... more) throws Exception {
        Path made = Files.createDirectories(directory.resolve(family));
        JsonObject config = JsonParser.parseString(Files.readString(GOLDEN.resolve(family).resolve("config.json")))
                .getAsJsonObject();
        for (int i = 0; i < more.length; i += 2) {
            config.add(more[i], JsonParser.parseString(more[i + 1]));
        }
        Files.writeString(made.resolve("config.json"), config.toString());
        Files.copy(GOLDEN.resolve(family).resolve("model.safetensors"), made.resolve("model.safetensors"));
        Files.writeString(made.resolve("tokenizer.json"), tokenizer("w"));
        return made;
    }

    /** A tokenizer of words; the one with the number of {@code special} is {@code [MASK]}. */
    private static String tokenizer(String special) {
        JsonObject vocabulary = new JsonObject();
        for (int i = 0; i < VOCABULARY; i++) {
            vocabulary.addProperty(special.equals("w" + i) ? "[MASK]" : "w" + i, i);
        }
        return """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
                 "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": null, "decoder": null,
                 "model": {"type": "WordLevel", "unk_token": "w0", "vocab": %s}}""".formatted(vocabulary)
                .replace("\"unk_token\": \"w0\"", special.equals("w0") ? "\"unk_token\": \"w1\"" : "\"unk_token\": \"w0\"");
    }

    private JsonObject golden(int index) {
        return cases.get(index).getAsJsonObject();
    }

    /** The words of a case that have a type. */
    private String text(int index, int type) {
        List<String> words = new ArrayList<>();
        JsonArray ids = golden(index).getAsJsonArray("ids");
        for (int i = 0; i < ids.size(); i++) {
            if (golden(index).getAsJsonArray("types").get(i).getAsInt() == type) {
                words.add("w" + ids.get(i).getAsInt());
            }
        }
        return String.join(" ", words);
    }

    private static EncoderOptions on(Backend backend) {
        return EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withBackend(backend).withThreads(1));
    }

    private double[] expected(int index, String what) {
        JsonArray row = golden(index).getAsJsonArray(what).get(0).getAsJsonArray();
        double[] values = new double[row.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = row.get(i).getAsDouble();
        }
        return values;
    }

    private static double[] softmax(double[] scores) {
        double sum = 0;
        double[] result = scores.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] = Math.exp(scores[i]);
            sum += result[i];
        }
        for (int i = 0; i < result.length; i++) {
            result[i] /= sum;
        }
        return result;
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    void shouldScorePairsWithTheirTypes(Backend backend) throws Exception {
        Path made = model("gte-new", "id2label", "{\"0\": \"LABEL_0\"}");
        try (var reranker = Reranker.load(made, on(backend))) {
            for (int i = 1; i < 3; i++) {
                double want = 1 / (1 + Math.exp(-expected(i, "labels")[0]));
                assertEquals(want, reranker.score(text(i, 0), text(i, 1)), 1e-5);
            }
            List<String> documents = List.of(text(1, 1), text(2, 1), text(1, 1));
            float[] scores = reranker.score(text(1, 0), documents);
            assertEquals(scores[0], scores[2]);
            List<Reranker.Ranked> ranked = reranker.rank(text(1, 0), documents);
            assertTrue(ranked.get(0).score() >= ranked.get(1).score());
            assertEquals(3, ranked.size());
            assertEquals(0, reranker.score(text(1, 0), List.of()).length);
        }
        Files.delete(made.resolve("model.safetensors"));
        Path raw = model("gte-new", "id2label", "{\"0\": \"LABEL_0\"}", "sentence_transformers",
                "{\"activation_fn\": \"torch.nn.modules.linear.Identity\"}");
        try (var reranker = Reranker.load(raw, on(backend))) {
            assertEquals(expected(1, "labels")[0], reranker.score(text(1, 0), text(1, 1)), 1e-5);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Backend.class, names = {"NATIVE", "JAVA"})
    void shouldClassifyAsThePipelineDoes(Backend backend) throws Exception {
        Path made = model("bert", "id2label", "{\"0\": \"no\", \"1\": \"maybe\", \"2\": \"yes\"}");
        try (var classifier = TextClassifier.load(made, on(backend))) {
            assertEquals(List.of("no", "maybe", "yes"), classifier.labels());
            double[] want = softmax(expected(1, "labels"));
            List<TextClassifier.Label> labels = classifier.classify(text(1, 0), text(1, 1));
            for (TextClassifier.Label label : labels) {
                assertEquals(want[classifier.labels().indexOf(label.name())], label.score(), 1e-5);
            }
            assertTrue(labels.get(0).score() >= labels.get(1).score() && labels.get(1).score() >= labels.get(2).score());
        }
        Files.writeString(made.resolve("config.json"), Files.readString(made.resolve("config.json"))
                .replaceFirst("\\{", "{\"problem_type\": \"multi_label_classification\","));
        try (var classifier = TextClassifier.load(made, on(backend))) {
            assertTrue(classifier.isMultiLabel());
            TextClassifier.Label best = classifier.classify(text(0, 0)).getFirst();
            int index = classifier.labels().indexOf(best.name());
            assertEquals(1 / (1 + Math.exp(-expected(0, "labels")[index])), best.score(), 1e-5);
        }
    }

    @ParameterizedTest
    @EnumSource(TokenClassifier.Aggregation.class)
    void shouldTagTokensAndGroupThem(TokenClassifier.Aggregation aggregation) throws Exception {
        Path made = model("distilbert", "id2label", "{\"0\": \"B-x\", \"1\": \"I-x\", \"2\": \"O\"}");
        try (var tagger = TokenClassifier.load(made)) {
            String text = text(2, 0);
            List<TokenClassifier.Entity> entities = tagger.tag(text, aggregation);
            double[] want = softmax(expected(2, "tags"));
            int best = want[0] > want[1] ? want[0] > want[2] ? 0 : 2 : want[1] > want[2] ? 1 : 2;
            boolean last = !entities.isEmpty() && entities.getLast().end() == text.length();
            assertEquals(best != 2, last);
            for (TokenClassifier.Entity entity : entities) {
                assertEquals(text.substring(entity.start(), entity.end()), entity.text());
                assertFalse(entity.label().equals("O"));
                assertEquals(aggregation == TokenClassifier.Aggregation.NONE, entity.label().contains("-"));
            }
            if (aggregation == TokenClassifier.Aggregation.NONE && last) {
                assertEquals(want[best], entities.getLast().score(), 1e-5);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "distilbert", "roberta", "electra", "albert", "mpnet", "modernbert"})
    void shouldWeighTermsAndFillMasks(String family) throws Exception {
        Path made = model(family);
        try (var encoder = SparseEncoder.load(made)) {
            SparseEncoder.SparseVector vector = encoder.encode(text(0, 0));
            double[] want = expected(0, "words");
            float[] dense = new float[VOCABULARY];
            for (int i = 0; i < vector.ids().length; i++) {
                dense[vector.ids()[i]] = vector.weights()[i];
            }
            double squares = 0;
            for (int term = 0; term < VOCABULARY; term++) {
                assertEquals(Math.log1p(Math.max(0, want[term])), dense[term], 1e-5);
                squares += (double) dense[term] * dense[term];
            }
            assertEquals(squares, vector.dot(vector), 1e-4);
            assertEquals(vector.ids().length, encoder.terms(vector).size());
        }
        int last = golden(1).getAsJsonArray("ids").asList().getLast().getAsInt();
        Files.writeString(made.resolve("tokenizer.json"), tokenizer("w" + last));
        String masked = (text(1, 0) + " " + text(1, 1)).strip().replaceAll("\\bw" + last + "\\b", "[MASK]");
        try (var filler = FillMask.load(made)) {
            assertEquals("[MASK]", filler.mask());
            if (golden(1).getAsJsonArray("types").asList().getLast().getAsInt() == 0) {
                double[] want = softmax(expected(1, "words"));
                FillMask.Word word = filler.fill(masked, 3).getLast().getFirst();
                assertEquals(want[word.id()], word.probability(), 1e-5);
            }
            assertEquals(VOCABULARY, filler.fill(masked, 100).getFirst().size());
            assertThrows(IllegalArgumentException.class, () -> filler.fill("w1", 3));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldMatchTokensByTheirBest(boolean attends) throws Exception {
        Path made = model("distilbert");
        Files.writeString(made.resolve("tokenizer.json"), tokenizer("w5"));
        Files.writeString(made.resolve("config_sentence_transformers.json"), """
                {"query_prefix": "w1", "document_prefix": "w2", "query_length": 9, "document_length": 12,
                 "attend_to_expansion_tokens": %s, "skiplist_words": ["w7", "w99"]}""".formatted(attends));
        addMatrix(made.resolve("model.safetensors"));
        try (var model = LateInteraction.load(made)) {
            float[][] query = model.encodeQuery("w3 w4");
            assertEquals(9, query.length);
            assertEquals(24, model.dimension());
            assertEquals(1, norm(query[8]), 1e-5);
            float[][] document = model.encodeDocument("w3 w7 w4");
            assertEquals(3, document.length); // w3 w2 (w7) w4
            assertEquals(12, model.encodeDocument("w3 ".repeat(30)).length);
            float best = 0;
            for (float[] token : query) {
                double most = -1;
                for (float[] other : document) {
                    double dot = 0;
                    for (int i = 0; i < 24; i++) {
                        dot += token[i] * other[i];
                    }
                    most = Math.max(most, dot);
                }
                best += (float) most;
            }
            assertEquals(best, model.score("w3 w4", List.of("w3 w7 w4"))[0], 1e-5);
            // Where no token attends to masks, those that stand before them are those of the query alone.
            float[][] whole = model.encodeQuery("w3 w4 w6 w6 w6 w6 w6 w6");
            assertEquals(9, whole.length);
            assertEquals(0, model.rank("w3", List.of("w3", "w9")).size() - 2);
            assertEquals(1, model.encodeDocument("").length); // the mark
        }
        try (var model = LateInteraction.load(made, EncoderOptions.defaults().withLengthPolicy(LengthPolicy.ERROR))) {
            assertEquals(12, model.encodeDocument("w3 ".repeat(11)).length);
            String message = assertThrows(IllegalArgumentException.class,
                    () -> model.encodeDocument("w3 ".repeat(12))).getMessage();
            assertTrue(message.contains("at most 12 tokens") && message.endsWith("got 13"), message);
            assertThrows(IllegalArgumentException.class, () -> model.encodeQuery("w3 ".repeat(9)));
        }
        if (!attends) {
            requireUnseenMasks(made);
        }
        requireOneDense(made);
    }

    /** What {@code modules.json} names besides is refused. */
    private static void requireOneDense(Path made) throws Exception {
        String transformer = "{\"type\": \"sentence_transformers.models.Transformer\", \"path\": \"\"}";
        String dense = "{\"type\": \"pylate.models.Dense.Dense\", \"path\": \"1_Dense\"}";
        Path config = Files.createDirectories(made.resolve("1_Dense")).resolve("config.json");
        for (String setting : List.of("bias", "use_residual")) {
            Files.writeString(config, "{\"" + setting + "\": true}");
            Files.writeString(made.resolve("modules.json"), "[" + transformer + ", " + dense + "]");
            var e = assertThrows(FormatException.class, () -> LateInteraction.load(made));
            assertEquals(config, e.file());
            assertEquals(setting, e.field());
        }
        Files.writeString(config, "{}");
        Files.writeString(config.resolveSibling("model.safetensors"), "");
        for (String list : List.of(dense + ", " + dense, dense.replace("Dense.Dense", "CNN"), dense.replace("1_D", "\\u0000"))) {
            Files.writeString(made.resolve("modules.json"), "[" + transformer + ", " + list + "]");
            Path file = assertThrows(FormatException.class, () -> LateInteraction.load(made)).file();
            assertEquals(made.resolve("modules.json"), file);
        }
    }

    /** The vectors of a query's own tokens do not depend on how many masks follow. */
    private void requireUnseenMasks(Path made) throws Exception {
        float[][] few;
        float[][] many;
        try (var model = LateInteraction.load(made)) {
            many = model.encodeQuery("w3 w4");
        }
        Path config = made.resolve("config_sentence_transformers.json");
        Files.writeString(config, Files.readString(config).replace("\"query_length\": 9", "\"query_length\": 5"));
        try (var model = LateInteraction.load(made)) {
            few = model.encodeQuery("w3 w4");
        }
        assertEquals(5, few.length);
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(few[i], many[i], 1e-6f);
        }
    }

    private static double norm(float[] vector) {
        double sum = 0;
        for (float x : vector) {
            sum += x * x;
        }
        return Math.sqrt(sum);
    }

    /** Adds a matrix that changes nothing. */
    private static void addMatrix(Path file) throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        var buffer = java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        int length = (int) buffer.getLong(0);
        JsonObject header = JsonParser.parseString(new String(bytes, 8, length, java.nio.charset.StandardCharsets.UTF_8))
                .getAsJsonObject();
        int data = bytes.length - 8 - length;
        header.add("linear.weight", JsonParser.parseString("{\"dtype\":\"F16\",\"shape\":[24,24],\"data_offsets\":["
                + data + "," + (data + 2 * 24 * 24) + "]}"));
        byte[] json = header.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        var out = java.nio.ByteBuffer.allocate(8 + json.length + data + 2 * 24 * 24)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN);
        out.putLong(json.length).put(json).put(bytes, 8 + length, data);
        for (int i = 0; i < 24 * 24; i++) {
            out.putShort(Float.floatToFloat16(i % 25 == 0 ? 1 : 0));
        }
        Files.write(file, out.array());
    }

    @ParameterizedTest
    @ValueSource(strings = {"nomic-bert", "clip-text"})
    void shouldSayThatAFamilyHasNoSuchHead(String family) throws Exception {
        Path made = model(family);
        FormatException e = assertThrows(FormatException.class, () -> SparseEncoder.load(made));
        assertTrue(e.getMessage().contains("masked words"), e.getMessage());
    }

    @Test
    void shouldHonourThePolicyForTextsOfTooManyTokens() throws Exception {
        Path made = model("bert", "id2label", "{\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}");
        String longer = "w3 ".repeat(30);
        try (var classifier = TextClassifier.load(made)) {
            assertEquals(classifier.classify("w3 ".repeat(20)), classifier.classify(longer));
        }
        var options = EncoderOptions.defaults().withLengthPolicy(LengthPolicy.ERROR);
        try (var classifier = TextClassifier.load(made, options)) {
            String message = assertThrows(IllegalArgumentException.class, () -> classifier.classify(longer)).getMessage();
            assertTrue(message.contains("at most 20 tokens") && message.endsWith("got 30"), message);
            assertThrows(IllegalArgumentException.class, () -> classifier.classify("w3", longer));
            assertTrue(assertThrows(IllegalArgumentException.class, () -> classifier.classifyAll(List.of("w3", "w4", longer)))
                    .getMessage().startsWith("texts[2]: expected at most 20 tokens"));
        }
        assertThrows(IllegalArgumentException.class,
                () -> TextClassifier.load(made, options.withLengthPolicy(LengthPolicy.CHUNK_MEAN)));
    }

    @Test
    void shouldFollowTheSettingsOfTheTransformerUnderAnOlderName() throws Exception {
        Path made = model("bert");
        Path settings = made.resolve("sentence_distilbert_config.json");
        Files.writeString(settings, "{\"max_seq_length\": 7}");
        try (var encoder = SparseEncoder.load(made)) {
            assertEquals(7, encoder.maxTokens());
        }
        Files.writeString(settings, "{\"do_lower_case\": true}");
        assertEquals("do_lower_case", assertThrows(FormatException.class, () -> SparseEncoder.load(made)).field());
    }

    @Test
    void shouldRefuseWhatIsNoReranker() throws Exception {
        Path three = model("bert", "id2label", "{\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}");
        assertEquals("id2label", assertThrows(FormatException.class, () -> Reranker.load(three)).field());
        Path odd = model("gte-new", "id2label", "{\"0\": \"a\"}", "sbert_ce_default_activation_function", "\"Tanh\"");
        assertTrue(assertThrows(FormatException.class, () -> Reranker.load(odd)).getMessage().contains("Sigmoid"));
        Path projection = model("clip-text", "id2label", "{\"0\": \"a\"}");
        assertEquals("model_type", assertThrows(FormatException.class, () -> Reranker.load(projection)).field());
        assertEquals("model_type", assertThrows(FormatException.class, () -> TextClassifier.load(projection)).field());
        Path labels = model("distilbert", "id2label", "{\"0\": \"a\", \"7\": \"b\"}");
        assertThrows(FormatException.class, () -> TextClassifier.load(labels));
    }
}
