package dev.fovea.bench.attention;

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
import java.util.stream.Stream;

/** Compares fused attention with unfused, Java, C and PyTorch, and times it alone on long sequences. */
public final class AttentionSuite implements Suite {
    static final Metric SCRATCH = new Metric("scratch", "scratch memory beyond inputs and output", "bytes", true);

    private static final String ALLOW_UNSAFE = "--sun-misc-unsafe-memory-access=allow";
    private static final String JAVACPP_CACHE = "org.bytedeco.javacpp.cachedir";

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public String title() {
        return "Fused attention compared with unfused attention, Java, C and PyTorch";
    }

    @Override
    public String reading() {
        return """
                Self-attention of one sequence of n tokens in single precision: softmax(q kᵀ / √d) v for every \
                head. "Naive" is three textbook loops over all n² scores of a head, in Java and in C. "Tiled" is \
                an online softmax over tiles, in plain Java and on the JDK's Vector API (its JVM runs with \
                --add-modules jdk.incubator.vector). "Unfused" is two OpenBLAS products with a softmax in C \
                between them, compiled for this CPU; it keeps the scores of all heads in memory. "Fused" is \
                Fovea's public API. PyTorch runs its own fused CPU kernel. All sides read and write [heads, \
                tokens, head_dim]. This layout is PyTorch's best, and on long sequences Fovea's best too. The Java \
                sides use heap arrays, the others off-heap memory. No copy is timed. Before a side is timed, its \
                result is compared with the formula in double precision, for all queries or, if that would take \
                long, for some queries of each head. GFLOP/s count both products. They leave out what a causal \
                mask hides, even if a side computes it. The FMA peak is measured next to each piece of work, with \
                the same instructions and the same number of threads as Fovea. Naive and unfused sides are skipped \
                on long sequences if one call would take more than about a quarter of a second. PyTorch does not \
                report its scratch memory. On long sequences Fovea is also timed alone: the time per query and key \
                should not depend on the length. A single query, as in decoding, waits for memory instead. \
                "Process memory added" is how much one call on 65 536 tokens raises the peak resident memory of \
                the process beyond its inputs and output.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        List<Job> jobs = new ArrayList<>();
        for (AttentionWork work : works(effort)) {
            jobs.add(job(work, effort));
        }
        jobs.addAll(LongAttention.jobs(effort));
        return jobs;
    }

    private static List<AttentionWork> works(Effort effort) {
        return switch (effort) {
            case SMOKE -> List.of(new AttentionWork(48, 32, 2, true, false));
            case QUICK -> Stream.of(
                            oneThread(64, 12, false, 16, 128, 512, 2048),
                            oneThread(64, 12, true, 512),
                            allThreads(64, 12, false, 512))
                    .flatMap(List::stream)
                    .toList();
            case FULL -> Stream.of(
                            oneThread(64, 12, false, 16, 64, 128, 256, 512, 1024, 2048, 4096),
                            oneThread(64, 12, true, 128, 512, 1024, 2048),
                            allThreads(64, 12, false, 128, 512, 2048, 4096),
                            allThreads(64, 12, true, 1024),
                            oneThread(32, 12, false, 128, 1024),
                            oneThread(128, 12, false, 128, 1024),
                            oneThread(64, 1, false, 128, 1024),
                            oneThread(64, 32, false, 128, 1024))
                    .flatMap(List::stream)
                    .toList();
        };
    }

    private static List<AttentionWork> oneThread(int d, int heads, boolean causal, int... tokens) {
        return works(d, heads, causal, false, tokens);
    }

    private static List<AttentionWork> allThreads(int d, int heads, boolean causal, int... tokens) {
        return works(d, heads, causal, true, tokens);
    }

    private static List<AttentionWork> works(int d, int heads, boolean causal, boolean allThreads, int... tokens) {
        List<AttentionWork> works = new ArrayList<>();
        for (int n : tokens) {
            works.add(new AttentionWork(n, d, heads, causal, allThreads));
        }
        return works;
    }

    private static Job job(AttentionWork work, Effort effort) {
        // Nearly a second of warm-up: C2 is done with the Vector API's loops no earlier, whatever the sizes.
        JmhJob.Timing timing = switch (effort) {
            case SMOKE -> JmhJob.Timing.of(effort);
            case QUICK -> new JmhJob.Timing(1, 8, 4, 100);
            case FULL -> new JmhJob.Timing(2, 7, 4, 110);
        };
        List<String> sides = AttentionSides.on(work);
        double seconds = 0;
        for (String side : sides) {
            double call = Math.max(timing.millis() / 1e3, AttentionSides.expectedSeconds(side, work));
            double start = side.equals(AttentionSides.PYTORCH) ? 2.2 : 0.9;
            seconds += timing.forks() * (start + (timing.warmups() + timing.iterations()) * call);
        }
        JmhJob job = new JmhJob(work.name(), AttentionBenchmark.class, sides, work.parameters(), timing)
                .withFlags(AttentionSides.VECTOR_TILED, "--add-modules", "jdk.incubator.vector")
                .withFlags(AttentionSides.PYTORCH, pytorchFlags())
                .estimating((int) Math.ceil(seconds));
        return new ArithmeticJob(job, work.parameters(), work.flops(), work.threads());
    }

    /** JavaCPP asks Unsafe for offsets, and unpacks 445 MB of libraries where the property says, else in the home. */
    private static String[] pytorchFlags() {
        String cache = System.getProperty(JAVACPP_CACHE);
        return cache == null ? new String[] {ALLOW_UNSAFE}
                : new String[] {ALLOW_UNSAFE, "-D" + JAVACPP_CACHE + "=" + cache};
    }

    @Override
    public List<Table> tables() {
        List<String> rows = List.of(AttentionWork.TOKENS, AttentionWork.HEAD_DIM, AttentionWork.HEADS,
                AttentionWork.MASK, AttentionWork.THREADS);
        List<Table> tables = new ArrayList<>();
        tables.add(new Table("Time", ArithmeticJob.TIME, rows, Map.of(), AttentionSides.ALL, AttentionSides.FUSED));
        tables.addAll(ArithmeticJob.tables(rows, AttentionSides.ALL));
        tables.add(new Table("Scratch memory", SCRATCH, rows, Map.of(), AttentionSides.ALL, null));
        tables.addAll(LongAttention.tables());
        return tables;
    }

    @Override
    public List<Figure> figures() {
        List<String> withPeak = ArithmeticJob.withPeak(AttentionSides.ALL);
        List<Figure> figures = new ArrayList<>(List.of(
                figure("Time, 12 heads of 64, 1 thread", ArithmeticJob.TIME, "full", "1", AttentionSides.ALL),
                figure("Throughput, 12 heads of 64, 1 thread", ArithmeticJob.GFLOPS, "full", "1", withPeak),
                figure("Throughput, causal, 12 heads of 64, 1 thread", ArithmeticJob.GFLOPS, "causal", "1", withPeak),
                figure("Throughput, 12 heads of 64, all threads", ArithmeticJob.GFLOPS, "full", "all", withPeak),
                figure("Scratch memory, 12 heads of 64, 1 thread", SCRATCH, "full", "1", AttentionSides.ALL)));
        figures.addAll(LongAttention.figures());
        return figures;
    }

    private static Figure figure(String title, Metric metric, String mask, String threads, List<String> sides) {
        Map<String, String> where = Map.of(AttentionWork.HEAD_DIM, "64", AttentionWork.HEADS, "12",
                AttentionWork.MASK, mask, AttentionWork.THREADS, threads);
        return new Figure(title, metric, Figure.Kind.LINES, AttentionWork.TOKENS, "tokens", true, where, sides);
    }
}
