package dev.fovea.vectors;

/** How the components of a vector lie in memory. */
public enum VectorType {
    /** IEEE 754 binary32. */
    FLOAT,
    /** A signed byte each. */
    INT8,
    /**
     * A bit each, which stands for 1 or −1, the first in the highest bit; what fills the last byte does not count.
     * Bytes that are 128 less, as sentence-transformers' {@code binary} has them, give the same results as its {@code
     * ubinary}, as long as all vectors are of one kind.
     */
    BINARY;

    /** Bytes of a vector of {@code dimension} components. */
    public long bytes(int dimension) {
        return switch (this) {
            case FLOAT -> (long) dimension * Float.BYTES;
            case INT8 -> dimension;
            case BINARY -> Math.ceilDiv(dimension, Byte.SIZE);
        };
    }
}
