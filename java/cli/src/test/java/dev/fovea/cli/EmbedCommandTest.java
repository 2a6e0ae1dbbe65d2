package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.model.EmbeddingQuantizer;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.WeightType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedCommandTest {
    private static final int DIMENSION = 384;

    @TempDir
    private Path directory;

    private Path lines(String... lines) throws IOException {
        return Files.write(directory.resolve("lines.txt"), List.of(lines));
    }

    private static float[] embedding(JsonObject object) {
        JsonArray array = object.getAsJsonArray("embedding");
        float[] vector = new float[array.size()];
        for (int i = 0; i < vector.length; i++) {
            vector[i] = array.get(i).getAsFloat();
        }
        return vector;
    }

    private static CliRun withInput(String input, String... args) {
        return CliRun.withInput(input.getBytes(StandardCharsets.UTF_8), args);
    }

    @Test
    void shouldWriteVectorsThatParseBackToTheSameBits() throws IOException {
        List<JsonObject> objects = CliRun.of("embed", "Grüße aus Köln 🚲", "", "a\nb").objects();
        List<String> texts = objects.stream().map(object -> object.get("text").getAsString()).toList();
        assertEquals(List.of("Grüße aus Köln 🚲", "", "a\nb"), texts);
        try (TextEncoder encoder = TextEncoder.load("all-minilm-l6-v2")) {
            for (int i = 0; i < texts.size(); i++) {
                assertArrayEquals(encoder.encode(texts.get(i)), embedding(objects.get(i)));
            }
        }
        assertEquals(List.of("text", "tokens", "embedding"), List.copyOf(objects.getFirst().keySet()));
        assertEquals(2, objects.get(1).get("tokens").getAsInt());
        assertEquals(4, objects.get(2).get("tokens").getAsInt());
    }

    @Test
    void shouldKeepWeightsAsTheOptionSays() throws IOException {
        var options = EncoderOptions.defaults().withWeights(WeightType.INT8);
        try (TextEncoder encoder = TextEncoder.load("all-minilm-l6-v2", options)) {
            float[] vector = embedding(CliRun.of("embed", "--weights", "int8", "text").objects().getFirst());
            assertArrayEquals(encoder.encode("text"), vector);
        }
    }

    @Test
    void shouldPutAPromptBeforeTexts() throws IOException {
        JsonArray expected = CliRun.of("embed", "query: text").objects().getFirst().getAsJsonArray("embedding");
        JsonObject prompted = CliRun.of("embed", "--prompt", "query: ", "text").objects().getFirst();
        assertEquals(expected, prompted.getAsJsonArray("embedding"));
        assertEquals("text", prompted.get("text").getAsString());
        assertEquals("no prompt is called 'query'; model all-minilm-l6-v2 has none, and a prompt's text has a space or a colon"
                + " in it", CliRun.of("embed", "--prompt", "query", "text").error(1));
    }

    @Test
    void shouldKeepTheFirstDimensions() throws IOException {
        float[] whole = embedding(CliRun.of("embed", "text").objects().getFirst());
        float[] first = embedding(CliRun.of("embed", "--dimensions", "16", "text").objects().getFirst());
        assertEquals(16, first.length);
        assertEquals(whole[1] / whole[0], first[1] / first[0], 1e-5);
        assertEquals("expected at most the 384 dimensions of the model's vectors, got 385",
                CliRun.of("embed", "--dimensions", "385", "text").error(1));
        assertTrue(CliRun.of("embed", "--dimensions", "0", "text").error(2).startsWith("--dimensions must be at least 1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"int8", "uint8", "binary", "ubinary"})
    void shouldWriteBytes(String precision) throws IOException {
        String[] texts = {"one", "two", "three and four"};
        List<float[]> vectors = CliRun.of("embed", texts[0], texts[1], texts[2]).objects().stream()
                .map(EmbedCommandTest::embedding).toList();
        var type = EmbeddingQuantizer.Precision.valueOf(precision.toUpperCase());
        var quantizer = type.needsRanges() ? EmbeddingQuantizer.of(type, vectors) : EmbeddingQuantizer.of(type);
        List<JsonObject> objects =
                CliRun.of("embed", "--precision", precision, texts[0], texts[1], texts[2]).objects();
        Path file = directory.resolve("vectors.npy");
        CliRun.of("embed", "--precision", precision, "--format", "npy", "--output", file.toString(), texts[0], texts[1],
                texts[2]).output();
        byte[] numPy = Files.readAllBytes(file);
        int size = type.bytes(DIMENSION);
        String header = new String(numPy, 10, 118, StandardCharsets.US_ASCII);
        assertTrue(header.startsWith("{'descr': '" + (precision.startsWith("u") ? "|u1" : "|i1")
                + "', 'fortran_order': False, 'shape': (3, " + size + "), }"), header);
        assertEquals(128 + 3 * size, numPy.length);
        for (int i = 0; i < texts.length; i++) {
            assertEquals(texts[i], objects.get(i).get("text").getAsString());
            byte[] expected = quantizer.quantize(vectors.get(i));
            JsonArray written = objects.get(i).getAsJsonArray("embedding");
            for (int j = 0; j < size; j++) {
                assertEquals(precision.startsWith("u") ? expected[j] & 0xff : expected[j], written.get(j).getAsInt());
                assertEquals(expected[j], numPy[128 + i * size + j]);
            }
        }
    }

    @Test
    void shouldKeepTheOrderOfAThousandLines() throws IOException {
        List<String> texts = IntStream.range(0, 1000).mapToObj(i -> "Line " + i + " of it".repeat(i % 5)).toList();
        Path input = lines(texts.toArray(String[]::new));
        List<JsonObject> objects = CliRun.of("embed", "--input", input.toString()).objects();
        assertEquals(texts, objects.stream().map(object -> object.get("text").getAsString()).toList());
        for (int i : new int[] {0, 255, 256, 999}) {
            JsonObject alone = CliRun.of("embed", texts.get(i)).objects().getFirst();
            assertArrayEquals(embedding(alone), embedding(objects.get(i)));
        }
    }

    @Test
    void shouldEmbedBlankLinesOfStandardInput() {
        List<JsonObject> objects = withInput("one\n\r\n\nfour", "embed", "--input", "-").objects();
        assertEquals(List.of("one", "", "", "four"),
                objects.stream().map(object -> object.get("text").getAsString()).toList());
        assertArrayEquals(embedding(objects.get(1)), embedding(objects.get(2)));
    }

    @Test
    void shouldWriteNothingForNoLines() {
        assertEquals("", withInput("", "embed", "--input", "-").output());
    }

    @ParameterizedTest
    @ValueSource(strings = {"native", "java"})
    void shouldComputeOnEitherBackend(String backend) {
        float[] expected = embedding(CliRun.of("embed", "text").objects().getFirst());
        float[] actual = embedding(
                CliRun.of("embed", "--backend", backend, "--threads", "1", "text").objects().getFirst());
        assertArrayEquals(expected, actual, 1e-5f);
    }

    @Test
    void shouldSayInOneLineWhyThereIsNoGpu() {
        String reason = Engine.unavailable(Backend.CUDA).orElse(null);
        assumeTrue(reason != null, "this machine has a GPU");
        assertEquals("the CUDA backend is not available: " + reason,
                CliRun.of("embed", "--backend", "cuda", "text").error(1));
    }

    @Test
    void shouldWriteANumPyArray() throws IOException {
        Path npy = directory.resolve("vectors.npy");
        CliRun run = CliRun.of("embed", "--format", "npy", "--output", npy.toString(), "one", "two", "three");
        assertEquals("", run.output());
        NumPyFile array = NumPyFile.read(npy);
        assertArrayEquals(new int[] {3, DIMENSION}, array.shape());
        List<JsonObject> objects = CliRun.of("embed", "one", "two", "three").objects();
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(embedding(objects.get(i)), array.row(i));
        }
    }

    @Test
    void shouldWriteAnEmptyNumPyArray() throws IOException {
        Path npy = directory.resolve("vectors.npy");
        withInput("", "embed", "--input", "-", "--format", "npy", "--output", npy.toString()).output();
        assertArrayEquals(new int[] {0, DIMENSION}, NumPyFile.read(npy).shape());
    }

    @Test
    void shouldWriteJsonLinesToAFile() throws IOException {
        Path file = directory.resolve("out.jsonl");
        assertEquals("", CliRun.of("embed", "--output", file.toString(), "one").output());
        assertEquals(CliRun.of("embed", "one").output(), Files.readString(file));
    }

    @Test
    void shouldLeaveTheOldFileWhenItFails() throws IOException {
        Path input = Files.write(directory.resolve("latin1.txt"), new byte[] {'a', '\n', (byte) 0xE9, '\n'});
        Path output = Files.writeString(directory.resolve("out.npy"), "old");
        CliRun run = CliRun.of(
                "embed", "--input", input.toString(), "--format", "npy", "--output", output.toString());
        assertEquals(input + ": line 2 is not valid UTF-8 at its byte 1 (0xE9)", run.error(1));
        assertEquals("old", Files.readString(output));
        assertFalse(Files.exists(directory.resolve("out.npy.part")));
    }

    @Test
    void shouldSayThatItCutATextAndWhich() throws IOException {
        String longText = "word ".repeat(1000);
        CliRun run = CliRun.of("embed", "--input", lines("short", longText, "short", longText).toString());
        assertEquals(0, run.status());
        assertEquals("fovea: cut 2 texts to the model's 256 tokens; the first is line 2 (see --on-long)\n", run.err());
        assertEquals(2, run.out().lines().filter(line -> line.contains("\"tokens\":256,\"truncated\":true,")).count());
    }

    @Test
    void shouldTakeTheMeanOverPieces() {
        JsonObject object = CliRun.of("embed", "--on-long", "chunk-mean", "word ".repeat(1000)).objects().getFirst();
        assertTrue(object.get("tokens").getAsInt() > 1000);
        assertFalse(object.has("truncated"));
    }

    @Test
    void shouldNameTheLineThatIsTooLong() throws IOException {
        CliRun run = CliRun.of("embed", "--on-long", "error", "--input",
                lines("short", "word ".repeat(1000), "short").toString());
        String message = run.error(1);
        assertTrue(message.startsWith("line 2: ") && message.contains("1002") && message.contains("256"), message);
    }

    @Test
    void shouldRefuseWhatItCannotReadOrWrite() throws IOException {
        String text = "text";
        Path input = lines(text);
        String here = directory.toString();
        Path nowhere = directory.resolve("no/file");
        assertEquals("no such file or directory: " + nowhere,
                CliRun.of("embed", "--input", nowhere.toString()).error(1));
        assertEquals("is a directory: " + here, CliRun.of("embed", "--input", here).error(1));
        assertEquals("is a directory: " + here, CliRun.of("embed", "--output", here, text).error(1));
        assertEquals("no such file or directory: " + nowhere.getParent(),
                CliRun.of("embed", "--output", nowhere.toString(), text).error(1));
        if (input.toFile().setReadable(false) && !Files.isReadable(input)) {
            assertEquals("permission denied: " + input, CliRun.of("embed", "--input", input.toString()).error(1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"no-such-model", "no/such/directory", ""})
    void shouldRefuseAModelThatDoesNotExist(String model) {
        String message = CliRun.of("embed", "--model", model, "text").error(1);
        assertTrue(message.contains(model), message);
    }

    @Test
    void shouldRefuseADirectoryThatIsNoModel() {
        String message = CliRun.of("embed", "--model", directory.toString(), "text").error(1);
        assertTrue(message.contains(directory.toString()), message);
    }
}
