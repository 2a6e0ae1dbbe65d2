package dev.fovea.vectors;

import dev.fovea.internal.backend.Require;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Vectors that lie one after the other, without gaps. It owns nothing: the memory lives and dies with its arena.
 *
 * @param segment off-heap memory, such as a mapped file; of floats aligned to 4 bytes
 * @param type of the components
 * @param dimension components of a vector
 * @param count of the vectors
 */
public record VectorRows(MemorySegment segment, VectorType type, int dimension, int count) {
    /**
     * The vectors at the start of {@code segment}.
     *
     * @throws IllegalArgumentException if the memory is too short, on the heap or not aligned; the message has both
     *     values
     */
    public VectorRows {
        Objects.requireNonNull(segment, "segment");
        Objects.requireNonNull(type, "type");
        Require.atLeast("dimension", 1, dimension);
        Require.count("count", count);
        Require.room("bytes", count * type.bytes(dimension), segment.byteSize(), "the vectors");
        if (!segment.isNative()) {
            throw new IllegalArgumentException("vectors need off-heap memory, got " + segment);
        }
        if (type == VectorType.FLOAT && count > 0) {
            Require.aligned("the vectors", segment, Float.BYTES);
        }
    }

    /**
     * As many vectors as fill {@code segment}.
     *
     * @throws IllegalArgumentException also if its size is no multiple of a vector's, or there are more than
     *     {@link Integer#MAX_VALUE}
     */
    public static VectorRows of(MemorySegment segment, VectorType type, int dimension) {
        Require.atLeast("dimension", 1, dimension);
        long bytes = type.bytes(dimension);
        if (segment.byteSize() % bytes != 0) {
            throw new IllegalArgumentException("expected a multiple of " + bytes + " bytes, a vector of dimension "
                    + dimension + ", got " + segment.byteSize());
        }
        long count = segment.byteSize() / bytes;
        if (count > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("expected at most " + Integer.MAX_VALUE + " vectors, got " + count);
        }
        return new VectorRows(segment, type, dimension, (int) count);
    }

    /** Bytes of all vectors. */
    public long bytes() {
        return count * type.bytes(dimension);
    }
}
