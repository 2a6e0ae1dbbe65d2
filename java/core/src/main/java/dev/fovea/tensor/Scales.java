package dev.fovea.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * What the integers q of a quantized weight stand for: {@code factor · (q − zeroPoint)}, rounded once.
 *
 * @param factors F32, one for the whole weight or one per index of {@code dimension}
 * @param zeroPoints I32, as many as there are factors
 * @param dimension of the weight, along which they differ
 */
record Scales(Tensor factors, Tensor zeroPoints, int dimension) {
    /** As {@link Weight#quantized}. */
    static Scales of(Tensor integers, float[] factors, int[] zeroPoints, int dimension) {
        long count = integers.size(Objects.checkIndex(dimension, integers.rank()));
        if (factors.length != 1 && factors.length != count) {
            throw new IllegalArgumentException("expected 1 scale or one for each of the " + count
                    + " indices of dimension " + dimension + " of " + integers + ", got " + factors.length);
        }
        if (zeroPoints.length != factors.length) {
            throw new IllegalArgumentException("expected as many zero points as scales, " + factors.length + ", got "
                    + zeroPoints.length);
        }
        boolean signed = integers.dtype() == DType.I8;
        for (int i = 0; i < zeroPoints.length; i++) {
            if (zeroPoints[i] != (signed ? (byte) zeroPoints[i] : zeroPoints[i] & 0xff)) {
                throw new IllegalArgumentException("expected zero points in the range of " + integers.dtype() + ", got "
                        + zeroPoints[i] + " at " + i);
            }
        }
        Arena arena = Arena.ofAuto();
        return new Scales(Tensor.copyOf(arena, factors, factors.length), Tensor.copyOf(arena, zeroPoints), dimension);
    }

    private boolean differ() {
        return factors.size(0) != 1;
    }

    /** Those of the transposed matrix. */
    Scales transposed() {
        return new Scales(factors, zeroPoints, 1 - dimension);
    }

    /** Those of one row of a matrix, which is a vector. */
    Scales row(long row) {
        boolean one = dimension == 0 && differ();
        return new Scales(one ? element(factors, row) : factors, one ? element(zeroPoints, row) : zeroPoints, 0);
    }

    /** Those of neighbouring rows. */
    Scales rows(long first, long count) {
        boolean some = dimension == 0 && differ();
        return new Scales(some ? elements(factors, first, count) : factors,
                some ? elements(zeroPoints, first, count) : zeroPoints, dimension);
    }

    private static Tensor element(Tensor vector, long index) {
        return elements(vector, index, 1);
    }

    private static Tensor elements(Tensor vector, long first, long count) {
        long bytes = vector.dtype().bytes();
        return Tensor.of(vector.segment().asSlice(first * bytes, count * bytes), vector.dtype(), Shape.of(count));
    }

    /**
     * Replaces integers by what they stand for.
     *
     * @param values of which {@code count} from {@code at} on are integers of the weight, all of one row
     * @param row the index of all of them in dimension 0 of a matrix; 0 in a vector
     * @param column the index of the first of them in the last dimension
     * @param last the last dimension, along which the values are neighbours
     */
    void apply(float[] values, int at, int count, long row, long column, int last) {
        MemorySegment factor = factors.segment();
        MemorySegment zeroPoint = zeroPoints.segment();
        if (differ() && dimension == last) {
            for (int i = 0; i < count; i++) {
                float q = values[at + i] - zeroPoint.getAtIndex(ValueLayout.JAVA_INT, column + i);
                values[at + i] = factor.getAtIndex(ValueLayout.JAVA_FLOAT, column + i) * q;
            }
        } else if (count > 0) {
            long index = differ() ? row : 0;
            float scale = factor.getAtIndex(ValueLayout.JAVA_FLOAT, index);
            int zero = zeroPoint.getAtIndex(ValueLayout.JAVA_INT, index);
            for (int i = 0; i < count; i++) {
                values[at + i] = scale * (values[at + i] - zero);
            }
        }
    }
}
