package dev.fovea.bench.natives;

import dev.fovea.bench.study.Findings;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Measurement;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Table;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A job with a known number of floating-point operations: besides the time, it measures throughput. */
public final class ArithmeticJob implements Job {
    /** Time per call. */
    public static final Metric TIME = new Metric("time", "time per call", "µs", true);

    /** Operations per second, a multiply-add counting two. */
    public static final Metric GFLOPS = new Metric("gflops", "throughput", "GFLOP/s", false);

    /** The fraction of {@link FmaPeak#gflops} with as many threads; both are the best sample. */
    public static final Metric PEAK =
            new Metric("peak", "fraction of the FMA peak, best sample", "of 1", false, Metric.Summary.BEST);

    /** The side whose {@link #GFLOPS} are the peak itself. */
    public static final String PEAK_SIDE = "FMA peak";

    /** {@code sides}, followed by that of the peak. */
    public static List<String> withPeak(List<String> sides) {
        return Stream.concat(sides.stream(), Stream.of(PEAK_SIDE)).toList();
    }

    /**
     * The tables of throughput and of the fraction of the peak: a row for each value of the parameters {@code rows}.
     */
    public static List<Table> tables(List<String> rows, List<String> sides) {
        return List.of(
                new Table("Throughput", GFLOPS, rows, Map.of(), withPeak(sides), null).withYardstick(PEAK_SIDE),
                new Table("Fraction of the FMA peak", PEAK, rows, Map.of(), sides, null));
    }

    private final JmhJob job;
    private final Map<String, String> work;
    private final int threads;

    /**
     * @param job what is timed
     * @param work the parameters of {@code job}
     * @param flops operations of one call, a multiply-add counting two
     * @param threads threads of one call
     */
    public ArithmeticJob(JmhJob job, Map<String, String> work, double flops, int threads) {
        this.job = job.deriving(GFLOPS.key(), (_, micros) -> flops / micros / 1e3)
                .deriving(PEAK.key(), (_, micros) -> flops / micros / 1e3 / FmaPeak.gflops(threads));
        this.work = work;
        this.threads = threads;
    }

    @Override
    public String name() {
        return job.name();
    }

    @Override
    public int estimatedSeconds() {
        return job.estimatedSeconds();
    }

    @Override
    public void run(Findings findings) throws Exception {
        FmaPeak.measure(threads);
        job.run(findings);
        FmaPeak.measure(threads);
        findings.setting(PEAK_SIDE, FmaPeak.description());
        findings.measured(new Measurement(PEAK_SIDE, work, GFLOPS.key(), List.of(FmaPeak.gflops(threads))));
    }
}
