package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.ops.Similarity;
import org.junit.jupiter.api.Test;

class SimilarCommandTest {
    private static final String QUERY = "How do I reset my password?";
    private static final String LOGIN = "I forgot my login";
    private static final String WEATHER = "Nice weather today";

    @Test
    void shouldRankByMeaning() {
        String[] lines = CliRun.of("similar", QUERY, WEATHER, LOGIN).output().split("\n");
        assertEquals(2, lines.length);
        assertTrue(lines[0].matches("1\\. +0\\.\\d{4}  " + LOGIN), lines[0]);
        assertTrue(lines[1].matches("2\\. +-?0\\.\\d{4}  " + WEATHER), lines[1]);
    }

    @Test
    void shouldWriteJson() {
        String json = CliRun.of("similar", "--json", QUERY, WEATHER, LOGIN).output();
        JsonObject object = JsonParser.parseString(json).getAsJsonObject();
        assertEquals("all-minilm-l6-v2", object.get("model").getAsString());
        assertEquals(QUERY, object.get("query").getAsString());
        JsonArray results = object.getAsJsonArray("results");
        assertEquals(2, results.size());
        JsonObject best = results.get(0).getAsJsonObject();
        assertEquals(1, best.get("index").getAsInt());
        assertEquals(LOGIN, best.get("text").getAsString());
        assertTrue(best.get("score").getAsFloat() > results.get(1).getAsJsonObject().get("score").getAsFloat());
    }

    @Test
    void shouldKeepTheOrderOfEqualTexts() {
        String json = CliRun.of("similar", "--json", QUERY, LOGIN, QUERY, LOGIN, "").output();
        JsonArray results = JsonParser.parseString(json).getAsJsonObject().getAsJsonArray("results");
        assertEquals(1, results.get(0).getAsJsonObject().get("index").getAsInt());
        assertEquals(1.0f, results.get(0).getAsJsonObject().get("score").getAsFloat(), 1e-6f);
        assertEquals(0, results.get(1).getAsJsonObject().get("index").getAsInt());
        assertEquals(2, results.get(2).getAsJsonObject().get("index").getAsInt());
    }

    @Test
    void shouldMeasureTheAngleAlone() {
        assertEquals(1, Similarity.COSINE.of(new float[] {1, 2}, new float[] {10, 20}));
        assertEquals(-1, Similarity.COSINE.of(new float[] {1, 0}, new float[] {-3, 0}));
        assertEquals(0, Similarity.COSINE.of(new float[] {1, 0}, new float[] {0, 5}));
        assertEquals(0, Similarity.COSINE.of(new float[] {0, 0}, new float[] {1, 5}));
    }
}
