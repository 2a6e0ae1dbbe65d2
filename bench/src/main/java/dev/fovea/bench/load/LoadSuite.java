package dev.fovea.bench.load;

import dev.fovea.bench.encode.MiniLm;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A service under load: the latency of requests that arrive at a fixed rate. */
public final class LoadSuite implements Suite {
    static final List<String> SIDES = List.of(MiniLm.FOVEA, MiniLm.ONNX_FP32);

    private static final Metric CAPACITY = new Metric("capacity", "maximum requests per second", "1/s", false);
    private static final Metric RATE = new Metric("rate", "requests per second", "1/s", false);
    private static final Metric P50 = new Metric("p50", "latency, median", "µs", true);
    private static final Metric P90 = new Metric("p90", "latency, 90th percentile", "µs", true);
    private static final Metric P99 = new Metric("p99", "latency, 99th percentile", "µs", true);
    private static final Metric P999 = new Metric("p99.9", "latency, 99.9th percentile", "µs", true);
    private static final Metric MAX = new Metric("max", "latency, maximum", "µs", true);
    private static final Metric ALLOCATION = new Metric("allocation", "Java heap allocated per request", "B", true);
    private static final Metric PAUSES = new Metric("pauses", "garbage collection pauses", "", true);
    private static final Metric PAUSED = new Metric("paused", "time in garbage collection pauses", "ms", true);

    @Override
    public String name() {
        return "load";
    }

    @Override
    public String title() {
        return "Latency under load: Fovea and ONNX Runtime at the same rate of requests";
    }

    @Override
    public String reading() {
        return """
                Requests of 16 token ids of English prose arrive at random, as a Poisson process with the same \
                arrival times for both sides. They queue for 1, 4 or 8 callers: threads of one JVM that share the \
                model. Each caller computes on its own thread. A latency is the time from arrival to vector and \
                includes the time in the queue. No request is left out, whatever the service is doing when it \
                arrives. The load is 30, 60 or 90 % (in a quick run 60 %, for 1 and 4 callers) of the slower \
                side's maximum throughput, so both sides get the same number of requests. Each side and load has \
                its own JVM with 512 MB of heap and G1, warmed up for 2 s.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        return switch (effort) {
            case SMOKE -> List.of(new LoadJob(2, List.of(50), 0.3));
            case QUICK -> List.of(new LoadJob(1, List.of(60), 2), new LoadJob(4, List.of(60), 2));
            case FULL -> List.of(new LoadJob(1, List.of(30, 60, 90), 10), new LoadJob(4, List.of(30, 60, 90), 10),
                    new LoadJob(8, List.of(30, 60, 90), 10));
        };
    }

    @Override
    public List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        for (Metric metric : List.of(P50, P90, P99, P999, MAX)) {
            tables.add(table(metric, MiniLm.FOVEA));
        }
        for (Metric metric : List.of(CAPACITY, RATE, ALLOCATION, PAUSES, PAUSED)) {
            tables.add(table(metric, null));
        }
        return tables;
    }

    private static Table table(Metric metric, String baseline) {
        String title = Character.toUpperCase(metric.label().charAt(0)) + metric.label().substring(1);
        return new Table(title, metric, List.of("callers", "load"), Map.of(), SIDES, baseline);
    }

    @Override
    public List<Figure> figures() {
        List<Figure> figures = new ArrayList<>();
        for (String callers : List.of("1", "4")) {
            String suffix = callers.equals("1") ? ", 1 caller" : ", " + callers + " callers";
            for (Metric metric : List.of(P50, P99)) {
                String label = Character.toUpperCase(metric.label().charAt(0)) + metric.label().substring(1);
                figures.add(new Figure(label + suffix, metric, Figure.Kind.GROUPS, "load",
                        "load, relative to the slower side's maximum", true, Map.of("callers", callers), SIDES));
            }
        }
        return figures;
    }
}
