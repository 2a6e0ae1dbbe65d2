package dev.fovea.bench.text;

import dev.fovea.bench.encode.EncodeSuite;
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

/** Text to vector, as an application sees it: Fovea and LangChain4j's in-process model. */
public final class TextSuite implements Suite {
    private static final Metric P50 = new Metric("p50", "median time per call", "µs", true);
    private static final Metric P99 = new Metric("p99", "99th percentile of the time per call", "µs", true);
    private static final List<String> SIDES =
            List.of(TextSide.FOVEA, TextSide.TOKENIZER, TextSide.LANGCHAIN4J);

    /** Without these, DJL, which the tokenizers belong to, reports its use over the network. */
    private static final String[] QUIET = {"-DOPT_OUT_TRACKING=true", "-Dai.djl.offline=true"};

    @Override
    public String name() {
        return "text";
    }

    @Override
    public String title() {
        return "Text to vector with all-MiniLM-L6-v2: Fovea and LangChain4j";
    }

    @Override
    public String reading() {
        return """
                A call takes a text of English prose and returns its vector as a new array, including tokenizing: \
                TextEncoder.encode in Fovea, EmbeddingModel.embed in LangChain4j. LangChain4j's in-process model \
                calls the same Hugging Face tokenizers library, and ONNX Runtime. Its class \
                AllMiniLmL6V2EmbeddingModel leaves the number of threads to ONNX Runtime. Here its encoder gets a \
                session with as many threads as Fovea and otherwise default options, which means all optimisations \
                and the arena. LangChain4j drops everything after the 128th token, as the tokenizer's file says, \
                so the longest texts have 80 words. The second side is the part of Fovea's call that turns the \
                text into token ids. Vectors have a cosine of at least 0.9999, and token ids equal those of the \
                library. Each JVM first makes such calls for 2 s.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        List<String> words = switch (effort) {
            case SMOKE -> List.of("4");
            case QUICK -> List.of("12");
            case FULL -> List.of("4", "12", "40", "80");
        };
        Timing timing = effort == Effort.FULL ? new Timing(3, 2, 5, 200) : Timing.of(effort);
        int seconds = (int) Math.ceil(SIDES.size() * timing.forks()
                * ((timing.warmups() + timing.iterations()) * timing.millis() / 1000.0 + 2 + WarmUp.SECONDS));
        List<Job> jobs = new ArrayList<>();
        for (String threads : effort == Effort.SMOKE ? List.of("1") : List.of("1", EncodeSuite.ALL)) {
            for (String count : words) {
                Map<String, String> work = new LinkedHashMap<>();
                work.put("words", count);
                work.put("threads", threads);
                String name = count + "words-" + threads + "thread";
                JmhJob job = new JmhJob(name, TextBenchmark.class, SIDES, work, timing).estimating(seconds);
                SIDES.forEach(side -> job.withFlags(side, QUIET));
                jobs.add(job);
            }
        }
        return jobs;
    }

    @Override
    public List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        for (String threads : List.of("1", EncodeSuite.ALL)) {
            String suffix = threads.equals("1") ? ", 1 thread" : ", all threads";
            tables.add(table("Median time per call" + suffix, P50, threads));
            tables.add(table("99th percentile of the time per call" + suffix, P99, threads));
        }
        return tables;
    }

    private static Table table(String title, Metric metric, String threads) {
        return new Table(title, metric, List.of("words"), Map.of("threads", threads), SIDES, TextSide.FOVEA)
                .withYardstick(TextSide.TOKENIZER);
    }

    @Override
    public List<Figure> figures() {
        return List.of(figure("Median time per call, 1 thread", "1"),
                figure("Median time per call, all threads", EncodeSuite.ALL));
    }

    private static Figure figure(String title, String threads) {
        return new Figure(title, P50, Figure.Kind.GROUPS, "words", "words of the text", true,
                Map.of("threads", threads), SIDES);
    }
}
