package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttendCommandTest {
    private static final String TEXT = "a fluffy blue creature roamed the verdant forest";

    @TempDir
    private Path directory;

    private Path write(String name, String... more) {
        Path file = directory.resolve(name);
        String[] args = {"attend", TEXT, "--out", file.toString()};
        String[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        assertEquals("", CliRun.of(all).output());
        return file;
    }

    private JsonObject json(String... more) throws IOException {
        return JsonParser.parseString(Files.readString(write("map.json", more))).getAsJsonObject();
    }

    /** The first use of a model may say that it is unpacked. */
    @BeforeAll
    static void unpack() {
        assertEquals(0, CliRun.of("attend", TEXT).status());
    }

    @Test
    void shouldDrawAMapWithTokensOnBothSides() {
        String map = CliRun.of("attend", TEXT).output();
        String[] lines = map.split("\n");
        assertEquals("all-minilm-l6-v2, layer 1 of 6, mean of 12 heads; rows attend to columns", lines[0]);
        for (String token : new String[] {"[CLS]", "fluffy", "creature", "##ed", "##rdan", "forest", "[SEP]"}) {
            assertTrue(Arrays.stream(lines).anyMatch(line -> line.strip().startsWith(token + " ")
                    && line.contains("░")), token + " in " + map);
            assertTrue(Arrays.stream(lines).anyMatch(line -> line.strip().startsWith(token + " → ")), token);
        }
        assertTrue(Arrays.stream(lines).allMatch(line -> line.length() <= 80), map);
        assertTrue(map.contains("roam → creature 0.197, fluffy 0.092"), map);
        assertFalse(map.contains("\u001b"));
        assertTrue(map.endsWith("To see others: --layer 1 to 6, --head 1 to 12. To see all: --out map.html\n"), map);
    }

    @Test
    void shouldDrawTheLayerAndHeadThatAreAskedFor() {
        String map = CliRun.of("attend", TEXT, "--layer", "mean", "--head", "3").output();
        assertTrue(map.startsWith("all-minilm-l6-v2, mean of 6 layers, head 3 of 12;"), map);
    }

    @Test
    void shouldWriteEveryWeightAsJson() throws IOException {
        JsonObject json = json();
        assertEquals("all-minilm-l6-v2", json.get("model").getAsString());
        assertEquals(13, json.getAsJsonArray("queries").size());
        JsonArray layers = json.getAsJsonArray("layers");
        assertEquals(6, layers.size());
        for (JsonElement layer : layers) {
            assertEquals(12, layer.getAsJsonObject().getAsJsonArray("heads").size());
            for (JsonElement head : layer.getAsJsonObject().getAsJsonArray("heads")) {
                for (JsonElement row : head.getAsJsonObject().getAsJsonArray("weights")) {
                    double sum = 0;
                    for (JsonElement weight : row.getAsJsonArray()) {
                        sum += weight.getAsFloat();
                    }
                    assertEquals(1, sum, 1e-6);
                }
            }
        }
        JsonArray picked = json("--layer", "5", "--head", "mean").getAsJsonArray("layers");
        assertEquals(1, picked.size());
        assertEquals(5, picked.get(0).getAsJsonObject().get("layer").getAsInt());
        assertEquals("mean", picked.get(0).getAsJsonObject().getAsJsonArray("heads").get(0).getAsJsonObject()
                .get("head").getAsString());
    }

    @Test
    void shouldWritePagesAndPictures() throws IOException {
        assertTrue(Files.readString(write("map.html")).startsWith("<!DOCTYPE html>"));
        assertTrue(Files.readString(write("map.SVG")).startsWith("<svg "));
        byte[] png = Files.readAllBytes(write("map.png"));
        assertArrayEquals(new byte[] {(byte) 0x89, 'P', 'N', 'G'}, Arrays.copyOf(png, 4));
    }

    @Test
    void shouldNameBothNumbersOfATextOverTheLimit() {
        assertEquals("the text has 302 tokens, special tokens included; model all-minilm-l6-v2 takes at most 256",
                CliRun.of("attend", "word ".repeat(300)).error(1));
    }

    @Test
    void shouldNameTheRangeOfLayersAndHeads() {
        assertEquals("--layer must be 1 to 6 or mean, got 7 (see 'fovea attend --help')",
                CliRun.of("attend", TEXT, "--layer", "7").error(2));
        assertEquals("--head must be 1 to 12 or mean, got 13 (see 'fovea attend --help')",
                CliRun.of("attend", TEXT, "--head", "13").error(2));
    }

    @Test
    void shouldTakeTheWidthFromTheEnvironment() {
        assertEquals(123, Terminal.columns(Map.of("COLUMNS", "123")));
        assertTrue(Terminal.columns(Map.of("COLUMNS", "0")) > 0);
        assertTrue(Terminal.columns(Map.of("COLUMNS", "wide")) > 0);
        assertFalse(Terminal.isColored(Map.of("TERM", "xterm", "NO_COLOR", "1")));
        assertFalse(Terminal.isColored(Map.of("TERM", "dumb")));
    }
}
