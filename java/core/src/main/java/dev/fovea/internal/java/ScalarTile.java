package dev.fovea.internal.java;

/**
 * The inner loops of the plain Java backend.
 *
 * <p>Each loop runs one index over several heap arrays, the form that C2 turns into vector code on
 * every platform. Products are rounded before they are added, as the Java language demands, so that
 * all platforms and all compilers give the same bits.
 */
public final class ScalarTile extends FloatTile {
    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    private static final int EXPONENT_BIAS = 127;
    private static final int EXPONENT_SHIFT = 23;
    private static final float SQRT_HALF = 0.70710678f;
    private static final float SQRT_2_OVER_PI = 0.79788456f;
    private static final float TANH_SATURATED = 10f;
    private static final float TANH_SMALL = 0.625f;
    private static final float STEEP = 1e30f;

    private final float[] a;
    private final float[] b;
    private final float[] doubled;
    private final int[] exponents;

    /** For rows of up to this many columns. */
    public ScalarTile(int width) {
        a = new float[width];
        b = new float[width];
        doubled = new float[width];
        exponents = new int[width];
    }

    @Override
    public void multiply(float[][] x, int rows, float[][] w, int depth, float[][] tile, int columns) {
        for (int r = 0; r < rows; r += PAIR) {
            float[] p = x[r];
            float[] q = x[r + 1];
            multiply(w[0], w[1], w[2], w[3], p[0], p[1], p[2], p[3], q[0], q[1], q[2], q[3], tile[r], tile[r + 1],
                    columns);
            for (int k = STEP; k < depth; k += STEP) {
                multiplyAdd(w[k], w[k + 1], w[k + 2], w[k + 3], p[k], p[k + 1], p[k + 2], p[k + 3],
                        q[k], q[k + 1], q[k + 2], q[k + 3], tile[r], tile[r + 1], columns);
            }
        }
    }

    @Override
    public void multiplyAdd(float[][] x, int at, int rows, float[][] w, int depth, float[][] tile, int columns) {
        for (int k = 0; k < depth; k += STEP) {
            addStep(x, at + k, rows, w[k], w[k + 1], w[k + 2], w[k + 3], tile, columns);
        }
    }

    private static void addStep(float[][] x, int k, int rows, float[] w0, float[] w1, float[] w2, float[] w3,
            float[][] tile, int columns) {
        int r = 0;
        for (; r + 1 < rows; r += PAIR) {
            float[] p = x[r];
            float[] q = x[r + 1];
            multiplyAdd(w0, w1, w2, w3, p[k], p[k + 1], p[k + 2], p[k + 3], q[k], q[k + 1], q[k + 2], q[k + 3],
                    tile[r], tile[r + 1], columns);
        }
        if (r < rows) {
            float[] p = x[r];
            multiplyAdd(w0, w1, w2, w3, p[k], p[k + 1], p[k + 2], p[k + 3], tile[r], columns);
        }
    }

    @Override
    public void rescaleMultiplyAdd(float[] factor, float[][] x, int rows, float[][] w, int depth, float[][] tile,
            int columns) {
        for (int r = 0; r < rows; r += PAIR) {
            multiply(w[0], w[1], w[2], w[3], x[0][r], x[1][r], x[2][r], x[3][r],
                    x[0][r + 1], x[1][r + 1], x[2][r + 1], x[3][r + 1], a, b, columns);
            for (int k = STEP; k < depth; k += STEP) {
                multiplyAdd(w[k], w[k + 1], w[k + 2], w[k + 3], x[k][r], x[k + 1][r], x[k + 2][r], x[k + 3][r],
                        x[k][r + 1], x[k + 1][r + 1], x[k + 2][r + 1], x[k + 3][r + 1], a, b, columns);
            }
            rescaleAdd(factor, a, tile[r], columns);
            rescaleAdd(factor, b, tile[r + 1], columns);
        }
    }

