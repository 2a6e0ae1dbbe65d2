package dev.fovea.bench.encode;

import dev.fovea.bench.natives.ArithmeticJob;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.JmhJob.Timing;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import dev.fovea.bench.study.WarmUp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Token ids to pooled vectors: Fovea's backends and ONNX Runtime. */
public final class EncodeSuite implements Suite {
    /** The number of threads that the value {@code all} stands for is the machine's. */
    public static final String ALL = "all";

    private static final Metric P50 = new Metric("p50", "median time per call", "µs", true);
    private static final Metric P99 = new Metric("p99", "99th percentile of the time per call", "µs", true);
    private static final Metric ALLOCATION = new Metric("allocation", "Java heap allocated per call", "B", true);

    private static final List<String> SIDES =
            List.of(MiniLm.FOVEA, MiniLm.FOVEA_BF16, MiniLm.FOVEA_INT8, MiniLm.FOVEA_JAVA, MiniLm.FOVEA_VECTOR,
                    MiniLm.ONNX_FP32, MiniLm.ONNX_INT8);

    /** One of each kind: bf16 differs from fp32 by the memory that weights are read from. */
    private static final List<String> BF16_BATCHES = List.of("1x8", "1x16", "1x128", "32x32");

    /** The plain Java backend computes on one thread, some GFLOP/s. */
    private static final int MOST_TOKENS_IN_JAVA = 256;

    /** The threads that {@code threads} stands for: a number, or {@link #ALL}. */
    public static int threads(String threads) {
        return threads.equals(ALL) ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(threads);
    }

    /** The floating-point operations of a batch, of which the sizes of the six layers are the cause. */
    public static double flops(int sequences, int length) {
        double linear = 2.0 * 6 * (4 * 384 * 384 + 2 * 384 * 1536);
        double attention = 4.0 * 6 * 384 * length;
        return sequences * length * (linear + attention);
    }

    @Override
    public String name() {
        return "encode";
    }

    @Override
    public String title() {
        return "Token ids to sentence vectors with all-MiniLM-L6-v2: Fovea and ONNX Runtime";
    }

