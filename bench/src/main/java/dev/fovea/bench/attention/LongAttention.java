package dev.fovea.bench.attention;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The part of the suite on long sequences: Fovea alone, with one side per mask. */
final class LongAttention {
    static final String FULL = "Fovea, full";
    static final String CAUSAL = "Fovea, causal";
    static final String WINDOW = "Fovea, window (256, 0)";

    /** Keys before a query's own that the window shows. */
    static final int WINDOW_LEFT = 256;

    static final int HEAD_DIM = 64;

    static final Metric TIME = new Metric("time", "time per call", "µs", true);
    static final Metric PAIR = new Metric("pair", "time per query and key attended to", "ns", true);
    static final Metric ADDED_MEMORY = new Metric("added_memory", "process memory added by one call", "MB", true);

    private static final String QUERIES = "queries";
    private static final String KEYS = "keys";
    private static final String HEADS = "heads";

    /** The length at which the added memory is measured. */
    static final int LONGEST = 65_536;

    private static final int DECODE_HEADS = 8;

    private LongAttention() {}

    static List<Job> jobs(Effort effort) {
        JmhJob.Timing timing = switch (effort) {
            case SMOKE -> JmhJob.Timing.of(effort);
            case QUICK -> new JmhJob.Timing(1, 1, 3, 100);
            case FULL -> new JmhJob.Timing(2, 2, 4, 150);
        };
        List<String> masks = List.of(FULL, CAUSAL, WINDOW);
        List<Job> jobs = new ArrayList<>();
        switch (effort) {
            case SMOKE -> jobs.add(job(512, 512, 1, masks, timing));
            case QUICK -> {
                for (int n : new int[] {2048, 8192}) {
                    jobs.add(job(n, n, 1, masks, timing));
                }
                jobs.add(job(1, 16_384, DECODE_HEADS, List.of(CAUSAL), timing));
                jobs.add(job(LONGEST, LONGEST, DECODE_HEADS, List.of(WINDOW), timing));
            }
            case FULL -> {
                for (int n : new int[] {1024, 2048, 4096, 8192, 16_384}) {
                    jobs.add(job(n, n, 1, masks, timing));
                }
                for (int keys : new int[] {2048, 16_384}) {
                    jobs.add(job(1, keys, DECODE_HEADS, List.of(CAUSAL), timing));
                }
                jobs.add(job(LONGEST, LONGEST, DECODE_HEADS, List.of(WINDOW), timing));
            }
        }
        return jobs;
    }

    private static Job job(int queries, int keys, int heads, List<String> masks, JmhJob.Timing timing) {
        Map<String, String> work = new LinkedHashMap<>();
        work.put(QUERIES, Integer.toString(queries));
        work.put(KEYS, Integer.toString(keys));
        work.put(HEADS, Integer.toString(heads));
        double seconds = 0;
        for (String mask : masks) {
            double call = pairs(mask, queries, keys, heads) * 4 * HEAD_DIM / AttentionSides.FASTEST_GFLOPS / 1e9;
            seconds += timing.forks() * (1 + call + (timing.warmups() + timing.iterations())
                    * Math.max(call, timing.millis() / 1e3));
        }
        String name = "long-" + queries + "x" + keys + "-h" + heads;
        return new JmhJob(name, LongBenchmark.class, masks, work, timing)
                .deriving(PAIR.key(), (mask, micros) -> micros * 1e3 / pairs(mask, queries, keys, heads))
                .estimating((int) Math.ceil(seconds));
    }

    /** Pairs of query and key that a mask allows, over all heads. */
    static double pairs(String side, int queries, int keys, int heads) {
        double pairs = 0;
        for (int i = 0; i < queries; i++) {
            pairs += endKey(side, i, queries, keys) - firstKey(side, i, queries, keys);
        }
        return heads * pairs;
    }

    /** The first key that query {@code i} sees. */
    static int firstKey(String side, int i, int queries, int keys) {
        return side.equals(WINDOW) ? Math.max(0, i + keys - queries - WINDOW_LEFT) : 0;
    }

    /** The key after the last that query {@code i} sees. */
    static int endKey(String side, int i, int queries, int keys) {
        return side.equals(FULL) ? keys : i + keys - queries + 1;
    }

    static List<Table> tables() {
        List<String> rows = List.of(QUERIES, KEYS, HEADS);
        List<String> masks = List.of(FULL, CAUSAL, WINDOW);
        return List.of(
                new Table("Long sequences: time, heads of 64, 1 thread", TIME, rows, Map.of(), masks, FULL),
                new Table("Long sequences: time per query and key", PAIR, rows, Map.of(), masks, null),
                new Table("Long sequences: process memory added by one call", ADDED_MEMORY, rows, Map.of(),
                        List.of(WINDOW), null));
    }

    static List<Figure> figures() {
        return List.of(new Figure("Long sequences: time per query and key, 1 head of 64, 1 thread", PAIR,
                Figure.Kind.LINES, KEYS, "keys", true, Map.of(HEADS, "1"), List.of(FULL, CAUSAL, WINDOW)));
    }
}
