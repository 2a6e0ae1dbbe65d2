package dev.fovea.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/**
 * A constant of a model in the type that its file stores: a vector [n] or a matrix [rows, columns] in any
 * {@link Layout}.
 *
 * <p>Like a {@link Tensor}, a weight is a view. It does not own its memory, and using it after the memory's arena was
 * closed is an {@link IllegalStateException}. Values are read as F32, a row or a part of one at a time, so that a
 * weight is never widened as a whole. The constructor proves that every value lies within the segment.
 */
public final class Weight {
    /** Values that {@link #toF32} reads at a time: 32 KB, which stay in the first-level cache. */
    private static final int CHUNK = 8192;

    private final MemorySegment segment;
    private final Layout layout;
    private final Shape shape;
    private final long[] strides;
    private final Scales scales;

    private Weight(MemorySegment segment, Layout layout, Shape shape, long[] strides, Scales scales) {
        this.segment = segment;
        this.layout = layout;
        this.shape = shape;
        this.strides = strides;
        this.scales = scales;
        long needed = extent(layout, shape, strides);
        if (!segment.isNative() || segment.byteSize() < needed) {
            throw new IllegalArgumentException("expected " + needed + " bytes of off-heap memory for the weight " + this
                    + ", got " + segment);
        }
    }

    /**
     * A view of a floating-point tensor of 1 or 2 dimensions and any strides.
     *
     * @throws IllegalArgumentException if the tensor has another type or another number of dimensions
     */
    public static Weight of(Tensor tensor) {
        Objects.requireNonNull(tensor, "tensor");
        if (!tensor.dtype().isFloatingPoint()) {
            throw new IllegalArgumentException("expected a weight of dtype F32, F16 or BF16, got " + tensor);
        }
        requireRank(tensor.shape());
        return new Weight(tensor.segment(), Layout.of(tensor.dtype()), tensor.shape(), strides(tensor), null);
    }

    /**
     * A view of integers q that stand for {@code scale · (q − zeroPoint)}, as the operator {@code DequantizeLinear} of
     * ONNX defines it.
     *
     * @param integers I8 or U8, of 1 or 2 dimensions and any strides
     * @param scales one for all values, or one for each index of {@code dimension}; copied
     * @param zeroPoints as many as there are scales, each in the range of the integers' type; copied
     * @param dimension of {@code integers}
     * @throws IllegalArgumentException if these do not fit together; the message has both values
     * @throws IndexOutOfBoundsException if {@code integers} has no such dimension
     */
    public static Weight quantized(Tensor integers, float[] scales, int[] zeroPoints, int dimension) {
        Objects.requireNonNull(integers, "integers");
        Objects.requireNonNull(scales, "scales");
        Objects.requireNonNull(zeroPoints, "zeroPoints");
        if (integers.dtype() != DType.I8 && integers.dtype() != DType.U8) {
            throw new IllegalArgumentException("expected a quantized weight of dtype I8 or U8, got " + integers);
        }
        requireRank(integers.shape());
        return new Weight(integers.segment(), Layout.of(integers.dtype()), integers.shape(), strides(integers),
                Scales.of(integers, scales, zeroPoints, dimension));
    }

    /**
     * A view of the start of {@code segment}, where rows follow each other without gaps and each is a whole number of
     * blocks.
     *
     * @param layout any but I8 and U8, which need scales
     * @throws IllegalArgumentException if the shape has other than 1 or 2 dimensions, a row is not a whole number of
     *     blocks, or the segment is on the heap or too short
     */
    public static Weight ofBlocks(MemorySegment segment, Layout layout, Shape shape) {
        Objects.requireNonNull(segment, "segment");
        if (layout.needsScales()) {
            throw new IllegalArgumentException("expected a layout that needs no scales, got " + layout);
        }
        requireRank(shape);
        long columns = shape.size(shape.rank() - 1);
        if (columns % layout.blockValues() != 0) {
            throw new IllegalArgumentException("expected rows of a multiple of " + layout.blockValues()
                    + " values, the size of a " + layout + " block, got " + shape);
        }
        return new Weight(segment, layout, shape, shape.denseStrides(), null);
    }

    private static void requireRank(Shape shape) {
        if (shape.rank() != 1 && shape.rank() != 2) {
            throw new IllegalArgumentException("expected a weight of 1 or 2 dimensions, got shape " + shape);
        }
    }

    private static long[] strides(Tensor tensor) {
        long[] strides = new long[tensor.rank()];
        for (int i = 0; i < strides.length; i++) {
            strides[i] = tensor.stride(i);
        }
        return strides;
    }

    /** Bytes from the first block to past the last that the shape reaches. */
    private static long extent(Layout layout, Shape shape, long[] strides) {
        if (shape.elements() == 0) {
            return 0;
        }
        try {
            long last = 0;
            for (int i = 0; i < strides.length; i++) {
                last = Math.addExact(last, Math.multiplyExact(shape.size(i) - 1, strides[i]));
            }
            return Math.multiplyExact(last / layout.blockValues() + 1, (long) layout.blockBytes());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("strides " + Arrays.toString(strides) + " of " + layout + shape
                    + " exceed the address space", e);
        }
    }

    /** The memory, which starts with the block of the first value. */
    public MemorySegment segment() {
        return segment;
    }

    /** How the values are stored. */
    public Layout layout() {
        return layout;
    }

    /** [n] or [rows, columns]. */
    public Shape shape() {
        return shape;
    }

    /** The number of dimensions: 1 or 2. */
    public int rank() {
        return shape.rank();
    }

    /** The size of one dimension. */
    public long size(int dimension) {
        return shape.size(dimension);
    }

