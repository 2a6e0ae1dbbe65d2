package dev.fovea.internal.vector;

import dev.fovea.internal.java.FloatTile;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops on {@code jdk.incubator.vector}, with fused multiply-add.
 *
 * <p>Rows are taken in whole vectors: lanes behind the last column compute on scratch. No sum runs across the lanes of
 * a vector, so interpreted and compiled code give the same bits.
 */
public final class VectorTile extends FloatTile {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    /** Rows and columns of a block of a product, whose sums stay in registers: 11 of AVX2's 16 are used. */
    private static final int BLOCK_ROWS = 4;

    private static final int BLOCK_COLUMNS = 2 * LANES;

    private static final FloatVector LANE_NUMBERS = FloatVector.zero(SPECIES).addIndex(1);

    /** Bits of a vector where no x86 has them without fused multiply-add. */
    private static final int X86_WITH_FMA = 256;

    private VectorTile() {}

    /** Why these loops cannot be used, or null. Without fused multiply-add the JDK computes it by BigDecimal. */
    public static String unavailable() {
        String arch = System.getProperty("os.arch");
        boolean x86 = arch.equals("amd64") || arch.equals("x86_64") || arch.equals("x86");
        return x86 && SPECIES.vectorBitSize() < X86_WITH_FMA
                ? "its vectors have " + SPECIES.vectorBitSize() + " bits here, and fused multiply-add may be missing"
                : null;
    }

    /** For rows of this many elements. Throws if they are not whole blocks of vectors. */
    public static FloatTile of(int width) {
        if (width % BLOCK_COLUMNS != 0) {
            throw new IllegalStateException("expected rows of whole vectors of " + BLOCK_COLUMNS + ", got " + width);
        }
        return new VectorTile();
    }

    @Override
    public void multiply(float[][] x, int rows, float[][] w, int depth, float[][] tile, int columns) {
        for (int r = 0; r < rows; r++) {
            Arrays.fill(tile[r], 0, columns, 0f);
        }
        multiplyAdd(x, 0, rows, w, depth, tile, columns);
    }

    @Override
    public void multiplyAdd(float[][] x, int at, int rows, float[][] w, int depth, float[][] tile, int columns) {
        for (int j = 0; j < columns; j += BLOCK_COLUMNS) {
            for (int r = 0; r < rows; r += BLOCK_ROWS) {
                addBlock(x, at, r, rows - 1, w, depth, tile, j);
            }
        }
    }

    /** Rows past the last one repeat it: they compute and write the same bits at the same place. */
    private static void addBlock(float[][] x, int at, int r, int last, float[][] w, int depth, float[][] tile, int j) {
        int r1 = Math.min(r + 1, last);
        int r2 = Math.min(r + 2, last);
        int r3 = Math.min(r + 3, last);
        float[] x0 = x[r];
        float[] x1 = x[r1];
        float[] x2 = x[r2];
        float[] x3 = x[r3];
        FloatVector a0 = load(tile[r], j);
        FloatVector a1 = load(tile[r1], j);
        FloatVector a2 = load(tile[r2], j);
        FloatVector a3 = load(tile[r3], j);
        FloatVector b0 = load(tile[r], j + LANES);
        FloatVector b1 = load(tile[r1], j + LANES);
        FloatVector b2 = load(tile[r2], j + LANES);
        FloatVector b3 = load(tile[r3], j + LANES);
        for (int k = 0; k < depth; k++) {
            FloatVector u = load(w[k], j);
            FloatVector v = load(w[k], j + LANES);
            FloatVector s0 = all(x0[at + k]);
            FloatVector s1 = all(x1[at + k]);
            FloatVector s2 = all(x2[at + k]);
            FloatVector s3 = all(x3[at + k]);
            a0 = s0.fma(u, a0);
            b0 = s0.fma(v, b0);
            a1 = s1.fma(u, a1);
            b1 = s1.fma(v, b1);
            a2 = s2.fma(u, a2);
            b2 = s2.fma(v, b2);
            a3 = s3.fma(u, a3);
            b3 = s3.fma(v, b3);
        }
        store(a0, b0, tile[r], j);
        store(a1, b1, tile[r1], j);
        store(a2, b2, tile[r2], j);
        store(a3, b3, tile[r3], j);
    }

    @Override
    public void rescaleMultiplyAdd(float[] factor, float[][] x, int rows, float[][] w, int depth, float[][] tile,
            int columns) {
        for (int j = 0; j < columns; j += BLOCK_COLUMNS) {
            for (int r = 0; r < rows; r += BLOCK_ROWS) {
                rescaleBlock(factor, x, r, rows - 1, w, depth, tile, j);
            }
        }
    }

