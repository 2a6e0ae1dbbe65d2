package dev.fovea.weights;

import dev.fovea.tensor.Layout;
import java.util.Arrays;

/**
 * Rounds values to the blocks of a {@link Layout}, as {@code native/src/ops/layout/quantize_kernel.c} does when weights are
 * packed: of a few scales around the largest value, and the integers that each of them gives, those with the least square
 * error are kept. For one thread.
 */
final class BlockRounding {
    private static final int TRIES = 9;
    private static final byte[] IQ4_VALUES = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private final int[] q = new int[32];
    private final float[] scales = new float[16];
    private final float[] minima = new float[16];
    /** Of the part that was fitted last. */
    private float scale;
    private float minimum;

    /**
     * Writes the block of the values from {@code at} on.
     *
     * @param out receives it from {@code to} on
     * @throws IllegalArgumentException if a value is not finite
     */
    void write(Layout layout, float[] x, int at, byte[] out, int to) {
        for (int i = at; i < at + layout.blockValues(); i++) {
            if (!Float.isFinite(x[i])) {
                throw new IllegalArgumentException("expected finite numbers to round, got " + x[i]);
            }
        }
        Arrays.fill(out, to, to + layout.blockBytes(), (byte) 0);
        switch (layout) {
            case Q8_0 -> eights(x, at, out, to);
            case Q4_0 -> symmetric(x, at, -8, out, to);
            case Q5_0 -> symmetric(x, at, -16, out, to);
            case Q4_1 -> affine(x, at, 15, out, to);
            case Q5_1 -> affine(x, at, 31, out, to);
            case IQ4_NL -> unequal(x, at, out, to);
            case Q4_K -> sixes(x, at, 15, out, to);
            case Q5_K -> sixes(x, at, 31, out, to);
            case Q6_K -> sixBits(x, at, out, to);
            case Q3_K -> threeBits(x, at, out, to);
            case Q2_K -> twoBits(x, at, out, to);
            default -> throw new IllegalArgumentException("expected a layout of blocks, got " + layout);
        }
    }

    // ---- blocks of 32 ----

    private void eights(float[] x, int at, byte[] out, int to) {
        float d = half(Math.abs(peak(x, at, 32)) / 127);
        round(x, at, 32, d, 0, -127, 127);
        putHalf(out, to, d);
        for (int j = 0; j < 32; j++) {
            out[to + 2 + j] = (byte) q[j];
        }
    }

    private void symmetric(float[] x, int at, int low, byte[] out, int to) {
        float d = half(fit(x, at, 32, low));
        round(x, at, 32, d, 0, low, -low - 1);
        for (int j = 0; j < 32; j++) {
            q[j] -= low;
        }
        putHalf(out, to, d);
        putNibbles(out, low == -16 ? putFifths(out, to + 2) : to + 2);
    }

    private void affine(float[] x, int at, int high, byte[] out, int to) {
        float least = x[at];
        float most = x[at];
        for (int j = at; j < at + 32; j++) {
            least = Math.min(least, x[j]);
            most = Math.max(most, x[j]);
        }
        float d = half((most - least) / high);
        float m = half(least);
        round(x, at, 32, d, -m, 0, high);
        putHalf(out, to, d);
        putHalf(out, to + 2, m);
        putNibbles(out, high == 31 ? putFifths(out, to + 4) : to + 4);
    }

    private void unequal(float[] x, int at, byte[] out, int to) {
        float peak = peak(x, at, 32);
        float best = 0;
        float d = 0;
        for (int t = 0; t < TRIES && peak != 0; t++) {
            float inverse = (IQ4_VALUES[0] + 2 * (t - TRIES / 2)) / peak;
            float product = 0;
            float square = 0;
            for (int j = at; j < at + 32; j++) {
                float value = IQ4_VALUES[nearest(x[j] * inverse)];
                float weight = x[j] * x[j];
                product += weight * value * x[j];
                square += weight * value * value;
            }
            if (square > 0 && product * product > best * square) {
                best = product * product / square;
                d = product / square;
            }
        }
        d = half(d);
        for (int j = 0; j < 32; j++) {
            q[j] = d == 0 ? 0 : nearest(x[at + j] / d);
        }
        putHalf(out, to, d);
        putNibbles(out, to + 2);
    }

    private static int nearest(float x) {
        int at = 0;
        while (at < 15 && x > (IQ4_VALUES[at] + IQ4_VALUES[at + 1]) / 2f) {
            at++;
        }
        return at;
    }

    // ---- blocks of 256 ----

