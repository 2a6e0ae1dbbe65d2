package dev.fovea.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The sizes of a tensor's dimensions, outermost first. Immutable. */
public final class Shape {
    private final long[] sizes;
    private final long elements;

    private Shape(long[] sizes) {
        long product = 1;
        for (long size : sizes) {
            if (size < 0) {
                throw new IllegalArgumentException("negative size " + size + " in shape " + Arrays.toString(sizes));
            }
            try {
                product = Math.multiplyExact(product, size);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(
                        "shape " + Arrays.toString(sizes) + " has more than 2^63-1 elements", e);
            }
        }
        this.sizes = sizes;
        this.elements = product;
    }

    /**
     * A shape of these sizes; none for a scalar.
     *
     * @throws IllegalArgumentException if a size is negative or their product exceeds a {@code long}
     */
    public static Shape of(long... sizes) {
        return new Shape(sizes.clone());
    }

    /** The number of dimensions. */
    public int rank() {
        return sizes.length;
    }

    /**
     * The size of one dimension.
     *
     * @throws IndexOutOfBoundsException if there is no such dimension
     */
    public long size(int dimension) {
        return sizes[dimension];
    }

    /** The product of all sizes; 1 for a scalar. */
    public long elements() {
        return elements;
    }

    /** The strides, in elements, of a dense row-major tensor of this shape. */
    public long[] denseStrides() {
        long[] strides = new long[sizes.length];
        long stride = 1;
        for (int i = sizes.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= Math.max(1, sizes[i]);
        }
        return strides;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(sizes, shape.sizes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sizes);
    }

    /** Such as {@code [128, 12, 32]}. */
    @Override
    public String toString() {
        return Arrays.stream(sizes).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
