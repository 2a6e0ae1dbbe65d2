package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/**
 * The eight bits of packed weights and of the rows that they multiply, as {@code fovea.h} defines them:
 * {@code q = round(x · 127 / peak)} with {@code peak = max(|x|, 2⁻¹⁰⁰)}, near {@code x / scale}.
 */
final class EightBits {
    private static final float MOST = 127f;
    private static final float SMALLEST_PEAK = 0x1p-100f;

    /** 1.5 · 2²³: a float beside it has no fraction left. */
    private static final float ROUNDER = 12582912f;

    private EightBits() {}

    /** The largest of {@code count} magnitudes from element {@code at} on; NaN if one is NaN. */
    static float peak(MemorySegment values, long at, int count) {
        float peak = SMALLEST_PEAK;
        for (int i = 0; i < count; i++) {
            peak = Math.max(peak, Math.abs(values.getAtIndex(JAVA_FLOAT, at + i)));
        }
        return peak;
    }

    /** The largest of the first {@code count} magnitudes; NaN if one is NaN. */
    static float peak(float[] values, int count) {
        float peak = SMALLEST_PEAK;
        for (int i = 0; i < count; i++) {
            peak = Math.max(peak, Math.abs(values[i]));
        }
        return peak;
    }

    /** What an integer counts; NaN where a value is not finite, so that all that comes of it is NaN. */
    static float scale(float peak) {
        return Float.isInfinite(peak) ? Float.NaN : peak / MOST;
    }

    /** What values are multiplied by before they are rounded. */
    static float factor(float peak) {
        return MOST / peak;
    }

    /** Rounds {@code count} values from {@code at} on in place, to the nearest multiples of the scale that they share. */
    static void round(float[] values, int at, int count) {
        float peak = SMALLEST_PEAK;
        for (int i = at; i < at + count; i++) {
            peak = Math.max(peak, Math.abs(values[i]));
        }
        float factor = factor(peak);
        float scale = scale(peak);
        for (int i = at; i < at + count; i++) {
            values[i] = round(values[i] * factor) * scale;
        }
    }

    /** To the nearest integer, ties to even, for magnitudes below 2²². */
    static float round(float value) {
        return value + ROUNDER - ROUNDER;
    }
}
