package dev.fovea.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.ModelCatalog;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The named models as they are published: each weight that BERT needs is found, with its shape. */
class OnnxModelsTest {
    @ParameterizedTest
    @CsvSource({
        "all-minilm-l6-v2,  30522, 384,  6",
        "bge-small-en-v1.5, 30522, 384, 12",
        "e5-small-v2,       30522, 384, 12",
        "bge-small-zh-v1.5, 21128, 512,  4",
    })
    void shouldFindEachWeight(String name, int vocabulary, int hidden, int layers) throws IOException {
        Path directory = ModelCatalog.directory(ModelCatalog.find(name).orElseThrow());
        try (Weights weights = Weights.open(directory.resolve("model.onnx"))) {
            check(weights, "embeddings.word_embeddings.weight", vocabulary, hidden);
            check(weights, "embeddings.position_embeddings.weight", 512, hidden);
            check(weights, "embeddings.token_type_embeddings.weight", 2, hidden);
            checkNorm(weights, "embeddings.LayerNorm", hidden);
            for (int layer = 0; layer < layers; layer++) {
                String prefix = "encoder.layer." + layer;
                checkLinear(weights, prefix + ".attention.self.query", hidden, hidden);
                checkLinear(weights, prefix + ".attention.self.key", hidden, hidden);
                checkLinear(weights, prefix + ".attention.self.value", hidden, hidden);
                checkLinear(weights, prefix + ".attention.output.dense", hidden, hidden);
                checkNorm(weights, prefix + ".attention.output.LayerNorm", hidden);
                checkLinear(weights, prefix + ".intermediate.dense", 4 * hidden, hidden);
                checkLinear(weights, prefix + ".output.dense", hidden, 4 * hidden);
                checkNorm(weights, prefix + ".output.LayerNorm", hidden);
            }
            assertTrue(!weights.contains("encoder.layer." + layers + ".output.dense.weight"));
            assertTrue(weights.names().stream().noneMatch(n -> n.contains("::")), "all anonymous weights have a name");
        }
    }

    /** The file rounds embeddings to 127 steps on each side of 0 and layers to 63: the error is half a step. */
    @Test
    @Tag("slow")
    void shouldGiveWhatIntegersOfQuantizedModelStandFor(@TempDir Path temporary) throws IOException {
        Path original = ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow());
        Path quantized = temporary.resolve("model.onnx");
        try (InputStream in = getClass().getResourceAsStream("/all-minilm-l6-v2-q.onnx")) {
            Files.copy(in, quantized);
        }
        try (Weights expected = Weights.open(original.resolve("model.onnx"));
                Weights weights = Weights.open(quantized)) {
            Set<String> names = new HashSet<>(expected.names());
            names.removeIf(name -> name.startsWith("pooler.")); // not in the file
            assertTrue(names.equals(weights.names()), "the same names");
            int integers = 0;
            for (String name : weights.names()) {
                if (weights.get(name).dtype() == DType.I8 || weights.get(name).dtype() == DType.U8) {
                    checkNear(name, expected, weights);
                    integers++;
                }
            }
            assertEquals(3 + 6 * 6, integers);
        }
    }

    private static void checkNear(String name, Weights expected, Weights weights) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor original = expected.getF32(arena, name);
            Tensor quantized = weights.getF32(arena, name);
            assertEquals(original.shape(), quantized.shape(), name);
            double worst = 0;
            double greatest = 0;
            for (long i = 0; i < original.size(0); i++) {
                for (long j = 0; j < original.size(1); j++) {
                    worst = Math.max(worst, Math.abs(original.getFloat(i, j) - quantized.getFloat(i, j)));
                    greatest = Math.max(greatest, Math.abs(original.getFloat(i, j)));
                }
            }
            int steps = weights.get(name).dtype() == DType.U8 ? 127 : 63;
            assertTrue(worst <= 0.505 * greatest / steps, name + ": worst " + worst);
        }
    }

    private static void checkLinear(Weights weights, String layer, long outputs, long inputs) {
        check(weights, layer + ".weight", outputs, inputs);
        check(weights, layer + ".bias", outputs);
    }

    private static void checkNorm(Weights weights, String norm, long size) {
        check(weights, norm + ".weight", size);
        check(weights, norm + ".bias", size);
    }

    private static void check(Weights weights, String name, long... sizes) {
        assertEquals(Shape.of(sizes), weights.get(name).shape(), name);
        assertEquals(DType.F32, weights.get(name).dtype(), name);
    }
}
