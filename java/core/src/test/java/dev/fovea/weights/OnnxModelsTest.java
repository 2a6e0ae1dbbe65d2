package dev.fovea.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.ModelCatalog;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
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
