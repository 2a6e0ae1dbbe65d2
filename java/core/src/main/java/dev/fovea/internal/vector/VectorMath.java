package dev.fovea.internal.vector;

import dev.fovea.internal.java.FloatTile;
import dev.fovea.internal.java.ScalarTile;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** exp, tanh and the two GELUs on vectors, by the approximations that {@link ScalarTile} names. */
final class VectorMath {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

    /** 1.5 · 2²³: a float added to it is rounded to an integer, which then stands in the sum's low bits. */
    private static final float ROUNDER = 12582912f;

    // exp has its constants as vectors: those that it would make itself, C2 leaves on the heap, for each vector anew.
    private static final FloatVector ROUNDERS = all(ROUNDER);
    private static final FloatVector LOG2_E = all(1.44269504f);
    private static final FloatVector MINUS_LN2_HIGH = all(-0.693359375f);
    private static final FloatVector MINUS_LN2_LOW = all(2.12194440e-4f);
    private static final FloatVector EXP_7 = all(1.9875691500e-4f);
    private static final FloatVector EXP_6 = all(1.3981999507e-3f);
    private static final FloatVector EXP_5 = all(8.3334519073e-3f);
    private static final FloatVector EXP_4 = all(4.1665795894e-2f);
    private static final FloatVector EXP_3 = all(1.6666665459e-1f);
    private static final FloatVector EXP_2 = all(5.0000001201e-1f);

    private static final int EXPONENT_BIAS = 127;
    private static final int EXPONENT_SHIFT = 23;
    private static final float SQRT_HALF = 0.70710678f;
    private static final float SQRT_2_OVER_PI = 0.79788456f;
    private static final float TANH_BOUND = 7.90531110763549805f;
    private static final float TANH_SATURATED = 10f;
    private static final float TANH_SMALL = 0.625f;

    private VectorMath() {}

    /** See {@link FloatTile#exp}. */
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = clamp(x, 88f);
        FloatVector shifted = clamped.fma(LOG2_E, ROUNDERS);
        FloatVector power = shifted.sub(ROUNDER);
        FloatVector r = power.fma(MINUS_LN2_HIGH, clamped);
        r = power.fma(MINUS_LN2_LOW, r);
        FloatVector p = EXP_7.fma(r, EXP_6);
        p = p.fma(r, EXP_5);
        p = p.fma(r, EXP_4);
        p = p.fma(r, EXP_3);
        p = p.fma(r, EXP_2);
        p = p.fma(r.mul(r), r).add(1f);
        // What else stands in the bits of the rounder, the shift drops.
        FloatVector factor = shifted.reinterpretAsInts().add(EXPONENT_BIAS)
                .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
        return p.mul(factor);
    }

    /** See {@link FloatTile#geluErf}. */
    static FloatVector geluErf(FloatVector x) {
        FloatVector t = clamp(x.mul(SQRT_HALF), 4f);
        FloatVector u = t.mul(t);
        FloatVector p = all(-2.72614225801306e-10f);
        p = p.fma(u, all(2.77068142495902e-08f));
        p = p.fma(u, all(-2.10102402082508e-06f));
        p = p.fma(u, all(-5.69250639462346e-05f));
        p = p.fma(u, all(-7.34990630326855e-04f));
        p = p.fma(u, all(-2.95459980854025e-03f));
        p = p.fma(u, all(-1.60960333262415e-02f));
        FloatVector q = all(-1.45660718464996e-05f);
        q = q.fma(u, all(-2.13374055278905e-04f));
        q = q.fma(u, all(-1.68282697438203e-03f));
        q = q.fma(u, all(-7.37332916720468e-03f));
        q = q.fma(u, all(-1.42647390514189e-02f));
        return x.mul(0.5f).mul(t.mul(p).div(q).add(1f));
    }

    /** See {@link FloatTile#geluTanh}. */
    static FloatVector geluTanh(FloatVector x) {
        FloatVector cube = x.mul(x).mul(x);
        FloatVector t = clamp(cube.fma(all(0.044715f), x).mul(SQRT_2_OVER_PI), TANH_BOUND);
        FloatVector u = t.mul(t);
        FloatVector p = all(-2.76076847742355e-16f);
        p = p.fma(u, all(2.00018790482477e-13f));
        p = p.fma(u, all(-8.60467152213735e-11f));
        p = p.fma(u, all(5.12229709037114e-08f));
        p = p.fma(u, all(1.48572235717979e-05f));
        p = p.fma(u, all(6.37261928875436e-04f));
        p = p.fma(u, all(4.89352455891786e-03f));
        FloatVector q = all(1.19825839466702e-06f);
        q = q.fma(u, all(1.18534705686654e-04f));
        q = q.fma(u, all(2.26843463243900e-03f));
        q = q.fma(u, all(4.89352518554385e-03f));
        return x.mul(0.5f).mul(t.mul(p).div(q).add(1f));
    }

    /** tanh as {@link FloatTile#softcap} has it. */
    static FloatVector tanh(FloatVector x) {
        FloatVector t = clamp(x, TANH_SATURATED);
        FloatVector size = t.abs();
        FloatVector u = t.mul(t);
        FloatVector p = all(-5.70498872745e-3f);
        p = p.fma(u, all(2.06390887954e-2f));
        p = p.fma(u, all(-5.37397155531e-2f));
        p = p.fma(u, all(1.33314422036e-1f));
        p = p.fma(u, all(-3.33332819422e-1f));
        FloatVector near = p.mul(u).fma(t, t);
        FloatVector far = all(1f).sub(all(2f).div(exp(size.add(size)).add(1f)));
        FloatVector signed = far.lanewise(VectorOperators.NEG, t.lt(0f));
        return signed.blend(near, size.lt(TANH_SMALL));
    }

    private static FloatVector clamp(FloatVector x, float bound) {
        return x.min(bound).max(-bound);
    }

    private static FloatVector all(float value) {
        return FloatVector.broadcast(SPECIES, value);
    }
}
