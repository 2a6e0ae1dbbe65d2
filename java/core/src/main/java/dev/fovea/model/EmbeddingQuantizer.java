package dev.fovea.model;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Turns vectors into bytes as {@code quantize_embeddings} of sentence-transformers does, in binary32. Immutable.
 *
 * <ul>
 *   <li>{@link Precision#INT8} and {@link Precision#UINT8}: the range of each component, from the least to the largest
 *       value in the vectors that the quantizer was made of, in 255 steps from −128 or 0 on; the fraction is dropped.
 *       Outside of the range stands the end that is nearer, and for a component that is the same in all these vectors 0.
 *   <li>{@link Precision#UBINARY}: a bit per component, 1 where it is above 0, the first in the highest bit; the last
 *       byte is filled with 0. {@link Precision#BINARY}: the same less 128, as a signed byte.
 * </ul>
 */
public final class EmbeddingQuantizer {
    /** What a vector's components become. */
    public enum Precision {
        /** A signed byte per component. */
        INT8,
        /** An unsigned byte per component. */
        UINT8,
        /** A bit per component, in signed bytes that are 128 less. */
        BINARY,
        /** A bit per component. */
        UBINARY;

        /** Whether vectors are needed that show each component's range. */
        public boolean needsRanges() {
            return this == INT8 || this == UINT8;
        }

        /** Bytes of a vector of {@code components}. */
        public int bytes(int components) {
            return needsRanges() ? components : Math.ceilDiv(components, Byte.SIZE);
        }
    }

    private final Precision precision;
    private final float[] starts;
    private final float[] steps;

    private EmbeddingQuantizer(Precision precision, float[] starts, float[] steps) {
        this.precision = precision;
        this.starts = starts;
        this.steps = steps;
    }

    /**
     * A quantizer to bits, which needs no ranges.
     *
     * @throws IllegalArgumentException if the precision needs them
     */
    public static EmbeddingQuantizer of(Precision precision) {
        if (precision.needsRanges()) {
            throw new IllegalArgumentException(precision + " needs the range of each component");
        }
        return new EmbeddingQuantizer(precision, new float[0], new float[0]);
    }

    /**
     * A quantizer to bytes, over the range that each component has in some vectors: the vectors to quantize, or better
     * a large sample of those to come.
     *
     * @throws IllegalArgumentException if there is none, their numbers of components differ, or the precision has no use
     *     for ranges
     */
    public static EmbeddingQuantizer of(Precision precision, List<float[]> vectors) {
        requireRanges(precision);
        if (vectors.isEmpty()) {
            throw new IllegalArgumentException("expected at least 1 vector, got 0");
        }
        float[] least = vectors.getFirst().clone();
        float[] largest = least.clone();
        for (float[] vector : vectors) {
            requireComponents(least.length, vector);
            for (int i = 0; i < least.length; i++) {
                least[i] = Math.min(least[i], vector[i]);
                largest[i] = Math.max(largest[i], vector[i]);
            }
        }
        return of(precision, least, largest);
    }

    /**
     * A quantizer to bytes over given ranges.
     *
     * @throws IllegalArgumentException if their numbers of components differ, or the precision has no use for ranges
     */
    public static EmbeddingQuantizer of(Precision precision, float[] least, float[] largest) {
        requireRanges(precision);
        requireComponents(least.length, largest);
        float[] steps = new float[least.length];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = (largest[i] - least[i]) / 255;
        }
        return new EmbeddingQuantizer(precision, least.clone(), steps);
    }

    private static void requireRanges(Precision precision) {
        Objects.requireNonNull(precision, "precision");
        if (!precision.needsRanges()) {
            throw new IllegalArgumentException("expected INT8 or UINT8, which take ranges, got " + precision);
        }
    }

    /** What vectors become. */
    public Precision precision() {
        return precision;
    }

    /**
     * A vector in {@link Precision#bytes} bytes.
     *
     * @throws IllegalArgumentException if it has other than as many components as there are ranges
     */
    public byte[] quantize(float[] vector) {
        byte[] bytes = new byte[precision.bytes(vector.length)];
        if (!precision.needsRanges()) {
            byte none = (byte) (precision == Precision.BINARY ? -128 : 0);
            Arrays.fill(bytes, none);
            for (int i = 0; i < vector.length; i++) {
                bytes[i / Byte.SIZE] += vector[i] > 0 ? (byte) (0x80 >> i % Byte.SIZE) : 0;
            }
            return bytes;
        }
        requireComponents(starts.length, vector);
        for (int i = 0; i < vector.length; i++) {
            float step = (vector[i] - starts[i]) / steps[i];
            bytes[i] = (byte) (precision == Precision.UINT8 ? Math.clamp((int) step, 0, 255)
                    : Math.clamp((int) (step - 128), -128, 127));
        }
        return bytes;
    }

    private static void requireComponents(int expected, float[] vector) {
        if (vector.length != expected) {
            throw new IllegalArgumentException("expected " + expected + " components, got " + vector.length);
        }
    }
}
