package dev.fovea.internal.backend;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A copy of a caller's indices, for one call at a time. Kernels follow indices to memory, and another thread may
 * write to the caller's at any time: what is checked must be what they read.
 */
public final class IndexCopy {
    private final Arena arena;
    private Tensor copy;

    /** Room for {@code capacity} indices, more when a call has more. */
    public IndexCopy(Arena arena, long capacity) {
        this.arena = arena;
        this.copy = Tensor.allocate(arena, DType.I32, Shape.of(capacity));
    }

    /**
     * Copies the first indices of a caller's.
     *
     * @param count how many; none if it is negative
     * @param indices I32 [≥ count]
     * @return I32 [≥ count], until the next call
     */
    public Tensor of(String name, long count, Tensor indices) {
        Require.readable(name, indices, DType.I32, 1);
        Require.room(name, count, indices.size(0), name);
        Require.contiguous(name, indices);
        if (count > copy.size(0)) {
            copy = Tensor.allocate(arena, DType.I32, Shape.of(Math.max(count, 2 * copy.size(0))));
        }
        MemorySegment.copy(indices.segment(), 0, copy.segment(), 0, Math.max(0, count) * Integer.BYTES);
        return copy;
    }
}
