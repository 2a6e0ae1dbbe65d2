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
 *
 * <p>Groups are bars on an axis from zero. On a logarithmic axis the length of a bar means nothing, since its foot can be
 * anywhere: there they are points, each with the range of its samples.
 */
final class Plot {
    // Black is last but one, yellow, which is faint on white, last.
    private static final List<String> COLOURS = List.of(
            "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442");
    private static final List<Integer> MARKERS = List.of(16, 17, 15, 1, 2, 0, 4, 5);
    private static final List<String> DASHES =
            List.of("solid", "dashed", "longdash", "dotdash", "twodash", "dotted", "solid", "dashed");
    private static final int LEGEND_ROW = 22;
    /** The legend is centred under the plot without its axis, so what the axis takes is missing twice. */
    private static final int AXIS = 30;
    /** The part of the room between two groups that a group takes. */
    private static final double GROUP = 0.8;
    private static final double LABEL_SIZE = 5;

    private final Figure figure;
    private final List<String> sides;
    private final List<Integer> styles;
    private final Map<List<String>, Map<String, Measurement>> rows;
    private final Shape shape;

    private enum Shape {
        LINES,
        BARS,
        POINTS
    }

    private Plot(Figure figure, SuiteResults results) {
        this.figure = figure;
        rows = results.rows(figure.metric().key(), List.of(figure.x()), figure.where(), figure.sides());
        // A line needs two points.
        if (figure.kind() == Figure.Kind.LINES && rows.size() > 1) {
            shape = Shape.LINES;
        } else {
            shape = figure.logarithmic() ? Shape.POINTS : Shape.BARS;
        }
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
        int columns = Math.clamp((width - 2 * AXIS) / (48 + 7 * longest), 1, sides.size());
        int legend = LEGEND_ROW * ((sides.size() + columns - 1) / columns);
        int height = Math.min(400, width * 3 / 4 + 60) + legend + (title == null ? 0 : 30);

        Map<String, Object> data = new LinkedHashMap<>();
        List<Map<String, Object>> layers = shape == Shape.LINES ? lines(data) : groups(data, width);
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
        rows.forEach((x, row) -> sides.stream().filter(row::containsKey)
                .forEach(side -> add(data, Double.parseDouble(x.getFirst()), row.get(side))));
        Map<String, Object> line =
                map("x", "x", "y", "y", "color", "side", "linetype", "side", "shape", "side");
        return list(
                range("color", "side"),
                map("geom", "line", "size", 0.9, "mapping", line),
                map("geom", "point", "size", 3.5, "mapping", line));
    }

    /** Places the sides of a group side by side. */
    private List<Map<String, Object>> groups(Map<String, Object> data, int width) {
        int group = 0;
        double place = GROUP / sides.size();
        for (Map<String, Measurement> row : rows.values()) {
            for (int i = 0; i < sides.size(); i++) {
                Measurement measurement = row.get(sides.get(i));
                if (measurement == null) {
                    continue;
                }
                double left = group - GROUP / 2 + i * place;
                add(data, left + 0.46 * place, measurement);
                add(data, "left", left);
                add(data, "right", left + 0.92 * place);
                add(data, "floor", 0.0);
                add(data, "label", Numbers.format(figure.metric().figure(measurement.samples())));
                double most = Numbers.max(measurement.samples());
                add(data, "above", figure.logarithmic()
                        ? most * Math.pow(greatest() / least(), 0.025)
                        : most + 0.01 * greatest());
            }
            group++;
        }
        List<Map<String, Object>> layers = shape == Shape.BARS ? bars() : points(group);
        if (width / (rows.size() * sides.size()) > 45) {
            layers.add(map("geom", "text", "vjust", "bottom", "size", LABEL_SIZE, "color", Svg.INK,
                    "show_legend", false, "mapping", map("x", "x", "y", "above", "label", "label")));
        }
        return layers;
    }

