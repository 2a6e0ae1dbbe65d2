package dev.fovea.bench.study;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A table of one metric: a row per piece of work, a column per side, and beside each side its ratio to the baseline.
 *
 * @param title above the table
 * @param metric what its cells show
 * @param rows the parameters that name a row, in order
 * @param where the parameters that are the same for the whole table, and their values
 * @param sides its columns, in order; empty for all that were measured
 * @param baseline the side that ratios are taken to, or null for none: for a metric of which less is better, how many
 *     times as long the others take
 * @param yardsticks the sides that are no contenders: they stand beside the others, and are not the best of a row
 */
public record Table(String title, Metric metric, List<String> rows, Map<String, String> where, List<String> sides,
        String baseline, Set<String> yardsticks) {
    /** A table of contenders. */
    public Table(String title, Metric metric, List<String> rows, Map<String, String> where, List<String> sides,
            String baseline) {
        this(title, metric, rows, where, sides, baseline, Set.of());
    }

    /** A copy in which {@code side} is no contender. */
    public Table withYardstick(String side) {
        return new Table(title, metric, rows, where, sides, baseline, Set.of(side));
    }
}
