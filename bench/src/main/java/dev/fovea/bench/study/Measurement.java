package dev.fovea.bench.study;

import java.util.List;
import java.util.Map;

/**
 * One metric of one side on one piece of work.
 *
 * @param side who, such as {@code Fovea fused}
 * @param work the parameters, in the order in which tables show them, such as {@code n → 128}
 * @param metric what, the {@link Metric#key()}, such as {@code time}
 * @param samples the figures of the forks or iterations; the report shows their range and what the
 *     {@link Metric#summary} says
 */
public record Measurement(String side, Map<String, String> work, String metric, List<Double> samples) {}
