package dev.fovea.graph;

import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.foreign.ValueLayout.OfFloat;

/** Copies vectors and matrices of any strides and alignment, in runs where both sides have them. */
final class StridedCopy {
    private static final OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private StridedCopy() {}

    /**
     * Writes {@code source} into {@code target}, whose element {@code firstElement} takes its first; rows
     * and columns of {@code target} lie as its own strides say.
     *
     * @param source F32 [n] or [m, n]
     */
    static void copy(Tensor source, Tensor target, long firstElement) {
        if (source.rank() == 1) {
            copyRun(source, 0, source.stride(0), target, firstElement, target.stride(0), source.size(0));
            return;
        }
        int inner = source.stride(0) == 1 && target.stride(0) == 1 ? 0 : 1;
        int outer = 1 - inner;
        for (long i = 0; i < source.size(outer); i++) {
            copyRun(source, i * source.stride(outer), source.stride(inner),
                    target, firstElement + i * target.stride(outer), target.stride(inner), source.size(inner));
        }
    }

    private static void copyRun(Tensor source, long from, long fromStride, Tensor target, long to, long toStride,
            long count) {
        MemorySegment in = source.segment();
        MemorySegment out = target.segment();
        if (fromStride == 1 && toStride == 1) {
            MemorySegment.copy(in, from * Float.BYTES, out, to * Float.BYTES, count * Float.BYTES);
            return;
        }
        for (long i = 0; i < count; i++) {
            out.set(FLOAT, (to + i * toStride) * Float.BYTES, in.get(FLOAT, (from + i * fromStride) * Float.BYTES));
        }
    }
}
