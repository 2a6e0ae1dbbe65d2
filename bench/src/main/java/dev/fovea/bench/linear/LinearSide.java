package dev.fovea.bench.linear;

/** One way to compute a layer: made for one {@link LinearWork}, its weight prepared once. */
interface LinearSide extends AutoCloseable {
    String OPENBLAS = "OpenBLAS";
    String PACKED = "Fovea packed";
    String VECTOR = "Java Vector API";

    /** Computes all rows. This is what is timed. */
    void multiply();

    /** The result of the last call, [rows, outputs]. */
    float[] result();

    /** How it runs, for people. */
    String setting();

    /** The version of what computes, for people; empty for what is built here. */
    default String version() {
        return "";
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
            case PACKED -> new PackedSide(work, x, weight);
            case VECTOR -> new VectorSide(work, x, weight);
            default -> throw new IllegalArgumentException("unknown side " + side);
        };
    }
}
