package dev.fovea.bench.gpu;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.bench.attention.GpuAttention;
import dev.fovea.bench.encode.MiniLm;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Fovea on a GPU, Fovea on the CPU and ONNX Runtime on the CPU: a model, and attention alone. */
public final class GpuSuite implements Suite {
    /** What the names of sides on the GPU have in common. */
    static final String CUDA = "CUDA";

    private static final Metric P50 = new Metric("p50", "median time per call", "µs", true);
    private static final Metric P99 = new Metric("p99", "99th percentile of the time per call", "µs", true);
    private static final Metric RATE = new Metric("rate", "tokens per second", "1/s", false);

    private static final List<String> ON_GPU =
            List.of(MiniLm.FOVEA_CUDA_BF16, MiniLm.FOVEA_CUDA_F16, MiniLm.FOVEA_CUDA);
    private static final List<String> SIDES =
            Stream.concat(ON_GPU.stream(), Stream.of(MiniLm.FOVEA, MiniLm.ONNX_FP32)).toList();

    /** What names another driver or another library, for the JVMs of the sides. */
    private static final List<String> PROPERTIES = List.of("fovea.cuda.driver", "fovea.cuda.path");

    @Override
    public String name() {
        return "gpu";
    }

    @Override
    public String title() {
        return "Fovea on a GPU compared with Fovea and ONNX Runtime on the CPU";
    }

    @Override
    public String reading() {
        return """
                A call turns token ids of English prose (texts x tokens per text) into vectors with \
                all-MiniLM-L6-v2, or computes the self-attention of one sequence. All times are from host memory to \
                host memory: those of the GPU include the copies to it and back, which are most of a call of \
                attention. One thread calls the GPU; on the CPU all threads share a call. On the GPU, weights and \
                activations are of the type in the side's name, and so are queries, keys and values. Vectors in fp32 \
                agree to within 1e-5, and the cosine of bf16 and fp16 to fp32 is at least 0.9999; of a large batch, \
                32 texts are compared. Attention is compared with the formula in double precision on the same \
                rounded inputs, to within 1e-5, 4e-3 for bf16 and 5e-4 for fp16. The CPU skips what would take it \
                seconds. Where there is no GPU, nothing is timed. PyTorch on the same GPU, and kernels without \
                copies, are the business of bench/gpu.py.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        Optional<String> missing = Engine.unavailable(Backend.CUDA);
        List<String> batches = switch (effort) {
            case SMOKE -> List.of("1x3");
            case QUICK -> List.of("1x16", "32x32", "1024x32");
            case FULL -> List.of("1x8", "1x16", "1x32", "1x64", "1x128", "1x256", "1x512", "32x32", "32x128", "256x32",
                    "1024x32", "4096x32");
        };
        List<Job> jobs = new ArrayList<>();
        batches.forEach(batch -> jobs.add(encoding(batch, effort, missing)));
        for (GpuAttention.Work work : GpuAttention.works(effort)) {
            jobs.add(new GpuJob(passing(work.job(Timing.of(effort)), work.sides()), work.sides(), missing));
        }
        return jobs;
    }

    private static Job encoding(String batch, Effort effort, Optional<String> missing) {
        String[] shape = batch.split("x");
        int tokens = Integer.parseInt(shape[0]) * Integer.parseInt(shape[1]);
        int mostOnCpu = effort == Effort.FULL ? 1024 * 32 : 32 * 32;
        List<String> sides = tokens > mostOnCpu ? ON_GPU : SIDES;
        Timing timing = switch (effort) {
            case SMOKE, QUICK -> Timing.of(effort);
            case FULL -> tokens > 32 * 128 ? new Timing(2, 1, 3, 300) : new Timing(3, 2, 5, 200);
        };
        double iteration = Math.max(timing.millis() / 1000.0, sides == SIDES ? tokens * 1e-4 : 0);
        double fork = 2 + WarmUp.SECONDS + (timing.warmups() + timing.iterations()) * iteration;
        JmhJob job = new JmhJob("encode-" + batch, GpuBenchmark.class, sides, Map.of("batch", batch), timing)
                .deriving(RATE.key(), (_, micros) -> tokens / micros * 1e6)
                .estimating((int) Math.ceil(sides.size() * timing.forks() * fork));
        return new GpuJob(passing(job, sides), sides, missing);
    }

    /** Hands on what this JVM was told of the driver and the library. */
    private static JmhJob passing(JmhJob job, List<String> sides) {
        String[] flags = PROPERTIES.stream().filter(name -> System.getProperty(name) != null)
                .map(name -> "-D" + name + "=" + System.getProperty(name)).toArray(String[]::new);
        sides.stream().filter(side -> side.contains(CUDA)).forEach(side -> job.withFlags(side, flags));
        return job;
    }

    @Override
    public List<Table> tables() {
        List<Table> tables = new ArrayList<>(List.of(
                table("Median time per call", P50), table("99th percentile of the time per call", P99),
                table("Tokens per second", RATE)));
        tables.addAll(GpuAttention.tables());
        return tables;
    }

    private static Table table(String title, Metric metric) {
        return new Table(title, metric, List.of("batch"), Map.of(), SIDES, MiniLm.FOVEA);
    }

    @Override
    public List<Figure> figures() {
        List<Figure> figures = new ArrayList<>(List.of(
                figure("Median time per call", P50), figure("Tokens per second", RATE)));
        figures.addAll(GpuAttention.figures());
        return figures;
    }

    private static Figure figure(String title, Metric metric) {
        return new Figure(title, metric, Figure.Kind.GROUPS, "batch", "texts x tokens", true, Map.of(), SIDES);
    }
}
