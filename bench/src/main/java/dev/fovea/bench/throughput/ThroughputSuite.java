package dev.fovea.bench.throughput;

import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.JmhJob.Timing;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A thousand sentences of mixed length: ragged batches and padded ones. */
public final class ThroughputSuite implements Suite {
    /** Sentences of a batch. */
    static final int BATCH = 32;

    /** Fovea, whose batches hold sentences of any lengths without padding. */
    static final String RAGGED = "Fovea ragged";

    /** ONNX Runtime on batches as the sentences come, each sentence padded to the longest of its batch. */
    static final String ARRIVAL = "ONNX Runtime padded, arrival order";

    /** ONNX Runtime on batches of sentences of similar length. */
    static final String SORTED = "ONNX Runtime padded, sorted by length";

    /** ONNX Runtime on one sentence at a time, without padding. */
    static final String SINGLE = "ONNX Runtime one by one";

    private static final Metric RATE = new Metric("rate", "sentences per second", "1/s", false);
    private static final List<String> SIDES = List.of(RAGGED, ARRIVAL, SORTED, SINGLE);

    @Override
    public String name() {
        return "throughput";
    }

    @Override
    public String title() {
        return "Throughput on sentences of mixed length: ragged and padded batches";
    }

    @Override
    public String reading() {
        return """
                A call turns sentences of novels into vectors, 32 per batch. They have 3 to 112 words and come in \
                random order; a quick run takes the first 128. Token ids and batches are made beforehand. Fovea's \
                batches are ragged: Fovea has no padding, and so no padded side. ONNX Runtime pads each batch to \
                its longest sentence. Sorting by length, which an application can do if it knows all sentences \
                beforehand, leaves little padding. One by one, nothing is padded. Vectors agree to within 1e-5.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        int sentences = switch (effort) {
            case SMOKE -> 16;
            case QUICK -> 128;
            case FULL -> 1000;
        };
        Timing timing = switch (effort) {
            case SMOKE -> new Timing(1, 0, 1, 10);
            // What the check encodes warms up; a call of seconds needs no more.
            case QUICK, FULL -> new Timing(1, 0, 2, 10);
        };
        List<Job> jobs = new ArrayList<>();
        for (String threads : effort == Effort.FULL ? List.of("1", EncodeSuite.ALL) : List.of("1")) {
            Map<String, String> work = new LinkedHashMap<>();
            work.put("sentences", String.valueOf(sentences));
            work.put("threads", threads);
            double secondsOfCall = sentences * (threads.equals("1") ? 0.01 : 0.006);
            jobs.add(new JmhJob(sentences + "-" + threads + "thread", ThroughputBenchmark.class, SIDES, work, timing)
                    .deriving("rate", (_, micros) -> sentences / (micros * 1e-6))
                    .estimating((int) Math.ceil(SIDES.size()
                            * (5 + (timing.warmups() + timing.iterations()) * secondsOfCall))));
        }
        return jobs;
    }

    @Override
    public List<Table> tables() {
        return List.of(new Table("Sentences per second", RATE, List.of("sentences", "threads"), Map.of(), SIDES,
                RAGGED));
    }

    @Override
    public List<Figure> figures() {
        return List.of(new Figure("Sentences per second", RATE, Figure.Kind.GROUPS, "threads", "threads", false,
                Map.of(), SIDES));
    }
}
