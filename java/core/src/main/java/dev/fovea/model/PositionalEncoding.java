package dev.fovea.model;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/**
 * What is added to the embedding at a position, where nothing is learned: a sine and a cosine for each of d_model / 2
 * wavelengths, from 2π to 10 000 · 2π. Vaswani et al., arXiv:1706.03762, section 3.5.
 */
public final class PositionalEncoding {
    private static final double LONGEST = 10_000;

    private PositionalEncoding() {}

    /**
     * {@code PE(p, 2i) = sin(p / 10000^(2i / d_model))} and {@code PE(p, 2i + 1)} its cosine.
     *
     * @param arena takes it
     * @return F32 [positions, d_model]
     */
    public static Tensor sinusoidal(Arena arena, int positions, int dModel) {
        Tensor table = Tensor.allocate(arena, DType.F32, Shape.of(positions, dModel));
        for (int p = 0; p < positions; p++) {
            for (int c = 0; c < dModel; c++) {
                double angle = p / Math.pow(LONGEST, (double) (c - c % 2) / dModel);
                double value = c % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
                table.segment().setAtIndex(ValueLayout.JAVA_FLOAT, (long) p * dModel + c, (float) value);
            }
        }
        return table;
    }
}