    @Override
    public String reading() {
        return """
                A call takes token ids of English prose (texts x tokens per text) and returns vectors of length 1. \
                Tokenizing is not included. All sides use the same weights. Fovea rounds them to bf16 or int8 \
                while loading; ONNX Runtime reads the int8 file that LangChain4j publishes. ONNX Runtime's files \
                end with the hidden states, so their mean is taken in Java, in a thousandth of the time. They run \
                as published, with all session optimisations, and are not rewritten by ONNX Runtime's offline \
                transformer optimizer. Vectors in fp32 agree to within 1e-5. The cosine to fp32 is at least 0.9999 \
                for bf16, 0.99 for Fovea's int8 and 0.98 for ONNX Runtime's int8. The threads given share one \
                call. Each JVM first encodes texts of 8 tokens for 2 s. Until then the JIT compilers compete with \
                the computing threads, and code that is not compiled yet costs Fovea 0.3 to 1 ms per call. The \
                plain Java and Vector API backends compute on one thread. The Vector API gets 6 s more of warm-up. \
                Both skip batches of more than 256 tokens (16 in a quick run). The 99th percentile of a large \
                batch comes from a few dozen calls, so it is the slowest of them. The FMA peak is for single \
                precision and is measured next to each piece of work. Allocation is counted on the calling thread \
                by JMH's GC profiler, which adds a few bytes of its own.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        List<String> batches = switch (effort) {
            case SMOKE -> List.of("1x8");
            case QUICK -> List.of("1x16", "1x128");
            case FULL -> List.of("1x8", "1x16", "1x32", "1x64", "1x128", "1x256", "1x512", "32x32", "32x128");
        };
        List<Job> jobs = new ArrayList<>();
        for (String threads : effort == Effort.SMOKE ? List.of("1") : List.of("1", ALL)) {
            batches.forEach(batch -> jobs.add(job(batch, threads, effort)));
        }
        jobs.add(allocation(effort));
        return jobs;
    }

    private static Job job(String batch, String threads, Effort effort) {
        String[] shape = batch.split("x");
        int sequences = Integer.parseInt(shape[0]);
        int length = Integer.parseInt(shape[1]);
        int mostInJava = effort == Effort.QUICK ? 16 : MOST_TOKENS_IN_JAVA;
        List<String> sides = new ArrayList<>(SIDES);
        if (!BF16_BATCHES.contains(batch)) {
            sides.remove(MiniLm.FOVEA_BF16);
        }
        if (sequences * length > mostInJava || !threads.equals("1")) {
            sides.removeAll(List.of(MiniLm.FOVEA_JAVA, MiniLm.FOVEA_VECTOR));
        }
        Timing timing = switch (effort) {
            case SMOKE, QUICK -> Timing.of(effort);
            case FULL -> new Timing(3, 2, 5, 200);
        };
        double flops = flops(sequences, length);
        Map<String, String> work = work(batch, threads);
        JmhJob job = new JmhJob(batch + "-" + threads + "thread", EncodeBenchmark.class, sides, work, timing)
                .withFlags(MiniLm.FOVEA_VECTOR, "--add-modules", "jdk.incubator.vector")
                .estimating(seconds(timing, sides, flops * 1e-9));
        return new ArithmeticJob(job, work, flops, threads(threads));
    }

    /** Iterations are long because JMH allocates some 7 KB in each itself, and in the first one what loads the side. */
    private static JmhJob allocation(Effort effort) {
        Timing timing = switch (effort) {
            case SMOKE -> new Timing(1, 1, 1, 10);
            case QUICK -> new Timing(1, 2, 1, 2000);
            case FULL -> new Timing(1, 2, 1, 5000);
        };
        List<String> sides = List.of(MiniLm.FOVEA, MiniLm.ONNX_FP32);
        return new JmhJob("allocation", AllocationBenchmark.class, sides, work("1x16", "1"), timing)
                .allocationAlone().estimating(seconds(timing, sides, 0));
    }

    /** A fork loads its side and that of the reference, which takes longer than most of what it times. */
    private static int seconds(Timing timing, List<String> sides, double gigaflops) {
        double seconds = 0;
        for (String side : sides) {
            double call = gigaflops / (side.equals(MiniLm.FOVEA_JAVA) ? 5 : 80);
            double iterations = timing.warmups() + timing.iterations();
            double start = 1.7 + WarmUp.SECONDS
                    + (side.equals(MiniLm.FOVEA_VECTOR) ? EncodeBenchmark.VECTOR_WARM_UP_SECONDS : 0);
            seconds += timing.forks() * (start + iterations * Math.max(timing.millis() / 1000.0, call));
        }
        return (int) Math.ceil(seconds);
    }

    private static Map<String, String> work(String batch, String threads) {
        Map<String, String> work = new LinkedHashMap<>();
        work.put("batch", batch);
        work.put("threads", threads);
        return work;
    }

    @Override
    public List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        for (String threads : List.of("1", ALL)) {
            String suffix = threads.equals("1") ? ", 1 thread" : ", all threads";
            for (Metric metric : List.of(P50, P99)) {
                tables.add(new Table(capital(metric.label()) + suffix, metric, List.of("batch"),
                        Map.of("threads", threads), SIDES, MiniLm.FOVEA));
            }
        }
        tables.addAll(ArithmeticJob.tables(List.of("threads", "batch"), SIDES));
        tables.add(new Table("Java heap allocated per call", ALLOCATION, List.of("batch", "threads"), Map.of(),
                List.of(MiniLm.FOVEA, MiniLm.ONNX_FP32), null));
        return tables;
    }

    @Override
    public List<Figure> figures() {
        return List.of(
                figure("Median time per call, 1 thread", P50, "1", true),
                figure("Median time per call, all threads", P50, ALL, true),
                figure("Throughput, 1 thread", ArithmeticJob.GFLOPS, "1", false),
                figure("Throughput, all threads", ArithmeticJob.GFLOPS, ALL, false));
    }

    private static Figure figure(String title, Metric metric, String threads, boolean logarithmic) {
        return new Figure(title, metric, Figure.Kind.GROUPS, "batch", "texts x tokens", logarithmic,
                Map.of("threads", threads), SIDES);
    }

    private static String capital(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }
}
