package dev.fovea.model.family;

import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/** The factors of norms, as ops take them. */
final class NormWeights {
    private NormWeights() {}

    /** Those that are stored, or that these are the distance of from 1, times a factor. */
    static Weight of(Weight stored, boolean fromOne, float factor) {
        if (!fromOne && factor == 1) {
            return stored;
        }
        Tensor gamma = stored.toF32(Arena.ofAuto());
        for (long i = 0; i < gamma.size(0); i++) {
            float value = gamma.getFloat(i) + (fromOne ? 1 : 0);
            gamma.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, value * factor);
        }
        return Weight.of(gamma);
    }
}
