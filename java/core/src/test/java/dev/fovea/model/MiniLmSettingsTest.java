package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A published model whose directory gets settings that change its vectors. Expected is the mean of the token vectors of
 * ONNX Runtime 1.30, normalised in double.
 */
class MiniLmSettingsTest {
    private static final String TEXT = "Wie heißt du? 你好 Résumé";

    @TempDir
    private Path directory;

    @BeforeEach
    void copyTheModel() throws IOException {
        Path model = ModelCatalog.directory(ModelCatalog.models().getFirst());
        try (var files = Files.walk(model)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = directory.resolve(model.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
    }

    @Test
    void shouldGiveTheVectorOfTheText() throws Exception {
        assertBegins(encode(), -0.07584015f, 0.05852415f, 0.0517881f, -0.05001051f);
    }

    @Test
    void shouldPutTheDefaultPromptBeforeTheText() throws Exception {
        settings("{\"prompts\": {\"query\": \"query: \"}, \"default_prompt_name\": \"query\"}");
        assertBegins(encode(), -0.05830271f, 0.05120735f, 0.0439942f, -0.01143477f);
    }

    @Test
    void shouldKeepTheFirstDimensionsAndNormaliseAgain() throws Exception {
        float[] whole = encode();
        settings("{\"truncate_dim\": 128}");
        float[] first = encode();
        double squares = 0;
        for (int i = 0; i < 128; i++) {
            squares += (double) whole[i] * whole[i];
        }
        float[] expected = new float[128];
        for (int i = 0; i < 128; i++) {
            expected[i] = (float) (whole[i] / Math.sqrt(squares));
        }
        assertArrayEquals(expected, first, 2e-7f);
    }

    private float[] encode() throws IOException {
        try (var encoder = TextEncoder.load(directory)) {
            return encoder.encode(TEXT);
        }
    }

    private void settings(String json) throws IOException {
        Files.writeString(directory.resolve("config_sentence_transformers.json"), json);
    }

    private static void assertBegins(float[] vector, float... expected) {
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], vector[i], 2e-6f, "component " + i);
        }
    }
}
