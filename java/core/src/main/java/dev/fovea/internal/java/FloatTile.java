package dev.fovea.internal.java;

import dev.fovea.ops.Activation;

/**
 * The inner loops of the Java backends: products of tiles, and elementwise arithmetic on their rows.
 *
 * <p>A tile is an array of rows on the heap. The first {@code columns} elements of a row count; those behind them, up
 * to the width that the instance was made for, are scratch that every method may write. A column's bits depend on no
 * other column and a row's on no other row. An instance serves one thread at a time.
 */
public abstract class FloatTile {
    /** What the depth of a product is a multiple of. */
    static final int STEP = 4;

    /** What the rows of some products are a multiple of. */
    static final int PAIR = 2;

    /**
     * {@code tile = x w}.
     *
     * @param x [rows, ≥ depth]
     * @param rows a multiple of {@link #PAIR}
     * @param w [depth, columns]
     * @param depth a multiple of {@link #STEP}, and not 0
     * @param tile [rows, columns]
     */
    public abstract void multiply(float[][] x, int rows, float[][] w, int depth, float[][] tile, int columns);

    /**
     * {@code tile += x w}; a row's products are added one after the other.
     *
     * @param x [rows, ≥ at + depth], of which the first {@code at} columns are passed over
     * @param w [depth, columns]
     * @param depth a multiple of {@link #STEP}
     * @param tile [rows, columns]
     */
    public abstract void multiplyAdd(float[][] x, int at, int rows, float[][] w, int depth, float[][] tile, int columns);

    /**
     * {@code tile = factor · tile + xᵀ w}; the product is summed by itself first.
     *
     * @param factor [columns], one for all rows
     * @param x [depth, ≥ rows]
     * @param rows a multiple of {@link #PAIR}
     * @param w [depth, columns]
     * @param depth a multiple of {@link #STEP}, and not 0
     * @param tile [rows, columns]
     */
    public abstract void rescaleMultiplyAdd(float[] factor, float[][] x, int rows, float[][] w, int depth, float[][] tile,
            int columns);

    /** {@code a += x}. */
    public abstract void add(float[] x, float[] a, int columns);

    /** {@code a *= x}. */
    public final void multiply(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] *= x[j];
        }
    }

    /** {@code x = max(0, x)}; NaN stays. */
    public final void relu(float[] x, int columns) {
        for (int j = 0; j < columns; j++) {
            x[j] = Math.max(0f, x[j]);
        }
    }

    /** {@code x = x / (1 + e⁻ˣ)}. */
    public final void silu(float[] x, int columns) {
        for (int j = 0; j < columns; j++) {
            x[j] = (float) (x[j] / (1 + Math.exp(-x[j])));
        }
    }

    /** {@code x = tanh x}. */
    public final void tanh(float[] x, int columns) {
        for (int j = 0; j < columns; j++) {
            x[j] = (float) Math.tanh(x[j]);
        }
    }

    /** {@code x = x / (1 + e^(−1.702 x))}. */
    public final void quickGelu(float[] x, int columns) {
        for (int j = 0; j < columns; j++) {
            x[j] = (float) (x[j] / (1 + Math.exp(-1.702 * x[j])));
        }
    }

    /** {@code x = activation(x)}. */
    public final void activate(Activation activation, float[] x, int columns) {
        switch (activation) {
            case NONE -> { }
            case GELU_ERF -> geluErf(x, columns);
            case GELU_TANH -> geluTanh(x, columns);
            case RELU -> relu(x, columns);
            case SILU -> silu(x, columns);
            case TANH -> tanh(x, columns);
            case QUICK_GELU -> quickGelu(x, columns);
        }
    }

    /** {@code a = factor · a + x}. */
    public abstract void rescaleAdd(float[] factor, float[] x, float[] a, int columns);

    /** {@code a *= factor}. */
    public abstract void scale(float factor, float[] a, int columns);

    /** {@code a -= x}. */
    public abstract void subtract(float[] x, float[] a, int columns);

    /** {@code a -= slope · |first + j|}. */
    public abstract void subtractDistance(float slope, int first, float[] a, int columns);

    /** {@code a = max(a, x)}; NaN if either is. */
    public abstract void max(float[] x, float[] a, int columns);

    /** {@code x = eˣ} for x ≤ 88, to a relative error of 1e-7; 0 below −87.7; NaN stays. */
    public abstract void exp(float[] x, int columns);

    /**
     * {@code x = e^(x − peak)} for every row of a tile, and {@code sum +=} each row in its turn.
     *
     * @param x [rows, columns]
     * @param peak [columns]
     * @param sum [columns]
     */
    public abstract void weigh(float[][] x, int rows, float[] peak, float[] sum, int columns);

    /** {@code x = x/2 (1 + erf(x/√2))}, with erf to an absolute error of 2e-7. */
    public abstract void geluErf(float[] x, int columns);

    /** {@code x = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))}. */
    public abstract void geluTanh(float[] x, int columns);

    /** {@code x = cap tanh(x / cap)}, with tanh to a relative error of 2e-7; NaN stays. */
    public abstract void softcap(float cap, float[] x, int columns);
}