    private static List<Map<String, Object>> bars() {
        return list(
                map("geom", "rect", "size", 0,
                        "mapping", map("xmin", "left", "xmax", "right", "ymin", "floor", "ymax", "y", "fill", "side")),
                range());
    }

    private static List<Map<String, Object>> points(int groups) {
        List<Map<String, Object>> layers = list();
        for (int i = 1; i < groups; i++) {
            layers.add(map("geom", "vline", "xintercept", i - 0.5, "size", 0.5, "color", Svg.GRID));
        }
        layers.add(range("color", "side"));
        layers.add(map("geom", "point", "size", 4,
                "mapping", map("x", "x", "y", "y", "color", "side", "shape", "side")));
        return layers;
    }

    /** A thin line from the least to the greatest sample, in ink or by the given aesthetic. */
    private static Map<String, Object> range(String... aesthetic) {
        Map<String, Object> mapping = map("x", "x", "ymin", "low", "ymax", "high");
        mapping.putAll(map((Object[]) aesthetic));
        Map<String, Object> range = map("geom", "linerange", "show_legend", false, "size", 0.8, "mapping", mapping);
        if (aesthetic.length == 0) {
            range.put("color", Svg.INK);
        }
        return range;
    }

    private List<Map<String, Object>> scales(int columns, int width) {
        Map<String, Object> x = map("aesthetic", "x", "name", figure.xLabel());
        if (shape == Shape.LINES) {
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
        // Room above for the greatest label.
        if (figure.logarithmic()) {
            Axis.decades(least(), greatest()).marks(y, true);
            double range = greatest() / (0.8 * least());
            y.put("limits", List.of(0.8 * least() / Math.pow(range, 0.02), greatest() * Math.pow(range, 0.08)));
        } else {
            Axis.linear(greatest(), 6).marks(y, false);
            y.put("limits", List.of(0.0, 1.08 * greatest()));
        }
        List<Map<String, Object>> scales = list(x, y);
        Map<String, Object> legend = map("name", "legend", "ncol", columns, "byrow", true);
        if (shape == Shape.BARS) {
            scales.add(manual("fill", COLOURS, legend));
        } else {
            scales.add(manual("color", COLOURS, legend));
            scales.add(manual("shape", MARKERS, legend));
        }
        if (shape == Shape.LINES) {
            scales.add(manual("linetype", DASHES, legend));
        }
        return scales;
    }

    private Map<String, Object> manual(String aesthetic, List<?> values, Map<String, Object> legend) {
        List<?> chosen = styles.stream().map(values::get).toList();
        return map("aesthetic", aesthetic, "name", "", "limits", sides, "values", chosen, "guide", legend);
    }

    private Map<String, Object> theme() {
        Map<String, Object> theme = map("name", "minimal", "legend_position", "bottom",
                "axis_title", map("name", "text", "size", 13),
                "axis_text", map("name", "text", "size", 12),
                "legend_text", map("name", "text", "size", 13),
                "text", map("name", "text", "color", Svg.INK));
        if (shape == Shape.POINTS) {
            // The lines between the groups take the place of those through their middle.
            theme.put("panel_grid_major_x", "blank");
            theme.put("panel_grid_minor_x", "blank");
        }
        return theme;
    }

    private double least() {
        return rows.values().stream().flatMap(row -> row.values().stream())
                .mapToDouble(measurement -> Numbers.min(measurement.samples())).min().orElseThrow();
    }

    private double greatest() {
        return rows.values().stream().flatMap(row -> row.values().stream())
                .mapToDouble(measurement -> Numbers.max(measurement.samples())).max().orElseThrow();
    }

    private void add(Map<String, Object> data, double x, Measurement measurement) {
        add(data, "x", x);
        add(data, "side", measurement.side());
        add(data, "y", figure.metric().figure(measurement.samples()));
        add(data, "low", Numbers.min(measurement.samples()));
        add(data, "high", Numbers.max(measurement.samples()));
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
