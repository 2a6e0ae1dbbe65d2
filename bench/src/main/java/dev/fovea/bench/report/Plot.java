package dev.fovea.bench.report;

import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Measurement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jetbrains.letsPlot.commons.geometry.DoubleVector;
import org.jetbrains.letsPlot.core.util.PlotSvgExportCommon;

/**
 * A figure with its series in it, drawn by Lets-Plot. Sides differ by colour (the palette of Okabe and Ito), marker and
 * dash; each keeps its own through all plots of a suite.
 */
final class Plot {
    // Black is last but one, yellow, which is faint on white, last.
    private static final List<String> COLOURS = List.of(
            "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442");
    private static final List<Integer> MARKERS = List.of(16, 17, 15, 1, 2, 0, 4, 5);
    private static final List<String> DASHES =
            List.of("solid", "dashed", "longdash", "dotdash", "twodash", "dotted", "solid", "dashed");
    private static final int LEGEND_ROW = 22;
    /** Of a group of bars, between two groups. */
    private static final double GROUP = 0.8;

    private final Figure figure;
    private final List<String> sides;
    private final List<Integer> styles;
    private final Map<List<String>, Map<String, Measurement>> rows;
    private final Figure.Kind kind;

    private Plot(Figure figure, SuiteResults results) {
        this.figure = figure;
        rows = results.rows(figure.metric().key(), List.of(figure.x()), figure.where(), figure.sides());
        // A line needs two points, and figures on single points would be hard to tell.
        kind = rows.size() == 1 ? Figure.Kind.BARS : figure.kind();
        sides = results.measured(figure.sides(), rows.values());
        List<Integer> places =
                sides.stream().map(side -> results.measured().indexOf(side) % COLOURS.size()).toList();
        // Where a suite has more sides than there are colours, two of a plot might look alike.
        styles = Set.copyOf(places).size() == places.size()
                ? places
                : IntStream.range(0, sides.size()).mapToObj(i -> i % COLOURS.size()).toList();
    }

    /** The plot, or null if none of its figures was measured. */
    static Plot of(Figure figure, SuiteResults results) {
        Plot plot = new Plot(figure, results);
        return plot.rows.isEmpty() ? null : plot;
    }

    Figure figure() {
        return figure;
    }

    /**
     * Draws it.
     *
     * @param title above the plot, or null for none
     * @param width in pixels, which decides the height and the columns of the legend
     */
    String svg(String title, int width) {
        int longest = sides.stream().mapToInt(String::length).max().orElse(0);
        int columns = Math.clamp(width / (48 + 7 * longest), 1, sides.size());
        int legend = LEGEND_ROW * ((sides.size() + columns - 1) / columns);
        int height = Math.min(400, width * 3 / 4 + 60) + legend + (title == null ? 0 : 30);

        Map<String, Object> data = new LinkedHashMap<>();
        List<Map<String, Object>> layers = kind == Figure.Kind.LINES ? lines(data) : bars(data, width);
        Map<String, Object> spec = new HashMap<>();
        spec.put("kind", "plot");
        spec.put("data", data);
        if (title != null) {
            spec.put("ggtitle", map("text", title));
        }
        spec.put("layers", layers);
        spec.put("scales", scales(columns, width));
        spec.put("theme", theme());
        String svg = PlotSvgExportCommon.INSTANCE.buildSvgImageFromRawSpecs(
                spec, new DoubleVector(width, height), (_, _, _) -> "", false);
        return Svg.tidy(svg, width, height);
    }

    private List<Map<String, Object>> lines(Map<String, Object> data) {
        rows.forEach((x, row) -> sides.stream().filter(row::containsKey).forEach(side -> {
            List<Double> samples = row.get(side).samples();
            add(data, "x", Double.parseDouble(x.getFirst()));
            add(data, "side", side);
            add(data, "y", figure.metric().figure(samples));
            add(data, "low", Numbers.min(samples));
            add(data, "high", Numbers.max(samples));
        }));
        Map<String, Object> line =
                map("x", "x", "y", "y", "color", "side", "linetype", "side", "shape", "side");
        return list(
                map("geom", "linerange", "show_legend", false, "size", 0.8,
                        "mapping", map("x", "x", "ymin", "low", "ymax", "high", "color", "side")),
                map("geom", "line", "size", 0.9, "mapping", line),
                map("geom", "point", "size", 3.5, "mapping", line));
    }

