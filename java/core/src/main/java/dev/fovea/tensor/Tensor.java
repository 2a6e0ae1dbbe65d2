package dev.fovea.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A strided view of off-heap memory.
 *
 * <p>A tensor owns nothing: its memory lives and dies with the arena of its segment. Element
 * {@code [i, j, …]} lies {@code (i * stride(0) + j * stride(1) + …) * dtype.bytes()} bytes into
 * {@link #segment()}. The constructor proves that every element lies within the segment, so code
 * that stays within the shape stays within the memory.
 */
public final class Tensor {
    private static final int ALIGNMENT = 64;

    private final MemorySegment segment;
    private final DType dtype;
    private final Shape shape;
    private final long[] strides;

    private Tensor(MemorySegment segment, DType dtype, Shape shape, long[] strides) {
        this.segment = segment;
        this.dtype = dtype;
        this.shape = shape;
        this.strides = strides;
        long needed = Math.multiplyExact(extent(shape, strides), dtype.bytes());
        if (needed > segment.byteSize()) {
            throw new IllegalArgumentException("tensor " + this + " needs " + needed + " bytes, its segment has "
                    + segment.byteSize());
        }
    }

    /** A zeroed dense tensor in {@code arena}, aligned to a cache line (64 bytes). */
    public static Tensor allocate(Arena arena, DType dtype, Shape shape) {
        long bytes = Math.multiplyExact(shape.elements(), dtype.bytes());
        return of(arena.allocate(bytes, ALIGNMENT), dtype, shape);
    }

    /** A dense {@code F32} tensor in {@code arena} that holds a copy of {@code values}. */
    public static Tensor copyOf(Arena arena, float[] values, long... sizes) {
        Shape shape = Shape.of(sizes);
        if (shape.elements() != values.length) {
            throw new IllegalArgumentException(
                    "shape " + shape + " has " + shape.elements() + " elements, got " + values.length + " values");
        }
        Tensor tensor = allocate(arena, DType.F32, shape);
        MemorySegment.copy(values, 0, tensor.segment, ValueLayout.JAVA_FLOAT, 0, values.length);
        return tensor;
    }

    /** A dense {@code I32} vector in {@code arena} that holds a copy of {@code values}. */
    public static Tensor copyOf(Arena arena, int[] values) {
        Tensor tensor = allocate(arena, DType.I32, Shape.of(values.length));
        MemorySegment.copy(values, 0, tensor.segment, ValueLayout.JAVA_INT, 0, values.length);
        return tensor;
    }

    /**
     * A dense row-major view of the start of {@code segment}.
     *
     * @throws IllegalArgumentException if the segment is on the heap or too short
     */
    public static Tensor of(MemorySegment segment, DType dtype, Shape shape) {
        return of(segment, dtype, shape, shape.denseStrides());
    }

    /**
     * A strided view of {@code segment}.
     *
     * @param strides elements between neighbours of each dimension, none negative
     * @throws IllegalArgumentException if the segment is on the heap or too short, or the strides do
     *     not fit the shape
     */
    public static Tensor of(MemorySegment segment, DType dtype, Shape shape, long... strides) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a tensor needs off-heap memory, got " + segment);
        }
        if (strides.length != shape.rank()) {
            throw new IllegalArgumentException(
                    "shape " + shape + " has " + shape.rank() + " dimensions, got strides " + Arrays.toString(strides));
        }
        for (long stride : strides) {
            if (stride < 0) {
                throw new IllegalArgumentException("negative stride in " + Arrays.toString(strides));
            }
        }
        return new Tensor(segment, dtype, shape, strides.clone());
    }

    /** Elements from the first to past the last that the shape reaches. */
    private static long extent(Shape shape, long[] strides) {
        if (shape.elements() == 0) {
            return 0;
        }
        try {
            long last = 0;
            for (int i = 0; i < strides.length; i++) {
                last = Math.addExact(last, Math.multiplyExact(shape.size(i) - 1, strides[i]));
            }
            return Math.addExact(last, 1);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "strides " + Arrays.toString(strides) + " of shape " + shape + " exceed the address space", e);
        }
    }

    /** The memory, beginning at the first element. */
    public MemorySegment segment() {
        return segment;
    }

    /** The type of the elements. */
    public DType dtype() {
        return dtype;
    }

    /** The sizes. */
    public Shape shape() {
        return shape;
    }

    /** The number of dimensions. */
    public int rank() {
        return strides.length;
    }

    /** The size of one dimension. */
    public long size(int dimension) {
        return shape.size(dimension);
    }

    /** Elements between neighbours of one dimension. */
    public long stride(int dimension) {
        return strides[dimension];
    }

    /** Whether the elements lie row-major without gaps. */
    public boolean isDense() {
        long expected = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            if (shape.size(i) != 1 && strides[i] != expected) {
                return false;
            }
            expected *= shape.size(i);
        }
        return true;
    }

    /** The view with two dimensions swapped. */
    public Tensor transpose(int first, int second) {
        long[] sizes = new long[rank()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = size(i);
        }
        long[] swapped = strides.clone();
        sizes[first] = size(second);
        sizes[second] = size(first);
        swapped[first] = strides[second];
        swapped[second] = strides[first];
        return new Tensor(segment, dtype, Shape.of(sizes), swapped);
    }

    /**
     * The {@code F32} element at these indices, one per dimension.
     *
     * @throws IndexOutOfBoundsException if an index is outside the shape
     * @throws IllegalStateException if the arena is closed
     */
    public float getFloat(long... indices) {
        if (dtype != DType.F32) {
            throw new IllegalArgumentException("expected dtype F32, got " + dtype);
        }
        if (indices.length != rank()) {
            throw new IllegalArgumentException("expected " + rank() + " indices, got " + Arrays.toString(indices));
        }
        long element = 0;
        for (int i = 0; i < indices.length; i++) {
            if (indices[i] < 0 || indices[i] >= size(i)) {
                throw new IndexOutOfBoundsException("index " + Arrays.toString(indices) + " outside shape " + shape);
            }
            element += indices[i] * strides[i];
        }
        return segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, element * Float.BYTES);
    }

    /** Such as {@code F32[128, 384]}, with strides where they are not dense. */
    @Override
    public String toString() {
        return dtype + shape.toString() + (isDense() ? "" : " strides " + Arrays.toString(strides));
    }
}
