package dev.fovea.model;

import dev.fovea.model.family.Sinusoids;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;

/**
 * What is added to the embedding at a position, where nothing is learned: a sine and a cosine for each of d_model / 2
 * wavelengths, from 2π to 10 000 · 2π. Vaswani et al., arXiv:1706.03762, section 3.5.
 */
public final class PositionalEncoding {
    private PositionalEncoding() {}

    /**
     * {@code PE(p, 2i) = sin(p / 10000^(2i / d_model))} and {@code PE(p, 2i + 1)} its cosine.
     *
     * @param arena takes it
     * @return F32 [positions, d_model]
     */
    public static Tensor sinusoidal(Arena arena, int positions, int dModel) {
        return Sinusoids.table(arena, positions, dModel);
    }
}
