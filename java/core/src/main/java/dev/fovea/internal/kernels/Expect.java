package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** The single checks of {@link Contract}. Each allocates nothing when it passes and names both values when it fails. */
final class Expect {
    private static final int ELEMENT_ALIGNMENT = 4;

    private Expect() {}

    /** A number of rows, tokens or sequences. */
    static void count(String name, int value) {
        atLeast(name, 0, value);
    }

    /** A value of at least {@code least}. */
    static void atLeast(String name, long least, long value) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ", got " + value);
        }
    }

    /** A number that is neither infinite nor NaN. */
    static void finite(String name, float value) {
        if (!Float.isFinite(value)) {
            throw new IllegalArgumentException(name + " must be finite, got " + value);
        }
    }

    /** A dimension of exactly this size. */
    static void size(String dimension, long expected, long actual, String tensor) {
        if (actual != expected) {
            throw new IllegalArgumentException(
                    "expected " + dimension + " " + expected + ", got " + actual + " in " + tensor);
        }
    }

    /** A dimension of at least this size. */
    static void room(String dimension, long needed, long actual, String tensor) {
        if (actual < needed) {
            throw new IllegalArgumentException(
                    "expected at least " + needed + " " + dimension + ", got " + actual + " in " + tensor);
        }
    }

    /** The size of a dimension that must be 1 or more and fit the kernels' {@code int}. */
    static int extent(String dimension, Tensor tensor, int index, String name) {
        long size = tensor.size(index);
        if (size < 1 || size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    dimension + " must be 1 to " + Integer.MAX_VALUE + ", got " + size + " in " + name);
        }
        return (int) size;
    }

    /** Memory that this thread may read, of a type and rank. */
    static void readable(String name, Tensor tensor, DType dtype, int rank) {
        Objects.requireNonNull(tensor, name);
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException("expected dtype " + dtype + ", got " + tensor.dtype() + " in " + name);
        }
        if (tensor.rank() != rank) {
            throw new IllegalArgumentException(
                    "expected rank " + rank + ", got shape " + tensor.shape() + " in " + name);
        }
        MemorySegment segment = tensor.segment();
        reachable(name, segment);
        if (dtype.bytes() == ELEMENT_ALIGNMENT) {
            aligned(name, segment, ELEMENT_ALIGNMENT);
        }
    }

    /** Memory that this thread may write, of a type and rank. */
    static void writable(String name, Tensor tensor, DType dtype, int rank) {
        readable(name, tensor, dtype, rank);
        if (tensor.segment().isReadOnly()) {
            throw new IllegalArgumentException(name + " is read-only: " + tensor);
        }
    }

    /** Memory whose arena is open and lets this thread in. */
    static void reachable(String name, MemorySegment segment) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException(name + " lies in an arena that is closed");
        }
        Thread thread = Thread.currentThread();
        if (!segment.isAccessibleBy(thread)) {
            throw new WrongThreadException(name + " is confined to another thread than " + thread.getName());
        }
    }

    /** An address that is not null and a multiple of {@code bytes}. */
    static void aligned(String name, MemorySegment segment, int bytes) {
        long address = segment.address();
        if (address == 0 || address % bytes != 0) {
            throw new IllegalArgumentException(
                    name + " must be aligned to " + bytes + " bytes, got address 0x" + Long.toHexString(address));
        }
    }

    /** A last dimension without gaps. */
    static void contiguous(String name, Tensor tensor) {
        int last = tensor.rank() - 1;
        if (tensor.size(last) > 1 && tensor.stride(last) != 1) {
            throw new IllegalArgumentException(
                    "expected stride 1 in the last dimension, got " + tensor.stride(last) + " in " + name);
        }
    }

    /** Neighbours along a dimension that do not overlap. */
    static void spaced(String name, Tensor tensor, int dimension, long used, long width) {
        if (used > 1 && tensor.stride(dimension) < width) {
            throw new IllegalArgumentException("expected stride of at least " + width + " in dimension " + dimension
                    + ", got " + tensor.stride(dimension) + " in " + name);
        }
    }

    /** A contiguous vector. */
    static void vector(String name, Tensor tensor, String dimension, long size) {
        readable(name, tensor, DType.F32, 1);
        size(dimension, size, tensor.size(0), name);
        contiguous(name, tensor);
    }

    /** The layout of a matrix whose first {@code rows} rows are used. */
    static void matrix(String name, Tensor tensor, long rows, String dimension, long width) {
        size(dimension, width, tensor.size(1), name);
        room("rows", rows, tensor.size(0), name);
        contiguous(name, tensor);
        spaced(name, tensor, 0, rows, width);
    }

    /** A table without gaps. */
    static void dense(String name, Tensor tensor) {
        if (!tensor.isDense()) {
            throw new IllegalArgumentException("expected a dense tensor, got " + tensor + " in " + name);
        }
    }

    /** Sequence starts; returns where the last sequence ends. */
    static int offsets(String name, int sequences, Tensor offsets) {
        readable(name, offsets, DType.I32, 1);
        room("offsets", sequences + 1L, offsets.size(0), name);
        contiguous(name, offsets);
        int previous = offsets.segment().getAtIndex(JAVA_INT, 0);
        if (previous != 0) {
            throw new IllegalArgumentException("expected 0 first, got " + previous + " in " + name);
        }
        for (int s = 1; s <= sequences; s++) {
            int offset = offsets.segment().getAtIndex(JAVA_INT, s);
            if (offset < previous) {
                throw new IllegalArgumentException(
                        "expected no decrease, got " + previous + " before " + offset + " at " + s + " in " + name);
            }
            previous = offset;
        }
        return previous;
    }

    /**
     * An output that shares no element with an input. The first {@code rows} of dimension 0 count.
     * Column ranges of one wide matrix share none, though their bytes interleave.
     */
    static void disjoint(String name, Tensor input, long rows, String outName, Tensor out, long outRows) {
        if (rows == 0 || outRows == 0 || input.shape().elements() == 0 || out.shape().elements() == 0) {
            return;
        }
        long gap = out.segment().address() - input.segment().address();
        long inputBytes = bytes(input, rows);
        long outBytes = bytes(out, outRows);
        if (gap >= inputBytes || -gap >= outBytes || interleaved(input, out, gap)) {
            return;
        }
        throw new IllegalArgumentException(outName + " overlaps " + name + " by "
                + (Math.min(gap + outBytes, inputBytes) - Math.max(gap, 0)) + " bytes");
    }

    private static boolean interleaved(Tensor input, Tensor out, long gap) {
        long stride = input.stride(0) * input.dtype().bytes();
        if (stride == 0 || stride != out.stride(0) * out.dtype().bytes()) {
            return false;
        }
        long shift = Math.floorMod(gap, stride);
        return shift >= bytes(input, 1) && shift + bytes(out, 1) <= stride;
    }

    /** Bytes from the first element to past the last of the first {@code rows} of dimension 0. */
    private static long bytes(Tensor tensor, long rows) {
        long last = (rows - 1) * tensor.stride(0);
        for (int i = 1; i < tensor.rank(); i++) {
            last += (tensor.size(i) - 1) * tensor.stride(i);
        }
        return (last + 1) * tensor.dtype().bytes();
    }
}
