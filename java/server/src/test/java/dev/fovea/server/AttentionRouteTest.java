package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.fovea.model.AttentionPattern;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The page's route tells what the library's patterns have. */
class AttentionRouteTest {
    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.shared();
    }

    private static void assertSame(AttentionPattern expected, int layer, int head, JsonObject answer) {
        assertEquals(expected.queryTokens(), answer.getAsJsonArray("tokens").asList().stream().map(t -> t.getAsString()).toList());
        JsonArray rows = answer.getAsJsonArray("weights");
        for (int query = 0; query < expected.queries(); query++) {
            for (int key = 0; key < expected.keys(); key++) {
                assertEquals(expected.at(layer, head, query, key), rows.get(query).getAsJsonArray().get(key).getAsFloat(), 6e-5f);
            }
        }
    }

    private static JsonObject ask(String body) {
        return server.ask("/fovea/attention", body).getAsJsonObject();
    }

    @Test
    void shouldExplainATextOfAnEncoder() throws Exception {
        try (var encoder = TextEncoder.load(TestServer.EMBEDDER)) {
            assertSame(encoder.explain("a blue cat"), 2, 3, ask("{'text': 'a blue cat', 'layer': 2, 'head': 3}"));
        }
    }

    @Test
    void shouldExplainATextAndAChatOfALanguageModel() throws Exception {
        try (var model = TextGenerator.load(TestServer.models().resolve("writer"),
                GeneratorOptions.defaults().withContext(TestServer.CONTEXT))) {
            assertSame(model.explain("w1 w2 w3"), 1, 0, ask("{'model': 'writer', 'text': 'w1 w2 w3', 'layer': 1, 'head': 0}"));
            AttentionPattern talk = model.explain("w1 w2 w3 w4 w5");
            assertEquals(List.of("w1", "w2", "w3", "w4", "w5"), talk.queryTokens());
            assertEquals(0, talk.at(0, 0, 2, 3), "it does not look ahead");
            assertSame(talk, 0, 1, ask("{'messages': [{'role': 'system', 'content': 'w1'}, {'role': 'user', 'content': 'w2 w3'},"
                    + " {'role': 'assistant', 'content': 'w4 w5'}], 'layer': 0, 'head': 1}"));
            JsonObject cut = ask("{'messages': [{'role': 'user', 'content': '" + "w1 ".repeat(300) + "'}]}");
            assertEquals(256, cut.getAsJsonArray("weights").size());
            assertSame(model.explain("w1"), 0, 0, ask("{'messages': [{'role': 'user', 'content': 'w1'}], 'layer': 0, 'head': 0}"));
        }
    }

    @Test
    void shouldNameWhatItDoesNotShow() {
        String many = "w1 ".repeat(257).strip();
        server.assertRefused(413, "attention is shown of texts of at most 256 tokens, got 257", "/fovea/attention",
                "{'model': 'writer', 'text': '" + many + "'}");
        server.assertRefused(422, "expected text or messages, got both", "/fovea/attention",
                "{'text': 'w1', 'messages': [{'role': 'user', 'content': 'w1'}]}");
        server.assertRefused(422, "expected layer to be a whole number from -1 to 5, got 6", "/fovea/attention",
                "{'text': 'cat', 'layer': 6}");
        server.assertRefused(424, "the model ranker is for rerank and does not do this; there are all-minilm-l6-v2 (embedding),"
                + " ranker (rerank), labels (classification), terms (sparse), writer (generation)", "/fovea/attention",
                "{'model': 'ranker', 'text': 'cat'}");
    }
}
