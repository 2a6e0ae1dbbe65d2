package dev.fovea.cli.attend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class AttentionJsonTest {
    private static final Attention ATTENTION = Patterns.of(2, 3, "blue", "\"森\u2028", "forest");

    /** What is written of layers and heads. */
    static JsonObject json(Attention attention, List<Integer> layers, List<Integer> heads) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        AttentionJson.write(attention, layers, heads, out);
        return JsonParser.parseString(out.toString(StandardCharsets.UTF_8)).getAsJsonObject();
    }

    @Test
    void shouldRestoreEveryWeight() throws IOException {
        JsonObject json = json(ATTENTION, List.of(1, 2), List.of(1, 2, 3));
        assertEquals("a-model", json.get("model").getAsString());
        assertEquals(ATTENTION.text(), json.get("text").getAsString());
        assertEquals("\"森\u2028", json.getAsJsonArray("queries").get(2).getAsString());
        assertEquals(5, json.getAsJsonArray("keys").size());
        JsonArray layers = json.getAsJsonArray("layers");
        assertEquals(2, layers.size());
        for (int layer = 0; layer < 2; layer++) {
            JsonObject written = layers.get(layer).getAsJsonObject();
            assertEquals(layer + 1, written.get("layer").getAsInt());
            assertEquals(3, written.getAsJsonArray("heads").size());
            for (int head = 0; head < 3; head++) {
                JsonObject map = written.getAsJsonArray("heads").get(head).getAsJsonObject();
                assertEquals(head + 1, map.get("head").getAsInt());
                assertWeights(layer, head, map.getAsJsonArray("weights"));
            }
        }
    }

    private static void assertWeights(int layer, int head, JsonArray weights) {
        assertEquals(5, weights.size());
        for (int query = 0; query < 5; query++) {
            JsonArray row = weights.get(query).getAsJsonArray();
            assertEquals(5, row.size());
            for (int key = 0; key < 5; key++) {
                assertEquals(ATTENTION.weights().at(layer, head, query, key), row.get(key).getAsFloat());
            }
        }
    }

    @Test
    void shouldWriteMeansWhereAsked() throws IOException {
        JsonObject layer = json(ATTENTION, List.of(2), List.of(Choice.MEAN))
                .getAsJsonArray("layers").get(0).getAsJsonObject();
        assertEquals(2, layer.get("layer").getAsInt());
        JsonObject head = layer.getAsJsonArray("heads").get(0).getAsJsonObject();
        assertEquals("mean", head.get("head").getAsString());
        assertEquals(ATTENTION.map(new Choice(2, Choice.MEAN)).weights()[1][3],
                head.getAsJsonArray("weights").get(1).getAsJsonArray().get(3).getAsFloat());
    }
}
