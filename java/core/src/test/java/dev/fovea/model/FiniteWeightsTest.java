package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.weights.FormatException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights that are not finite are named, and texts whose vectors are not. */
class FiniteWeightsTest {
    private final TinyModel model = new TinyModel(21);

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "encoder.layer.1.intermediate.dense.weight, 2342, NaN, 'NaN at [70, 32]'",
        "encoder.layer.0.attention.self.key.weight, 0, Infinity, 'Infinity at [0, 0]'",
        "encoder.layer.0.attention.self.key.bias, 32, -Infinity, '-Infinity at [32]'",
        "embeddings.LayerNorm.weight, 7, NaN, 'NaN at [7]'",
        "embeddings.position_embeddings.weight, 659, NaN, 'NaN at [19, 32]'",
        "embeddings.token_type_embeddings.weight, 33, NaN, 'NaN at [1, 0]'"
    })
    void shouldNameTheTensor(String tensor, int index, float value, String found) throws Exception {
        model.values(tensor)[index] = value;
        model.write(directory);
        for (WeightType type : WeightType.values()) {
            var e = assertThrows(FormatException.class,
                    () -> TextEncoder.load(directory, EncoderOptions.defaults().withWeights(type)));
            assertEquals(directory.resolve("model.safetensors"), e.file());
            assertEquals(tensor, e.field());
            assertEquals("expected finite numbers, got " + found, e.problem());
        }
    }

    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = "F16", mode = EnumSource.Mode.EXCLUDE)
    void shouldNameTheTextWhoseWordHasNoFiniteEmbedding(WeightType type) throws Exception {
        model.values("embeddings.word_embeddings.weight")[(TinyModel.FIRST_WORD + 7) * TinyModel.HIDDEN + 2] = Float.NaN;
        model.write(directory);
        try (var encoder = TextEncoder.load(directory, EncoderOptions.defaults().withWeights(type))) {
            assertEquals(TinyModel.HIDDEN, encoder.encode("w1 w2").length);
            var e = assertThrows(ArithmeticException.class, () -> encoder.encodeAll(List.of("w1", "w2 w7 w3", "w4")));
            assertEquals("texts[1] (\"w2 w7 w3\") has a vector of model " + encoder.name() + " that is not finite: tensor"
                    + " embeddings.word_embeddings.weight of " + directory.resolve("model.safetensors")
                    + " has NaN at [2] of row 12", e.getMessage());
            e = assertThrows(ArithmeticException.class, () -> encoder.encode("w7"));
            assertTrue(e.getMessage().startsWith("the text (\"w7\") has a vector"), e.getMessage());
            assertEquals(TinyModel.HIDDEN, encoder.encode("w1 w2").length);
        }
    }

    @Test
    void shouldNameTheTextWhoseVectorOverflows() throws Exception {
        float[] norm = model.values("encoder.layer.1.output.LayerNorm.weight");
        Arrays.fill(norm, 3e38f);
        model.write(directory);
        try (var encoder = TextEncoder.load(directory)) {
            var e = assertThrows(ArithmeticException.class, () -> encoder.encode("w1 w2"));
            assertEquals("the text (\"w1 w2\") has a vector of model " + encoder.name() + " that is not finite",
                    e.getMessage());
            assertNull(e.getCause().getCause());
        }
    }

    @Test
    void shouldWriteNothingInSessions() throws Exception {
        model.values("embeddings.word_embeddings.weight")[(TinyModel.FIRST_WORD + 7) * TinyModel.HIDDEN] = Float.NaN;
        model.write(directory);
        int[] ids = TinyModel.ids(1, 7);
        try (var encoder = TextEncoder.load(directory); var session = encoder.newSession(); Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(TinyModel.HIDDEN * 4L);
            var e = assertThrows(ArithmeticException.class, () -> session.encode(
                    MemorySegment.ofArray(ids), MemorySegment.ofArray(new int[] {0, ids.length}), out));
            assertEquals("the vector of sequence 0 is not finite: it has NaN or infinity", e.getMessage());
            for (float component : out.toArray(ValueLayout.JAVA_FLOAT)) {
                assertEquals(0, component);
            }
        }
    }
}
