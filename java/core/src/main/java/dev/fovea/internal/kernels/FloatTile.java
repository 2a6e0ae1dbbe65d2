package dev.fovea.internal.kernels;

/**
 * The inner loops of the plain Java backend: elementwise arithmetic on rows of a tile.
 *
 * <p>Each loop runs one index over several heap arrays, the form that C2 turns into vector code on
 * every platform. Products are rounded before they are added, as the Java language demands, so that
 * all platforms and all compilers give the same bits.
 */
final class FloatTile {
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

    private FloatTile() {}

    /** {@code a += p0·w0 + p1·w1 + p2·w2 + p3·w3}, summed from left to right, and likewise b with q. */
    static void multiplyAdd(float[] w0, float[] w1, float[] w2, float[] w3, float p0, float p1, float p2, float p3,
            float q0, float q1, float q2, float q3, float[] a, float[] b, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = a[j] + p0 * w0[j] + p1 * w1[j] + p2 * w2[j] + p3 * w3[j];
            b[j] = b[j] + q0 * w0[j] + q1 * w1[j] + q2 * w2[j] + q3 * w3[j];
        }
    }

    /** {@code a = p0·w0 + p1·w1 + p2·w2 + p3·w3}, summed from left to right, and likewise b with q. */
    static void multiply(float[] w0, float[] w1, float[] w2, float[] w3, float p0, float p1, float p2, float p3,
            float q0, float q1, float q2, float q3, float[] a, float[] b, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = p0 * w0[j] + p1 * w1[j] + p2 * w2[j] + p3 * w3[j];
            b[j] = q0 * w0[j] + q1 * w1[j] + q2 * w2[j] + q3 * w3[j];
        }
    }

    /** {@code a += p0·w0 + p1·w1 + p2·w2 + p3·w3}: the same bits as a row of a pair gets. */
    static void multiplyAdd(float[] w0, float[] w1, float[] w2, float[] w3, float p0, float p1, float p2, float p3,
            float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = a[j] + p0 * w0[j] + p1 * w1[j] + p2 * w2[j] + p3 * w3[j];
        }
    }

    /** {@code a += x}. */
    static void add(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] += x[j];
        }
    }

    /** {@code a = factor · a + x}. */
    static void rescaleAdd(float[] factor, float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = factor[j] * a[j] + x[j];
        }
    }

    /** {@code a *= factor}. */
    static void scale(float factor, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] *= factor;
        }
    }

    /** {@code a -= x}. */
    static void subtract(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] -= x[j];
        }
    }

    /** {@code a -= slope · |first + j|}. */
    static void subtractDistance(float slope, int first, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] -= slope * Math.abs(first + j);
        }
    }

    /** {@code a = max(a, x)}; NaN if either is. */
    static void max(float[] x, float[] a, int columns) {
        for (int j = 0; j < columns; j++) {
            a[j] = Math.max(a[j], x[j]);
        }
    }

    /**
     * {@code x = eˣ} for x ≤ 88, to a relative error of 1e-7; 0 below −87.7; NaN stays.
     *
     * <p>The polynomial of Cephes' {@code expf} on the remainder of x by ln 2.
     *
     * @param exponents scratch, as long as x
     */
    static void exp(float[] x, int[] exponents, int columns) {
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

    /**
     * {@code x = x/2 (1 + erf(x/√2))}.
     *
     * <p>erf as a rational minimax approximation on ±4, past which a float cannot tell it from ±1;
     * coefficients from Eigen's {@code generic_fast_erf_float}. Its absolute error is below 2e-7.
     */
    static void geluErf(float[] x, int columns) {
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
     * {@code x = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))}.
     *
     * <p>tanh as a rational minimax approximation on ±7.9, past which a float cannot tell it from ±1;
     * coefficients from Eigen's {@code generic_fast_tanh_float}.
     */
    static void geluTanh(float[] x, int columns) {
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
     * {@code x = cap tanh(x / cap)}, with tanh to a relative error of 2e-7; NaN stays.
     *
     * <p>Cephes' {@code tanhf}: a polynomial near 0, else 1 − 2 / (e²ˣ + 1). Both are computed, and one is multiplied
     * by 0, since C2 makes no vector code of a choice.
     *
     * @param doubled scratch, as long as x
     * @param exponents scratch, as long as x
     */
    static void softcap(float cap, float[] x, float[] doubled, int[] exponents, int columns) {
        for (int j = 0; j < columns; j++) {
            x[j] = Math.max(-TANH_SATURATED, Math.min(TANH_SATURATED, x[j] / cap));
            doubled[j] = 2f * Math.abs(x[j]);
        }
        exp(doubled, exponents, columns);
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
