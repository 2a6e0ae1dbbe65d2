package dev.fovea.bench.study;

/**
 * What is measured.
 *
 * @param key names it in the raw results, such as {@code time}
 * @param label names it for people, such as {@code time per call}
 * @param unit such as {@code µs}
 * @param lowerIsBetter whether less is better, as for time
 */
public record Metric(String key, String label, String unit, boolean lowerIsBetter) {}