    /** The distance of neighbours in one dimension, counted in values. */
    public long stride(int dimension) {
        return strides[dimension];
    }

    /**
     * The scales of quantized integers: F32 [1] for the whole weight, or one per index of {@link #scaleDimension}. Null
     * if there are none beside the values.
     */
    public Tensor scales() {
        return scales == null ? null : scales.factors();
    }

    /** The zero points of quantized integers, I32, as many as there are scales; null if there are no scales. */
    public Tensor zeroPoints() {
        return scales == null ? null : scales.zeroPoints();
    }

    /** The dimension along which scales differ; 0 if there are none. */
    public int scaleDimension() {
        return scales == null ? 0 : scales.dimension();
    }

    /** Whether the rows follow each other without gaps. */
    public boolean isDense() {
        long expected = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            if (size(i) > 1 && strides[i] != expected) {
                return shape.elements() == 0;
            }
            expected *= size(i);
        }
        return true;
    }

    /**
     * A view of a matrix with rows and columns swapped. Scales stay with their values.
     *
     * @throws IllegalArgumentException if this is a vector, or stored in blocks of several values
     */
    public Weight transposed() {
        if (rank() != 2 || !layout.isPlain()) {
            throw new IllegalArgumentException("expected a matrix of a plain type, got " + this);
        }
        return new Weight(segment, layout, Shape.of(size(1), size(0)), new long[] {strides[1], strides[0]},
                scales == null ? null : scales.transposed());
    }

    /**
     * A view of one row of a matrix, as a vector.
     *
     * @throws IllegalArgumentException if this is a vector
     * @throws IndexOutOfBoundsException if there is no such row
     */
    public Weight row(long row) {
        if (rank() != 2) {
            throw new IllegalArgumentException("expected a matrix, got " + this);
        }
        Objects.checkIndex(row, size(0));
        Shape columns = Shape.of(size(1));
        long[] stride = {strides[1]};
        long begin = size(1) == 0 ? 0 : row * strides[0] / layout.blockValues() * layout.blockBytes();
        return new Weight(segment.asSlice(begin, extent(layout, columns, stride)), layout, columns, stride,
                scales == null ? null : scales.row(row));
    }

    /**
     * A view of neighbouring rows of a matrix, or elements of a vector.
     *
     * @throws IndexOutOfBoundsException if not all of these are there
     */
    public Weight rows(long first, long count) {
        Objects.checkFromIndexSize(first, count, size(0));
        if (rank() == 1 && !layout.isPlain()) {
            throw new IllegalArgumentException("expected a vector of a plain type, got " + this);
        }
        Shape shape = rank() == 1 ? Shape.of(count) : Shape.of(count, size(1));
        long begin = first * strides[0] / layout.blockValues() * layout.blockBytes();
        return new Weight(count == 0 ? segment.asSlice(0, 0) : segment.asSlice(begin, extent(layout, shape, strides)),
                layout, shape, strides, scales == null ? null : scales.rows(first, count));
    }

    /**
     * Reads neighbours of one row as F32. F16 and BF16 are exact, and a NaN stays a NaN. Products with a scale are
     * rounded once. Allocates nothing.
     *
     * @param row of a matrix; 0 for a vector, which is a single row
     * @param column of the first value
     * @param target receives {@code count} values from index {@code at} on
     * @throws IndexOutOfBoundsException if not all of these are in the row, or in {@code target}
     * @throws IllegalStateException if the arena of the memory is closed
     */
    public void read(long row, long column, int count, float[] target, int at) {
        int last = rank() - 1;
        Objects.checkIndex(row, rows());
        Objects.checkFromIndexSize(column, count, size(last));
        Objects.checkFromIndexSize(at, count, target.length);
        long first = (last == 0 ? 0 : row * strides[0]) + column * strides[last];
        layout.read(segment, first, strides[last], count, target, at);
        if (scales != null) {
            scales.apply(target, at, count, row, column, last);
        }
    }

    private long rows() {
        return rank() == 1 ? 1 : size(0);
    }

    /**
     * A copy of all values as a dense F32 tensor, aligned to 64 bytes. Meant for small weights, such as biases: large
     * ones are better read a row at a time.
     *
     * @param arena allocates the copy
     * @throws IllegalStateException if {@code arena} or the arena of the memory is closed
     */
    public Tensor toF32(Arena arena) {
        Tensor copy = Tensor.allocate(arena, DType.F32, shape);
        if (layout == Layout.F32 && isDense()) {
            MemorySegment.copy(segment, 0, copy.segment(), 0, copy.segment().byteSize()); // without a loop to warm up
            return copy;
        }
        long columns = size(rank() - 1);
        float[] chunk = new float[(int) Math.min(columns, CHUNK)];
        long rows = columns == 0 ? 0 : rows();
        for (long row = 0; row < rows; row++) {
            for (long column = 0; column < columns; column += chunk.length) {
                int count = (int) Math.min(columns - column, chunk.length);
                read(row, column, count, chunk, 0);
                long at = (row * columns + column) * Float.BYTES;
                MemorySegment.copy(chunk, 0, copy.segment(), ValueLayout.JAVA_FLOAT, at, count);
            }
        }
        return copy;
    }

    /** Such as {@code BF16[384, 1536]}, with the strides if it is not dense and the number of scales if it has any. */
    @Override
    public String toString() {
        String placed = isDense() ? "" : " strides " + Arrays.toString(strides);
        String scaled = scales == null ? "" : " scales " + scales().shape() + " of dimension " + scaleDimension();
        return layout + shape.toString() + placed + scaled;
    }
}
