package dev.fovea.bench.report;

import dev.fovea.bench.run.Circumstances;
import dev.fovea.bench.run.Machine;
import dev.fovea.bench.run.Refusal;
import dev.fovea.bench.run.TimeLeft;
import dev.fovea.bench.study.Metric;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The HTML page. It has each plot twice, drawn for wide and for narrow screens, and the style sheet shows one of them:
 * the text of a drawing that is scaled down would be too small to read.
 */
final class Page {
    private static final int WIDE = 760;
    private static final int NARROW = 350;

    private final StringBuilder html = new StringBuilder();

    Page(Circumstances circumstances, String command, Map<String, String> failures, List<SuiteResults> suites) {
        html.append("""
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>Fovea: comparison studies</title>
                <style>
                %s</style>
                </head>
                <body>
                <main>
                <header>
                <h1>Fovea: comparison studies</h1>
                <p>Each study measures all its sides in the same run on the same machine. Each side has its own JVMs.
                Its results are checked before it is timed. Figures are medians; a fraction of a limit is the best
                sample. Ranges go from the smallest to the largest sample. Ratios hold for this run and machine.</p>
                """.formatted(styles()));
        failures(failures);
        contents(suites);
        circumstances(circumstances, command, suites);
        html.append("</header>\n");
    }

    private void failures(Map<String, String> failures) {
        if (!failures.isEmpty()) {
            html.append("<div class=\"notice\"><p>These jobs failed and are missing below:</p><ul>");
            failures.forEach((job, reason) -> html.append("<li>").append(escape(job + ": " + reason)).append("</li>"));
            html.append("</ul></div>\n");
        }
    }

    private void contents(List<SuiteResults> suites) {
        html.append("<nav aria-label=\"Contents\"><ol>\n");
        for (SuiteResults suite : suites) {
            html.append("<li><a href=\"#%s\">%s</a> <span>%s</span></li>\n".formatted(
                    escape(suite.suite().name()), escape(suite.suite().name()), escape(suite.suite().title())));
        }
        html.append("</ol></nav>\n");
    }

    private void circumstances(Circumstances circumstances, String command, List<SuiteResults> suites) {
        Machine machine = circumstances.machine();
        html.append("<h2>Machine</h2>\n<dl>\n");
        term("CPU", machine.cpu() + ", " + machine.cores() + (machine.cores() == 1 ? " core" : " cores"));
        if (!machine.caches().isEmpty()) {
            term("Caches", machine.caches().entrySet().stream()
                    .map(cache -> cache.getKey() + " " + cache.getValue())
                    .collect(Collectors.joining(", ")));
        }
        term("Memory", Numbers.format(machine.memory() / (double) (1 << 30)) + " GiB");
        term("System", machine.os());
        term("JDK", circumstances.jdk());
        term("JVM flags", circumstances.flags().isEmpty() ? "none" : String.join(" ", circumstances.flags()));
        term("Fovea", "build " + circumstances.build());
        term("Effort", circumstances.effort().name().toLowerCase(Locale.ROOT) + ", "
                + TimeLeft.words(suites.stream().mapToDouble(SuiteResults::seconds).sum()));
        html.append("</dl>\n<h2>How to reproduce</h2>\n<pre><code>").append(escape(command)).append("</code></pre>\n");
        html.append("<p>All samples are in <code>raw/</code> next to this page. <code>report.md</code> has the tables "
                + "in Markdown.</p>\n");
    }

    private void term(String name, String value) {
        html.append("<dt>").append(escape(name)).append("</dt><dd>").append(escape(value)).append("</dd>\n");
    }

    void add(SuiteResults results, List<Plot> plots, List<Grid> grids) {
        String name = escape(results.suite().name());
        html.append("<section id=\"%s\">\n<h2>%s</h2>\n<p class=\"title\">%s</p>\n<p>%s</p>\n".formatted(
                name, name, escape(results.suite().title()), escape(results.suite().reading())));
        if (results.records().isEmpty()) {
            html.append("<p class=\"notice\">Nothing was measured.</p>\n</section>\n");
            return;
        }
        notices(results);
        for (int i = 0; i < plots.size(); i++) {
            figure(plots.get(i), results.suite().name() + "-" + (i + 1) + ".svg");
        }
        grids.forEach(this::table);
        sides(results);
        html.append("</section>\n");
    }

