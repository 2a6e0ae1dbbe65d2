package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Directories that sentence-transformers 6 has saved, against its vectors in binary64. */
class PipelineParityTest {
    @TempDir
    private Path directory;

    @TestFactory
    Stream<DynamicTest> shouldGiveTheVectorsOfSentenceTransformers() throws IOException {
        JsonObject golden;
        try (var in = PipelineParityTest.class.getResourceAsStream("pipelines.json")) {
            golden = JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8)).getAsJsonObject();
        }
        List<String> texts = golden.getAsJsonArray("texts").asList().stream().map(text -> text.getAsString()).toList();
        return golden.getAsJsonArray("cases").asList().stream().map(element -> {
            JsonObject example = element.getAsJsonObject();
            String name = example.get("name").getAsString();
            return DynamicTest.dynamicTest(name, () -> {
                Path folder = Files.createDirectory(directory.resolve(name.replaceAll("\\W", "_")));
                write(folder, golden.getAsJsonObject("files"));
                write(folder, example.getAsJsonObject("files"));
                JsonObject vectors = example.getAsJsonObject("vectors");
                try (var encoder = TextEncoder.load(folder)) {
                    for (String prompt : vectors.keySet()) {
                        List<TextEmbedding> embeddings =
                                prompt.isEmpty() ? encoder.embedAll(texts) : encoder.embedAll(texts, prompt);
                        for (int i = 0; i < texts.size(); i++) {
                            assertClose(vectors.getAsJsonArray(prompt).get(i).getAsJsonArray(), embeddings.get(i).vector(),
                                    "'" + prompt + "' '" + texts.get(i) + "'");
                        }
                    }
                }
            });
        });
    }

    private static void write(Path folder, JsonObject files) throws IOException {
        for (String name : files.keySet()) {
            Path file = folder.resolve(name);
            Files.createDirectories(file.getParent());
            Files.write(file, Base64.getDecoder().decode(files.get(name).getAsString()));
        }
    }

    private static void assertClose(JsonArray expected, float[] actual, String text) {
        assertEquals(expected.size(), actual.length, text);
        for (int i = 0; i < actual.length; i++) {
            double value = expected.get(i).getAsDouble();
            assertEquals(value, actual[i], 1e-5 * Math.max(1, Math.abs(value)), text + " component " + i);
        }
    }
}
