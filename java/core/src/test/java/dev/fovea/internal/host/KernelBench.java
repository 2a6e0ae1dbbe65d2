package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** An engine, its kernels, and random tensors, for one test. */
final class KernelBench implements AutoCloseable {
    /** Ragged: an empty sequence, one token, sizes around vectors and tiles. */
    static final int[] OFFSETS = {0, 0, 1, 8, 25, 58, 187};

    static final int SEQUENCES = OFFSETS.length - 1;
    static final int TOKENS = OFFSETS[SEQUENCES];

    final Engine engine;
    final Arena arena = Arena.ofShared();
    final Kernels kernels;
    private final Random random = new Random(42);

    KernelBench(TestEngine options) {
        engine = options.create();
        kernels = TestKernels.of(engine, arena);
    }

    /** Values in (−1, 1). */
    Tensor random(long... sizes) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(sizes));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() * 2 - 1);
        }
        return tensor;
    }

    Tensor zeros(long... sizes) {
        return Tensor.allocate(arena, DType.F32, Shape.of(sizes));
    }

    Tensor offsets() {
        return Tensor.copyOf(arena, OFFSETS);
    }

    @Override
    public void close() {
        arena.close();
        engine.close();
    }

    static void assertClose(double expected, double actual, double tolerance, String what) {
        assertTrue(Math.abs(expected - actual) <= tolerance, () -> what + ": expected " + expected + ", got " + actual);
    }
}
