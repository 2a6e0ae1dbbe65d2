package dev.fovea.bench.adapters;

import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.encode.Sentences;
import dev.fovea.bench.natives.ArithmeticJob;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.JmhJob.Timing;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Texts to vectors through one interface of LangChain4j: its in-process model and Fovea's. */
public final class AdaptersSuite implements Suite {
    private static final Metric RATE = new Metric("rate", "texts per second", "1/s", false);
    private static final List<String> SIDES = List.of(EmbeddingSide.FOVEA, EmbeddingSide.LANGCHAIN4J,
            EmbeddingSide.FOVEA_INT8, EmbeddingSide.LANGCHAIN4J_INT8);

    /** Without these, DJL, which the tokenizers belong to, reports its use over the network. */
    private static final String[] QUIET = {"-DOPT_OUT_TRACKING=true", "-Dai.djl.offline=true"};

    @Override
    public String name() {
        return "adapters";
    }

    @Override
    public String title() {
        return "Texts to vectors through LangChain4j's EmbeddingModel";
    }

    @Override
    public String reading() {
        return """
                A call is EmbeddingModel.embed of one sentence of 12 words, or EmbeddingModel.embedAll of sentences of \
                novels, which have 3 to 112 words and come in random order. Behind the interface stands \
                FoveaEmbeddingModel or LangChain4j's in-process model, both with all-MiniLM-L6-v2 in fp32, and in int8: Fovea \
                rounds weights while loading, LangChain4j has AllMiniLmL6V2QuantizedEmbeddingModel. With all threads, \
                LangChain4j embeds as many texts at once as there are processors, and ONNX Runtime shares each among all \
                threads: that is what its class AllMiniLmL6V2EmbeddingModel does by default. LangChain4j drops what \
                comes after the 128th token, which is counted as if it did not. Vectors of 16 texts have a cosine of at least \
                0.9999 to those of the other side; in int8, Fovea's of at least 0.98 and LangChain4j's of 0.97. The FMA peak, of \
                single precision, is the limit of fp32: where LangChain4j reaches half of it, nothing on this machine is \
                more than twice as fast.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        int many = switch (effort) {
            case SMOKE -> 16;
            case QUICK -> 128;
            case FULL -> 1000;
        };
        List<Job> jobs = new ArrayList<>();
        for (String threads : effort == Effort.SMOKE ? List.of("1") : List.of("1", EncodeSuite.ALL)) {
            for (int texts : effort == Effort.SMOKE ? List.of(many) : List.of(1, many)) {
                // Calls of seconds warm up.
                Timing timing = effort == Effort.SMOKE || texts == 1 ? Timing.of(effort)
                        : new Timing(effort == Effort.FULL ? 3 : 1, 0, 2, 10);
                Map<String, String> work = new LinkedHashMap<>();
                work.put("texts", String.valueOf(texts));
                work.put("threads", threads);
                JmhJob job = new JmhJob(texts + "-" + threads + "thread", AdaptersBenchmark.class, SIDES, work, timing)
                        .deriving("rate", (_, micros) -> texts / (micros * 1e-6))
                        .estimating((int) Math.ceil(SIDES.size() * timing.forks() * (8
                                + (timing.warmups() + timing.iterations()) * Math.max(timing.millis() / 1000.0, texts * 0.01))));
                SIDES.forEach(side -> job.withFlags(side, QUIET));
                jobs.add(new ArithmeticJob(job, work, flops(texts), EncodeSuite.threads(threads)));
            }
        }
        return jobs;
    }

    /** The floating-point operations of a call. */
    private static double flops(int texts) {
        try {
            List<int[]> tokens = Sentences.tokenized(EmbeddingSide.texts(texts));
            double all = tokens.stream().mapToDouble(ids -> EncodeSuite.flops(1, ids.length)).sum();
            return texts == 1 ? all / tokens.size() : all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public List<Table> tables() {
        List<String> rows = List.of("texts", "threads");
        List<Table> tables = new ArrayList<>();
        tables.add(new Table("Texts per second", RATE, rows, Map.of(), SIDES, EmbeddingSide.FOVEA));
        tables.addAll(ArithmeticJob.tables(rows, SIDES));
        return tables;
    }

    @Override
    public List<Figure> figures() {
        return List.of(new Figure("Texts per second, all threads", RATE, Figure.Kind.GROUPS, "texts", "texts of a call", false,
                Map.of("threads", EncodeSuite.ALL), SIDES));
    }
}
