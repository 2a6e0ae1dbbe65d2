package dev.fovea.bench.report;

import dev.fovea.bench.study.Measurement;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A table with its figures in it.
 *
 * @param sides the columns after those that name a row
 * @param rows as many cells each as there are sides
 */
record Grid(Table table, List<String> sides, List<Row> rows) {
    /** @param names a value per parameter of the table */
    record Row(List<String> names, List<Cell> cells) {}

    /**
     * @param value the figure of the samples, or a word where there is none
     * @param range least and greatest sample, or empty if there is but one
     * @param ratio to the baseline, or empty
     * @param best whether it contends and no other of the row is better
     */
    record Cell(String value, String range, String ratio, boolean best) {}

    static Grid of(Table table, SuiteResults results) {
        Map<List<String>, Map<String, Measurement>> found =
                results.rows(table.metric().key(), table.rows(), table.where(), table.sides());
        List<String> sides = results.measured(table.sides(), found.values());
        List<Row> rows = new ArrayList<>();
        found.forEach((names, row) -> rows.add(
                new Row(names, sides.stream().map(side -> cell(table, side, names, row, results)).toList())));
        return new Grid(table, sides, rows);
    }

    private static Cell cell(
            Table table, String side, List<String> names, Map<String, Measurement> row, SuiteResults results) {
        Measurement measurement = row.get(side);
        if (measurement == null) {
            boolean refused = results.refusals().stream()
                    .anyMatch(refusal -> refusal.side().equals(side)
                            && refusal.work().entrySet().containsAll(table.where().entrySet())
                            && table.rows().stream().map(refusal.work()::get).toList().equals(names));
            return new Cell(refused ? "refused" : "–", "", "", false);
        }
        Metric metric = table.metric();
        double value = metric.figure(measurement.samples());
        double best = row.values().stream()
                .filter(other -> !table.yardsticks().contains(other.side()))
                .mapToDouble(other -> metric.figure(other.samples()))
                .reduce(metric.lowerIsBetter() ? Math::min : Math::max)
                .orElse(Double.NaN);
        double least = Numbers.min(measurement.samples());
        double greatest = Numbers.max(measurement.samples());
        Measurement baseline = table.baseline() == null ? null : row.get(table.baseline());
        String ratio = "";
        if (baseline != null && !side.equals(table.baseline()) && metric.figure(baseline.samples()) != 0) {
            ratio = "×" + Numbers.format(value / metric.figure(baseline.samples()));
        }
        return new Cell(Numbers.format(value),
                measurement.samples().size() > 1
                        ? Numbers.format(least) + "–" + Numbers.format(greatest)
                        : "",
                ratio, value == best && !table.yardsticks().contains(side));
    }

    /** The unit, what the ratios are, and which way is better. */
    String legend() {
        return Page.axis(table.metric()) + ", " + (table.metric().lowerIsBetter() ? "lower" : "higher") + " is better"
                + (table.baseline() == null ? "" : "; × is the ratio to " + table.baseline());
    }
}
