package dev.fovea.graph;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Constants with normally distributed elements, laid out in every way that a weights file may choose. */
record RandomWeights(Arena arena, Random random) {
    /** [outputs, inputs], scaled so that a linear layer keeps the size of its input. */
    Tensor matrix(int outputs, int inputs) {
        float scale = (float) (1 / Math.sqrt(inputs));
        return switch (random.nextInt(4)) {
            case 0 -> fill(Tensor.allocate(arena, DType.F32, Shape.of(inputs, outputs)), scale).transpose(0, 1);
            case 1 -> fill(unaligned(outputs, inputs), scale);
            case 2 -> fill(Tensor.of(arena.allocate((outputs * (inputs + 3L)) * Float.BYTES, 64), DType.F32,
                    Shape.of(outputs, inputs), inputs + 3, 1), scale);
            default -> fill(Tensor.allocate(arena, DType.F32, Shape.of(outputs, inputs)), scale);
        };
    }

    /** [size], around 0. */
    Tensor vector(int size) {
        return fill(random.nextBoolean() ? Tensor.allocate(arena, DType.F32, Shape.of(size)) : unaligned(size), 0.1f);
    }

    /** [size], around 1. */
    Tensor gamma(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = 1 + 0.1f * (float) random.nextGaussian();
        }
        return Tensor.copyOf(arena, values, size);
    }

    /** One byte past alignment, as in a file whose tensors follow a header of any length. */
    private Tensor unaligned(long... sizes) {
        Shape shape = Shape.of(sizes);
        long bytes = shape.elements() * Float.BYTES;
        return Tensor.of(arena.allocate(bytes + 1, 64).asSlice(1, bytes), DType.F32, shape);
    }

    private Tensor fill(Tensor tensor, float scale) {
        MemorySegment segment = tensor.segment();
        for (long at = 0; at + Float.BYTES <= segment.byteSize(); at += Float.BYTES) {
            segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, scale * (float) random.nextGaussian());
        }
        return tensor;
    }
}