    private List<Map<String, Object>> bars(Map<String, Object> data, int width) {
        int group = 0;
        double bar = GROUP / sides.size();
        double floor = figure.logarithmic() ? Axis.decadeBelow(least()) : 0;
        for (Map<String, Measurement> row : rows.values()) {
            for (int i = 0; i < sides.size(); i++) {
                Measurement measurement = row.get(sides.get(i));
                if (measurement == null) {
                    continue;
                }
                double left = group - GROUP / 2 + i * bar;
                double value = figure.metric().figure(measurement.samples());
                add(data, "left", left);
                add(data, "right", left + 0.92 * bar);
                add(data, "middle", left + 0.46 * bar);
                add(data, "floor", floor);
                add(data, "side", sides.get(i));
                add(data, "y", value);
                add(data, "low", Numbers.min(measurement.samples()));
                add(data, "high", Numbers.max(measurement.samples()));
                add(data, "label", Numbers.format(value));
                double greatest = Numbers.max(measurement.samples());
                add(data, "above", figure.logarithmic() ? 1.04 * greatest : greatest + 0.01 * greatest());
            }
            group++;
        }
        List<Map<String, Object>> layers = list(
                map("geom", "rect", "size", 0,
                        "mapping", map("xmin", "left", "xmax", "right", "ymin", "floor", "ymax", "y", "fill", "side")),
                map("geom", "linerange", "show_legend", false, "size", 0.6, "color", Svg.INK,
                        "mapping", map("x", "middle", "ymin", "low", "ymax", "high")));
        if (width / (rows.size() * sides.size()) > 45) {
            layers.add(map("geom", "text", "vjust", "bottom", "size", 5, "color", Svg.INK, "show_legend", false,
                    "mapping", map("x", "middle", "y", "above", "label", "label")));
        }
        return layers;
    }

    private List<Map<String, Object>> scales(int columns, int width) {
        Map<String, Object> x = map("aesthetic", "x", "name", figure.xLabel());
        if (kind == Figure.Kind.LINES) {
            List<Double> values = rows.keySet().stream().map(row -> Double.valueOf(row.getFirst())).sorted().toList();
            Axis axis = figure.logarithmic() ? Axis.of(values, width / 85) : Axis.linear(values.getLast(), width / 85);
            axis.marks(x, figure.logarithmic());
            if (figure.logarithmic()) {
                double pad = Math.pow(values.getLast() / values.getFirst(), 0.05) * 1.02;
                x.put("limits", List.of(values.getFirst() / pad, values.getLast() * pad));
            }
        } else {
            x.put("breaks", rows.keySet().stream().map(new ArrayList<>(rows.keySet())::indexOf).map(Double::valueOf)
                    .toList());
            x.put("labels", rows.keySet().stream().map(List::getFirst).toList());
        }
        Map<String, Object> y = map("aesthetic", "y", "name", Page.axis(figure.metric()));
        // Room above for the greatest bar's label.
        if (figure.logarithmic()) {
            Axis.decades(least(), greatest()).marks(y, true);
            double floor = kind == Figure.Kind.BARS ? Axis.decadeBelow(least()) : 0.8 * least();
            y.put("limits", List.of(floor, greatest() * Math.pow(greatest() / floor, 0.08)));
        } else {
            Axis.linear(greatest(), 6).marks(y, false);
            y.put("limits", List.of(0.0, 1.08 * greatest()));
        }
        List<Map<String, Object>> scales = list(x, y);
        Map<String, Object> legend = map("name", "legend", "ncol", columns, "byrow", true);
        if (kind == Figure.Kind.LINES) {
            scales.add(manual("color", COLOURS, legend));
            scales.add(manual("shape", MARKERS, legend));
            scales.add(manual("linetype", DASHES, legend));
        } else {
            scales.add(manual("fill", COLOURS, legend));
        }
        return scales;
    }

    private Map<String, Object> manual(String aesthetic, List<?> values, Map<String, Object> legend) {
        List<?> chosen = styles.stream().map(values::get).toList();
        return map("aesthetic", aesthetic, "name", "", "limits", sides, "values", chosen, "guide", legend);
    }

    private static Map<String, Object> theme() {
        return map("name", "minimal", "legend_position", "bottom",
                "axis_title", map("name", "text", "size", 13),
                "axis_text", map("name", "text", "size", 12),
                "legend_text", map("name", "text", "size", 13),
                "text", map("name", "text", "color", Svg.INK));
    }

    private double least() {
        return rows.values().stream().flatMap(row -> row.values().stream())
                .mapToDouble(measurement -> Numbers.min(measurement.samples())).min().orElseThrow();
    }

    private double greatest() {
        return rows.values().stream().flatMap(row -> row.values().stream())
                .mapToDouble(measurement -> Numbers.max(measurement.samples())).max().orElseThrow();
    }

    @SuppressWarnings("unchecked")
    private static void add(Map<String, Object> data, String column, Object value) {
        ((List<Object>) data.computeIfAbsent(column, _ -> new ArrayList<>())).add(value);
    }

    @SafeVarargs
    @SuppressWarnings("varargs")
    private static List<Map<String, Object>> list(Map<String, Object>... items) {
        return new ArrayList<>(List.of(items));
    }

    /** The library changes what it is given. */
    private static Map<String, Object> map(Object... namesAndValues) {
        Map<String, Object> map = new HashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return map;
    }
}
