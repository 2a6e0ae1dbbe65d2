package dev.fovea.bench.load;

import dev.fovea.bench.study.ChildJvm;
import dev.fovea.bench.study.Findings;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Measurement;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * Both sides with one number of callers: first the most that each serves, then each at fractions of what the slower
 * one does.
 */
final class LoadJob implements Job {
    private static final List<String> FLAGS = List.of("-Xms512m", "-Xmx512m", "-XX:+UseG1GC");

    /** Starting a JVM, loading both models and warming up. */
    private static final double START_SECONDS = 5;

    private final int callers;
    private final List<Integer> percents;
    private final double seconds;

    /**
     * @param percents rates of arrival, of the capacity of the slower side
     * @param seconds how long each rate lasts
     */
    LoadJob(int callers, List<Integer> percents, double seconds) {
        this.callers = callers;
        this.percents = percents;
        this.seconds = seconds;
    }

    @Override
    public String name() {
        return callers + (callers == 1 ? "-caller" : "-callers");
    }

    @Override
    public int estimatedSeconds() {
        double capacity = START_SECONDS + calibrationSeconds();
        return (int) Math.ceil(LoadSuite.SIDES.size() * (capacity + percents.size() * (START_SECONDS + seconds)));
    }

    private double calibrationSeconds() {
        return Math.min(2, seconds);
    }

    @Override
    public void run(Findings findings) throws Exception {
        Map<String, Double> capacities = new LinkedHashMap<>();
        for (String side : LoadSuite.SIDES) {
            capacity(side, findings).ifPresent(capacity -> capacities.put(side, capacity));
        }
        if (capacities.isEmpty()) {
            return;
        }
        double slower = capacities.values().stream().mapToDouble(Double::doubleValue).min().orElseThrow();
        for (int percent : percents) {
            Map<String, String> work = work(callers, percent + " %");
            for (String side : capacities.keySet()) {
                run(side, work, slower * percent / 100, seconds, findings, _ -> {});
            }
        }
    }

    /** The most requests by the second; none if the side is absent or refused. */
    private OptionalDouble capacity(String side, Findings findings) throws IOException, InterruptedException {
        List<Double> found = new ArrayList<>();
        Map<String, String> work = work(callers, "all at once");
        run(side, work, 0, calibrationSeconds(), findings, line -> {
            if (line.startsWith(LoadMain.CAPACITY)) {
                found.add(Double.valueOf(line.substring(LoadMain.CAPACITY.length())));
            }
        });
        if (found.isEmpty()) {
            return OptionalDouble.empty();
        }
        findings.measured(new Measurement(side, work, "capacity", found));
        return OptionalDouble.of(found.getFirst());
    }

    private void run(String side, Map<String, String> work, double rate, double duration, Findings findings,
            Consumer<String> lines) throws IOException, InterruptedException {
        List<String> arguments = List.of(side, String.valueOf(callers), String.valueOf(duration),
                String.format(Locale.ROOT, "%.2f", rate));
        new ChildJvm(LoadMain.class).run(side, work, FLAGS, arguments, findings, lines);
    }

    private static Map<String, String> work(int callers, String load) {
        Map<String, String> work = new LinkedHashMap<>();
        work.put("callers", String.valueOf(callers));
        work.put("load", load);
        return work;
    }
}