    /** Eight parts with scales and minima of six bits. */
    private void sixes(float[] x, int at, int high, byte[] out, int to) {
        fitParts(x, at, 32, high);
        float d = half(most(scales, 8) / 63);
        float m = half(most(minima, 8) / 63);
        int nibbles = to + (high == 31 ? 48 : 16);
        putHalf(out, to, d);
        putHalf(out, to + 2, m);
        for (int i = 0; i < 8; i++) {
            int s = inUnits(scales[i], d, 0, 63);
            int t = inUnits(minima[i], m, 0, 63);
            int six = to + 4 + i;
            if (i < 4) {
                out[six] |= (byte) s;
                out[six + 4] |= (byte) t;
            } else {
                out[six + 4] = (byte) (s & 15 | (t & 15) << 4);
                out[six - 4] |= (byte) (s >> 4 << 6);
                out[six] |= (byte) (t >> 4 << 6);
            }
            round(x, at + i * 32, 32, d * s, m * t, 0, high);
            for (int j = 0; j < 32; j++) {
                out[nibbles + i / 2 * 32 + j] |= (byte) ((q[j] & 15) << i % 2 * 4);
                if (high == 31) {
                    out[to + 16 + j] |= (byte) (q[j] >> 4 << i);
                }
            }
        }
    }

    private void sixBits(float[] x, int at, byte[] out, int to) {
        float d = fitScales(x, at, -32, -128);
        putHalf(out, to + 208, d);
        for (int i = 0; i < 16; i++) {
            int s = inUnits(scales[i], d, -128, 127);
            int part = i / 2;
            out[to + 192 + i] = (byte) s;
            round(x, at + i * 16, 16, d * s, 0, -32, 31);
            for (int j = 0; j < 16; j++) {
                int u = q[j] + 32;
                int place = i % 2 * 16 + j;
                out[to + part / 4 * 64 + part % 2 * 32 + place] |= (byte) ((u & 15) << part % 4 / 2 * 4);
                out[to + 128 + part / 4 * 32 + place] |= (byte) (u >> 4 << part % 4 * 2);
            }
        }
    }

    private void threeBits(float[] x, int at, byte[] out, int to) {
        float d = fitScales(x, at, -4, -32);
        putHalf(out, to + 108, d);
        for (int i = 0; i < 16; i++) {
            int s = inUnits(scales[i], d, -32, 31);
            int part = i / 2;
            out[to + 96 + i % 8] |= (byte) ((s + 32 & 15) << i / 8 * 4);
            out[to + 104 + i % 4] |= (byte) (s + 32 >> 4 << i / 4 * 2);
            round(x, at + i * 16, 16, d * s, 0, -4, 3);
            for (int j = 0; j < 16; j++) {
                int u = q[j] + 4;
                int place = i % 2 * 16 + j;
                out[to + 32 + part / 4 * 32 + place] |= (byte) ((u & 3) << part % 4 * 2);
                out[to + place] |= (byte) (u >> 2 << part);
            }
        }
    }

    private void twoBits(float[] x, int at, byte[] out, int to) {
        fitParts(x, at, 16, 3);
        float d = half(most(scales, 16) / 15);
        float m = half(most(minima, 16) / 15);
        putHalf(out, to + 80, d);
        putHalf(out, to + 82, m);
        for (int i = 0; i < 16; i++) {
            int s = inUnits(scales[i], d, 0, 15);
            int t = inUnits(minima[i], m, 0, 15);
            int part = i / 2;
            out[to + i] = (byte) (s | t << 4);
            round(x, at + i * 16, 16, d * s, m * t, 0, 3);
            for (int j = 0; j < 16; j++) {
                out[to + 16 + part / 4 * 32 + i % 2 * 16 + j] |= (byte) (q[j] << part % 4 * 2);
            }
        }
    }

    private void fitParts(float[] x, int at, int part, int high) {
        for (int i = 0; i < 256 / part; i++) {
            fitAffine(x, at + i * part, part, high);
            scales[i] = scale;
            minima[i] = minimum;
        }
    }

    /** The scales of 16 parts; the result is what they are multiples of, from {@code low} on. */
    private float fitScales(float[] x, int at, int least, int low) {
        for (int i = 0; i < 16; i++) {
            scales[i] = fit(x, at + i * 16, 16, least);
        }
        return half(peak(scales, 0, 16) / low);
    }

