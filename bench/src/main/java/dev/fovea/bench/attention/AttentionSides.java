package dev.fovea.bench.attention;

import dev.fovea.Backend;
import dev.fovea.tensor.DType;
import java.util.List;
import java.util.Map;

/** The sides by name, from the plainest on, and how fast each may be expected to be. */
final class AttentionSides {
    static final String SCALAR_NAIVE = "Java scalar naive";
    static final String SCALAR_TILED = "Java scalar tiled";
    static final String VECTOR_TILED = "Java Vector API tiled";
    static final String C_NAIVE = "C naive";
    static final String UNFUSED = "OpenBLAS unfused";
    static final String FUSED = "Fovea fused";
    static final String PYTORCH = "PyTorch SDPA";

    static final List<String> ALL =
            List.of(SCALAR_NAIVE, SCALAR_TILED, VECTOR_TILED, C_NAIVE, UNFUSED, FUSED, PYTORCH);

    /** GFLOP/s of one thread, roughly. What is not here is timed whatever it takes. */
    private static final Map<String, Double> EXPECTED_GFLOPS =
            Map.of(SCALAR_NAIVE, 4.0, SCALAR_TILED, 15.0, VECTOR_TILED, 60.0, C_NAIVE, 8.0, UNFUSED, 60.0);

    static final double FASTEST_GFLOPS = 100;

    /** A slow side is left out where a call is expected to take longer. */
    static final double LONGEST_SECONDS = 0.25;

    private AttentionSides() {}

    /** The sides that are timed on this work: a side is left out where its calls would be too long. */
    static List<String> on(AttentionWork work) {
        return ALL.stream()
                .filter(side -> !EXPECTED_GFLOPS.containsKey(side) || expectedSeconds(side, work) <= LONGEST_SECONDS)
                .toList();
    }

    /** How long a call may be expected to take. */
    static double expectedSeconds(String side, AttentionWork work) {
        return work.flops() / EXPECTED_GFLOPS.getOrDefault(side, FASTEST_GFLOPS) / 1e9;
    }

    /**
     * Makes a side.
     *
     * @throws LinkageError if a library that it needs is not there
     * @throws UnsupportedOperationException if there is no GPU for it
     */
    static AttentionSide open(String side, AttentionWork work, AttentionInputs inputs) {
        return switch (side) {
            case SCALAR_NAIVE -> HeadwiseSide.scalarNaive(work, inputs);
            case SCALAR_TILED -> HeadwiseSide.scalarTiled(work, inputs);
            case VECTOR_TILED -> HeadwiseSide.vectorTiled(work, inputs);
            case C_NAIVE -> new NaiveCSide(work, inputs);
            case UNFUSED -> new UnfusedSide(work, inputs);
            case FUSED -> new FusedSide(work, inputs, Backend.NATIVE, DType.F32);
            case GpuAttention.F32, GpuAttention.BF16, GpuAttention.F16 ->
                    new FusedSide(work, inputs, Backend.CUDA, GpuAttention.dtype(side));
            case PYTORCH -> new TorchSide(work, inputs);
            default -> throw new IllegalArgumentException("expected a side of " + ALL + ", got " + side);
        };
    }
}
