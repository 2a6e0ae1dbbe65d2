package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.graph.Activation;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * The elementwise ops that no other kernel has taken in as its epilogue, in plain Java for every CPU backend.
 *
 * <p>Tensors are {@code F32 [≥ rows, width]} with contiguous rows; {@code out} may be an input. An instance
 * serves one thread at a time. No method but the constructor allocates.
 */
public final class Elementwise {
    private static final double SMALLEST_NORM = 1e-12;

    private final int width;
    private final ScalarTile math;
    private final float[] first;
    private final float[] second;

    /** For rows of this width. */
    public Elementwise(int width) {
        this.width = width;
        this.math = new ScalarTile(width);
        this.first = new float[width];
        this.second = new float[width];
    }

    /** {@code out = a + b}. */
    public void add(int rows, Tensor a, Tensor b, Tensor out) {
        for (int r = 0; r < rows; r++) {
            load(a, r, first);
            load(b, r, second);
            math.add(second, first, width);
            store(out, r);
        }
    }

    /** {@code out = a ⊙ b}. */
    public void multiply(int rows, Tensor a, Tensor b, Tensor out) {
        for (int r = 0; r < rows; r++) {
            load(a, r, first);
            load(b, r, second);
            math.multiply(second, first, width);
            store(out, r);
        }
    }

    /** {@code out = activation(x)}. */
    public void activate(int rows, Tensor x, Activation activation, Tensor out) {
        for (int r = 0; r < rows; r++) {
            load(x, r, first);
            switch (activation) {
                case NONE -> { }
                case GELU_ERF -> math.geluErf(first, width);
                case GELU_TANH -> math.geluTanh(first, width);
                case RELU -> math.relu(first, width);
                case SILU -> math.silu(first, width);
            }
            store(out, r);
        }
    }

    /** {@code out = x / max(‖x‖₂, 1e-12)} for each row. */
    public void normalize(int rows, Tensor x, Tensor out) {
        for (int r = 0; r < rows; r++) {
            load(x, r, first);
            double squares = 0;
            for (int i = 0; i < width; i++) {
                squares += (double) first[i] * first[i];
            }
            double norm = Math.max(Math.sqrt(squares), SMALLEST_NORM);
            for (int i = 0; i < width; i++) {
                first[i] = (float) (first[i] / norm);
            }
            store(out, r);
        }
    }

    private void load(Tensor tensor, int row, float[] values) {
        long start = row * tensor.stride(0) * Float.BYTES;
        MemorySegment.copy(tensor.segment(), JAVA_FLOAT, start, values, 0, width);
    }

    private void store(Tensor tensor, int row) {
        long start = row * tensor.stride(0) * Float.BYTES;
        MemorySegment.copy(first, 0, tensor.segment(), JAVA_FLOAT, start, width);
    }
}
