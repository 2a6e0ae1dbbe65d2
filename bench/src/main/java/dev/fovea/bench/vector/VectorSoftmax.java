package dev.fovea.bench.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The steps of an online softmax on parts of heap arrays whose length is a multiple of the vector's. */
public final class VectorSoftmax {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();
    private static final float LOWEST = -87f;
    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /** 1.5 · 2²³: adding it puts the nearest integer into the low bits. */
    private static final float SHIFT = 12582912f;

    private static final int EXPONENT_SHIFT = 23;

    private VectorSoftmax() {}

    /** The largest of {@code x[from … from + length)} and {@code start}. */
    public static float max(float[] x, int from, int length, float start) {
        FloatVector max = FloatVector.broadcast(SPECIES, start);
        for (int i = from; i < from + length; i += LANES) {
            max = max.max(FloatVector.fromArray(SPECIES, x, i));
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** {@code x = e^(x − peak)}, about 1e-38 where that is less than −87; gives the sum. */
    public static float exponentials(float[] x, int from, int length, float peak) {
        FloatVector sum = FloatVector.zero(SPECIES);
        for (int i = from; i < from + length; i += LANES) {
            FloatVector weight = exp(FloatVector.fromArray(SPECIES, x, i).sub(peak).max(LOWEST));
            weight.intoArray(x, i);
            sum = sum.add(weight);
        }
        return sum.reduceLanes(VectorOperators.ADD);
    }

    /** {@code x *= factor}. */
    public static void scale(float[] x, int from, int length, float factor) {
        for (int i = from; i < from + length; i += LANES) {
            FloatVector.fromArray(SPECIES, x, i).mul(factor).intoArray(x, i);
        }
    }

    /** The polynomial of Cephes' {@code expf}, on [−87, 0]. */
    private static FloatVector exp(FloatVector x) {
        FloatVector shifted = x.fma(FloatVector.broadcast(SPECIES, LOG2_E), FloatVector.broadcast(SPECIES, SHIFT));
        FloatVector power = shifted.sub(SHIFT);
        FloatVector r = power.fma(FloatVector.broadcast(SPECIES, -LN2_HIGH), x);
        r = power.fma(FloatVector.broadcast(SPECIES, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(SPECIES, 1.9875691500e-4f);
        p = p.fma(r, FloatVector.broadcast(SPECIES, 1.3981999507e-3f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 8.3334519073e-3f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 4.1665795894e-2f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 1.6666665459e-1f));
        p = p.fma(r, FloatVector.broadcast(SPECIES, 5.0000001201e-1f));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_SHIFT);
        return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    }
}
