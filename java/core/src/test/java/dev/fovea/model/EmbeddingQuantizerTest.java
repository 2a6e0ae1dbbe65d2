package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.model.EmbeddingQuantizer.Precision;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Against what NumPy gives for the formulas of sentence-transformers' {@code quantize_embeddings}. */
class EmbeddingQuantizerTest {
    private static final List<float[]> VECTORS = List.of(
            new float[] {-0.5f, 0.25f, 0.1f}, new float[] {0.5f, -0.75f, 0.1f}, new float[] {0.125f, 0, 0.1f});

    @Test
    void shouldUseTheRangeOfEachComponent() {
        var signed = EmbeddingQuantizer.of(Precision.INT8, VECTORS);
        // 1 / (1 / 255) is less than 255 in binary32, in NumPy as well.
        // (0.125 + 0.5) / (1 / 255) is 159.375; (0 + 0.75) / (1 / 255) is 191.25.
        assertArrayEquals(new byte[] {-128, 126, 0}, signed.quantize(VECTORS.get(0)));
        assertArrayEquals(new byte[] {126, -128, 0}, signed.quantize(VECTORS.get(1)));
        assertArrayEquals(new byte[] {31, 63, 0}, signed.quantize(VECTORS.get(2)));
        var unsigned = EmbeddingQuantizer.of(Precision.UINT8, VECTORS);
        assertArrayEquals(new byte[] {(byte) 159, (byte) 191, 0}, unsigned.quantize(VECTORS.get(2)));
    }

    @Test
    void shouldCutTowardsZeroAsNumPyDoes() {
        var signed = EmbeddingQuantizer.of(Precision.INT8, new float[] {0}, new float[] {255});
        assertArrayEquals(new byte[] {-27}, signed.quantize(new float[] {100.9f})); // −27.1
        assertArrayEquals(new byte[] {72}, signed.quantize(new float[] {200.9f}));
    }

    @Test
    void shouldStayAtTheEndsOfARange() {
        var unsigned = EmbeddingQuantizer.of(Precision.UINT8, new float[] {0, 0}, new float[] {1, 1});
        assertArrayEquals(new byte[] {0, (byte) 255}, unsigned.quantize(new float[] {-3, 7}));
    }

    @Test
    void shouldPackBits() {
        float[] vector = {1, -1, 0.5f, 0, -2, 3, 4, -5, 6, -7};
        assertArrayEquals(new byte[] {(byte) 0b10100110, (byte) 0b10000000},
                EmbeddingQuantizer.of(Precision.UBINARY).quantize(vector));
        assertArrayEquals(new byte[] {0b10100110 - 128, 0}, EmbeddingQuantizer.of(Precision.BINARY).quantize(vector));
        assertEquals(2, Precision.BINARY.bytes(10));
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        assertEquals("INT8 needs the range of each component",
                assertThrows(IllegalArgumentException.class, () -> EmbeddingQuantizer.of(Precision.INT8)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> EmbeddingQuantizer.of(Precision.INT8, List.of()));
        var quantizer = EmbeddingQuantizer.of(Precision.INT8, VECTORS);
        assertEquals("expected 3 components, got 2", assertThrows(IllegalArgumentException.class,
                () -> quantizer.quantize(new float[2])).getMessage());
    }

    @ParameterizedTest
    @EnumSource(value = Precision.class, names = {"BINARY", "UBINARY"})
    void shouldRefuseRangesThatBitsDoNotTake(Precision precision) {
        for (Executable made : List.<Executable>of(() -> EmbeddingQuantizer.of(precision, VECTORS),
                () -> EmbeddingQuantizer.of(precision, new float[] {0}, new float[] {1}))) {
            assertEquals("expected INT8 or UINT8, which take ranges, got " + precision,
                    assertThrows(IllegalArgumentException.class, made).getMessage());
        }
    }
}
