package dev.fovea.bench.study;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * A job of JMH: one benchmark class, whose parameter {@code side} names what it measures, run side by side with the
 * same other parameters. A fork whose {@link Verdict} is not good is reported as refused or absent, and its side not
 * timed.
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

    /** A side, what it says of itself, and its forks so far. */
    private record Entrant(String side, Verdict.Outbox outbox, List<BenchmarkResult> forks) {}

    @Override
    public void run(Findings findings) throws Exception {
        List<Entrant> entrants = new ArrayList<>();
        try {
            for (String side : sides) {
                entrants.add(new Entrant(side, Verdict.outbox(), new ArrayList<>()));
            }
            runInTurn(entrants, findings);
        } finally {
            for (Entrant entrant : entrants) {
                entrant.outbox.discard();
            }
        }
    }

    /** The forks of the sides take turns, so that the minutes in which a machine is slow fall on all of them. */
    private void runInTurn(List<Entrant> entrants, Findings findings) throws Exception {
        List<Entrant> timed = new ArrayList<>(entrants);
        for (int fork = 0; fork < timing.forks; fork++) {
            for (Entrant entrant : List.copyOf(timed)) {
                try {
                    boolean sabotaged = findings.sabotaged(entrant.side);
                    for (RunResult result : new Runner(options(entrant, sabotaged).build()).run()) {
                        entrant.forks.addAll(result.getBenchmarkResults());
                    }
                } catch (RunnerException e) {
                    if (!entrant.outbox.deliver(entrant.side, work, findings)) {
                        throw e;
                    }
                    timed.remove(entrant);
                }
            }
        }
        for (Entrant entrant : timed) {
            entrant.outbox.deliver(entrant.side, work, findings);
            report(entrant, findings);
        }
    }

    private ChainedOptionsBuilder options(Entrant entrant, boolean sabotaged) {
        List<String> jvm = new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx2g", "-Xms1g"));
        jvm.addAll(flags.getOrDefault(entrant.side, List.of()));
        jvm.addAll(entrant.outbox.flags(sabotaged));
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + benchmark.getName().replace("$", ".") + "\\.")
                .param(SIDE, entrant.side)
                .forks(1)
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

    /** The primary result as {@code time} and what derives from it, of sampled calls {@code p50} and {@code p99} too. */
    private void report(Entrant entrant, Findings findings) {
        if (allocationAlone) {
            measured(entrant, "allocation", samples(entrant, fork ->
                    Stream.of(fork.getSecondaryResults().get("gc.alloc.rate.norm").getScore())), findings);
            return;
        }
        List<Double> times = samples(entrant, fork ->
                fork.getIterationResults().stream().map(iteration -> iteration.getPrimaryResult().getScore()));
        measured(entrant, "time", times, findings);
        if (entrant.forks.getFirst().getParams().getMode() == Mode.SampleTime) {
            measured(entrant, "p50", percentiles(entrant, 50), findings);
            measured(entrant, "p99", percentiles(entrant, 99), findings);
        }
        derivations.forEach((metric, derivation) -> measured(entrant, metric,
                times.stream().map(micros -> derivation.of(entrant.side, micros)).toList(), findings));
    }

    private void measured(Entrant entrant, String metric, List<Double> samples, Findings findings) {
        findings.measured(new Measurement(entrant.side, work, metric, samples));
    }

    /** One percentile of the calls of each fork. */
    private static List<Double> percentiles(Entrant entrant, double percent) {
        return samples(entrant, fork -> Stream.of(fork.getPrimaryResult().getStatistics().getPercentile(percent)));
    }

    private static List<Double> samples(Entrant entrant, Function<BenchmarkResult, Stream<Double>> ofFork) {
        return entrant.forks.stream().flatMap(ofFork).toList();
    }
}
