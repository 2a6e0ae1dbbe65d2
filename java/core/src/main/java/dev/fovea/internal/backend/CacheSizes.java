package dev.fovea.internal.backend;

import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import java.util.List;
import java.util.Objects;

/** What the sizes of a cache must be. */
public final class CacheSizes {
    private CacheSizes() {}

    /**
     * Checks the sizes of all layers.
     *
     * @throws IllegalArgumentException naming the value that is out of its range
     */
    public static void require(List<AttentionSpec> layers, int sequences, int capacity, DType dtype) {
        Objects.requireNonNull(dtype, "dtype");
        if (sequences < 1) {
            throw new IllegalArgumentException("sequences must be at least 1, got " + sequences);
        }
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity must be at least 1, got " + capacity);
        }
        if (!dtype.isFloatingPoint()) {
            throw new IllegalArgumentException("expected a cache of F32, F16 or BF16, got " + dtype);
        }
        if ((long) sequences * capacity > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("expected at most " + Integer.MAX_VALUE + " tokens, got " + sequences
                    + " sequences of " + capacity);
        }
        for (AttentionSpec spec : layers) {
            if (spec.rope() != null && capacity > spec.rope().positions()) {
                throw new IllegalArgumentException("expected a capacity of at most " + spec.rope().positions()
                        + ", the positions of RoPE, got " + capacity);
            }
        }
    }
}
