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

/** Fused attention against unfused, Java, C and PyTorch, and alone on long sequences. */
public final class AttentionSuite implements Suite {
    static final Metric SCRATCH = new Metric("scratch", "scratch beyond inputs and output", "bytes", true);

    private static final String ALLOW_UNSAFE = "--sun-misc-unsafe-memory-access=allow";
    private static final String JAVACPP_CACHE = "org.bytedeco.javacpp.cachedir";

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public String title() {
        return "Fused attention against unfused, Java, C and PyTorch";
    }

    @Override
    public String reading() {
        return """
                Self-attention of one sequence of n tokens, single precision: softmax(q kᵀ / √d) v for every head. \
                "Naive" is the textbook's three loops over all n² scores of a head, in Java and in C; "tiled" is an \
                online softmax over tiles, in plain Java and on the JDK's Vector API, whose JVM runs with \
                --add-modules jdk.incubator.vector; "unfused" is two OpenBLAS products with a softmax in C for this \
                CPU between them, the scores of all heads in memory; "fused" is Fovea's public API; PyTorch runs its \
                own fused CPU kernel. All read and write [heads, tokens, head_dim], PyTorch's best layout and on long \
                sequences Fovea's too, Java's sides in heap arrays and the others off-heap; no copy is timed. Before \
                it is timed, each side's result is compared with the formula in double precision, for all queries or, \
                where that would take long, for some of each head. GFLOP/s count both products and leave out what a \
                causal mask hides, also for a side that computes it. The FMA peak is measured beside each piece of \
                work, with the instructions that Fovea uses and as many threads. Plain loops and unfused products are \
                left out on long sequences, where one of their calls would take more than about a quarter of a second. \
                PyTorch does not say how much scratch it takes. On long sequences Fovea is also timed alone: the time \
                per query and key that it attends to should not grow with their number; a single query, as in \
                decoding, waits for memory instead. "Process growth" is how far one call on 65 536 tokens raises the \
                peak of the process's resident memory beyond its inputs and output.""";
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
        tables.add(new Table("Scratch", SCRATCH, rows, Map.of(), AttentionSides.ALL, null));
        tables.addAll(LongAttention.tables());
        return tables;
    }

    @Override
    public List<Figure> figures() {
        List<String> withPeak = ArithmeticJob.withPeak(AttentionSides.ALL);
        List<Figure> figures = new ArrayList<>(List.of(
                figure("Time, 12 heads of 64, 1 thread", ArithmeticJob.TIME, "full", "1", AttentionSides.ALL),
                figure("Speed, 12 heads of 64, 1 thread", ArithmeticJob.GFLOPS, "full", "1", withPeak),
                figure("Speed, causal, 12 heads of 64, 1 thread", ArithmeticJob.GFLOPS, "causal", "1", withPeak),
                figure("Speed, 12 heads of 64, all threads", ArithmeticJob.GFLOPS, "full", "all", withPeak),
                figure("Scratch, 12 heads of 64, 1 thread", SCRATCH, "full", "1", AttentionSides.ALL)));
        figures.addAll(LongAttention.figures());
        return figures;
    }

    private static Figure figure(String title, Metric metric, String mask, String threads, List<String> sides) {
        Map<String, String> where = Map.of(AttentionWork.HEAD_DIM, "64", AttentionWork.HEADS, "12",
                AttentionWork.MASK, mask, AttentionWork.THREADS, threads);
        return new Figure(title, metric, Figure.Kind.LINES, AttentionWork.TOKENS, "tokens", true, where, sides);
    }
}
