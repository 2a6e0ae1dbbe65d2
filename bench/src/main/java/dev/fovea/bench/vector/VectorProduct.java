package dev.fovea.bench.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Products of small matrices on heap arrays: four rows or one, two vectors of columns at a time. */
public final class VectorProduct {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    /** Columns come in multiples of this. */
    public static final int COLUMNS = 2 * LANES;

    /** The rows that {@link #addFour} takes. */
    public static final int ROWS = 4;

    private VectorProduct() {}

    /** How wide the vectors are, for people. */
    public static String description() {
        return SPECIES.vectorBitSize() + "-bit vectors, " + ROWS + " x " + COLUMNS + " accumulators";
    }

    /**
     * {@code c += a b} for four rows.
     *
     * @param a [4, depth], from {@code aAt} on, rows {@code aStride} apart
     * @param b [depth, columns], from {@code bAt} on, rows {@code bStride} apart
     * @param c [4, columns], from {@code cAt} on, rows {@code cStride} apart
     * @param columns a multiple of {@link #COLUMNS}
     */
    public static void addFour(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, float[] c, int cAt,
            int cStride, int depth, int columns) {
        for (int j = 0; j < columns; j += COLUMNS) {
            int at = cAt + j;
            FloatVector c00 = load(c, at);
            FloatVector c01 = load(c, at + LANES);
            FloatVector c10 = load(c, at + cStride);
            FloatVector c11 = load(c, at + cStride + LANES);
            FloatVector c20 = load(c, at + 2 * cStride);
            FloatVector c21 = load(c, at + 2 * cStride + LANES);
            FloatVector c30 = load(c, at + 3 * cStride);
            FloatVector c31 = load(c, at + 3 * cStride + LANES);
            int bRow = bAt + j;
            for (int k = aAt; k < aAt + depth; k++, bRow += bStride) {
                FloatVector b0 = load(b, bRow);
                FloatVector b1 = load(b, bRow + LANES);
                FloatVector factor = FloatVector.broadcast(SPECIES, a[k]);
                c00 = factor.fma(b0, c00);
                c01 = factor.fma(b1, c01);
                factor = FloatVector.broadcast(SPECIES, a[k + aStride]);
                c10 = factor.fma(b0, c10);
                c11 = factor.fma(b1, c11);
                factor = FloatVector.broadcast(SPECIES, a[k + 2 * aStride]);
                c20 = factor.fma(b0, c20);
                c21 = factor.fma(b1, c21);
                factor = FloatVector.broadcast(SPECIES, a[k + 3 * aStride]);
                c30 = factor.fma(b0, c30);
                c31 = factor.fma(b1, c31);
            }
            c00.intoArray(c, at);
            c01.intoArray(c, at + LANES);
            c10.intoArray(c, at + cStride);
            c11.intoArray(c, at + cStride + LANES);
            c20.intoArray(c, at + 2 * cStride);
            c21.intoArray(c, at + 2 * cStride + LANES);
            c30.intoArray(c, at + 3 * cStride);
            c31.intoArray(c, at + 3 * cStride + LANES);
        }
    }

    /** {@code c += a b} for one row, two steps of depth in flight. */
    public static void addOne(float[] a, int aAt, float[] b, int bAt, int bStride, float[] c, int cAt, int depth,
            int columns) {
        for (int j = 0; j < columns; j += COLUMNS) {
            FloatVector even0 = load(c, cAt + j);
            FloatVector even1 = load(c, cAt + j + LANES);
            FloatVector odd0 = FloatVector.zero(SPECIES);
            FloatVector odd1 = FloatVector.zero(SPECIES);
            int bRow = bAt + j;
            int k = 0;
            for (; k + 1 < depth; k += 2, bRow += 2 * bStride) {
                FloatVector factor = FloatVector.broadcast(SPECIES, a[aAt + k]);
                even0 = factor.fma(load(b, bRow), even0);
                even1 = factor.fma(load(b, bRow + LANES), even1);
                factor = FloatVector.broadcast(SPECIES, a[aAt + k + 1]);
                odd0 = factor.fma(load(b, bRow + bStride), odd0);
                odd1 = factor.fma(load(b, bRow + bStride + LANES), odd1);
            }
            if (k < depth) {
                FloatVector factor = FloatVector.broadcast(SPECIES, a[aAt + k]);
                even0 = factor.fma(load(b, bRow), even0);
                even1 = factor.fma(load(b, bRow + LANES), even1);
            }
            even0.add(odd0).intoArray(c, cAt + j);
            even1.add(odd1).intoArray(c, cAt + j + LANES);
        }
    }

    private static FloatVector load(float[] array, int at) {
        return FloatVector.fromArray(SPECIES, array, at);
    }
}
