package dev.fovea.bench.attention;

import dev.fovea.bench.natives.ArithmeticJob;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.Table;
import dev.fovea.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Attention on a GPU beside the C core: the part of the suite {@code gpu} that is not of a whole model. */
public final class GpuAttention {
    static final String BF16 = "Fovea CUDA bf16";
    static final String F16 = "Fovea CUDA fp16";
    static final String F32 = "Fovea CUDA fp32";

    private static final List<String> SIDES = List.of(BF16, F16, F32, AttentionSides.FUSED);
    private static final List<String> ROWS = List.of(AttentionWork.TOKENS, AttentionWork.HEAD_DIM,
            AttentionWork.HEADS, AttentionWork.MASK);

    /** The CPU is left out of what takes longer. */
    private static final double LONGEST_ON_CPU = 2;

    private GpuAttention() {}

    /**
     * A piece of work and the sides that are timed on it.
     *
     * @param name of its job
     * @param parameters of {@link AttentionBenchmark}
     * @param flops of a call, a multiply-add counting two
     */
    public record Work(String name, Map<String, String> parameters, double flops, List<String> sides) {
        private static Work of(AttentionWork work) {
            double secondsOnCpu = work.flops() / 1e9 / AttentionSides.FASTEST_GFLOPS;
            return new Work("attention-" + work.name(), work.parameters(), work.flops(),
                    secondsOnCpu <= LONGEST_ON_CPU ? SIDES : SIDES.subList(0, SIDES.size() - 1));
        }

        /** The job. */
        public JmhJob job(JmhJob.Timing timing) {
            return new JmhJob(name, AttentionBenchmark.class, sides, parameters, timing)
                    .deriving(ArithmeticJob.GFLOPS.key(), (_, micros) -> flops / micros / 1e3);
        }
    }

    /** What is timed. */
    public static List<Work> works(Effort effort) {
        List<AttentionWork> works = new ArrayList<>();
        switch (effort) {
            case SMOKE -> works.add(work(40, 32, 2, true));
            case QUICK -> {
                works.add(work(512, 64, 12, false));
                works.add(work(2048, 128, 16, true));
            }
            case FULL -> {
                for (int n : new int[] {128, 512, 2048}) {
                    works.add(work(n, 64, 12, false));
                }
                for (int n : new int[] {512, 2048, 8192, 16_384}) {
                    works.add(work(n, 128, 16, false));
                    works.add(work(n, 128, 16, true));
                }
            }
        }
        return works.stream().map(Work::of).toList();
    }

    private static AttentionWork work(int tokens, int headDim, int heads, boolean causal) {
        return new AttentionWork(tokens, headDim, heads, causal, true);
    }

    /** The type of a side's queries, keys and values. */
    static DType dtype(String side) {
        return switch (side) {
            case BF16 -> DType.BF16;
            case F16 -> DType.F16;
            default -> DType.F32;
        };
    }

    /** How far a result in (−1, 1) may be off, absolute: half types round the weights of the values, too. */
    static double tolerance(DType dtype) {
        return switch (dtype) {
            case BF16 -> 4e-3;
            case F16 -> 5e-4;
            default -> AttentionReference.TOLERANCE;
        };
    }

    /** The tables of the report. */
    public static List<Table> tables() {
        return List.of(
                new Table("Attention: time, host to host", ArithmeticJob.TIME, ROWS, Map.of(), SIDES,
                        AttentionSides.FUSED),
                new Table("Attention: throughput, host to host", ArithmeticJob.GFLOPS, ROWS, Map.of(), SIDES, null));
    }

    /** The plots of the report. */
    public static List<Figure> figures() {
        return List.of(new Figure("Attention: time, host to host, 16 heads of 128", ArithmeticJob.TIME,
                Figure.Kind.LINES, AttentionWork.TOKENS, "tokens", true,
                Map.of(AttentionWork.HEAD_DIM, "128", AttentionWork.HEADS, "16", AttentionWork.MASK, "full"), SIDES));
    }
}
