package dev.fovea.bench.study;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.ScalarDerivativeResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * A job of JMH: one benchmark class, whose parameter {@code side} names what it measures, run side by side with the
 * same other parameters. A fork whose {@link Verdict} is not good is reported as refused or absent, and not timed.
 */
public final class JmhJob implements Job {
    /** The parameter of a benchmark class that names the side. */
    public static final String SIDE = "side";

    /** How long one side is measured. */
    public record Timing(int forks, int warmups, int iterations, int millis) {
        /** What an effort usually takes. */
        public static Timing of(Effort effort) {
            return switch (effort) {
                case SMOKE -> new Timing(1, 0, 1, 10);
                case QUICK -> new Timing(1, 3, 5, 100);
                case FULL -> new Timing(3, 4, 5, 200);
            };
        }
    }

    private final String name;
    private final Class<?> benchmark;
    private final List<String> sides;
    private final Map<String, String> work;
    private final Timing timing;
    private final Map<String, List<String>> flags = new LinkedHashMap<>();
    private final Map<String, Derivation> derivations = new LinkedHashMap<>();
    private boolean allocationAlone;
    private int estimatedSeconds;

    /**
     * @param benchmark the class, with a parameter {@code side} and one per entry of {@code work}
     * @param sides values of the parameter {@code side}, as the report names them
     */
    public JmhJob(String name, Class<?> benchmark, List<String> sides, Map<String, String> work, Timing timing) {
        this.name = name;
        this.benchmark = benchmark;
        this.sides = List.copyOf(sides);
        this.work = new LinkedHashMap<>(work);
        this.timing = timing;
    }

    /** Flags of the JVM that a side runs in, beyond those of all. */
    public JmhJob withFlags(String side, String... flagsOfSide) {
        flags.put(side, List.of(flagsOfSide));
        return this;
    }

    /** A figure that follows from a time. */
    public interface Derivation {
        /** The figure of one sample, {@code micros} being µs per call. */
        double of(String side, double micros);
    }

    /** Reports a further metric beside {@code time}, a sample for each of its samples. */
    public JmhJob deriving(String metric, Derivation derivation) {
        derivations.put(metric, derivation);
        return this;
    }

    /** Says how long it takes, for calls that are longer than an iteration. */
    public JmhJob estimating(int seconds) {
        estimatedSeconds = seconds;
        return this;
    }

    /**
     * Reports what a call allocates on the Java heap, as {@code allocation} in bytes, in place of its time, which the
     * counting disturbs.
     */
    public JmhJob allocationAlone() {
        allocationAlone = true;
        return this;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int estimatedSeconds() {
        if (estimatedSeconds > 0) {
            return estimatedSeconds;
        }
        int millis = timing.forks * ((timing.warmups + timing.iterations) * timing.millis + 900);
        return Math.max(1, sides.size() * millis / 1000);
    }

    @Override
    public void run(Findings findings) throws Exception {
        for (String side : sides) {
            Verdict.Outbox outbox = Verdict.outbox();
            List<RunResult> results = new ArrayList<>();
            try {
                results.addAll(new Runner(options(side, outbox, findings.sabotaged(side)).build()).run());
            } catch (RunnerException e) {
                if (!outbox.deliver(side, work, findings)) {
                    throw e;
                }
                continue;
            }
            outbox.deliver(side, work, findings);
            results.forEach(result -> report(side, result, findings));
        }
    }

    private ChainedOptionsBuilder options(String side, Verdict.Outbox outbox, boolean sabotaged) {
        List<String> jvm = new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx2g", "-Xms1g"));
        jvm.addAll(flags.getOrDefault(side, List.of()));
        jvm.addAll(outbox.flags(sabotaged));
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + benchmark.getName().replace("$", ".") + "\\.")
                .param(SIDE, side)
                .forks(timing.forks)
                .warmupIterations(timing.warmups)
                .warmupTime(TimeValue.milliseconds(timing.millis))
                .measurementIterations(timing.iterations)
                .measurementTime(TimeValue.milliseconds(timing.millis))
                .timeUnit(TimeUnit.MICROSECONDS)
                .jvmArgsAppend(jvm.toArray(String[]::new))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
        work.forEach((parameter, value) -> options.param(parameter, value));
        if (allocationAlone) {
            options.addProfiler(GCProfiler.class);
        }
        return options;
    }

    /**
     * The primary result as {@code time} and what derives from it, of sampled calls {@code p50} and {@code p99} as
     * well, and each secondary one (of auxiliary counters) by its label.
     */
    private void report(String side, RunResult run, Findings findings) {
        if (allocationAlone) {
            double bytes = run.getSecondaryResults().get("gc.alloc.rate.norm").getScore();
            findings.measured(new Measurement(side, work, "allocation", List.of(bytes)));
            return;
        }
        List<Double> times = samples(run);
        findings.measured(new Measurement(side, work, "time", times));
        if (run.getParams().getMode() == Mode.SampleTime) {
            findings.measured(new Measurement(side, work, "p50", percentiles(run, 50)));
            findings.measured(new Measurement(side, work, "p99", percentiles(run, 99)));
        }
        derivations.forEach((metric, derivation) -> findings.measured(new Measurement(
                side, work, metric, times.stream().map(micros -> derivation.of(side, micros)).toList())));
        run.getSecondaryResults().forEach((label, result) -> {
            if (!(result instanceof ScalarDerivativeResult)) {
                findings.measured(new Measurement(side, work, label, List.of(((Result<?>) result).getScore())));
            }
        });
    }

    /** One percentile of the calls of each fork. */
    private static List<Double> percentiles(RunResult run, double percent) {
        return run.getBenchmarkResults().stream()
                .map(fork -> fork.getPrimaryResult().getStatistics().getPercentile(percent))
                .toList();
    }

    private static List<Double> samples(RunResult run) {
        List<Double> samples = new ArrayList<>();
        run.getBenchmarkResults().forEach(fork -> {
            for (IterationResult iteration : fork.getIterationResults()) {
                samples.add(iteration.getPrimaryResult().getScore());
            }
        });
        return samples;
    }
}
