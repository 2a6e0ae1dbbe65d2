package dev.fovea.bench.study;

import java.util.List;

/**
 * What is measured.
 *
 * @param key names it in the raw results, such as {@code time}
 * @param label names it for people, such as {@code time per call}
 * @param unit such as {@code µs}
 * @param lowerIsBetter whether less is better, as for time
 * @param summary what the report shows of several samples
 */
public record Metric(String key, String label, String unit, boolean lowerIsBetter, Summary summary) {
    /** What stands for several samples. */
    public enum Summary {
        /** What compares sides: it leaves out the worst moments of the machine, and the best. */
        MEDIAN,
        /** What shows how near a limit is: others on the machine only ever take from it. */
        BEST
    }

    /** A metric of medians. */
    public Metric(String key, String label, String unit, boolean lowerIsBetter) {
        this(key, label, unit, lowerIsBetter, Summary.MEDIAN);
    }

    /** The figure of one or more samples. */
    public double figure(List<Double> samples) {
        List<Double> sorted = samples.stream().sorted().toList();
        if (summary == Summary.BEST) {
            return lowerIsBetter ? sorted.getFirst() : sorted.getLast();
        }
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }
}