    /** As {@link #addBlock}: all is loaded before anything is stored, for a repeated row to be scaled once. */
    private static void rescaleBlock(float[] factor, float[][] x, int r, int last, float[][] w, int depth,
            float[][] tile, int j) {
        int r1 = Math.min(r + 1, last);
        int r2 = Math.min(r + 2, last);
        int r3 = Math.min(r + 3, last);
        FloatVector a0 = all(0f);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int k = 0; k < depth; k++) {
            FloatVector u = load(w[k], j);
            FloatVector v = load(w[k], j + LANES);
            float[] row = x[k];
            FloatVector s0 = all(row[r]);
            FloatVector s1 = all(row[r1]);
            FloatVector s2 = all(row[r2]);
            FloatVector s3 = all(row[r3]);
            a0 = s0.fma(u, a0);
            b0 = s0.fma(v, b0);
            a1 = s1.fma(u, a1);
            b1 = s1.fma(v, b1);
            a2 = s2.fma(u, a2);
            b2 = s2.fma(v, b2);
            a3 = s3.fma(u, a3);
            b3 = s3.fma(v, b3);
        }
        FloatVector f = load(factor, j);
        FloatVector g = load(factor, j + LANES);
        a0 = load(tile[r], j).fma(f, a0);
        a1 = load(tile[r1], j).fma(f, a1);
        a2 = load(tile[r2], j).fma(f, a2);
        a3 = load(tile[r3], j).fma(f, a3);
        b0 = load(tile[r], j + LANES).fma(g, b0);
        b1 = load(tile[r1], j + LANES).fma(g, b1);
        b2 = load(tile[r2], j + LANES).fma(g, b2);
        b3 = load(tile[r3], j + LANES).fma(g, b3);
        store(a0, b0, tile[r], j);
        store(a1, b1, tile[r1], j);
        store(a2, b2, tile[r2], j);
        store(a3, b3, tile[r3], j);
    }

    @Override
    public void add(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            load(a, j).add(load(x, j)).intoArray(a, j);
        }
    }

    @Override
    public void rescaleAdd(float[] factor, float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            load(a, j).fma(load(factor, j), load(x, j)).intoArray(a, j);
        }
    }

    @Override
    public void scale(float factor, float[] a, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            load(a, j).mul(factor).intoArray(a, j);
        }
    }

    @Override
    public void subtract(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            load(a, j).sub(load(x, j)).intoArray(a, j);
        }
    }

    @Override
    public void subtractDistance(float slope, int first, float[] a, int columns) {
        FloatVector factor = all(-slope);
        for (int j = 0; j < columns; j += LANES) {
            // As exact as the int that plain Java takes: a float holds all up to 2^24.
            FloatVector distance = all(first + j).add(LANE_NUMBERS).abs();
            distance.fma(factor, load(a, j)).intoArray(a, j);
        }
    }

    @Override
    public void max(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            load(a, j).max(load(x, j)).intoArray(a, j);
        }
    }

    @Override
    public void exp(float[] x, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            VectorMath.exp(load(x, j)).intoArray(x, j);
        }
    }

    @Override
    public void weigh(float[][] x, int rows, float[] peak, float[] sum, int columns) {
        for (int r = 0; r < rows; r++) {
            weighRow(x[r], peak, sum, columns);
        }
    }

    private static void weighRow(float[] x, float[] peak, float[] sum, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            FloatVector weight = VectorMath.exp(load(x, j).sub(load(peak, j)));
            weight.intoArray(x, j);
            load(sum, j).add(weight).intoArray(sum, j);
        }
    }

    @Override
    public void geluErf(float[] x, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            VectorMath.geluErf(load(x, j)).intoArray(x, j);
        }
    }

    @Override
    public void geluTanh(float[] x, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            VectorMath.geluTanh(load(x, j)).intoArray(x, j);
        }
    }

    @Override
    public void softcap(float cap, float[] x, int columns) {
        for (int j = 0; j < columns; j += LANES) {
            VectorMath.tanh(load(x, j).div(cap)).mul(cap).intoArray(x, j);
        }
    }

    private static FloatVector all(float value) {
        return FloatVector.broadcast(SPECIES, value);
    }

    private static FloatVector load(float[] row, int at) {
        return FloatVector.fromArray(SPECIES, row, at);
    }

    private static void store(FloatVector a, FloatVector b, float[] row, int at) {
        a.intoArray(row, at);
        b.intoArray(row, at + LANES);
    }
}