    /** The scale for integers from {@code low} to −{@code low} − 1; the value of the largest magnitude goes to {@code low}. */
    private static float fit(float[] x, int at, int n, int low) {
        float peak = peak(x, at, n);
        if (peak == 0) {
            return 0;
        }
        float best = 0;
        float kept = peak / low;
        for (int t = 0; t < TRIES; t++) {
            float inverse = (low + 0.15f * (t - TRIES / 2)) / peak;
            float product = 0;
            float square = 0;
            for (int i = at; i < at + n; i++) {
                float value = Math.round(Math.clamp(x[i] * inverse, (float) low, -low - 1f));
                float weighted = x[i] * x[i] * value;
                product += weighted * x[i];
                square += weighted * value;
            }
            if (square > 0 && product * product > best * square) {
                best = product * product / square;
                kept = product / square;
            }
        }
        return kept;
    }

    /** The scale d and the minimum m ≥ 0 for integers from 0 to {@code high}: x is near d q − m. */
    private void fitAffine(float[] x, int at, int n, int high) {
        float low = 0;
        float most = x[at];
        double squares = 0;
        for (int i = at; i < at + n; i++) {
            low = Math.min(low, x[i]);
            most = Math.max(most, x[i]);
            squares += x[i] * x[i];
        }
        float range = most - low;
        scale = range > 0 ? range / high : 0;
        minimum = -low;
        double mean = Math.sqrt(squares / n);
        double least = Double.POSITIVE_INFINITY;
        for (int t = 0; t < TRIES && range > 0; t++) {
            float inverse = (high + 0.25f * (t - TRIES / 2)) / range;
            double ws = 0;
            double xs = 0;
            double qs = 0;
            double xqs = 0;
            double qqs = 0;
            double xxs = 0;
            for (int i = at; i < at + n; i++) {
                double v = x[i];
                double k = Math.round(Math.clamp((x[i] - low) * inverse, 0f, (float) high));
                double w = Math.abs(v) + mean;
                ws += w;
                xs += w * v;
                qs += w * k;
                xqs += w * v * k;
                qqs += w * k * k;
                xxs += w * v * v;
            }
            double divisor = ws * qqs - qs * qs;
            if (!(divisor > 0)) {
                continue;
            }
            double slope = (ws * xqs - xs * qs) / divisor;
            double atZero = (qqs * xs - qs * xqs) / divisor;
            if (atZero > 0) {
                atZero = 0;
                slope = xqs / qqs;
            }
            double error = xxs + slope * slope * qqs + atZero * atZero * ws + 2 * (slope * atZero * qs - slope * xqs - atZero * xs);
            if (error < least && slope > 0) {
                least = error;
                scale = (float) slope;
                minimum = (float) -atZero;
            }
        }
    }

    // ---- numbers ----

    /** q = (x + m) / d rounded, within bounds. */
    private void round(float[] x, int at, int n, float d, float m, int low, int high) {
        float inverse = d == 0 ? 0 : 1 / d;
        for (int i = 0; i < n; i++) {
            q[i] = Math.round(Math.clamp((x[at + i] + m) * inverse, (float) low, (float) high));
        }
    }

    private static int inUnits(float x, float unit, int low, int high) {
        return unit == 0 ? 0 : Math.round(Math.clamp(x / unit, (float) low, (float) high));
    }

    /** The value of the largest magnitude. */
    private static float peak(float[] x, int at, int n) {
        float low = x[at];
        float high = x[at];
        for (int i = at; i < at + n; i++) {
            low = Math.min(low, x[i]);
            high = Math.max(high, x[i]);
        }
        return high > -low ? high : low;
    }

    private static float most(float[] x, int n) {
        float most = 0;
        for (int i = 0; i < n; i++) {
            most = Math.max(most, x[i]);
        }
        return most;
    }

    private static float half(float x) {
        float rounded = Float.float16ToFloat(Float.floatToFloat16(x));
        return Float.isInfinite(rounded) ? Math.copySign(65504, x) : rounded;
    }

    private static void putHalf(byte[] out, int to, float x) {
        short half = Float.floatToFloat16(x);
        out[to] = (byte) half;
        out[to + 1] = (byte) (half >> 8);
    }

    private void putNibbles(byte[] out, int to) {
        for (int j = 0; j < 16; j++) {
            out[to + j] = (byte) (q[j] & 15 | (q[j + 16] & 15) << 4);
        }
    }

    /** The fifth bits; the result is the place behind them. */
    private int putFifths(byte[] out, int to) {
        int bits = 0;
        for (int j = 0; j < 32; j++) {
            bits |= (q[j] >> 4 & 1) << j;
        }
        for (int i = 0; i < 4; i++) {
            out[to + i] = (byte) (bits >> 8 * i);
        }
        return to + 4;
    }
}
