package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.model.Reranker;
import dev.fovea.model.SparseEncoder;
import dev.fovea.model.TextClassifier;
import dev.fovea.model.TextEncoder;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The routes of Text Embeddings Inference give what the library gives, to the bit, and refuse the rest by its statuses. */
class TeiRoutesTest {
    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.shared();
    }

    private static float[] floats(JsonElement array) {
        JsonArray all = array.getAsJsonArray();
        float[] values = new float[all.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = all.get(i).getAsFloat();
        }
        return values;
    }

    private static void assertSame(float[] expected, float[] actual) {
        assertArrayEquals(expected, actual);
    }

    @Test
    void shouldEmbed() throws Exception {
        JsonArray vectors = server.ask("/embed", "{'inputs': ['a cat', 'Ein Fahrrad 🚲']}").getAsJsonArray();
        JsonArray one = server.ask("/embed", "{'inputs': 'a cat'}").getAsJsonArray();
        JsonArray first = server.ask("/embed", "{'inputs': 'a cat', 'dimensions': 2}").getAsJsonArray();
        try (var encoder = TextEncoder.load(TestServer.EMBEDDER)) {
            assertSame(encoder.encode("a cat"), floats(vectors.get(0)));
            assertSame(encoder.encode("Ein Fahrrad 🚲"), floats(vectors.get(1)));
            assertSame(encoder.encode("a cat"), floats(one.get(0)));
        }
        float[] cut = floats(first.get(0));
        assertEquals(2, cut.length);
        assertEquals(1, cut[0] * cut[0] + cut[1] * cut[1], 1e-5);
    }

    @Test
    void shouldRefuseWhatIsNotATextToEmbed() {
        server.assertRefused(400, "the body is not JSON, or nested more than 64 deep, at $.inputs", "/embed", "{'inputs': ");
        server.assertRefused(422, "expected a JSON object, got an array of 0", "/embed", "[]");
        server.assertRefused(400, "the body is not JSON, or nested more than 64 deep, at $", "/embed", "{'inputs': 'a'} {}");
        server.assertRefused(422, "the field inputs is missing", "/embed", "{}");
        server.assertRefused(422, "expected inputs[1] to be a string, got 3", "/embed", "{'inputs': ['a', 3]}");
        server.assertRefused(400, "inputs must not be empty", "/embed", "{'inputs': ''}");
        server.assertRefused(400, "inputs[1] must not be empty", "/embed", "{'inputs': ['a', '']}");
        server.assertRefused(400, "inputs must have at least 1 text, got 0", "/embed", "{'inputs': []}");
        server.assertRefused(413, "inputs may have at most 32 texts, got 33", "/embed",
                "{'inputs': [" + "'a',".repeat(32) + "'a']}");
        server.assertRefused(413, "inputs has more than the 256 tokens that the model reads", "/embed",
                "{'inputs': '" + "word ".repeat(300) + "'}");
        server.ask("/embed", "{'truncate': true, 'inputs': '" + "word ".repeat(300) + "'}");
        server.assertRefused(422, "expected dimensions to be a whole number from 1 to 384, got 385", "/embed",
                "{'inputs': 'a', 'dimensions': 385}");
        server.assertRefused(422, "expected truncate to be true or false, got \"yes\"", "/embed",
                "{'inputs': 'a', 'truncate': 'yes'}");
        server.assertRefused(422, "normalize cannot be false: the model's vectors are of length 1 by its own files", "/embed",
                "{'inputs': 'a', 'normalize': false}");
        server.assertRefused(422, "expected prompt_name to be one of the model's prompts, [], got \"query\"", "/embed",
                "{'inputs': 'a', 'prompt_name': 'query'}");
        server.assertRefused(422, "the field colour is not supported here; there are dimensions, inputs, model, normalize,"
                + " prompt_name, truncate, truncation_direction", "/embed", "{'inputs': 'a', 'colour': 1}");
        server.assertRefused(424, "the model writer is for generation and does not do this; there are all-minilm-l6-v2"
                + " (embedding), ranker (rerank), labels (classification), terms (sparse), writer (generation)", "/embed",
                "{'inputs': 'a', 'model': 'writer'}");
    }

    @Test
    void shouldRerank() throws Exception {
        List<String> texts = List.of("w3", "w4 w5", "w6 w7 w8");
        JsonArray ranked = server.ask("/rerank",
                "{'query': 'w1 w2', 'texts': ['w3', 'w4 w5', 'w6 w7 w8'], 'return_text': true}").getAsJsonArray();
        try (var reranker = Reranker.load(TestServer.models().resolve("ranker"))) {
            server.assertRefused(413, "texts[1] has more than the " + reranker.maxTokens() + " tokens that the model reads",
                    "/rerank", "{'query': 'w1', 'texts': ['w2', '" + "w3 ".repeat(reranker.maxTokens()) + "']}");
            List<Reranker.Ranked> expected = reranker.rank("w1 w2", texts);
            for (int i = 0; i < 3; i++) {
                JsonObject one = ranked.get(i).getAsJsonObject();
                assertEquals(expected.get(i).index(), one.get("index").getAsInt());
                assertEquals(expected.get(i).score(), one.get("score").getAsFloat());
                assertEquals(texts.get(expected.get(i).index()), one.get("text").getAsString());
            }
        }
        server.assertRefused(422, "the field query is missing", "/rerank", "{'texts': ['a']}");
        server.assertRefused(422, "expected texts to be an array of strings, got \"a\"", "/rerank", "{'query': 'a', 'texts': 'a'}");
        server.assertRefused(400, "texts must have at least 1 text, got 0", "/rerank", "{'query': 'a', 'texts': []}");
        server.assertRefused(422, "raw_scores cannot be true: the model gives scores from 0 to 1 by its own files", "/rerank",
                "{'query': 'a', 'texts': ['b'], 'raw_scores': true}");
    }

    @Test
    void shouldPredict() throws Exception {
        JsonArray one = server.ask("/predict", "{'inputs': 'w1 w2'}").getAsJsonArray();
        JsonArray batch = server.ask("/predict", "{'inputs': [['w1 w2'], ['w3', 'w4']]}").getAsJsonArray();
        JsonArray pair = server.ask("/predict", "{'inputs': ['w3', 'w4']}").getAsJsonArray();
        try (var classifier = TextClassifier.load(TestServer.models().resolve("labels"))) {
            var expected = classifier.classify("w1 w2");
            for (int i = 0; i < 3; i++) {
                assertEquals(expected.get(i).name(), one.get(i).getAsJsonObject().get("label").getAsString());
                assertEquals(expected.get(i).score(), one.get(i).getAsJsonObject().get("score").getAsFloat());
            }
            assertEquals(classifier.classify("w3", "w4").getFirst().score(),
                    pair.get(0).getAsJsonObject().get("score").getAsFloat());
        }
        assertEquals(one, batch.get(0));
        assertEquals(pair, batch.get(1));
        String expected = "expected inputs to be a string, a pair [string, string], or a batch [[string], [string, string], …], got ";
        server.assertRefused(422, expected + "an array of 3", "/predict", "{'inputs': ['a', 'b', 'c']}");
        server.assertRefused(422, expected + "an array of 2", "/predict", "{'inputs': [['a'], []]}");
        server.assertRefused(422, "raw_scores is not supported, but for false; got true", "/predict",
                "{'inputs': 'a', 'raw_scores': true}");
    }

    @Test
    void shouldEmbedTerms() throws Exception {
        JsonArray terms = server.ask("/embed_sparse", "{'inputs': 'w1 w2 w3'}").getAsJsonArray().get(0).getAsJsonArray();
        try (var sparse = SparseEncoder.load(TestServer.models().resolve("terms"))) {
            var expected = sparse.encode("w1 w2 w3");
            assertTrue(expected.ids().length > 0);
            assertEquals(expected.ids().length, terms.size());
            for (int i = 0; i < terms.size(); i++) {
                assertEquals(expected.ids()[i], terms.get(i).getAsJsonObject().get("index").getAsInt());
                assertEquals(expected.weights()[i], terms.get(i).getAsJsonObject().get("value").getAsFloat());
            }
        }
    }

    @Test
    void shouldTokenize() {
        assertEquals("[[{'id':101,'text':'[CLS]','special':true,'start':null,'stop':null},"
                + "{'id':1037,'text':'A','special':false,'start':0,'stop':1},"
                + "{'id':27036,'text':'fluffy','special':false,'start':4,'stop':10},"
                + "{'id':102,'text':'[SEP]','special':true,'start':null,'stop':null}]]",
                server.ask("/tokenize", "{'inputs': 'A\u00a0\u00a0 fluffy'}").toString().replace('"', '\''));
        JsonArray plain = server.ask("/tokenize", "{'inputs': ['🚲 fluffy'], 'add_special_tokens': false}").getAsJsonArray();
        JsonObject last = plain.get(0).getAsJsonArray().asList().getLast().getAsJsonObject();
        assertEquals(2, last.get("start").getAsInt());
        assertEquals(8, last.get("stop").getAsInt());
    }

    @Test
    void shouldTellWhatItIs() throws Exception {
        JsonObject info = JsonParser.parseString(server.get("/info").body()).getAsJsonObject();
        assertEquals("all-minilm-l6-v2", info.get("model_id").getAsString());
        assertEquals("{\"embedding\":{\"pooling\":\"mean\"}}", info.get("model_type").toString());
        assertEquals(256, info.get("max_input_length").getAsInt());
        assertEquals(5, info.getAsJsonArray("models").size());
        assertTrue(info.get("version").getAsString().matches("\\d+\\.\\d+\\.\\d+.*"));
        assertEquals(200, server.get("/health").statusCode());
        server.ask("/embed", "{'inputs': 'a'}");
        // A request is counted once its answer is out: another connection may be read before that.
        String counted = "te_request_duration_bucket{method=\"/embed\"";
        String metrics = server.get("/metrics").body();
        for (int tries = 0; tries < 500 && !metrics.contains(counted); tries++) {
            Thread.sleep(20);
            metrics = server.get("/metrics").body();
        }
        for (String name : List.of("te_request_count_total{method=\"/embed\"}", counted,
                "te_request_input_length_count{model=\"all-minilm-l6-v2\"}", "te_batch_next_size_sum", "te_batch_next_tokens_sum",
                "te_queue_size{model=\"all-minilm-l6-v2\"} 0.0", "te_request_queue_duration_sum",
                "te_request_inference_duration_sum", "te_request_tokenization_duration_sum", "fovea_connections ")) {
            assertTrue(metrics.contains(name), name + " is not in " + metrics);
        }
    }

    @Test
    void shouldWriteQuotesAsTheyAre() {
        String refused = server.post("/embed", "{\"inputs\": \"a\", \"model\": \"<it's>\"}").body();
        assertTrue(refused.contains("no model is called '<it's>'"), refused);
    }

    @Test
    void shouldSayNothingOfThisMachine() throws Exception {
        String here = TestServer.models().toAbsolutePath().normalize().toString();
        for (String path : List.of("/info", "/v1/models", "/metrics", "/v1/models/x", "/nowhere")) {
            assertFalse(server.get(path).body().contains(here), path);
        }
        String refused = server.post("/v1/completions", "{\"prompt\": [99]}").body();
        assertTrue(refused.contains("below the vocabulary 31"), refused);
        assertEquals(404, server.get("/nowhere").statusCode());
        assertEquals(405, server.get("/embed").statusCode());
        assertEquals(404, server.get("/v1/models/x").statusCode());
        assertTrue(server.get("/v1/models/a+b%20c").body().contains("'a+b c'"));
        assertEquals("GET, HEAD", server.post("/v1/models/x", "{}").headers().firstValue("Allow").orElseThrow());
        assertEquals("POST", server.get("/embed").headers().firstValue("Allow").orElseThrow());
        assertEquals(404, server.get("/%2e%2e/etc/passwd").statusCode());
    }
}
