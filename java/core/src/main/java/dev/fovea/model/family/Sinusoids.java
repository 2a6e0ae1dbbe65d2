package dev.fovea.model.family;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;

/** A sine and a cosine for each of width / 2 wavelengths: Vaswani et al., arXiv:1706.03762, section 3.5. */
public final class Sinusoids {
    private static final double LONGEST = 10_000;

    private Sinusoids() {}

    /** {@code PE(p, 2i) = sin(p / 10000^(2i / width))} and {@code PE(p, 2i + 1)} its cosine, F32 [positions, width]. */
    public static Tensor table(Arena arena, int positions, int width) {
        Tensor table = Tensor.allocate(arena, DType.F32, Shape.of(positions, width));
        for (int p = 0; p < positions; p++) {
            for (int c = 0; c < width; c++) {
                double angle = p / Math.pow(LONGEST, (double) (c - c % 2) / width);
                double value = c % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
                table.segment().setAtIndex(ValueLayout.JAVA_FLOAT, (long) p * width + c, (float) value);
            }
        }
        return table;
    }
}
