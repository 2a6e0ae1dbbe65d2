package dev.fovea.bench.linear;

import dev.fovea.bench.encode.Artifact;
import dev.fovea.bench.study.Verdict;
import dev.fovea.tensor.DType;

/** One way to compute a layer: made for one {@link LinearWork}, its weight prepared once. */
interface LinearSide extends AutoCloseable {
    String OPENBLAS = "OpenBLAS";
    String PACKED = "Fovea packed";
    String PACKED_BF16 = "Fovea packed bf16";
    String PACKED_INT8 = "Fovea packed int8";
    String VECTOR = "Java Vector API";

    /** Computes all rows. This is what is timed. */
    void multiply();

    /** The result of the last call, [rows, outputs]. */
    float[] result();

    /** How it runs, for people. */
    String setting();

    /** The version of what computes, for people. */
    default String version() {
        return Artifact.fovea();
    }

    @Override
    default void close() {}

    /**
     * Makes a side.
     *
     * @param x [rows, inputs]
     * @param weight [outputs, inputs]
     */
    static LinearSide open(String side, LinearWork work, float[] x, float[] weight) {
        return switch (side) {
            case OPENBLAS -> new BlasSide(work, x, weight);
            case PACKED -> new PackedSide(work, x, weight, DType.F32);
            case PACKED_BF16 -> new PackedSide(work, x, weight, DType.BF16);
            case PACKED_INT8 -> new PackedSide(work, x, weight, DType.I8);
            case VECTOR -> new VectorSide(work, x, weight);
            default -> throw new IllegalArgumentException("unknown side " + side);
        };
    }

    /**
     * Compares the result of a side with its reference.
     *
     * @throws Verdict.NotTimed if an element is off by more than sums in single precision may be, or, where the side
     *     rounds its weight, a row points elsewhere
     */
    static void check(String side, LinearWork work, float[] reference, float[] result) {
        switch (side) {
            case PACKED_BF16 -> Verdict.agreeByCosine(reference, result, work.outputs(), 0.99999);
            case PACKED_INT8 -> Verdict.agreeByCosine(reference, result, work.outputs(), 0.9999);
            default -> Verdict.agree(reference, result, LinearReference.TOLERANCE);
        }
    }
}
