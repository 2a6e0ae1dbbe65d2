package dev.fovea.bench.linear;

import dev.fovea.bench.natives.ArithmeticJob;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Products with a constant weight at the shapes of all-MiniLM-L6-v2: packed, on OpenBLAS and on the Vector API. */
public final class LinearSuite implements Suite {
    private static final List<String> SINGLE = List.of(LinearSide.OPENBLAS, LinearSide.PACKED, LinearSide.VECTOR);
    private static final List<String> SIDES = List.of(LinearSide.OPENBLAS, LinearSide.PACKED, LinearSide.PACKED_BF16,
            LinearSide.PACKED_INT8, LinearSide.VECTOR);
    private static final List<String> THREADED = List.of(LinearSide.OPENBLAS, LinearSide.PACKED);
    private static final List<String> WITH_PEAK = ArithmeticJob.withPeak(SIDES);

    /** Outputs and inputs: attention's output, its fused QKV, and both halves of the feed-forward. */
    private static final int[][] SHAPES = {{384, 384}, {1152, 384}, {1536, 384}, {384, 1536}};

    private static final int[] ALL_ROWS = {1, 4, 8, 16, 32, 64, 128, 256, 512};

    @Override
    public String name() {
        return "linear";
    }

    @Override
    public String title() {
        return "Linear layers: packed weights, OpenBLAS and the Vector API";
    }

    @Override
    public String reading() {
        return """
                x Wᵀ for m rows at the four shapes of all-MiniLM-L6-v2 (n outputs, k inputs), in single precision, \
                without bias and activation. One of the shapes is also measured with the weight kept as bf16 and \
                int8. The weight is constant, as in a model. Fovea and the Vector API pack it once, which is not \
                timed. A general product such as OpenBLAS's has to pack it in each call. The Java side runs the \
                JDK's Vector API on heap arrays, in a JVM with --add-modules jdk.incubator.vector. With all \
                threads, each thread takes a share of the rows, and OpenBLAS's own threads are off. Each result is \
                first compared with sums in double precision; with a rounded weight, the cosine of each row is \
                compared. The peak is for single precision, so int8 instructions can exceed it. The weight stays \
                in the cache between calls. In a model, where other layers run in between, it does not, so small m \
                is faster here.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        JmhJob.Timing timing = switch (effort) {
            case SMOKE -> JmhJob.Timing.of(effort);
            case QUICK -> new JmhJob.Timing(1, 4, 4, 80);
            case FULL -> new JmhJob.Timing(2, 8, 4, 60);
        };
        List<Job> jobs = new ArrayList<>();
        switch (effort) {
            case SMOKE -> jobs.add(job(new LinearWork(5, 384, 384, false), SIDES, timing));
            case QUICK -> {
                for (int rows : new int[] {1, 16, 128, 512}) {
                    jobs.add(job(new LinearWork(rows, 1536, 384, false), SIDES, timing));
                }
                jobs.add(job(new LinearWork(128, 384, 1536, false), SINGLE, timing));
                jobs.add(job(new LinearWork(512, 1536, 384, true), THREADED, timing));
            }
            case FULL -> {
                for (int[] shape : SHAPES) {
                    for (int rows : ALL_ROWS) {
                        List<String> sides = shape == SHAPES[2] ? SIDES : SINGLE;
                        jobs.add(job(new LinearWork(rows, shape[0], shape[1], false), sides, timing));
                    }
                }
                for (int rows : new int[] {128, 512}) {
                    jobs.add(job(new LinearWork(rows, 1536, 384, true), THREADED, timing));
                }
            }
        }
        return jobs;
    }

    private static Job job(LinearWork work, List<String> sides, JmhJob.Timing timing) {
        double seconds = sides.size() * timing.forks()
                * (0.6 + (timing.warmups() + timing.iterations()) * timing.millis() / 1e3);
        JmhJob job = new JmhJob(work.name(), LinearBenchmark.class, sides, work.parameters(), timing)
                .withFlags(LinearSide.VECTOR, "--add-modules", "jdk.incubator.vector")
                .estimating((int) Math.ceil(seconds));
        return new ArithmeticJob(job, work.parameters(), work.flops(), work.threads());
    }

    @Override
    public List<Table> tables() {
        List<String> rows = List.of(LinearWork.OUTPUTS, LinearWork.INPUTS, LinearWork.ROWS, LinearWork.THREADS);
        List<Table> tables = new ArrayList<>();
        tables.add(new Table("Time", ArithmeticJob.TIME, rows, Map.of(), SIDES, LinearSide.PACKED));
        tables.addAll(ArithmeticJob.tables(rows, SIDES));
        return tables;
    }

    @Override
    public List<Figure> figures() {
        return List.of(
                figure("Throughput, 1536 outputs of 384 inputs, 1 thread", ArithmeticJob.GFLOPS, 1536, 384, WITH_PEAK),
                figure("Throughput, 384 outputs of 384 inputs, 1 thread", ArithmeticJob.GFLOPS, 384, 384, WITH_PEAK),
                figure("Time, 1536 outputs of 384 inputs, 1 thread", ArithmeticJob.TIME, 1536, 384, SIDES));
    }

    private static Figure figure(String title, Metric metric, int outputs, int inputs, List<String> sides) {
        Map<String, String> where = Map.of(LinearWork.OUTPUTS, Integer.toString(outputs),
                LinearWork.INPUTS, Integer.toString(inputs), LinearWork.THREADS, "1");
        return new Figure(title, metric, Figure.Kind.LINES, LinearWork.ROWS, "rows", true, where, sides);
    }
}
