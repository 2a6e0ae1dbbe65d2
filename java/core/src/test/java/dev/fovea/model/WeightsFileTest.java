package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which file of a directory's weights is taken: two models of other weights tell them apart. */
class WeightsFileTest {
    private static final String TEXT = "w3 w1 w4 w1 w5";

    @TempDir
    private Path directory;
    private Path onnx;
    private Path other;

    @BeforeEach
    void write() throws IOException {
        TinyModel model = new TinyModel(31);
        model.write(directory);
        other = Files.createDirectory(directory.resolve("other"));
        new TinyModel(32).write(other);
        onnx = Files.createDirectory(directory.resolve("onnx"));
    }

    private float[] vector(EncoderOptions options) throws IOException {
        try (TextEncoder encoder = TextEncoder.load(directory, options)) {
            return encoder.encode(TEXT);
        }
    }

    @Test
    void shouldTakeTheFileThatIsAskedFor() throws IOException {
        float[] usual = vector(EncoderOptions.defaults());
        Files.copy(other.resolve("model.safetensors"), onnx.resolve("model_fp32.safetensors"));
        var options = EncoderOptions.defaults().withWeightsFile("onnx/model_fp32.safetensors");
        float[] chosen = vector(options);
        assertFalse(Arrays.equals(usual, chosen));
        try (TextEncoder encoder = TextEncoder.load(other)) {
            assertArrayEquals(encoder.encode(TEXT), chosen);
        }
        assertArrayEquals(usual, vector(EncoderOptions.defaults().withWeightsFile("model.safetensors")));
        try (TextEncoder encoder = TextEncoder.load(directory, options.withDimensions(8).withPrompt(""))) {
            assertEquals("onnx/model_fp32.safetensors, 37 tensors", encoder.properties().get("weights"));
        }
    }

    @Test
    void shouldTakeUsualFileOfSeveral() throws IOException {
        Files.write(onnx.resolve("model_quantized.onnx"), new byte[1]);
        Files.write(onnx.resolve("model_O2.onnx"), new byte[1]);
        try (TextEncoder encoder = TextEncoder.load(directory)) {
            assertEquals("model.safetensors, 37 tensors", encoder.properties().get("weights"));
            assertEquals("onnx/model_O2.onnx, onnx/model_quantized.onnx", encoder.properties().get("other weights"));
        }
    }

    @Test
    void shouldTakeTheOnlyOnnxFileWhateverItsName() throws IOException {
        Files.delete(directory.resolve("model.safetensors"));
        Files.write(onnx.resolve("model_quantized.onnx"), new byte[1]);
        String message = assertThrows(IOException.class, () -> TextEncoder.load(directory)).getMessage();
        assertTrue(message.contains("model_quantized.onnx, byte 0"), message);
    }

    @Test
    void shouldAskWhichOfSeveralUnusualFiles() throws IOException {
        Files.delete(directory.resolve("model.safetensors"));
        Files.write(onnx.resolve("model_quantized.onnx"), new byte[1]);
        Files.write(directory.resolve("model_fp16.onnx"), new byte[1]);
        String message = assertThrows(ModelNotFoundException.class, () -> TextEncoder.load(directory)).getMessage();
        assertEquals("model directory " + directory + " has none of model.safetensors, model.safetensors.index.json, model.onnx,"
                + " onnx/model.onnx; of model_fp16.onnx, onnx/model_quantized.onnx one must be chosen, with"
                + " EncoderOptions.withWeightsFile or --weights-file", message);
    }

    @Test
    void shouldSayWhatThereIsWhenTheFileIsNot() throws IOException {
        Files.write(onnx.resolve("model_O2.onnx"), new byte[1]);
        var options = EncoderOptions.defaults().withWeightsFile("onnx/model_O3.onnx");
        assertEquals("model directory " + directory + " has no onnx/model_O3.onnx to take weights from; there is"
                + " model.safetensors, onnx/model_O2.onnx",
                assertThrows(ModelNotFoundException.class, () -> TextEncoder.load(directory, options)).getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../model.safetensors", "/model.safetensors", "onnx/../../x.onnx"})
    void shouldRefuseFilesElsewhere(String file) {
        var options = EncoderOptions.defaults().withWeightsFile(file);
        String message = assertThrows(IllegalArgumentException.class, () -> TextEncoder.load(directory, options)).getMessage();
        assertEquals("expected a file of weights within " + directory + ", got '" + file + "'", message);
        assertThrows(IllegalArgumentException.class, () -> TextClassifier.load(directory, options));
    }

    @Test
    void shouldRefuseFilesOfOtherKinds() {
        var options = EncoderOptions.defaults().withWeightsFile("config.json");
        String message = assertThrows(IllegalArgumentException.class, () -> TextEncoder.load(directory, options)).getMessage();
        assertTrue(message.contains("expected a .safetensors, .safetensors.index.json, .onnx or .gguf file"), message);
    }

    @Test
    void shouldRefuseFileBesideOneThatHasAll() {
        Path gguf = Path.of("src", "test", "resources", "dev", "fovea", "model", "gguf", "bert-f32.gguf");
        var options = EncoderOptions.defaults().withWeightsFile("model.onnx");
        String message = assertThrows(IllegalArgumentException.class, () -> TextEncoder.load(gguf, options)).getMessage();
        assertTrue(message.contains("bert-f32.gguf, which has all of a model, got 'model.onnx'"), message);
    }
}
