package dev.fovea.internal.backend;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Pages of keys or values as tensors: [pages, kv_heads, 128, dim] of F32, F16 or BF16. What is kept in blocks, Q8_0, is U8
 * [pages, kv_heads, 128, bytes of a row], the blocks of a row one after the other.
 */
public final class CachePages {
    /** The most elements of a key or value that is kept in blocks. */
    static final int MOST_BLOCK_DIM = 4096;

    private CachePages() {}

    /**
     * What keys and values can be kept as: this.
     *
     * @throws IllegalArgumentException if they cannot
     */
    public static Layout require(Layout layout) {
        return switch (layout) {
            case F32, F16, BF16, Q8_0 -> layout;
            default -> throw refused(layout);
        };
    }

    /** A type of elements likewise. */
    public static Layout layout(DType dtype) {
        if (!dtype.isFloatingPoint()) {
            throw refused(dtype);
        }
        return Layout.of(dtype);
    }

    private static IllegalArgumentException refused(Object type) {
        return new IllegalArgumentException("expected a cache of F32, F16, BF16 or Q8_0, got " + type);
    }

    /** Bytes of a key or value. */
    public static long rowBytes(Layout layout, int dim) {
        return (long) dim / layout.blockValues() * layout.blockBytes();
    }

    /** The beginning of memory as pages. */
    public static Tensor of(MemorySegment memory, Layout layout, int pages, int kvHeads, int dim) {
        return switch (layout) {
            case F32 -> of(memory, DType.F32, pages, kvHeads, dim);
            case F16 -> of(memory, DType.F16, pages, kvHeads, dim);
            case BF16 -> of(memory, DType.BF16, pages, kvHeads, dim);
            default -> of(memory, DType.U8, pages, kvHeads, rowBytes(layout, dim));
        };
    }

    private static Tensor of(MemorySegment memory, DType dtype, int pages, int kvHeads, long width) {
        return Tensor.of(memory, dtype, Shape.of(pages, kvHeads, PageTable.PAGE_KEYS, width));
    }

    /** Whether pages hold blocks of Q8_0. */
    public static boolean areBlocks(Tensor pages) {
        return pages.dtype() == DType.U8;
    }

    /** The elements of a key or value; −1 where a row is no whole number of blocks. */
    public static long dim(Tensor pages) {
        long width = pages.size(3);
        if (!areBlocks(pages)) {
            return width;
        }
        return width % Layout.Q8_0.blockBytes() == 0 ? width / Layout.Q8_0.blockBytes() * Layout.Q8_0.blockValues() : -1;
    }
}
