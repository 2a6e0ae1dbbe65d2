package dev.fovea.bench.run;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Findings;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Measurement;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A suite whose sides take no time: their figures follow a formula. {@code PyTorch SDPA} is absent in one job of each,
 * {@code C naive} is refused where it is sabotaged.
 */
public final class FakeSuite implements Suite {
    public static final Metric TIME = new Metric("time", "time per call", "µs", true);
    private static final Metric RATE = new Metric("gflops", "throughput", "GFLOP/s", false);
    private static final List<String> SIDES = List.of("Fovea fused", "OpenBLAS unfused", "Java scalar naive",
            "Java scalar tiled", "Java Vector API tiled", "C naive", "PyTorch SDPA");
    private static final String ABSENT = "ONNX Runtime int8";

    /** What a job does beside. */
    public interface Act {
        void run(int n) throws Exception;
    }

    private final String name;
    private final Act act;
    private final List<String> ran = new ArrayList<>();

    public FakeSuite(String name, Act act) {
        this.name = name;
        this.act = act;
    }

    /** The jobs that began, in order. */
    public List<String> ran() {
        return ran;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String title() {
        return "What a <fake> costs & how it is shown";
    }

    @Override
    public String reading() {
        return "Nothing is timed here. The figures follow a formula, so that plots and tables have something to show "
                + "whose shape is known: time grows with the square of the tokens, and every side is slower than the "
                + "one before it.";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        int[] sizes = effort == Effort.FULL
                ? new int[] {16, 33, 64, 128, 256, 512, 1024, 2048, 4096}
                : new int[] {16, 64};
        List<Job> jobs = new ArrayList<>();
        for (int n : sizes) {
            jobs.add(new Job() {
                @Override
                public String name() {
                    return "n" + n;
                }

                @Override
                public int estimatedSeconds() {
                    return 2;
                }

                @Override
                public void run(Findings findings) throws Exception {
                    ran.add(name());
                    act.run(n);
                    measure(n, findings);
                }
            });
        }
        return jobs;
    }

    private static void measure(int n, Findings findings) {
        findings.absent(ABSENT, "its jar is not on the class path");
        for (String threads : List.of("1", "2")) {
            for (int i = 0; i < SIDES.size(); i++) {
                String side = SIDES.get(i);
                Map<String, String> work = new LinkedHashMap<>(Map.of("n", "" + n));
                work.put("threads", threads);
                findings.version(side, "1." + i);
                findings.setting(side, "threads as stated, arena on");
                if (findings.sabotaged(side)) {
                    findings.refused(side, work, "element 7 is 1.0, the reference says 0.5");
                    continue;
                }
                double time = 0.0021 * n * n * Math.pow(1.9, i) / Integer.parseInt(threads);
                findings.measured(new Measurement(side, work, "time", List.of(time, 0.93 * time, 1.2 * time)));
                findings.measured(new Measurement(side, work, "gflops", List.of(2.0 * n * n / time / 1e3)));
            }
        }
    }

    @Override
    public List<Table> tables() {
        return List.of(
                new Table("Time per call, 1 thread", TIME, List.of("n"), Map.of("threads", "1"), List.of(),
                        SIDES.getFirst()),
                new Table("Throughput", RATE, List.of("n", "threads"), Map.of(), List.of(), null)
                        .withYardstick(SIDES.getFirst()));
    }

    @Override
    public List<Figure> figures() {
        return List.of(
                new Figure("Time per call of fused and unfused attention, 12 heads of 64, not causal, 1 thread", TIME,
                        Figure.Kind.LINES, "n", "tokens", true, Map.of("threads", "1"), List.of()),
                new Figure("Throughput with 1 thread", RATE, Figure.Kind.LINES, "n", "tokens", false,
                        Map.of("threads", "1"), List.of()),
                new Figure("Time of a single length", TIME, Figure.Kind.LINES, "n", "tokens", true,
                        Map.of("threads", "1", "n", "16"), List.of()),
                new Figure("Time of 64 tokens", TIME, Figure.Kind.GROUPS, "threads", "threads", true, Map.of("n", "64"),
                        List.of()),
                new Figure("Time of 16 tokens, three sides", TIME, Figure.Kind.GROUPS, "threads", "threads", false,
                        Map.of("n", "16"), SIDES.subList(0, 3)));
    }
}
