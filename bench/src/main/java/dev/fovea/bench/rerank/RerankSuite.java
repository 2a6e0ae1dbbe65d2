package dev.fovea.bench.rerank;

import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.natives.ArithmeticJob;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.JmhJob.Timing;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A query and its passages to scores: Fovea's reranker and ONNX Runtime. */
public final class RerankSuite implements Suite {
    private static final Metric TIME = new Metric("time", "time per call", "µs", true);
    private static final List<String> ROWS = List.of("model", "passages", "tokens", "threads");
    private static final List<String> SIDES =
            List.of(RerankSide.FOVEA, RerankSide.ARRIVAL, RerankSide.SORTED, RerankSide.SINGLE);

    @Override
    public String name() {
        return "rerank";
    }

    @Override
    public String title() {
        return "Passages ranked by a cross-encoder: Fovea and ONNX Runtime";
    }

    @Override
    public String reading() {
        return """
                A call scores the passages of a query, of 200 tokens each: the mean of lengths from 60 to 340, or all \
                of the same length. The query and three special tokens make 215 of it. The models have random weights \
                in the shapes of public cross-encoders; of 12 layers fewer passages are scored. Fovea takes texts, and \
                its time includes tokenizing. ONNX Runtime gets token ids that are padded beforehand, in a graph of \
                the fused operators of its own offline optimizer, and batches of 8, 16, 32 or 100, whichever was the \
                fastest on this work. Sorting by length, which an application can do, leaves little padding. One by \
                one, nothing is padded. Scores agree to within 1e-5. Operations of padding do not count. The FMA peak \
                is measured next to each piece of work.""";
    }

    /** A row of the tables. */
    private record Row(String model, int passages, String tokens) {}

    @Override
    public List<Job> jobs(Effort effort) {
        List<Row> rows = switch (effort) {
            case SMOKE -> List.of(new Row(CrossEncoder.SMALLEST, 4, Passages.RAGGED));
            case QUICK -> List.of(new Row(CrossEncoder.MINI_LM, 16, Passages.RAGGED));
            case FULL -> List.of(new Row(CrossEncoder.MINI_LM, 100, Passages.RAGGED),
                    new Row(CrossEncoder.MINI_LM, 100, Passages.EQUAL), new Row(CrossEncoder.BASE, 32, Passages.RAGGED));
        };
        // What the check scores warms up; a call of seconds needs no more.
        Timing timing = new Timing(1, 0, effort == Effort.FULL ? 3 : 1, 10);
        List<Job> jobs = new ArrayList<>();
        for (Row row : rows) {
            for (String threads : effort == Effort.FULL ? List.of("1", EncodeSuite.ALL) : List.of("1")) {
                jobs.add(job(row, threads, timing));
            }
        }
        return jobs;
    }

    private static Job job(Row row, String threads, Timing timing) {
        Map<String, String> work = new LinkedHashMap<>();
        work.put("model", row.model());
        work.put("passages", String.valueOf(row.passages()));
        work.put("tokens", row.tokens());
        work.put("threads", threads);
        CrossEncoder.Shape shape = CrossEncoder.Shape.of(row.model());
        double flops = Arrays.stream(Passages.lengths(row.passages(), row.tokens()))
                .mapToDouble(tokens -> shape.flops(tokens + Passages.AROUND)).sum();
        double secondsOfCall = flops * 1e-9 / (threads.equals("1") ? 130 : 230);
        String name = row.model() + "-" + row.passages() + "-" + row.tokens() + "-" + threads + "thread";
        JmhJob job = new JmhJob(name.replace(' ', '-'), RerankBenchmark.class, SIDES, work, timing)
                .estimating((int) Math.ceil(SIDES.size() * (4 + (timing.iterations() + 3) * secondsOfCall)));
        return new ArithmeticJob(job, work, flops, EncodeSuite.threads(threads));
    }

    @Override
    public List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        tables.add(new Table("Time per call", TIME, ROWS, Map.of(), SIDES, RerankSide.FOVEA));
        tables.addAll(ArithmeticJob.tables(ROWS, SIDES));
        return tables;
    }

    @Override
    public List<Figure> figures() {
        return List.of(new Figure("Throughput", ArithmeticJob.GFLOPS, Figure.Kind.GROUPS, "threads", "threads", false,
                Map.of("model", CrossEncoder.MINI_LM, "tokens", Passages.RAGGED), SIDES));
    }
}
