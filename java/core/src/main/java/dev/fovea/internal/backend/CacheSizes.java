package dev.fovea.internal.backend;

import dev.fovea.Backend;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.Layout;
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
    public static void require(Backend backend, List<AttentionSpec> layers, int sequences, int capacity, Layout type) {
        Objects.requireNonNull(type, "type");
        if (sequences < 1) {
            throw new IllegalArgumentException("sequences must be at least 1, got " + sequences);
        }
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity must be at least 1, got " + capacity);
        }
        if (!CachePages.require(type).isPlain()) {
            blocks(backend, layers, type);
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

    private static void blocks(Backend backend, List<AttentionSpec> layers, Layout type) {
        if (backend == Backend.CUDA) {
            throw new IllegalArgumentException("expected a cache of F32, F16 or BF16 on a GPU, got " + type);
        }
        for (AttentionSpec spec : layers) {
            block("head_dim", spec.headDim(), type);
            block("value_dim", spec.valueDim(), type);
        }
    }

    private static void block(String name, int dim, Layout type) {
        if (dim % type.blockValues() != 0 || dim > CachePages.MOST_BLOCK_DIM) {
            throw new IllegalArgumentException("expected a " + name + " that is a multiple of " + type.blockValues() + ", at most "
                    + CachePages.MOST_BLOCK_DIM + ", for a cache of " + type + ", got " + dim);
        }
    }
}