    private void notices(SuiteResults results) {
        if (results.absent().isEmpty() && results.refusals().isEmpty()) {
            return;
        }
        html.append("<ul class=\"notice\">\n");
        results.absent().forEach((side, reason) -> html.append("<li><b>%s</b> is absent: %s</li>\n".formatted(
                escape(side), escape(reason))));
        results.refusalsBySide().forEach((side, refusals) -> html.append(
                        "<li><b>%s</b> gave wrong results and was not timed: %s</li>\n".formatted(
                                escape(side), escape(words(refusals)))));
        html.append("</ul>\n");
    }

    private void figure(Plot plot, String file) {
        String label = escape(plot.figure().title());
        html.append("<figure>\n<figcaption>%s <a href=\"%s\">SVG</a></figcaption>\n".formatted(label, escape(file)));
        html.append("<div class=\"plot wide\" role=\"img\" aria-label=\"%s\">%s</div>\n".formatted(
                label, plot.svg(null, WIDE)));
        html.append("<div class=\"plot narrow\" role=\"img\" aria-label=\"%s\">%s</div>\n</figure>\n".formatted(
                label, plot.svg(null, NARROW)));
    }

    private void table(Grid grid) {
        html.append("<h3>%s</h3>\n<p class=\"legend\">%s.</p>\n".formatted(
                escape(grid.table().title()), escape(grid.legend())));
        html.append("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
        grid.table().rows().forEach(name -> html.append("<th scope=\"col\">").append(escape(name)).append("</th>"));
        grid.sides().forEach(side ->
                html.append("<th scope=\"col\" class=\"figure\">").append(escape(side)).append("</th>"));
        html.append("</tr></thead>\n<tbody>\n");
        for (Grid.Row row : grid.rows()) {
            html.append("<tr>");
            row.names().forEach(name -> html.append("<th scope=\"row\">").append(escape(name)).append("</th>"));
            row.cells().forEach(this::cell);
            html.append("</tr>\n");
        }
        html.append("</tbody></table></div>\n");
    }

    private void cell(Grid.Cell cell) {
        html.append(cell.best() ? "<td class=\"best\">" : "<td>").append(escape(cell.value()));
        if (!cell.ratio().isEmpty()) {
            html.append(" <span class=\"ratio\">").append(escape(cell.ratio())).append("</span>");
        }
        if (!cell.range().isEmpty()) {
            html.append("<small>").append(escape(cell.range())).append("</small>");
        }
        html.append("</td>");
    }

    private void sides(SuiteResults results) {
        html.append("<h3>Versions and settings</h3>\n<dl>\n");
        results.sides().forEach(side -> term(side, about(results, side)));
        html.append("</dl>\n");
    }

    /** Version and settings of a side, and why it is absent or was not timed. */
    static String about(SuiteResults results, String side) {
        String absent = results.absent().get(side);
        String version = results.version(side);
        String settings = results.settings(side);
        String about = version.isEmpty() ? settings : settings.isEmpty() ? version : version + "; " + settings;
        if (absent != null) {
            return "absent: " + absent + (about.isEmpty() ? "" : "; " + about);
        }
        return about.isEmpty() ? "version and settings not stated" : about;
    }

    /** What is measured, with its unit. */
    static String axis(Metric metric) {
        return metric.unit().isEmpty() ? metric.label() : metric.label() + " [" + metric.unit() + "]";
    }

    /** The first refusal, and how many more there are. */
    static String words(List<Refusal> refusals) {
        Refusal first = refusals.getFirst();
        String work = first.work().entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
        return "for " + work + ", " + first.reason()
                + (refusals.size() > 1 ? "; and for " + (refusals.size() - 1) + " more" : "");
    }

    String text() {
        return html + "</main>\n</body>\n</html>\n";
    }

    private static String styles() {
        try (InputStream in = Page.class.getResourceAsStream("report.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