    /** {@code a += p0·w0 + p1·w1 + p2·w2 + p3·w3}, summed from left to right, and likewise b with q. */
    private static void multiplyAdd(float[] w0, float[] w1, float[] w2, float[] w3, float p0, float p1, float p2,
            float p3, float q0, float q1, float q2, float q3, float[] a, float[] b, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = a[j] + p0 * w0[j] + p1 * w1[j] + p2 * w2[j] + p3 * w3[j];
            b[j] = b[j] + q0 * w0[j] + q1 * w1[j] + q2 * w2[j] + q3 * w3[j];
        }
    }

    /** {@code a = p0·w0 + p1·w1 + p2·w2 + p3·w3}, summed from left to right, and likewise b with q. */
    private static void multiply(float[] w0, float[] w1, float[] w2, float[] w3, float p0, float p1, float p2,
            float p3, float q0, float q1, float q2, float q3, float[] a, float[] b, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = p0 * w0[j] + p1 * w1[j] + p2 * w2[j] + p3 * w3[j];
            b[j] = q0 * w0[j] + q1 * w1[j] + q2 * w2[j] + q3 * w3[j];
        }
    }

    /** {@code a += p0·w0 + p1·w1 + p2·w2 + p3·w3}: the same bits as a row of a pair gets. */
    private static void multiplyAdd(float[] w0, float[] w1, float[] w2, float[] w3, float p0, float p1, float p2,
            float p3, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = a[j] + p0 * w0[j] + p1 * w1[j] + p2 * w2[j] + p3 * w3[j];
        }
    }

    @Override
    public void add(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] += x[j];
        }
    }

    @Override
    public void rescaleAdd(float[] factor, float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = factor[j] * a[j] + x[j];
        }
    }

    @Override
    public void scale(float factor, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] *= factor;
        }
    }

    @Override
    public void subtract(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] -= x[j];
        }
    }

    @Override
    public void subtractDistance(float slope, int first, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] -= slope * Math.abs(first + j);
        }
    }

    @Override
    public void max(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = Math.max(a[j], x[j]);
        }
    }

    /** The polynomial of Cephes' {@code expf} on the remainder of x by ln 2. */
    @Override
    public void exp(float[] x, int columns) {
        int[] exponents = this.exponents;
        for (int j = 0; j < columns; j++) {
            float clamped = Math.max(-88f, Math.min(88f, x[j]));
            int biased = (int) (clamped * LOG2_E + (EXPONENT_BIAS + 0.5f));
            float power = biased - EXPONENT_BIAS;
            float r = clamped - power * LN2_HIGH - power * LN2_LOW;
            float p = 1.9875691500e-4f;
            p = p * r + 1.3981999507e-3f;
            p = p * r + 8.3334519073e-3f;
            p = p * r + 4.1665795894e-2f;
            p = p * r + 1.6666665459e-1f;
            p = p * r + 5.0000001201e-1f;
            x[j] = p * r * r + r + 1f;
            exponents[j] = biased << EXPONENT_SHIFT;
        }
        // A loop of its own: C2 does not vectorise the move of bits, and would then vectorise nothing.
        for (int j = 0; j < columns; j++) {
            x[j] *= Float.intBitsToFloat(exponents[j]);
        }
    }

    @Override
    public void weigh(float[][] x, int rows, float[] peak, float[] sum, int columns) {
        for (int r = 0; r < rows; r++) {
            subtract(peak, x[r], columns);
            exp(x[r], columns);
            add(x[r], sum, columns);
        }
    }

    /**
     * erf as a rational minimax approximation on ±4, past which it is ±1 as a float;
     * coefficients from Eigen's {@code generic_fast_erf_float}. Its absolute error is below 2e-7.
     */
    @Override
    public void geluErf(float[] x, int columns) {
        for (int j = 0; j < columns; j++) {
            float value = x[j];
            float t = Math.max(-4f, Math.min(4f, value * SQRT_HALF));
            float u = t * t;
            float p = -2.72614225801306e-10f;
            p = p * u + 2.77068142495902e-08f;
            p = p * u - 2.10102402082508e-06f;
            p = p * u - 5.69250639462346e-05f;
            p = p * u - 7.34990630326855e-04f;
            p = p * u - 2.95459980854025e-03f;
            p = p * u - 1.60960333262415e-02f;
            float q = -1.45660718464996e-05f;
            q = q * u - 2.13374055278905e-04f;
            q = q * u - 1.68282697438203e-03f;
            q = q * u - 7.37332916720468e-03f;
            q = q * u - 1.42647390514189e-02f;
            x[j] = 0.5f * value * (1f + t * p / q);
        }
    }

    /**
     * tanh as a rational minimax approximation on ±7.9, past which it is ±1 as a float;
     * coefficients from Eigen's {@code generic_fast_tanh_float}.
     */
    @Override
    public void geluTanh(float[] x, int columns) {
        for (int j = 0; j < columns; j++) {
            float value = x[j];
            float t = SQRT_2_OVER_PI * (value + 0.044715f * value * value * value);
            t = Math.max(-7.90531110763549805f, Math.min(7.90531110763549805f, t));
            float u = t * t;
            float p = -2.76076847742355e-16f;
            p = p * u + 2.00018790482477e-13f;
            p = p * u - 8.60467152213735e-11f;
            p = p * u + 5.12229709037114e-08f;
            p = p * u + 1.48572235717979e-05f;
            p = p * u + 6.37261928875436e-04f;
            p = p * u + 4.89352455891786e-03f;
            float q = 1.19825839466702e-06f;
            q = q * u + 1.18534705686654e-04f;
            q = q * u + 2.26843463243900e-03f;
            q = q * u + 4.89352518554385e-03f;
            x[j] = 0.5f * value * (1f + t * p / q);
        }
    }

    /**
     * Cephes' {@code tanhf}: a polynomial near 0, else 1 − 2 / (e²ˣ + 1). Both are computed, and one is multiplied
     * by 0, since C2 makes no vector code of a choice.
     */
    @Override
    public void softcap(float cap, float[] x, int columns) {
        float[] doubled = this.doubled;
        for (int j = 0; j < columns; j++) {
            x[j] = Math.max(-TANH_SATURATED, Math.min(TANH_SATURATED, x[j] / cap));
            doubled[j] = 2f * Math.abs(x[j]);
        }
        exp(doubled, columns);
        for (int j = 0; j < columns; j++) {
            float t = x[j];
            float u = t * t;
            float p = -5.70498872745e-3f;
            p = p * u + 2.06390887954e-2f;
            p = p * u - 5.37397155531e-2f;
            p = p * u + 1.33314422036e-1f;
            p = p * u - 3.33332819422e-1f;
            float near = p * u * t + t;
            float far = 1f - 2f / (doubled[j] + 1f);
            float sign = Math.max(-1f, Math.min(1f, t * STEEP));
            float small = Math.max(0f, Math.min(1f, (TANH_SMALL - Math.abs(t)) * STEEP));
            x[j] = cap * (small * near + (1f - small) * (sign * far));
        }
    }
}
