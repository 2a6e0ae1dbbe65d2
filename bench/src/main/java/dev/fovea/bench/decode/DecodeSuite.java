package dev.fovea.bench.decode;

import dev.fovea.bench.decode.DecodeJob.Extent;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Language models: Fovea and llama.cpp. */
public final class DecodeSuite implements Suite {
    static final String FOVEA = "Fovea";
    static final String FLASH = "llama.cpp, flash attention";
    static final String PLAIN = "llama.cpp, without";
    static final String REFERENCE = "fp32";
    static final String MEMORY = "memory";
    /** Requests at once. */
    static final int[] TOGETHER = {4, 8};
    static final List<String> SIDES = List.of(FOVEA, FLASH, PLAIN);

    private static final List<String> ROWS = List.of("model", "type", "threads");
    private static final Metric SHORT = new Metric("short", "tokens per second", "1/s", false);
    private static final Metric DEEP = new Metric("deep", "tokens per second", "1/s", false);
    private static final Metric AT_4 = new Metric("at4", "tokens per second of all", "1/s", false);
    private static final Metric AT_8 = new Metric("at8", "tokens per second of all", "1/s", false);
    private static final Metric PROMPT = new Metric("prompt", "tokens of the prompt per second", "1/s", false);
    private static final Metric LOAD = new Metric("load", "load to first token", "ms", true);
    private static final Metric RSS = new Metric("rss", "peak resident memory, of the file's size", "×", true);
    private static final Metric BANDWIDTH = new Metric("bandwidth", "read bandwidth", "GB/s", false);

    @Override
    public String name() {
        return "decode";
    }

    @Override
    public String title() {
        return "Language models: Fovea and llama.cpp on the same GGUF files";
    }

    @Override
    public String reading() {
        return """
                Files have the shapes of public models, random weights and a vocabulary of random merges; the \
                embeddings are the output weights. They are written into the cache once, up to 2.5 GB each. Keys and \
                values are F16 on both sides. llama.cpp is a library in the same kind of process, with flash \
                attention and without. Before it is timed, each side's logarithms of probabilities are compared with \
                those of fp32 weights and activations. Tokens are timed one after another: behind 16 tokens, and \
                behind a deep context (2,048 in a full run; -Dfovea.bench.depth in FOVEA_JAVA_OPTIONS for another); and of 4 and of 8 requests at once, each behind 16 \
                tokens: Fovea's are of as many callers, llama.cpp's are batches of a token of each. Fovea also chooses each token and llama.cpp does not. \
                "memory" is what tokens could be if each weight and each cached value were read once at the bandwidth \
                measured in the same run. Load to first token is the time in a new JVM, three of each side. Memory is the peak of such a process after a \
                short text, with its JVM, and keys and values for 128 tokens at most.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        Extent extent = switch (effort) {
            case SMOKE -> new Extent(16, 32, 4, false);
            case QUICK -> new Extent(128, 512, 16, true);
            case FULL -> new Extent(512, Integer.getInteger("fovea.bench.depth", 2048), 24, true);
        };
        List<Job> jobs = new ArrayList<>();
        List<DecoderShape> shapes = switch (effort) {
            case SMOKE -> List.of(DecoderShape.TINY);
            case QUICK -> List.of(DecoderShape.QWEN);
            case FULL -> List.of(DecoderShape.QWEN, DecoderShape.LLAMA);
        };
        for (DecoderShape shape : shapes) {
            for (FileType type : effort == Effort.FULL ? FileType.values() : new FileType[] {FileType.Q4_K_M}) {
                for (int threads : effort == Effort.FULL ? new int[] {1, 2} : new int[] {1}) {
                    jobs.add(new DecodeJob(shape, type, threads, extent));
                }
            }
        }
        return jobs;
    }

    @Override
    public List<Table> tables() {
        return List.of(bounded("Tokens behind a short context", SHORT), bounded("Tokens behind a deep context", DEEP),
                bounded("Four requests at once", AT_4), bounded("Eight requests at once", AT_8), table("Prompts", PROMPT),
                table("Load to first token", LOAD), table("Resident memory", RSS),
                new Table("Read bandwidth", BANDWIDTH, ROWS, Map.of(), List.of(MEMORY), null));
    }

    private static Table bounded(String title, Metric metric) {
        List<String> sides = Stream.concat(SIDES.stream(), Stream.of(MEMORY)).toList();
        return new Table(title, metric, ROWS, Map.of(), sides, FOVEA, Set.of(MEMORY));
    }

    private static Table table(String title, Metric metric) {
        return new Table(title, metric, ROWS, Map.of(), SIDES, FOVEA);
    }

    @Override
    public List<Figure> figures() {
        return List.of(figure("Tokens behind a short context, one thread", SHORT),
                figure("Tokens behind a deep context, one thread", DEEP));
    }

    private static Figure figure(String title, Metric metric) {
        return new Figure(title, metric, Figure.Kind.GROUPS, "type", "type", false,
                Map.of("model", DecoderShape.QWEN.name(), "threads", "1"), SIDES);
    }
}
