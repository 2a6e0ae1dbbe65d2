package dev.fovea.weights;

import static dev.fovea.weights.GgufBytes.bytes;
import static dev.fovea.weights.SafetensorsBytes.floats;
import static dev.fovea.weights.SafetensorsBytes.shorts;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWeightsTest {
    @TempDir
    private Path directory;

    /** Q4_1 with d = 0.5, m = -1, and q from 0 to 15 in the lower halves, from 15 to 0 in the upper. */
    private static byte[] block() {
        byte[] q = new byte[16];
        for (int i = 0; i < 16; i++) {
            q[i] = (byte) (i | 15 - i << 4);
        }
        return bytes((short) 0x3800, (short) 0xbc00, q);
    }

    private Path write(int version, int alignment) throws IOException {
        return Files.write(directory.resolve("model.gguf"), new GgufBytes().version(version).alignment(alignment)
                .pair("general.name", GgufBytes.STRING, "größe")
                .pair("count", 10, 7L)
                .pair("small", 1, (byte) -7)
                .pair("epsilon", GgufBytes.FLOAT32, 1e-12f)
                .pair("causal", GgufBytes.BOOL, (byte) 0)
                .pair("tokens", GgufBytes.ARRAY, GgufBytes.STRING, 2L, "[PAD]", "▁der")
                .pair("types", GgufBytes.ARRAY, GgufBytes.INT32, 3L, 1, -1, 3)
                .tensor("blocks", 3, bytes(block(), block()), 32, 2)
                .tensor("vector", 0, floats(1, 2, 3), 3)
                .tensor("half", 1, shorts(0x3c00, 0xc000), 2, 1)
                .tensor("brain", 30, shorts(0x3f80), 1)
                .tensor("double", 28, bytes(Double.doubleToLongBits(0.5)), 1)
                .tensor("super", 23, new byte[136], 256)
                .toBytes());
    }

    @Test
    void shouldReadTensorsOfEachVersionAndAlignment() throws IOException {
        for (int version = 2; version <= 3; version++) {
            for (int alignment : new int[] {1, 8, 32, 128}) {
                try (Weights weights = Weights.open(write(version, alignment)); Arena arena = Arena.ofConfined()) {
                    assertEquals(List.of("blocks", "vector", "half", "brain", "double", "super"),
                            List.copyOf(weights.names()));
                    assertEquals("F32[3]", weights.get("vector").toString());
                    assertEquals(2, weights.getF32(arena, "vector").getFloat(1));
                    assertEquals("F16[1, 2]", weights.weight("half").toString());
                    assertEquals(DType.BF16, weights.get("brain").dtype());
                    assertEquals(0.5f, weights.getF32(arena, "double").getFloat(0));
                    Weight blocks = weights.weight("blocks");
                    assertEquals("Q4_1[2, 32]", blocks.toString());
                    assertTrue(weights.isFloatingPoint("blocks"));
                    float[] row = new float[3];
                    blocks.read(1, 15, 3, row, 0);
                    assertArrayEquals(new float[] {6.5f, 6.5f, 6}, row);
                    Tensor all = weights.getF32(arena, "blocks");
                    assertEquals(Shape.of(2, 32), all.shape());
                    assertEquals(6.5f, all.getFloat(0, 16));
                }
            }
        }
    }

    @Test
    void shouldNameTensorsThatAreNotRead() throws IOException {
        GgufWeights weights = GgufWeights.open(write(3, 32));
        for (String name : List.of("blocks", "super")) {
            Refusal.expect(IllegalArgumentException.class, () -> weights.get(name), name, "supported are");
        }
        assertEquals(Shape.of(2, 32), weights.shape("blocks"));
        Refusal.expect(IllegalArgumentException.class, () -> weights.weight("super"), "super", "IQ4_XS");
        Refusal.expect(IllegalArgumentException.class, () -> weights.weight("none"), "no tensor 'none'", "6");
        weights.close();
        weights.close();
        assertThrows(IllegalStateException.class, () -> weights.weight("blocks"));
        assertThrows(IllegalStateException.class, () -> weights.get("vector"));
    }

    @Test
    void shouldReadMetadata() throws IOException {
        try (GgufWeights weights = GgufWeights.open(write(3, 32))) {
            GgufMetadata metadata = weights.metadata();
            assertEquals("größe", metadata.string("general.name"));
            assertEquals(7, metadata.integer("count", 0));
            assertEquals(-7, metadata.integer("small", -10));
            assertEquals(1e-12f, metadata.number("epsilon"));
            assertFalse(metadata.bool("causal", true));
            assertTrue(metadata.bool("none", true));
            assertEquals(5, metadata.integer("none", 0, 5));
            assertEquals("x", metadata.string("none", "x"));
            assertEquals(List.of("[PAD]", "▁der"), metadata.strings("tokens"));
            assertArrayEquals(new int[] {1, -1, 3}, metadata.integers("types"));
            assertEquals(weights.file(), metadata.file());
            assertTrue(metadata.keys().contains("small") && metadata.has("small"));
        }
    }
}
