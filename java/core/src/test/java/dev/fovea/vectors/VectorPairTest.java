package dev.fovea.vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.ops.Similarity;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class VectorPairTest {
    @Test
    void shouldMultiplyFloatsAndBytes() {
        Random random = new Random(1);
        for (int dimension : new int[] {0, 1, 7, 64, 1000}) {
            float[] left = new float[dimension];
            float[] right = new float[dimension];
            byte[] leftBytes = new byte[dimension];
            byte[] rightBytes = new byte[dimension];
            random.nextBytes(leftBytes);
            random.nextBytes(rightBytes);
            double dot = 0;
            long bytes = 0;
            for (int i = 0; i < dimension; i++) {
                left[i] = (float) random.nextGaussian();
                right[i] = (float) random.nextGaussian();
                dot += (double) left[i] * right[i];
                bytes += leftBytes[i] * rightBytes[i];
            }
            assertEquals((float) dot, VectorPair.dot(left, right));
            assertEquals(bytes, VectorPair.dot(leftBytes, rightBytes));
        }
        byte[] least = new byte[200_000];
        Arrays.fill(least, (byte) -128);
        assertEquals(200_000L * 16384, VectorPair.dot(least, least));
        assertEquals(1, VectorPair.cosine(least, least));
        assertEquals(0.6f, VectorPair.cosine(new float[] {1, 0}, new float[] {3, 4}));
        assertEquals(-0.6f, VectorPair.cosine(new byte[] {-1, 0}, new byte[] {3, 4}));
        assertEquals(0, VectorPair.cosine(new byte[2], new byte[] {3, 4}));
    }

    @Test
    void shouldCountComponentsThatDiffer() {
        byte[] left = {0b0101_0101, (byte) 0b1110_0011};
        byte[] right = {0b0101_1010, 0b0110_1100};
        assertEquals(9, VectorPair.hamming(left, right, 16));
        assertEquals(5, VectorPair.hamming(left, right, 11));
        assertEquals(5, VectorPair.hamming(left, right, 9));
        assertEquals(1 - 5 / 11f, VectorPair.agreement(left, right, 11), 1e-7);
        assertEquals(1, VectorPair.agreement(left, left, 16));
    }

    @Test
    void shouldNameBothDimensions() {
        refused(() -> VectorPair.dot(new float[3], new float[4]), "3", "4");
        refused(() -> VectorPair.cosine(new float[3], new float[4]), "3", "4");
        for (Similarity similarity : Similarity.values()) {
            refused(() -> similarity.of(new float[3], new float[4]), "3", "4");
            refused(() -> similarity.of(new float[4], new float[3]), "4", "3");
        }
        refused(() -> VectorPair.dot(new byte[5], new byte[4]), "5", "4");
        refused(() -> VectorPair.cosine(new byte[5], new byte[4]), "5", "4");
        refused(() -> VectorPair.hamming(new byte[2], new byte[3], 16), "2", "16", "3");
        refused(() -> VectorPair.hamming(new byte[2], new byte[2], 17), "3", "17", "2");
        refused(() -> VectorPair.agreement(new byte[0], new byte[0], 0), "0");
    }

    private static void refused(Executable call, String... named) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(Arrays.stream(named).allMatch(message::contains), message);
    }
}
