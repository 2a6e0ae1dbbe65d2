package dev.fovea.internal.backend;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** Single checks of arguments. Each allocates nothing when it passes and names both values when it fails. */
public final class Require {
    private Require() {}

    /** A number of rows, tokens or sequences. */
    public static void count(String name, int value) {
        atLeast(name, 0, value);
    }

    /** A value of at least {@code least}. */
    public static void atLeast(String name, long least, long value) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ", got " + value);
        }
    }

    /** A number that is neither infinite nor NaN. */
    public static void finite(String name, float value) {
        if (!Float.isFinite(value)) {
            throw new IllegalArgumentException(name + " must be finite, got " + value);
        }
    }

    /** A dimension of exactly this size. */
    public static void size(String dimension, long expected, long actual, String tensor) {
        if (actual != expected) {
            throw new IllegalArgumentException(
                    "expected " + dimension + " " + expected + ", got " + actual + " in " + tensor);
        }
    }

    /** A dimension of at least this size. */
    public static void room(String dimension, long needed, long actual, String tensor) {
        if (actual < needed) {
            throw new IllegalArgumentException(
                    "expected at least " + needed + " " + dimension + ", got " + actual + " in " + tensor);
        }
    }

    /** A dimension of at least this size, or of 1, which stands for all. */
    public static void broadcast(String dimension, long needed, long actual, String tensor) {
        if (actual != 1 && actual < needed) {
            throw new IllegalArgumentException(
                    "expected 1 or at least " + needed + " " + dimension + ", got " + actual + " in " + tensor);
        }
    }

    /** The size of a dimension that must be 1 or more and fit the kernels' {@code int}. */
    public static int extent(String dimension, Tensor tensor, int index, String name) {
        return extent(dimension, tensor.size(index), name);
    }

    /** A size that must be 1 or more and fit the kernels' {@code int}. */
    public static int extent(String dimension, long size, String name) {
        if (size < 1 || size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    dimension + " must be 1 to " + Integer.MAX_VALUE + ", got " + size + " in " + name);
        }
        return (int) size;
    }

    /** Memory that this thread may read, of a type and rank. */
    public static void readable(String name, Tensor tensor, DType dtype, int rank) {
        readable(name, tensor, dtype);
        rank(name, tensor, rank, rank);
    }

    /** Memory that this thread may read, of a type. */
    public static void readable(String name, Tensor tensor, DType dtype) {
        readableUnaligned(name, tensor, dtype);
        if (dtype.bytes() > 1) {
            aligned(name, tensor.segment(), dtype.bytes());
        }
    }

    /** A weight that this thread may read, of a rank and any alignment but that of F32. */
    public static void readable(String name, Weight weight, int rank) {
        Objects.requireNonNull(weight, name);
        reachable(name, weight.segment());
        if (weight.rank() != rank) {
            throw new IllegalArgumentException("expected rank " + rank + ", got shape " + weight.shape() + " in " + name);
        }
        if (weight.scales() != null) {
            reachable(name, weight.scales().segment());
        }
    }

    /** Memory that this thread may read, of a type and any alignment. */
    public static void readableUnaligned(String name, Tensor tensor, DType dtype) {
        Objects.requireNonNull(tensor, name);
        dtype(name, tensor, dtype);
        reachable(name, tensor.segment());
    }

    /** Memory that this thread may read, of one of the types that attention takes. */
    public static void floating(String name, Tensor tensor) {
        Objects.requireNonNull(tensor, name);
        DType dtype = tensor.dtype();
        if (dtype != DType.F32 && dtype != DType.F16 && dtype != DType.BF16) {
            throw new IllegalArgumentException("expected dtype F32, F16 or BF16, got " + dtype + " in " + name);
        }
        readable(name, tensor, dtype);
    }

    /** Memory that this thread may write, of a type and rank. */
    public static void writable(String name, Tensor tensor, DType dtype, int rank) {
        writable(name, tensor, dtype);
        rank(name, tensor, rank, rank);
    }

    /** Memory that this thread may write, of a type. */
    public static void writable(String name, Tensor tensor, DType dtype) {
        readable(name, tensor, dtype);
        if (tensor.segment().isReadOnly()) {
            throw new IllegalArgumentException(name + " is read-only: " + tensor);
        }
    }

    /** A type. */
    public static void dtype(String name, Tensor tensor, DType dtype) {
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException("expected dtype " + dtype + ", got " + tensor.dtype() + " in " + name);
        }
    }

    /** One of two numbers of dimensions. */
    public static void rank(String name, Tensor tensor, int one, int other) {
        if (tensor.rank() != one && tensor.rank() != other) {
            throw new IllegalArgumentException("expected rank " + one + (one == other ? "" : " or " + other)
                    + ", got shape " + tensor.shape() + " in " + name);
        }
    }

    /** Memory whose arena is open and lets this thread in. */
    public static void reachable(String name, MemorySegment segment) {
        if (!segment.scope().isAlive()) {
            throw new IllegalStateException(name + " lies in an arena that is closed");
        }
        Thread thread = Thread.currentThread();
        if (!segment.isAccessibleBy(thread)) {
            throw new WrongThreadException(name + " is confined to another thread than " + thread.getName());
        }
    }

    /** Memory of at least {@code bytes} bytes, aligned to {@code alignment}, that this thread may write. */
    public static void memory(String name, MemorySegment segment, int alignment, long bytes) {
        Objects.requireNonNull(segment, name);
        reachable(name, segment);
        if (!segment.isNative() || segment.isReadOnly()) {
            throw new IllegalArgumentException(name + " is on the heap or read-only: " + segment);
        }
        aligned(name, segment, alignment);
        if (segment.byteSize() < bytes) {
            throw new IllegalArgumentException(
                    "expected at least " + bytes + " bytes, got " + segment.byteSize() + " in " + name);
        }
    }

    /** An address that is not null and a multiple of {@code bytes}. */
    public static void aligned(String name, MemorySegment segment, int bytes) {
        long address = segment.address();
        if (address == 0 || address % bytes != 0) {
            throw new IllegalArgumentException(
                    name + " must be aligned to " + bytes + " bytes, got address 0x" + Long.toHexString(address));
        }
    }

    /** A last dimension without gaps. */
    public static void contiguous(String name, Tensor tensor) {
        int last = tensor.rank() - 1;
        if (tensor.size(last) > 1 && tensor.stride(last) != 1) {
            throw new IllegalArgumentException(
                    "expected stride 1 in the last dimension, got " + tensor.stride(last) + " in " + name);
        }
    }

    /** Neighbours along a dimension that do not overlap. */
    public static void spaced(String name, Tensor tensor, int dimension, long used, long width) {
        if (used > 1 && tensor.stride(dimension) < width) {
            throw new IllegalArgumentException("expected stride of at least " + width + " in dimension " + dimension
                    + ", got " + tensor.stride(dimension) + " in " + name);
        }
    }

    /**
     * An output whose vectors share no memory: the stride of each of its outer dimensions, of which so many elements
     * are used, reaches past all that the smaller strides reach.
     */
    public static void apart(String name, Tensor out, long width, long first, long second, long third) {
        if (first == 0 || second == 0 || third == 0) {
            return;
        }
        for (int i = 0; i < 3; i++) {
            if (pick(i, first, second, third) < 2) {
                continue;
            }
            long needed = width;
            for (int j = 0; j < 3; j++) {
                long used = pick(j, first, second, third);
                if (j != i && used > 1 && (out.stride(j) < out.stride(i) || out.stride(j) == out.stride(i) && j > i)) {
                    needed += (used - 1) * out.stride(j);
                }
            }
            spaced(name, out, i, 2, needed);
        }
    }

    private static long pick(int index, long first, long second, long third) {
        return index == 0 ? first : index == 1 ? second : third;
    }

    /** A contiguous vector. */
    public static void vector(String name, Tensor tensor, String dimension, long size) {
        readable(name, tensor, DType.F32, 1);
        size(dimension, size, tensor.size(0), name);
        contiguous(name, tensor);
    }

    /** The layout of a matrix whose first {@code rows} rows are used. */
    public static void matrix(String name, Tensor tensor, long rows, String dimension, long width) {
        size(dimension, width, tensor.size(1), name);
        room("rows", rows, tensor.size(0), name);
        contiguous(name, tensor);
        spaced(name, tensor, 0, rows, width);
    }

    /** A table without gaps. */
    public static void dense(String name, Tensor tensor) {
        if (!tensor.isDense()) {
            throw new IllegalArgumentException("expected a dense tensor, got " + tensor + " in " + name);
        }
    }

    /** Sequence starts; returns where the last sequence ends. */
    public static int offsets(String name, int sequences, Tensor offsets) {
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
    public static void disjoint(String name, Tensor input, long rows, String outName, Tensor out, long outRows) {
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

    /** An output that shares no byte with memory; its first {@code outRows} rows count. */
    public static void disjoint(String name, MemorySegment input, long inputBytes, String outName, Tensor out, long outRows) {
        long gap = out.segment().address() - input.address();
        if (gap < inputBytes && -gap < bytes(out, outRows)) {
            throw new IllegalArgumentException(outName + " overlaps " + name + " by "
                    + (Math.min(gap + bytes(out, outRows), inputBytes) - Math.max(gap, 0)) + " bytes");
        }
    }

    /** Whether one stride of the output divides memory into rows of which both take other columns. */
    private static boolean interleaved(Tensor input, Tensor out, long gap) {
        for (int i = 0; i < out.rank() - 1; i++) {
            long row = out.stride(i) * out.dtype().bytes();
            if (row > 0) {
                long shift = Math.floorMod(gap, row);
                if (shift >= columns(input, row) && shift + columns(out, row) <= row) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Bytes from the first column to past the last that a tensor takes of rows of this many bytes. */
    private static long columns(Tensor tensor, long row) {
        long bytes = tensor.dtype().bytes();
        long last = 0;
        for (int i = 0; i < tensor.rank(); i++) {
            long stride = tensor.stride(i) * bytes;
            if (tensor.size(i) > 1 && stride % row != 0) {
                last += (tensor.size(i) - 1) * stride;
            }
        }
        return last + bytes;
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
