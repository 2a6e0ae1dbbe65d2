package dev.fovea.model;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What ONNX Runtime made of the texts with one model; {@code GoldenGenerator} in {@code bench/} wrote it and describes
 * the format.
 *
 * @param model the model's name
 * @param maxTokens the limit that longer texts were cut to
 */
record GoldenFile(String model, int maxTokens, List<Entry> entries) {
    /**
     * One text.
     *
     * @param tokens that the model read
     * @param truncated whether there were more
     * @param idsSha256 of the token ids as little-endian ints
     * @param vector of length 1
     */
    record Entry(String name, String text, int tokens, boolean truncated, String idsSha256, float[] vector) {}

    static GoldenFile of(String model) {
        Map<String, String> texts = texts();
        List<JsonObject> lines = lines(model + ".jsonl");
        List<Entry> entries = new ArrayList<>();
        for (JsonObject line : lines.subList(1, lines.size())) {
            String name = line.get("name").getAsString();
            entries.add(new Entry(
                    name,
                    texts.get(name),
                    line.get("tokens").getAsInt(),
                    line.get("truncated").getAsBoolean(),
                    line.get("idsSha256").getAsString(),
                    floats(line.get("vector").getAsString())));
        }
        return new GoldenFile(model, lines.getFirst().get("maxTokens").getAsInt(), entries);
    }

    /** The entries of texts of at most {@code tokens} tokens. */
    List<Entry> upTo(int tokens) {
        return entries.stream().filter(entry -> entry.tokens() <= tokens).toList();
    }

    private static Map<String, String> texts() {
        Map<String, String> texts = new HashMap<>();
        for (JsonObject line : lines("texts.jsonl")) {
            int times = line.has("times") ? line.get("times").getAsInt() : 1;
            texts.put(line.get("name").getAsString(), line.get("text").getAsString().repeat(times));
        }
        return texts;
    }

    private static List<JsonObject> lines(String resource) {
        try (InputStream in = GoldenFile.class.getResourceAsStream("golden/" + resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> JsonParser.parseString(line).getAsJsonObject())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] floats(String base64) {
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(base64)).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return values;
    }
}
