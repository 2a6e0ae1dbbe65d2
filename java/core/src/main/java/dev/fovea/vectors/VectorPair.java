package dev.fovea.vectors;

import dev.fovea.ops.Similarity;

/** How close two vectors are. A dimension that differs is an {@link IllegalArgumentException} with both values. */
public final class VectorPair {
    private VectorPair() {}

    /** The dot product, summed in double. */
    public static float dot(float[] left, float[] right) {
        return Similarity.DOT.of(left, right);
    }

    /** The cosine of the angle, computed in double; 0 if either vector is 0. */
    public static float cosine(float[] left, float[] right) {
        return Similarity.COSINE.of(left, right);
    }

    /** The dot product of signed bytes, exactly. */
    public static long dot(byte[] left, byte[] right) {
        if (left.length != right.length) {
            throw new IllegalArgumentException(
                    "expected two vectors of one dimension, got " + left.length + " and " + right.length);
        }
        long sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += left[i] * right[i];
        }
        return sum;
    }

    /** The cosine of the angle between vectors of signed bytes, in [−1, 1]; 0 if either is 0. */
    public static float cosine(byte[] left, byte[] right) {
        double lengths = Math.sqrt(dot(left, left)) * Math.sqrt(dot(right, right));
        long product = dot(left, right);
        return lengths == 0 ? 0 : (float) Math.clamp(product / lengths, -1, 1);
    }

    /**
     * The Hamming distance of {@link VectorType#BINARY} vectors: in how many components they differ.
     *
     * @param dimension of both
     */
    public static int hamming(byte[] left, byte[] right, int dimension) {
        requireBits(left, dimension);
        requireBits(right, dimension);
        int distance = 0;
        int whole = dimension / Byte.SIZE;
        for (int i = 0; i < whole; i++) {
            distance += Integer.bitCount((left[i] ^ right[i]) & 0xff);
        }
        int rest = dimension % Byte.SIZE;
        return rest == 0 ? distance : distance + Integer.bitCount((left[whole] ^ right[whole]) & lastMask(rest));
    }

    /**
     * The share of components in which {@link VectorType#BINARY} vectors agree, in [0, 1].
     *
     * @param dimension of both
     */
    public static float agreement(byte[] left, byte[] right, int dimension) {
        return (float) (dimension - hamming(left, right, dimension)) / dimension;
    }

    /** The bits of a byte that are components, where there are {@code rest} in it. */
    static int lastMask(int rest) {
        return 0xff & 0xff << Byte.SIZE - rest;
    }

    private static void requireBits(byte[] vector, int dimension) {
        if (dimension < 1 || vector.length != VectorType.BINARY.bytes(dimension)) {
            throw new IllegalArgumentException("expected " + VectorType.BINARY.bytes(Math.max(0, dimension))
                    + " bytes for the bits of dimension " + dimension + ", got " + vector.length);
        }
    }
}
