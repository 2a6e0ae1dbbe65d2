package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model whose ONNX file holds int8 weights, as ONNX Runtime's dynamic quantization writes it. */
class QuantizedModelTest {
    @TempDir
    private Path directory;

    /** The stored weights are multiplied by rows that nothing rounds: nearer to fp32 than ONNX Runtime's int8 rows. */
    @Test
    @Tag("slow")
    void shouldBeNearerToTheOriginalThanOnnxRuntime() throws Exception {
        Path original = ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        try (var files = Files.walk(original)) {
            for (Path file : files.filter(file -> !file.equals(original)).toList()) {
                Files.copy(file, directory.resolve(original.relativize(file).toString()));
            }
        }
        Files.delete(directory.resolve("model.onnx"));
        try (InputStream in = getClass().getResourceAsStream("/all-minilm-l6-v2-q.onnx")) {
            Files.copy(in, directory.resolve("model.onnx"));
        }
        List<GoldenFile.Entry> expected = GoldenFile.of("all-minilm-l6-v2").entries();
        List<GoldenFile.Entry> onnxRuntime = GoldenFile.of("all-minilm-l6-v2-q").entries();
        double ours = 0;
        double theirs = 0;
        try (TextEncoder encoder = TextEncoder.load(directory)) {
            for (int i = 0; i < expected.size(); i++) {
                ours += cosine(expected.get(i).vector(), encoder.encode(expected.get(i).text()));
                theirs += cosine(expected.get(i).vector(), onnxRuntime.get(i).vector());
            }
        }
        assertTrue(ours >= theirs, "mean cosine " + ours / expected.size() + ", ONNX Runtime's "
                + theirs / expected.size());
    }

    static double cosine(float[] a, float[] b) {
        double dot = 0;
        double squaresOfA = 0;
        double squaresOfB = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            squaresOfA += (double) a[i] * a[i];
            squaresOfB += (double) b[i] * b[i];
        }
        return dot / Math.sqrt(squaresOfA * squaresOfB);
    }
}
