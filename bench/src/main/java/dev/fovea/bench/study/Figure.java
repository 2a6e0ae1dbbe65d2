package dev.fovea.bench.study;

import java.util.List;
import java.util.Map;

/**
 * A plot of one metric: a series per side.
 *
 * @param title above the plot
 * @param metric the vertical axis
 * @param kind lines over a numeric parameter, or a group for each value of a named one
 * @param x the parameter of the horizontal axis; the values of groups have at most 20 characters
 * @param xLabel its label with unit, such as {@code tokens}
 * @param logarithmic whether both axes are logarithmic (for groups, the vertical one)
 * @param where the parameters that are the same for the whole plot, and their values
 * @param sides its series, in order; empty for all that were measured
 */
public record Figure(String title, Metric metric, Kind kind, String x, String xLabel, boolean logarithmic,
        Map<String, String> where, List<String> sides) {
    /** How it is drawn. */
    public enum Kind {
        LINES,
        /** Bars from zero, or points on a logarithmic axis. */
        GROUPS
    }
}
